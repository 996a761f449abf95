#include "gateway/view/procedure_index.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/model/transaction.h"

namespace flora::view {
namespace {

constexpr std::int64_t kVersion = 4;
constexpr std::size_t kReadAhead = 1024;

// Entries are written together once so many wait, or none came for so long, or a reader asks.
constexpr std::size_t kGroup = 256;
constexpr std::chrono::milliseconds kLinger{100};

constexpr const char* kTables = R"(
CREATE TABLE event(
  procedure BLOB NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY(procedure, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE merge(
  target BLOB NOT NULL,
  source BLOB NOT NULL,
  PRIMARY KEY(target, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX merge_source ON merge(source);
CREATE TABLE tombstone(
  idx INTEGER PRIMARY KEY,
  procedure BLOB NOT NULL
) STRICT;
CREATE INDEX tombstone_procedure ON tombstone(procedure);
CREATE TABLE ending(
  recorded INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  procedure BLOB NOT NULL,
  PRIMARY KEY(recorded, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX ending_procedure ON ending(procedure);
CREATE TABLE ending_status(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE position(
  one INTEGER PRIMARY KEY CHECK(one=1),
  next INTEGER NOT NULL,
  last_transaction BLOB NOT NULL,
  numbering TEXT NOT NULL
) STRICT;
INSERT INTO position VALUES(1, 0, x'', '');
)";

Result<std::vector<Uuid>> ids_of(sqlite::Statement& select) {
  std::vector<Uuid> ids;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return ids;
    ids.push_back(uuid_from_bytes(select.blob(0)));
  }
}

void remove_files(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path + suffix).c_str());
}

}  // namespace

Result<IndexedEntry> indexed(const CommittedEntry& entry) {
  FLORA_ASSIGN(const EntryContent content, parse_entry(entry.body));
  if (const auto* tombstone = std::get_if<Tombstone>(&content)) {
    return IndexedEntry{entry.index, entry.id, tombstone->procedure, std::nullopt, true};
  }
  const auto& transaction = std::get<Transaction>(content);
  return IndexedEntry{
      entry.index, entry.id,           transaction.procedure,  transaction.merged_into,
      false,       transaction.status, transaction.recorded_at};
}

class ProcedureIndex::Core {
 public:
  struct Statements {
    sqlite::Statement insert_event;
    sqlite::Statement insert_merge;
    sqlite::Statement insert_ending;
    sqlite::Statement insert_tombstone;
    sqlite::Statement delete_events;
    sqlite::Statement delete_merges;
    sqlite::Statement delete_endings;
    sqlite::Statement set_position;
  };

  Core(std::string path, Ledger& ledger, std::vector<std::string> ending)
      : path_(std::move(path)),
        ledger_(ledger),
        ending_(std::move(ending)),
        numbering_(ledger.numbering()) {}

  ~Core() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> open() {
    Result<void> opened = open_file();
    if (!opened && opened.error().code == Errc::unavailable) return opened;
    if (!opened) {
      log::write(log::Level::warning, "view: rebuilt from the ledger",
                 {{"reason", to_string(opened.error().code)}});
      statements_.reset();
      database_.reset();
      remove_files(path_);
      FLORA_TRY(open_file());
    }
    FLORA_TRY(catch_up(ledger_.size()));
    thread_ = std::thread([this] { run(); });
    return {};
  }

  // Nothing is written then, and nobody waits for what the ledger holds besides.
  Result<void> open_as_it_is() {
    as_it_is_ = true;
    FLORA_ASSIGN(auto database, sqlite::Database::open(path_, sqlite::Mode::read_only));
    FLORA_ASSIGN(const std::int64_t version, database.schema_version());
    if (version != kVersion) return Error{Errc::invalid, "view.db is of another version"};
    FLORA_TRY(check_statuses(database));
    return {};
  }

  void append(std::vector<IndexedEntry> entries, std::function<void()> done) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(entries), std::move(done)});
    wake_.notify_one();
  }

  // Reads with a connection that is lent to one thread at a time.
  template <typename Work>
  auto read(Work work) -> decltype(work(std::declval<sqlite::Database&>())) {
    std::optional<sqlite::Database> connection;
    {
      const std::lock_guard lock(readers_mutex_);
      if (!readers_.empty()) {
        connection = std::move(readers_.back());
        readers_.pop_back();
      }
    }
    if (!connection) {
      FLORA_ASSIGN(connection, sqlite::Database::open(path_, sqlite::Mode::read_only));
    }
    auto result = work(*connection);
    const std::lock_guard lock(readers_mutex_);
    readers_.push_back(std::move(*connection));
    return result;
  }

  std::uint64_t position() const { return next_; }

  // Waits until what the ledger holds now is in the file.
  Result<void> see_all() {
    if (as_it_is_) return {};
    const std::uint64_t end = ledger_.size();
    std::unique_lock lock(mutex_);
    const std::uint64_t failures = failures_;
    while (next_ < end) {
      if (failures_ != failures) {
        return Error{Errc::unavailable, "entries of the ledger are not in the read model"};
      }
      wanted_ = std::max(wanted_, end);
      wake_.notify_one();
      written_.wait(lock);
    }
    return {};
  }

 private:
  struct Job {
    std::vector<IndexedEntry> entries;
    std::function<void()> done;
  };

  Result<void> open_file() {
    FLORA_ASSIGN(database_,
                 sqlite::Database::open(path_, sqlite::Mode::read_write, sqlite::Sync::normal));
    FLORA_ASSIGN(const std::int64_t version, database_->schema_version());
    if (version == 0) {
      FLORA_TRY(database_->begin());
      FLORA_TRY(database_->execute(kTables));
      FLORA_TRY(write_statuses());
      FLORA_TRY(database_->set_schema_version(kVersion));
      FLORA_TRY(database_->commit());
    } else if (version != kVersion) {
      return Error{Errc::invalid, "view.db is of another version"};
    }
    FLORA_TRY(check_statuses(*database_));
    FLORA_ASSIGN(
        auto insert_event,
        database_->prepare("INSERT OR IGNORE INTO event(procedure, idx) SELECT ?1,?2 WHERE "
                           "NOT EXISTS(SELECT 1 FROM tombstone WHERE procedure=?1)"));
    FLORA_ASSIGN(
        auto insert_merge,
        database_->prepare("INSERT OR IGNORE INTO merge(target, source) SELECT ?1,?2 WHERE "
                           "NOT EXISTS(SELECT 1 FROM tombstone WHERE procedure=?2)"));
    FLORA_ASSIGN(
        auto insert_ending,
        database_->prepare("INSERT OR IGNORE INTO ending(recorded, idx, procedure) SELECT "
                           "?1,?2,?3 WHERE EXISTS(SELECT 1 FROM event WHERE procedure=?3)"));
    FLORA_ASSIGN(auto delete_endings, database_->prepare("DELETE FROM ending WHERE procedure=?"));
    FLORA_ASSIGN(auto insert_tombstone,
                 database_->prepare("INSERT INTO tombstone(procedure, idx) VALUES(?,?)"));
    FLORA_ASSIGN(auto delete_events, database_->prepare("DELETE FROM event WHERE procedure=?"));
    FLORA_ASSIGN(auto delete_merges,
                 database_->prepare("DELETE FROM merge WHERE target=?1 OR source=?1"));
    FLORA_ASSIGN(auto set_position,
                 database_->prepare("UPDATE position SET next=?, last_transaction=?, numbering=?"));
    statements_.emplace(Statements{std::move(insert_event), std::move(insert_merge),
                                   std::move(insert_ending), std::move(insert_tombstone),
                                   std::move(delete_events), std::move(delete_merges),
                                   std::move(delete_endings), std::move(set_position)});
    return check_position();
  }

  Result<void> write_statuses() {
    FLORA_ASSIGN(auto insert, database_->prepare("INSERT INTO ending_status(name) VALUES(?)"));
    for (const std::string& name : ending_) FLORA_TRY(insert.bind_text(1, name).run());
    return {};
  }

  // What other statuses have ended is not in the file.
  Result<void> check_statuses(sqlite::Database& database) const {
    FLORA_ASSIGN(auto select, database.prepare("SELECT name FROM ending_status ORDER BY name"));
    std::vector<std::string> names;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) break;
      names.emplace_back(select.text(0));
    }
    if (names == ending_) return {};
    return Error{Errc::invalid, "view.db was made with other statuses that end a procedure"};
  }

  // The entry before the position must be the one that was indexed there, in the same numbering.
  Result<void> check_position() {
    FLORA_ASSIGN(auto select,
                 database_->prepare("SELECT next, last_transaction, numbering FROM position"));
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return Error{Errc::corrupt, "view.db has no position"};
    const auto next = static_cast<std::uint64_t>(select.integer(0));
    if (next > 0 && select.text(2) != numbering_) {
      return Error{Errc::conflict, "view.db was made of another copy of the ledger"};
    }
    if (next > ledger_.size()) return Error{Errc::conflict, "view.db is ahead of the ledger"};
    if (next > 0) {
      FLORA_ASSIGN(const auto last, ledger_.read(next - 1, 1));
      const auto expected = select.blob(1);
      if (last.size() != 1 || !std::ranges::equal(last.front().id.bytes, expected)) {
        return Error{Errc::conflict, "view.db belongs to another ledger"};
      }
    }
    next_ = next;
    return {};
  }

  Result<void> catch_up(std::uint64_t end) {
    while (next_ < end) {
      const std::size_t limit = std::min<std::uint64_t>(kReadAhead, end - next_);
      FLORA_ASSIGN(const auto entries, ledger_.read(next_, limit));
      if (entries.empty()) return Error{Errc::unavailable, "the ledger gives no more entries"};
      std::vector<IndexedEntry> batch;
      for (const CommittedEntry& entry : entries) {
        FLORA_ASSIGN(const IndexedEntry one, indexed(entry));
        batch.push_back(one);
      }
      FLORA_TRY(write(batch));
    }
    return {};
  }

  void run() {
    std::vector<IndexedEntry> waiting;
    while (true) {
      std::vector<Job> jobs;
      std::uint64_t wanted = 0;
      bool stopping = false;
      {
        std::unique_lock lock(mutex_);
        const auto called = [this] { return stopping_ || !jobs_.empty() || wanted_ > next_; };
        if (waiting.empty()) {
          wake_.wait(lock, called);
        } else {
          wake_.wait_for(lock, kLinger, called);
        }
        jobs = std::exchange(jobs_, {});
        wanted = wanted_;
        stopping = stopping_;
      }
      for (Job& job : jobs) {
        std::ranges::move(job.entries, std::back_inserter(waiting));
        job.done();
      }
      if (jobs.empty() || waiting.size() >= kGroup || wanted > next_) flush(waiting, wanted);
      if (stopping && jobs.empty()) return;
    }
  }

  // Writes what waits, and what the ledger has besides up to `wanted`.
  void flush(std::vector<IndexedEntry>& waiting, std::uint64_t wanted) {
    Result<void> done = process(std::exchange(waiting, {}));
    if (done) done = catch_up(wanted);
    if (!done) {
      database_->rollback();
      log::write(log::Level::error, "view: entries were not written",
                 {{"reason", to_string(done.error().code)}});
    }
    {
      const std::lock_guard lock(mutex_);
      if (!done || wanted_ <= next_) wanted_ = 0;
      if (!done) ++failures_;
    }
    written_.notify_all();
  }

  Result<void> process(std::vector<IndexedEntry> batch) {
    std::ranges::sort(batch, {}, &IndexedEntry::index);
    std::erase_if(batch, [this](const IndexedEntry& entry) { return entry.index < next_; });
    const auto same = [](const IndexedEntry& a, const IndexedEntry& b) {
      return a.index == b.index;
    };
    batch.erase(std::unique(batch.begin(), batch.end(), same), batch.end());
    if (batch.empty()) return {};
    const bool complete =
        batch.front().index == next_ && batch.back().index - next_ + 1 == batch.size();
    if (!complete) return catch_up(batch.back().index + 1);
    return write(batch);
  }

  // A run of entries that starts at the position.
  Result<void> write(const std::vector<IndexedEntry>& entries) {
    FLORA_TRY(database_->begin());
    for (const IndexedEntry& entry : entries) {
      FLORA_TRY(entry.tombstone ? bury(entry) : add(entry));
    }
    const std::uint64_t next = entries.back().index + 1;
    FLORA_TRY(statements_->set_position.bind(1, static_cast<std::int64_t>(next))
                  .bind_blob(2, entries.back().transaction_id.bytes)
                  .bind_text(3, numbering_)
                  .run());
    FLORA_TRY(database_->commit());
    next_ = next;
    return {};
  }

  Result<void> add(const IndexedEntry& entry) {
    FLORA_TRY(statements_->insert_event.bind_blob(1, entry.procedure.bytes)
                  .bind(2, static_cast<std::int64_t>(entry.index))
                  .run());
    if (std::ranges::binary_search(ending_, entry.status)) {
      FLORA_TRY(statements_->insert_ending.bind(1, entry.recorded.ms)
                    .bind(2, static_cast<std::int64_t>(entry.index))
                    .bind_blob(3, entry.procedure.bytes)
                    .run());
    }
    if (!entry.merged_into) return {};
    return statements_->insert_merge.bind_blob(1, entry.merged_into->bytes)
        .bind_blob(2, entry.procedure.bytes)
        .run();
  }

  Result<void> bury(const IndexedEntry& entry) {
    const auto& procedure = entry.procedure.bytes;
    FLORA_TRY(statements_->delete_events.bind_blob(1, procedure).run());
    FLORA_TRY(statements_->delete_merges.bind_blob(1, procedure).run());
    FLORA_TRY(statements_->delete_endings.bind_blob(1, procedure).run());
    return statements_->insert_tombstone.bind_blob(1, procedure)
        .bind(2, static_cast<std::int64_t>(entry.index))
        .run();
  }

  std::string path_;
  Ledger& ledger_;
  const std::vector<std::string> ending_;
  const std::string numbering_;  // Of the ledger.
  bool as_it_is_ = false;
  std::optional<sqlite::Database> database_;
  std::optional<Statements> statements_;
  std::atomic<std::uint64_t> next_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;  // A group was written, or could not be.
  std::vector<Job> jobs_;
  std::uint64_t wanted_ = 0;  // A reader waits for the entries up to here; 0: none does.
  std::uint64_t failures_ = 0;
  bool stopping_ = false;

  std::mutex readers_mutex_;
  std::vector<sqlite::Database> readers_;
  std::thread thread_;
};

ProcedureIndex::ProcedureIndex(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ProcedureIndex::~ProcedureIndex() = default;

Result<std::unique_ptr<ProcedureIndex>> ProcedureIndex::open(const std::string& path,
                                                             Ledger& ledger,
                                                             std::vector<std::string> ending) {
  auto core = std::make_unique<Core>(path, ledger, std::move(ending));
  FLORA_TRY(core->open());
  return std::unique_ptr<ProcedureIndex>(new ProcedureIndex(std::move(core)));
}

Result<std::unique_ptr<ProcedureIndex>> ProcedureIndex::open_as_it_is(
    const std::string& path, Ledger& ledger, std::vector<std::string> ending) {
  auto core = std::make_unique<Core>(path, ledger, std::move(ending));
  FLORA_TRY(core->open_as_it_is());
  return std::unique_ptr<ProcedureIndex>(new ProcedureIndex(std::move(core)));
}

void ProcedureIndex::append(std::vector<IndexedEntry> entries, std::function<void()> done) {
  core_->append(std::move(entries), std::move(done));
}

std::uint64_t ProcedureIndex::position() const { return core_->position(); }

Result<std::vector<std::uint64_t>> ProcedureIndex::entries_of(const Uuid& procedure) {
  FLORA_TRY(core_->see_all());
  return core_->read([&](sqlite::Database& db) -> Result<std::vector<std::uint64_t>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT idx FROM event WHERE procedure=? ORDER BY idx"));
    select.bind_blob(1, procedure.bytes);
    std::vector<std::uint64_t> indexes;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return indexes;
      indexes.push_back(static_cast<std::uint64_t>(select.integer(0)));
    }
  });
}

Result<Uuid> ProcedureIndex::itself_or_another(const Uuid& procedure, const Uuid& place) {
  FLORA_TRY(core_->see_all());
  return core_->read([&](sqlite::Database& db) -> Result<Uuid> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT procedure FROM event WHERE procedure>=? "
                                         "ORDER BY procedure LIMIT 1"));
    // Pseudonyms are random: one that follows a random place may be any of them.
    const auto first_from = [&select](const Uuid& from) -> Result<Uuid> {
      FLORA_ASSIGN(const bool row, select.bind_blob(1, from.bytes).step());
      const Uuid found = row ? uuid_from_bytes(select.blob(0)) : Uuid{};
      select.reset();
      return found;
    };
    FLORA_ASSIGN(const Uuid itself, first_from(procedure));
    FLORA_ASSIGN(Uuid other, first_from(place));
    FLORA_ASSIGN(const Uuid first, first_from({}));
    if (other == Uuid{}) other = first;
    return itself == procedure ? itself : other;
  });
}

Result<std::vector<Uuid>> ProcedureIndex::merged_from(const Uuid& procedure) {
  FLORA_TRY(core_->see_all());
  return core_->read([&](sqlite::Database& db) -> Result<std::vector<Uuid>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT source FROM merge WHERE target=?"));
    return ids_of(select.bind_blob(1, procedure.bytes));
  });
}

Result<std::optional<std::uint64_t>> ProcedureIndex::tombstone_of(const Uuid& procedure) {
  FLORA_TRY(core_->see_all());
  return core_->read([&](sqlite::Database& db) -> Result<std::optional<std::uint64_t>> {
    FLORA_ASSIGN(auto select,
                 db.prepare("SELECT idx FROM tombstone WHERE procedure=? ORDER BY idx LIMIT 1"));
    FLORA_ASSIGN(const bool row, select.bind_blob(1, procedure.bytes).step());
    if (!row) return std::optional<std::uint64_t>();
    return std::optional(static_cast<std::uint64_t>(select.integer(0)));
  });
}

Result<std::vector<EndingEntry>> ProcedureIndex::ending_entries(
    const std::optional<EndingEntry>& after, std::size_t limit) {
  FLORA_TRY(core_->see_all());
  return core_->read([&](sqlite::Database& db) -> Result<std::vector<EndingEntry>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT recorded, idx, procedure FROM ending WHERE "
                                         "(recorded, idx)>(?, ?) ORDER BY recorded, idx LIMIT ?"));
    select.bind(1, after ? after->recorded.ms : std::numeric_limits<std::int64_t>::min());
    select.bind(2, after ? static_cast<std::int64_t>(after->index) : 0);
    select.bind(3, static_cast<std::int64_t>(limit));
    std::vector<EndingEntry> entries;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return entries;
      entries.push_back({Instant{select.integer(0)}, static_cast<std::uint64_t>(select.integer(1)),
                         uuid_from_bytes(select.blob(2))});
    }
  });
}

}  // namespace flora::view
