// The ceiling for the gateway's benchmarks: the same rows, in the same tables and with the same
// group commits, and nothing else: no HTTP, JSON, checks, hashes, signatures, threads that hand
// over.
//
//   bare_commits commits FOLDER EVENTS PRODUCERS ROWS BODY   EVENTS rows, by PRODUCERS that each
//   wait
//                                                            for their ROWS; texts of BODY bytes
//   bare_commits fdatasync FOLDER COUNT                      4 KiB write and fdatasync, COUNT times
//
// Prints one JSON object.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/base/sqlite.h"
#include "gateway/store/schema.h"
#include "ledger-client/embedded/schema.h"

using namespace flora;

namespace {

using Clock = std::chrono::steady_clock;

// As in the gateway: events per commit of the store, pages of a write-ahead log, hashes of a tile;
// the share of events about a known procedure is the load generator's.
constexpr std::size_t kGroup = 512;
constexpr int kMaxWalPages = 4'000;
constexpr std::uint64_t kTileWidth = 256;
constexpr unsigned kKnownPercent = 20;
constexpr std::size_t kSealedIdentifier = 40;
constexpr std::size_t kAuditRecord = 260;  // Bytes of an event's record in the audit trail.
constexpr std::size_t kCheckpointNote = 200;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

void require(const Result<void>& result) {
  if (!result) fail(result.error().message);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

using Id = std::array<std::byte, 16>;
using Hash = std::array<std::byte, 32>;

std::mt19937_64& generator() {
  static thread_local std::mt19937_64 engine(std::random_device{}());
  return engine;
}

template <typename Bytes>
Bytes random_bytes() {
  Bytes out;
  for (std::size_t i = 0; i < out.size(); i += 8) {
    const std::uint64_t word = generator()();
    for (std::size_t k = 0; k < 8; ++k) out[i + k] = std::byte(word >> (8 * k) & 0xFF);
  }
  return out;
}

// Rises with each call, like a UUID of version 7.
Id rising_id(std::uint64_t n) {
  Id id = random_bytes<Id>();
  for (std::size_t i = 0; i < 8; ++i) id[i] = std::byte(n >> (56 - 8 * i) & 0xFF);
  return id;
}

// What producers wait for: first the store, then the ledger.
struct Ticket {
  std::vector<Id> ids;
  std::int64_t last = 0;  // The number of its last row.
};

// Tickets on their way to a thread.
class Queue {
 public:
  void push(std::vector<Ticket> tickets) {
    const std::lock_guard lock(mutex_);
    std::move(tickets.begin(), tickets.end(), std::back_inserter(waiting_));
    wake_.notify_one();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    wake_.notify_one();
  }
  // Blocks until there is something; empty when there will be nothing more.
  std::vector<Ticket> take(std::size_t limit) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, waiting_.size()));
    std::vector<Ticket> taken(std::make_move_iterator(waiting_.begin()),
                              std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return taken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Ticket> waiting_;
  bool closed_ = false;
};

// The rows that an accepted event leaves in store.db.
class BareStore {
 public:
  explicit BareStore(const std::string& path, std::size_t body)
      : database_(open(path)), body_(body, 'x') {
    require(database_.checkpoint_by_hand(&wal_pages_));
  }

  void commit(std::vector<Ticket>& tickets, std::size_t rows, std::int64_t on_ledger) {
    require(database_.begin());
    const std::int64_t before = number_;
    for (Ticket& ticket : tickets) {
      ticket.ids.clear();
      for (std::size_t i = 0; i < rows; ++i) ticket.ids.push_back(insert());
      ticket.last = number_;
    }
    insert_audit(before);
    require(trim_.bind(1, on_ledger).run());
    require(database_.commit());
    ++commits_;
  }

  // When those who wait are answered.
  void tidy() {
    if (wal_pages_ < kMaxWalPages) return;
    wal_pages_ = 0;
    require(database_.checkpoint());
  }

  std::uint64_t commits() const { return commits_; }

 private:
  static sqlite::Database open(const std::string& path) {
    {
      auto made = sql::open(path, sql::Access::write);
      if (!made) fail(made.error().message);
      require(store::prepare_schema(**made));
    }
    auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
    if (!database) fail(database.error().message);
    require(database->write_no_remains());
    return std::move(*database);
  }

  Id insert() {
    const Id id = rising_id(static_cast<std::uint64_t>(++number_));
    const bool known = procedures_ > 0 && generator()() % 100 < kKnownPercent;
    const std::int64_t procedure = known ? random_procedure() : insert_procedure();
    const Hash identity = random_bytes<Hash>();
    const Hash content = random_bytes<Hash>();
    submission_.bind_blob(1, id).bind_blob(2, identity).bind(3, procedure).bind_blob(4, content);
    require(submission_.run());
    require(outbox_.bind(1, number_).bind_blob(2, id).bind_text(3, body_).run());
    return id;
  }

  // One row for the records of the whole commit.
  void insert_audit(std::int64_t before) {
    const std::string records(static_cast<std::size_t>(number_ - before) * kAuditRecord, 'x');
    const Hash head = random_bytes<Hash>();
    audit_.bind(1, before + 1).bind(2, number_).bind_text(3, records).bind_blob(4, head);
    require(audit_.run());
  }

  std::int64_t random_procedure() const {
    return 1 + static_cast<std::int64_t>(generator()() % static_cast<std::uint64_t>(procedures_));
  }

  std::int64_t insert_procedure() {
    const Id pseudonym = random_bytes<Id>();
    const Hash hash = random_bytes<Hash>();
    require(procedure_.bind(1, ++procedures_).bind_blob(2, pseudonym).run());
    identifier_.bind_blob(1, hash).bind(2, procedures_).bind_blob(3, sealed_);
    require(identifier_.run());
    return procedures_;
  }

  sqlite::Statement prepare(std::string_view sql) {
    auto statement = database_.prepare(sql);
    if (!statement) fail(statement.error().message);
    return std::move(*statement);
  }

  sqlite::Database database_;
  sqlite::Statement procedure_ = prepare("INSERT INTO procedure(n, pseudonym) VALUES(?,?)");
  sqlite::Statement identifier_ =
      prepare("INSERT INTO identifier(hash, procedure, type, value) VALUES(?,?,2,?)");
  sqlite::Statement submission_ = prepare(
      "INSERT INTO submission(transaction_id, identity, authority, procedure, content, status) "
      "VALUES(?,?,'999902',?,?,'ANKUNFT_AE')");
  sqlite::Statement outbox_ = prepare("INSERT INTO outbox(n, transaction_id, body) VALUES(?,?,?)");
  sqlite::Statement audit_ = prepare(
      "INSERT INTO audit_group(first, last, segment, at, records, head) VALUES(?,?,1,0,?,?)");
  sqlite::Statement trim_ = prepare("DELETE FROM outbox WHERE n<=?");
  const std::string body_;
  const std::vector<std::byte> sealed_ = std::vector<std::byte>(kSealedIdentifier);
  std::int64_t number_ = 0;
  std::int64_t procedures_ = 0;
  int wal_pages_ = 0;
  std::uint64_t commits_ = 0;
};

// The rows that a committed transaction leaves in ledger.db.
class BareLedger {
 public:
  explicit BareLedger(const std::string& path, std::size_t body)
      : database_(open(path)), body_(body, 'x') {
    require(database_.checkpoint_by_hand(&wal_pages_));
  }

  void commit(const std::vector<Ticket>& tickets) {
    require(database_.begin());
    const std::uint64_t before = size_;
    for (const Ticket& ticket : tickets) {
      for (const Id& id : ticket.ids) {
        entry_.bind(1, static_cast<std::int64_t>(size_++)).bind_blob(2, id).bind_text(3, body_);
        require(entry_.run());
      }
    }
    insert_tiles(before);
    require(checkpoint_.bind(1, static_cast<std::int64_t>(size_)).bind_text(2, note_).run());
    require(database_.commit());
    ++commits_;
  }

  // When those who wait are answered.
  void tidy() {
    if (wal_pages_ < kMaxWalPages) return;
    wal_pages_ = 0;
    require(database_.checkpoint());
  }

  std::uint64_t commits() const { return commits_; }

 private:
  static sqlite::Database open(const std::string& path) {
    auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
    if (!database) fail(database.error().message);
    require(ledger::create_schema(*database, "flora.example/bench", "bench"));
    return std::move(*database);
  }

  // Full tiles of leaves, and above them the last tile too (c2sp.org/tlog-tiles).
  void insert_tiles(std::uint64_t before) {
    for (unsigned level = 0; (size_ >> (8 * level)) > (before >> (8 * level)); ++level) {
      const std::uint64_t count = size_ >> (8 * level);
      for (std::uint64_t n = (before >> (8 * level)) / kTileWidth; n * kTileWidth < count; ++n) {
        const std::uint64_t width = std::min(kTileWidth, count - n * kTileWidth);
        if (level == 0 && width < kTileWidth) continue;
        tile_.bind(1, level).bind(2, static_cast<std::int64_t>(n));
        require(tile_.bind_blob(3, std::span(hashes_).first(width * 32)).run());
      }
    }
  }

  sqlite::Statement prepare(std::string_view sql) {
    auto statement = database_.prepare(sql);
    if (!statement) fail(statement.error().message);
    return std::move(*statement);
  }

  sqlite::Database database_;
  sqlite::Statement entry_ = prepare("INSERT INTO entry(idx, id, body) VALUES(?,?,?)");
  sqlite::Statement tile_ = prepare("INSERT OR REPLACE INTO tile(level, n, hashes) VALUES(?,?,?)");
  sqlite::Statement checkpoint_ =
      prepare("INSERT INTO checkpoint(size, epoch, note) VALUES(?,0,?)");
  const std::string body_;
  const std::string note_ = std::string(kCheckpointNote, 'n');
  const std::vector<std::byte> hashes_ = std::vector<std::byte>(kTileWidth * 32);
  std::uint64_t size_ = 0;
  int wal_pages_ = 0;
  std::uint64_t commits_ = 0;
};

// One thread per database. A producer's next rows are ready when its last ones are in both.
void run_commits(const std::string& folder, std::uint64_t events, std::size_t producers,
                 std::size_t rows, std::size_t body) {
  std::filesystem::create_directories(folder);
  BareStore store(folder + "/store.db", body);
  BareLedger ledger(folder + "/ledger.db", body);
  Queue to_store;
  Queue to_ledger;
  std::atomic<std::int64_t> on_ledger = 0;
  to_store.push(std::vector<Ticket>(producers));
  const auto begin = Clock::now();
  std::thread ledger_thread([&] {
    while (true) {
      std::vector<Ticket> tickets = to_ledger.take(producers);
      if (tickets.empty()) return to_store.close();
      ledger.commit(tickets);
      on_ledger = tickets.back().last;
      to_store.push(std::move(tickets));
      ledger.tidy();
    }
  });
  std::uint64_t done = 0;
  while (done < events) {
    std::vector<Ticket> tickets = to_store.take(std::max<std::size_t>(1, kGroup / rows));
    done += tickets.size() * rows;
    store.commit(tickets, rows, on_ledger);
    to_ledger.push(std::move(tickets));
    store.tidy();
  }
  to_ledger.close();
  ledger_thread.join();
  const double seconds = seconds_since(begin);
  std::printf(
      "{\"events\": %lu, \"seconds\": %.3f, \"per_second\": %.0f, \"store_commits\": %lu, "
      "\"ledger_commits\": %lu}\n",
      done, seconds, static_cast<double>(done) / seconds, store.commits(), ledger.commits());
}

void run_fdatasync(const std::string& folder, std::size_t count) {
  const std::string path = folder + "/fdatasync.probe";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) fail("cannot create " + path);
  const std::string page(4096, 'x');
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    const bool written =
        ::pwrite(file, page.data(), page.size(), static_cast<off_t>(i * page.size())) == 4096;
    if (!written || ::fdatasync(file) != 0) fail("cannot write " + path);
    times.push_back(seconds_since(begin) * 1e3);
  }
  ::close(file);
  std::filesystem::remove(path);
  std::sort(times.begin(), times.end());
  std::printf("{\"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", times[count / 2], times[count * 99 / 100]);
}

std::size_t number(const char* text) { return std::strtoul(text, nullptr, 10); }

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  if (mode == "commits" && argc == 7) {
    run_commits(argv[2], number(argv[3]), number(argv[4]), number(argv[5]), number(argv[6]));
  } else if (mode == "fdatasync" && argc == 4) {
    run_fdatasync(argv[2], number(argv[3]));
  } else {
    fail("usage: bare_commits commits FOLDER EVENTS PRODUCERS ROWS BODY | fdatasync FOLDER COUNT");
  }
}
