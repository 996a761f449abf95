#include "ledger-client/outbox/replica.h"

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "gateway/base/bytes.h"
#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/model/transaction.h"

namespace flora::outbox {
namespace {

constexpr std::int64_t kVersion = 1;

constexpr const char* kTables = R"(
CREATE TABLE entry(
  idx INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL,
  block INTEGER NOT NULL,
  network_transaction TEXT NOT NULL,
  witness TEXT NOT NULL
) STRICT;
CREATE TABLE network(name TEXT NOT NULL) STRICT;
)";

Result<Uuid> id_of(const std::string& body) {
  FLORA_ASSIGN(const EntryContent content, parse_entry(body));
  return std::visit([](const auto& entry) { return entry.id; }, content);
}

}  // namespace

class Replica::Core {
 public:
  using Waiter = std::function<void(Result<std::uint64_t>)>;
  using Listener = std::function<void(const std::vector<CommittedEntry>&)>;

  explicit Core(std::string path) : path_(std::move(path)) {}

  ~Core() {
    std::map<Uuid, std::vector<Waiter>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(waiting_);
    }
    for (const auto& [id, waiters] : waiting) {
      for (const Waiter& waiter : waiters) {
        waiter(Error{Errc::unavailable, "the local copy of the ledger ends"});
      }
    }
  }

  Result<void> open(const std::string& network) {
    Result<void> opened = open_file(network);
    if (opened || opened.error().code == Errc::unavailable) return opened;
    log::write(log::Level::warning, "the local copy of the ledger is made anew",
               {{"reason", std::string_view(opened.error().message)}});
    insert_.reset();
    database_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
    return open_file(network);
  }

  Result<void> open_as_it_is() {
    FLORA_ASSIGN(auto database, sqlite::Database::open(path_, sqlite::Mode::read_only));
    FLORA_ASSIGN(const std::int64_t version, database.schema_version());
    if (version != kVersion) return Error{Errc::invalid, "network.db is of another version"};
    return load_end(database);
  }

  std::optional<NetworkPlace> last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

  Result<void> take(const std::vector<NetworkEntry>& entries) {
    std::vector<CommittedEntry> taken;
    Result<void> written = write(entries, taken);
    if (!written) {
      database_->rollback();
      return written;
    }
    if (taken.empty()) return {};
    std::vector<std::pair<Waiter, std::uint64_t>> arrived;
    {
      const std::lock_guard lock(mutex_);
      size_ = taken.back().index + 1;
      last_ = entries.back().place;
      for (const CommittedEntry& entry : taken) {
        const auto waiting = waiting_.find(entry.id);
        if (waiting == waiting_.end()) continue;
        for (Waiter& waiter : waiting->second) arrived.emplace_back(std::move(waiter), entry.index);
        waiting_.erase(waiting);
      }
    }
    {
      const std::lock_guard lock(listener_mutex_);
      if (listener_) listener_(taken);
    }
    for (const auto& [waiter, index] : arrived) waiter(index);
    return {};
  }

  void on_entries(Listener listener) {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
  }

  void await(const Uuid& id, Waiter done) {
    // Registered before it is looked for: it may arrive in between.
    {
      const std::lock_guard lock(mutex_);
      waiting_[id].push_back(std::move(done));
    }
    const auto found = find(id);
    if (!found || !*found) return;
    std::vector<Waiter> arrived;
    {
      const std::lock_guard lock(mutex_);
      const auto waiting = waiting_.find(id);
      if (waiting == waiting_.end()) return;  // take() tells them.
      arrived = std::move(waiting->second);
      waiting_.erase(waiting);
    }
    for (const Waiter& waiter : arrived) waiter(**found);
  }

  Result<std::optional<std::uint64_t>> find(const Uuid& id) {
    return reading([&id](sqlite::Database& db) -> Result<std::optional<std::uint64_t>> {
      FLORA_ASSIGN(auto select, db.prepare("SELECT idx FROM entry WHERE id=?"));
      FLORA_ASSIGN(const bool row, select.bind_blob(1, id.bytes).step());
      if (!row) return std::optional<std::uint64_t>();
      return std::optional(static_cast<std::uint64_t>(select.integer(0)));
    });
  }

  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) {
    return reading([&](sqlite::Database& db) -> Result<std::vector<CommittedEntry>> {
      FLORA_ASSIGN(auto select, db.prepare("SELECT idx, id, body FROM entry WHERE idx>=? "
                                           "ORDER BY idx LIMIT ?"));
      select.bind(1, static_cast<std::int64_t>(first)).bind(2, static_cast<std::int64_t>(limit));
      std::vector<CommittedEntry> entries;
      while (true) {
        FLORA_ASSIGN(const bool row, select.step());
        if (!row) return entries;
        entries.push_back({static_cast<std::uint64_t>(select.integer(0)),
                           uuid_from_bytes(select.blob(1)), std::string(select.text(2))});
      }
    });
  }

  Result<Held> held(const Uuid& id) {
    return reading([&id](sqlite::Database& db) -> Result<Held> {
      FLORA_ASSIGN(auto select, db.prepare("SELECT idx, body, block, network_transaction, "
                                           "witness FROM entry WHERE id=?"));
      FLORA_ASSIGN(const bool row, select.bind_blob(1, id.bytes).step());
      if (!row) return Error{Errc::not_found, "the ledger does not hold this transaction"};
      return Held{static_cast<std::uint64_t>(select.integer(0)),
                  {{static_cast<std::uint64_t>(select.integer(2)), std::string(select.text(3))},
                   std::string(select.text(1)),
                   std::string(select.text(4))}};
    });
  }

  std::uint64_t size() const { return size_; }

 private:
  Result<void> open_file(const std::string& network) {
    FLORA_ASSIGN(database_, sqlite::Database::open(path_, sqlite::Mode::read_write));
    FLORA_ASSIGN(const std::int64_t version, database_->schema_version());
    if (version == 0) {
      FLORA_TRY(database_->begin());
      FLORA_TRY(database_->execute(kTables));
      FLORA_ASSIGN(auto insert, database_->prepare("INSERT INTO network(name) VALUES(?)"));
      FLORA_TRY(insert.bind_text(1, network).run());
      FLORA_TRY(database_->set_schema_version(kVersion));
      FLORA_TRY(database_->commit());
    } else if (version != kVersion) {
      return Error{Errc::invalid, "it is of another version"};
    }
    FLORA_TRY(check_network(network));
    FLORA_ASSIGN(insert_, database_->prepare("INSERT INTO entry(idx, id, body, block, "
                                             "network_transaction, witness) "
                                             "VALUES(?,?,?,?,?,?) "
                                             "ON CONFLICT(id) DO NOTHING"));
    return load_end(*database_);
  }

  Result<void> check_network(const std::string& network) {
    FLORA_ASSIGN(auto select, database_->prepare("SELECT name FROM network"));
    FLORA_ASSIGN(const bool row, select.step());
    if (row && select.text(0) == network) return {};
    return Error{Errc::conflict, "it belongs to another network"};
  }

  Result<void> load_end(sqlite::Database& database) {
    FLORA_ASSIGN(auto select, database.prepare("SELECT idx, block, network_transaction FROM "
                                               "entry ORDER BY idx DESC LIMIT 1"));
    FLORA_ASSIGN(const bool row, select.step());
    size_ = row ? static_cast<std::uint64_t>(select.integer(0)) + 1 : 0;
    last_.reset();
    if (row) {
      last_ = {static_cast<std::uint64_t>(select.integer(1)), std::string(select.text(2))};
    }
    return {};
  }

  Result<void> write(const std::vector<NetworkEntry>& entries, std::vector<CommittedEntry>& taken) {
    FLORA_TRY(database_->begin());
    std::uint64_t next = size_;
    for (const NetworkEntry& entry : entries) {
      FLORA_ASSIGN(const Uuid id, id_of(entry.body));
      FLORA_TRY(insert_->bind(1, static_cast<std::int64_t>(next))
                    .bind_blob(2, id.bytes)
                    .bind_text(3, entry.body)
                    .bind(4, static_cast<std::int64_t>(entry.place.block))
                    .bind_text(5, entry.place.transaction)
                    .bind_text(6, entry.witness)
                    .run());
      if (insert_->changes() == 0) continue;
      taken.push_back({next++, id, entry.body});
    }
    return database_->commit();
  }

  // With a connection that is lent to one thread at a time.
  template <typename Work>
  auto reading(Work work) -> decltype(work(std::declval<sqlite::Database&>())) {
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

  const std::string path_;
  std::optional<sqlite::Database> database_;
  std::optional<sqlite::Statement> insert_;
  std::atomic<std::uint64_t> size_ = 0;

  mutable std::mutex mutex_;
  std::optional<NetworkPlace> last_;
  std::map<Uuid, std::vector<Waiter>> waiting_;

  std::mutex listener_mutex_;  // Held while it is called.
  Listener listener_;

  std::mutex readers_mutex_;
  std::vector<sqlite::Database> readers_;
};

Replica::Replica(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Replica::~Replica() = default;

Result<std::unique_ptr<Replica>> Replica::open(const std::string& path,
                                               const std::string& network) {
  auto core = std::make_unique<Core>(path);
  FLORA_TRY(core->open(network));
  return std::unique_ptr<Replica>(new Replica(std::move(core)));
}

Result<std::unique_ptr<Replica>> Replica::open_as_it_is(const std::string& path) {
  auto core = std::make_unique<Core>(path);
  FLORA_TRY(core->open_as_it_is());
  return std::unique_ptr<Replica>(new Replica(std::move(core)));
}

std::optional<NetworkPlace> Replica::last() const { return core_->last(); }
Result<void> Replica::take(const std::vector<NetworkEntry>& entries) {
  return core_->take(entries);
}
void Replica::on_entries(std::function<void(const std::vector<CommittedEntry>&)> listener) {
  core_->on_entries(std::move(listener));
}
void Replica::await(const Uuid& id, std::function<void(Result<std::uint64_t>)> done) {
  core_->await(id, std::move(done));
}
Result<std::optional<std::uint64_t>> Replica::find(const Uuid& id) { return core_->find(id); }
Result<std::vector<CommittedEntry>> Replica::read(std::uint64_t first, std::size_t limit) {
  return core_->read(first, limit);
}
std::uint64_t Replica::size() const { return core_->size(); }
Result<Replica::Held> Replica::held(const Uuid& id) { return core_->held(id); }

}  // namespace flora::outbox
