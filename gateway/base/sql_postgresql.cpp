// PostgreSQL as a database of the seam: the only file that knows libpq. Several processes share one
// database. Who writes holds one lock for the length of its transaction, as SQLite has it; each
// commit raises a generation, by which the others learn that something was written, and leaves a
// mark of its own, by which a commit whose answer was lost is found again.
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/base/sql.h"

namespace flora::sql {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t kOldestServer = 150'000;  // As server_version_num has it: 15.
constexpr milliseconds kFirstPause{100};         // Between two tries to connect.
constexpr milliseconds kLongestPause{2'000};
constexpr std::chrono::seconds kResolve{60};  // For finding out what became of a commit.
constexpr std::size_t kMaxPassword = 4096;    // Bytes of its file.
constexpr unsigned kBoolean = 16;             // pg_type.oid
constexpr int kBinary = 1;

// Who writes. One number for all databases: such locks are a database's own.
constexpr const char* kBeginWriting =
    "BEGIN; SELECT pg_advisory_xact_lock(1179406162); SELECT generation FROM flora_database";

// A wait for a standby must not end by a timeout, which would make a commit of it that is not
// there.
constexpr const char* kMark =
    "WITH raised AS (UPDATE flora_database SET generation=generation+1 RETURNING generation) "
    "INSERT INTO flora_commit(instance, generation, at) SELECT $1, generation, now() FROM raised "
    "ON CONFLICT(instance) DO UPDATE SET generation=excluded.generation, at=excluded.at "
    "RETURNING generation, pg_current_xact_id()::xid::text, "
    "set_config('statement_timeout', '0', true)";

constexpr const char* kBookkeeping = R"(
CREATE TABLE flora_database(
  one INTEGER PRIMARY KEY CHECK(one=1),
  version BIGINT NOT NULL,
  generation BIGINT NOT NULL
);
INSERT INTO flora_database VALUES(1, 0, 0);

CREATE TABLE flora_commit(
  instance TEXT PRIMARY KEY,
  generation BIGINT NOT NULL,
  at TIMESTAMPTZ NOT NULL
);
)";

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ResultPointer = std::unique_ptr<PGresult, ClearResult>;
using ConnectionPointer = std::unique_ptr<PGconn, CloseConnection>;

Errc code_of(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (group == "23") return Errc::conflict;
  if (group == "53") return Errc::overloaded;
  if (group == "42" || group == "XX" || group == "22") return Errc::corrupt;
  return Errc::unavailable;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string_view field_of(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

bool is_good(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

// The first message names tables and columns of ours; what holds values (its detail, and messages
// about data) is left out.
Error error_of(PGconn* connection, const PGresult* result) {
  const std::string_view state = field_of(result, PG_DIAG_SQLSTATE);
  if (state.empty()) {
    return {Errc::unavailable, "PostgreSQL: " + first_line(PQerrorMessage(connection))};
  }
  std::string message = "PostgreSQL: SQLSTATE " + std::string(state);
  if (!state.starts_with("22")) {
    message += ", " + first_line(field_of(result, PG_DIAG_MESSAGE_PRIMARY));
  }
  return {code_of(state), std::move(message)};
}

// `?` and `?3` become `$1` and `$3`; quoted text stays.
std::string in_dialect(std::string_view text) {
  std::string out;
  int next = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\'') quoted = !quoted;
    if (quoted || text[at] != '?') {
      out += text[at];
      continue;
    }
    out += '$';
    const bool numbered = at + 1 < text.size() && text[at + 1] >= '1' && text[at + 1] <= '9';
    if (!numbered) out += std::to_string(++next);
  }
  return out;
}

// A number as the binary format has it.
std::array<char, 8> big_endian(std::int64_t value) {
  std::array<char, 8> bytes{};
  auto rest = static_cast<std::uint64_t>(value);
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, rest >>= 8) {
    *at = static_cast<char>(rest & 0xFF);
  }
  return bytes;
}

std::int64_t from_big_endian(std::string_view bytes) {
  const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

std::int64_t number_in(const PGresult* result, int column) {
  return std::strtoll(PQgetvalue(result, 0, column), nullptr, 10);
}

// Between two tries: nobody calls earlier.
void rest(milliseconds pause) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, pause);
}

// The server's part of a connection that may be lost and made again.
class Connection {
 public:
  Connection(Server server, Access access) : server_(std::move(server)), access_(access) {}

  Result<void> connect();
  PGconn* get() const { return connection_.get(); }
  bool is_lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
  bool in_transaction() const {
    const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
    return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
  }

  Result<ResultPointer> run(const char* text) {
    return checked(ResultPointer(PQexec(connection_.get(), text)));
  }
  Result<ResultPointer> run(const char* text, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    for (const std::string& one : parameters) values.push_back(one.c_str());
    return checked(
        ResultPointer(PQexecParams(connection_.get(), text, static_cast<int>(values.size()),
                                   nullptr, values.data(), nullptr, nullptr, 0)));
  }
  Result<ResultPointer> checked(ResultPointer result) const {
    if (is_good(result.get())) return result;
    return error_of(connection_.get(), result.get());
  }

  /// The name of a statement that this connection has prepared.
  Result<std::string> prepared(const std::string& text);

 private:
  Result<ConnectionPointer> open() const;
  Result<void> check_and_set();
  void end_predecessor();

  Server server_;
  Access access_;
  ConnectionPointer connection_;
  std::string process_;  // Of the server, for this connection.
  std::string since_;    // When that process began: numbers of processes come again.
  std::unordered_map<std::string, std::string> prepared_;
};

// What is in the string itself may stand in a log: it must have no password.
Result<void> check_string(const std::string& connection) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(connection.c_str(), &message));
  PQfreemem(message);
  if (!options) return Error{Errc::invalid, "PostgreSQL: the connection string does not parse"};
  for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
    const std::string_view keyword = one->keyword;
    const bool secret = keyword == "password" || keyword == "sslpassword";
    if (secret && one->val != nullptr) {
      return Error{Errc::invalid, "PostgreSQL: the connection string has a password"};
    }
  }
  return {};
}

// Nothing if there is no file.
Result<std::string> password_in(const std::string& file) {
  if (file.empty()) return std::string();
  FLORA_ASSIGN(std::string text, Env::system().read_file(file, kMaxPassword));
  const std::size_t end = text.find_first_of("\r\n");
  if (end == 0 || text.empty()) return Error{Errc::invalid, file + " has no password"};
  if (end != std::string::npos) text.resize(end);
  return text;
}

Result<ConnectionPointer> Connection::open() const {
  FLORA_TRY(check_string(server_.connection));
  FLORA_ASSIGN(std::string password, password_in(server_.password_file));
  // What comes later counts: the string may set what stands before it. A lost connection is found
  // out within seconds.
  const std::vector<std::pair<const char*, const char*>> settings = {
      {"connect_timeout", "5"},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "15000"},
      {"application_name", "flora-gateway"},
      {"dbname", server_.connection.c_str()},
      {"password", password.empty() ? nullptr : password.c_str()},
      {"client_encoding", "UTF8"},
      {"target_session_attrs", "read-write"}};
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionPointer connection(PQconnectdbParams(keywords.data(), values.data(), 1));
  crypto::erase(std::as_writable_bytes(std::span(password)));
  if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
  const std::string reason = connection ? first_line(PQerrorMessage(connection.get())) : "memory";
  return Error{Errc::unavailable, "PostgreSQL: no connection: " + reason};
}

Result<void> Connection::connect() {
  FLORA_ASSIGN(auto connection, open());
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  connection_ = std::move(connection);
  prepared_.clear();
  const Result<void> done = check_and_set();
  if (!done) connection_.reset();
  return done;
}

// A server that does not keep what it has acknowledged is refused, whatever else it says.
Result<void> Connection::check_and_set() {
  FLORA_ASSIGN(const ResultPointer shown,
               run("SELECT current_setting('server_version_num'), current_setting('fsync'), "
                   "current_setting('full_page_writes'), pg_encoding_to_char(encoding) "
                   "FROM pg_database WHERE datname=current_database()"));
  const auto value = [&shown](int column) {
    return std::string_view(PQgetvalue(shown.get(), 0, column));
  };
  if (number_in(shown.get(), 0) < kOldestServer) {
    return Error{Errc::invalid, "PostgreSQL: the server is older than 15"};
  }
  if (value(1) != "on") return Error{Errc::invalid, "PostgreSQL: the server has fsync off"};
  if (value(2) != "on") {
    return Error{Errc::invalid, "PostgreSQL: the server has full_page_writes off"};
  }
  if (value(3) != "UTF8") return Error{Errc::invalid, "PostgreSQL: the database is not UTF8"};
  FLORA_TRY(
      run("SELECT set_config('synchronous_commit', CASE "
          "current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' "
          "ELSE 'on' END, false)"));
  // Who was stopped within its transaction does not hold up the others for longer.
  FLORA_TRY(run(access_ == Access::write
                    ? "SET statement_timeout='30s'; SET idle_in_transaction_session_timeout='20s'"
                    : "SET statement_timeout='30s'; SET default_transaction_read_only=on"));
  end_predecessor();
  FLORA_ASSIGN(const ResultPointer own,
               run("SELECT pid::text, backend_start::text FROM pg_stat_activity "
                   "WHERE pid=pg_backend_pid()"));
  process_ = PQgetvalue(own.get(), 0, 0);
  since_ = PQgetvalue(own.get(), 0, 1);
  return {};
}

// The server may not know yet that the connection before this one is lost. Should it still be at
// work it is ended; that it is not there is the rule.
void Connection::end_predecessor() {
  if (process_.empty()) return;
  [[maybe_unused]] const auto ended =
      run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid=$1::int "
          "AND backend_start=$2::timestamptz AND usename=current_user",
          {process_, since_});
}

Result<std::string> Connection::prepared(const std::string& text) {
  const auto known = prepared_.find(text);
  if (known != prepared_.end()) return known->second;
  std::string name = "s" + std::to_string(prepared_.size());
  FLORA_TRY(checked(ResultPointer(
      PQprepare(connection_.get(), name.c_str(), in_dialect(text).c_str(), 0, nullptr))));
  prepared_.emplace(text, name);
  return name;
}

// All rows of an answer are in memory at its first step.
class PostgresqlPrepared final : public Prepared {
 public:
  PostgresqlPrepared(Connection& connection, std::string text)
      : connection_(connection), text_(std::move(text)) {}

  void bind(int parameter, std::int64_t value) override {
    Parameter& one = at(parameter);
    one.number = big_endian(value);
    one.is_number = true;
  }
  void bind_text(int parameter, std::string_view text) override {
    at(parameter).bytes = text.empty() ? std::string_view("") : text;
  }
  void bind_blob(int parameter, std::span<const std::byte> bytes) override {
    const auto* const data = reinterpret_cast<const char*>(bytes.data());
    at(parameter).bytes =
        bytes.empty() ? std::string_view("") : std::string_view(data, bytes.size());
  }
  void bind_null(int parameter) override { at(parameter); }

  Result<bool> step() override {
    if (!result_) FLORA_TRY(run());
    ++row_;
    return row_ < PQntuples(result_.get());
  }

  void reset() override {
    result_.reset();
    parameters_.clear();
    row_ = -1;
  }

  std::int64_t changes() const override { return changes_; }
  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }
  std::int64_t integer(int column) const override {
    const std::string_view bytes = text(column);
    if (PQftype(result_.get(), column) == kBoolean) return bytes == std::string_view("\1", 1);
    return from_big_endian(bytes);
  }
  std::string_view text(int column) const override {
    return {PQgetvalue(result_.get(), row_, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
  }
  std::span<const std::byte> blob(int column) const override {
    const std::string_view bytes = text(column);
    return {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  }

 private:
  struct Parameter {
    std::string_view bytes;  // Null if it has no data.
    std::array<char, 8> number{};
    bool is_number = false;
  };

  // Null, until it gets a value.
  Parameter& at(int parameter) {
    const auto place = static_cast<std::size_t>(parameter);
    if (parameters_.size() < place) parameters_.resize(place);
    return parameters_[place - 1] = Parameter{};
  }

  Result<void> run() {
    FLORA_ASSIGN(const std::string name, connection_.prepared(text_));
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const Parameter& one : parameters_) {
      values.push_back(one.is_number ? one.number.data() : one.bytes.data());
      lengths.push_back(static_cast<int>(one.is_number ? one.number.size() : one.bytes.size()));
    }
    const std::vector<int> formats(values.size(), kBinary);
    FLORA_ASSIGN(result_, connection_.checked(ResultPointer(PQexecPrepared(
                              connection_.get(), name.c_str(), static_cast<int>(values.size()),
                              values.data(), lengths.data(), formats.data(), kBinary))));
    changes_ = std::strtoll(PQcmdTuples(result_.get()), nullptr, 10);
    row_ = -1;
    return {};
  }

  Connection& connection_;
  std::string text_;
  std::vector<Parameter> parameters_;
  ResultPointer result_;
  int row_ = -1;
  std::int64_t changes_ = 0;
};

class PostgresqlDatabase final : public Database {
 public:
  PostgresqlDatabase(Server server, Access access)
      : access_(access), connection_(std::move(server), access) {}

  Result<void> open();

  Kind kind() const override { return Kind::postgresql; }
  bool is_lost() const override { return connection_.is_lost(); }
  bool is_behind() const override { return behind_; }
  void caught_up() override {
    seen_ = generation_;
    behind_ = false;
  }

  Result<void> execute(const std::string& text) override {
    FLORA_TRY(connection_.run(text.c_str()));
    return {};
  }
  Result<Statement> prepare(std::string_view text) override {
    std::string copy(text);
    FLORA_TRY(connection_.prepared(copy));
    return Statement(std::make_unique<PostgresqlPrepared>(connection_, std::move(copy)));
  }
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override {
    if (!connection_.in_transaction()) return;
    [[maybe_unused]] const auto done = connection_.run("ROLLBACK");
  }

  Result<std::int64_t> schema_version() override {
    FLORA_ASSIGN(const ResultPointer row, connection_.run("SELECT version FROM flora_database"));
    return number_in(row.get(), 0);
  }
  Result<void> set_schema_version(std::int64_t version) override {
    FLORA_TRY(connection_.run("UPDATE flora_database SET version=$1", {std::to_string(version)}));
    return {};
  }

  // The server decides what it overwrites, and when.
  Result<void> write_no_remains() override { return {}; }
  Result<void> wipe_remains() override { return {}; }
  Result<bool> forget_deleted(std::span<const std::string_view> tables) override;

  // The server tidies up by itself, and ends where a sync fails.
  Result<void> tidy_by_hand() override { return {}; }
  Result<void> tidy() override { return {}; }

 private:
  Result<void> bootstrap();
  Result<void> make_tables();
  Result<void> reconnect();
  Result<void> begin_writing();
  Result<void> read_generation(const PGresult* row);
  Result<void> resolve(std::int64_t generation);
  Result<bool> is_marked(std::int64_t generation);

  Access access_;
  Connection connection_;
  std::string instance_;         // Names this object in the database.
  std::int64_t generation_ = 0;  // Of the last commit that is known, whoever made it.
  std::int64_t seen_ = -1;       // Up to here the caller knows what was written.
  bool behind_ = false;
  std::string last_transaction_;  // The number that the server has given to the last commit.
  milliseconds pause_ = kFirstPause;
  Clock::time_point next_try_;
};

Result<void> PostgresqlDatabase::open() {
  FLORA_TRY(connection_.connect());
  if (access_ == Access::write) return bootstrap();
  FLORA_ASSIGN(const ResultPointer there,
               connection_.run("SELECT to_regclass('flora_database') IS NOT NULL"));
  if (*PQgetvalue(there.get(), 0, 0) == 't') return {};
  return Error{Errc::not_found, "PostgreSQL: the database is empty"};
}

// Two that begin at the same time make the tables once.
Result<void> PostgresqlDatabase::bootstrap() {
  FLORA_ASSIGN(const ResultPointer instance, connection_.run("SELECT gen_random_uuid()"));
  instance_ = PQgetvalue(instance.get(), 0, 0);
  FLORA_TRY(connection_.run("BEGIN; SELECT pg_advisory_xact_lock(1179406162)"));
  Result<void> made = make_tables();
  if (made) {
    const auto committed = connection_.run("COMMIT");
    if (!committed) made = committed.error();
  }
  rollback();
  return made;
}

Result<void> PostgresqlDatabase::make_tables() {
  FLORA_ASSIGN(const ResultPointer there,
               connection_.run("SELECT to_regclass('flora_database') IS NOT NULL, count(*) FROM "
                               "pg_class WHERE relnamespace=current_schema()::regnamespace "
                               "AND relkind IN ('r', 'p', 'v', 'm')"));
  if (*PQgetvalue(there.get(), 0, 0) == 't') {
    // Of those that ended without a word.
    FLORA_TRY(connection_.run("DELETE FROM flora_commit WHERE at<now()-interval '1 day'"));
    return {};
  }
  if (number_in(there.get(), 1) > 0) {
    return Error{Errc::corrupt, "PostgreSQL: the database has tables of another program"};
  }
  return execute(kBookkeeping);
}

Result<void> PostgresqlDatabase::reconnect() {
  const Clock::time_point now = Clock::now();
  if (now < next_try_) return Error{Errc::unavailable, "PostgreSQL: the connection is lost"};
  const Result<void> done = connection_.connect();
  pause_ = done ? kFirstPause : std::min(2 * pause_, kLongestPause);
  next_try_ = done ? now : Clock::now() + pause_;
  return done;
}

Result<void> PostgresqlDatabase::begin() {
  if (access_ == Access::read) return execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (!connection_.is_lost()) {
    const Result<void> begun = begin_writing();
    // It may have been lost long ago, while nobody asked.
    if (begun || !connection_.is_lost()) return begun;
  }
  FLORA_TRY(reconnect());
  return begin_writing();
}

Result<void> PostgresqlDatabase::begin_writing() {
  const auto row = connection_.run(kBeginWriting);
  const Result<void> read = row ? read_generation(row->get()) : Result<void>(row.error());
  if (!read) rollback();
  return read;
}

Result<void> PostgresqlDatabase::read_generation(const PGresult* row) {
  const std::int64_t generation = number_in(row, 0);
  if (generation < generation_) {
    return Error{Errc::corrupt, "PostgreSQL: the database has lost commits: it is at " +
                                    std::to_string(generation) + ", acknowledged were " +
                                    std::to_string(generation_)};
  }
  generation_ = generation;
  if (generation != seen_) behind_ = true;
  return {};
}

Result<void> PostgresqlDatabase::commit() {
  const auto mark = connection_.run(kMark, {instance_});
  if (!mark) {
    rollback();
    return mark.error();
  }
  const std::int64_t generation = number_in(mark->get(), 0);
  last_transaction_ = PQgetvalue(mark->get(), 0, 1);
  const ResultPointer answer(PQexec(connection_.get(), "COMMIT"));
  const bool refused = field_of(answer.get(), PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR";
  if (refused) return error_of(connection_.get(), answer.get());
  if (!is_good(answer.get())) {
    FLORA_TRY(resolve(generation));
  } else if (std::string_view(PQcmdStatus(answer.get())) != "COMMIT") {
    return Error{Errc::unavailable, "PostgreSQL: the transaction was taken back"};
  }
  generation_ = generation;
  if (!behind_) seen_ = generation;
  return {};
}

// The answer to a commit was lost. It stands if its mark does; behind the lock nobody is at work on
// it any more.
Result<void> PostgresqlDatabase::resolve(std::int64_t generation) {
  const Clock::time_point deadline = Clock::now() + kResolve;
  Error last;
  for (milliseconds pause = kFirstPause; Clock::now() < deadline;
       pause = std::min(2 * pause, kLongestPause)) {
    const Result<bool> marked = is_marked(generation);
    if (marked && *marked) return {};
    if (marked) return Error{Errc::unavailable, "PostgreSQL: the commit was not done"};
    last = marked.error();
    rest(pause);
  }
  last.code = Errc::uncertain;
  return last;
}

Result<bool> PostgresqlDatabase::is_marked(std::int64_t generation) {
  FLORA_TRY(connection_.connect());
  FLORA_TRY(connection_.run(kBeginWriting));
  const auto row =
      connection_.run("SELECT count(*) FROM flora_commit WHERE instance=$1 AND generation=$2",
                      {instance_, std::to_string(generation)});
  rollback();
  if (!row) return row.error();
  return number_in(row->get(), 0) > 0;
}

// A reader may still see what was deleted as long as its transaction is older than the last one of
// this connection.
Result<bool> PostgresqlDatabase::forget_deleted(std::span<const std::string_view> tables) {
  if (connection_.is_lost() && !reconnect()) return false;
  if (!last_transaction_.empty()) {
    const auto readers = connection_.run(
        "SELECT count(*) FROM pg_stat_activity WHERE datname=current_database() AND "
        "pid<>pg_backend_pid() AND age(backend_xmin)>=age($1::xid)",
        {last_transaction_});
    if (!readers || number_in(readers->get(), 0) > 0) return false;
  }
  std::string list;
  for (const std::string_view table : tables) {
    list += list.empty() ? "" : ", ";
    list += table;
  }
  if (!connection_.run("SET statement_timeout=0")) return false;
  const bool done = connection_.run(("VACUUM (INDEX_CLEANUP ON) " + list).c_str()).has_value();
  [[maybe_unused]] const auto restored = connection_.run("SET statement_timeout='30s'");
  return done;
}

}  // namespace

Result<std::unique_ptr<Database>> open_postgresql(const Server& server, Access access) {
  auto database = std::make_unique<PostgresqlDatabase>(server, access);
  FLORA_TRY(database->open());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace flora::sql
