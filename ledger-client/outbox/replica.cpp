#include "ledger-client/outbox/replica.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/model/transaction.h"

namespace flora::outbox {
namespace {

constexpr std::int64_t kVersion = 2;

constexpr const char* kTables = R"(
CREATE TABLE entry(
  idx INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL,
  block INTEGER NOT NULL,
  network_transaction TEXT NOT NULL,
  witness TEXT NOT NULL,
  channel TEXT NOT NULL
) STRICT;
CREATE TABLE last_place(
  channel TEXT PRIMARY KEY,
  block INTEGER NOT NULL,
  network_transaction TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE network(
  name TEXT NOT NULL,
  copy TEXT NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0,
  newest INTEGER NOT NULL DEFAULT 0
) STRICT;
)";

// What the copy needs to know of an entry's text.
struct Named {
  Uuid id;
  std::string channel;
  Instant recorded;
};

Result<Named> named(const std::string& body) {
  FLORA_ASSIGN(EntryContent content, parse_entry(body));
  return std::visit(
      [](auto& entry) {
        return Named{entry.id, std::move(entry.channel), entry.recorded_at};
      },
      content);
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
    move_on_.reset();
    note_newest_.reset();
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

  std::vector<NetworkPlace> last() const {
    const std::lock_guard lock(mutex_);
    std::vector<NetworkPlace> places;
    for (const auto& [channel, place] : last_) places.push_back(place);
    return places;
  }

  const std::string& name() const { return name_; }
  bool is_complete() const { return is_complete_; }
  Instant newest() const { return {newest_}; }

  Result<void> complete() {
    const std::lock_guard lock(writing_);
    FLORA_TRY(database_->execute("UPDATE network SET complete=1"));
    is_complete_ = true;
    return {};
  }

  Result<void> take(const std::vector<NetworkEntry>& entries) {
    std::vector<CommittedEntry> taken;
    {
      const std::lock_guard lock(writing_);
      Result<void> written = write(entries, taken);
      if (!written) {
        database_->rollback();
        return written;
      }
    }
    std::vector<std::pair<Waiter, std::uint64_t>> arrived;
    {
      const std::lock_guard lock(mutex_);
      for (const NetworkEntry& entry : entries) last_[entry.place.channel] = entry.place;
      if (taken.empty()) return {};
      size_ = taken.back().index + 1;
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
                                           "witness, channel FROM entry WHERE id=?"));
      FLORA_ASSIGN(const bool row, select.bind_blob(1, id.bytes).step());
      if (!row) return Error{Errc::not_found, "the ledger does not hold this transaction"};
      return Held{static_cast<std::uint64_t>(select.integer(0)),
                  {{static_cast<std::uint64_t>(select.integer(2)), std::string(select.text(3)),
                    std::string(select.text(5))},
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
      FLORA_ASSIGN(auto insert, database_->prepare("INSERT INTO network(name, copy) VALUES(?,?)"));
      FLORA_TRY(insert.bind_text(1, network).bind_text(2, new_name()).run());
      FLORA_TRY(database_->set_schema_version(kVersion));
      FLORA_TRY(database_->commit());
    } else if (version != kVersion) {
      return Error{Errc::invalid, "it is of another version"};
    }
    FLORA_TRY(check_network(network));
    FLORA_ASSIGN(insert_, database_->prepare("INSERT INTO entry(idx, id, body, block, "
                                             "network_transaction, witness, channel) "
                                             "VALUES(?,?,?,?,?,?,?) "
                                             "ON CONFLICT(id) DO NOTHING"));
    FLORA_ASSIGN(note_newest_, database_->prepare("UPDATE network SET newest=max(newest, ?)"));
    FLORA_ASSIGN(move_on_, database_->prepare("INSERT INTO last_place(channel, block, "
                                              "network_transaction) VALUES(?,?,?) "
                                              "ON CONFLICT(channel) DO UPDATE SET "
                                              "block=excluded.block, network_transaction="
                                              "excluded.network_transaction"));
    return load_end(*database_);
  }

  Result<void> check_network(const std::string& network) {
    FLORA_ASSIGN(auto select, database_->prepare("SELECT name FROM network"));
    FLORA_ASSIGN(const bool row, select.step());
    if (row && select.text(0) == network) return {};
    return Error{Errc::conflict, "it belongs to another network"};
  }

  Result<void> load_end(sqlite::Database& database) {
    FLORA_ASSIGN(auto end, database.prepare("SELECT copy, (SELECT coalesce(max(idx)+1, 0) FROM "
                                            "entry), complete, newest FROM network"));
    FLORA_ASSIGN(const bool counted, end.step());
    if (!counted) return Error{Errc::corrupt, "network.db does not say of which network it is"};
    name_ = end.text(0);
    size_ = static_cast<std::uint64_t>(end.integer(1));
    is_complete_ = end.integer(2) != 0;
    newest_ = end.integer(3);
    last_.clear();
    FLORA_ASSIGN(auto select,
                 database.prepare("SELECT channel, block, network_transaction FROM last_place"));
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return {};
      std::string channel(select.text(0));
      last_[channel] = {static_cast<std::uint64_t>(select.integer(1)), std::string(select.text(2)),
                        channel};
    }
  }

  static std::string new_name() {
    std::array<std::byte, 16> bytes{};
    Env::system().random(bytes);
    return to_hex(bytes);
  }

  Result<void> write(const std::vector<NetworkEntry>& entries, std::vector<CommittedEntry>& taken) {
    FLORA_TRY(database_->begin());
    std::uint64_t next = size_;
    std::int64_t newest = newest_;
    for (const NetworkEntry& entry : entries) {
      FLORA_ASSIGN(const Named subject, named(entry.body));
      newest = std::max(newest, subject.recorded.ms);
      FLORA_TRY(insert_->bind(1, static_cast<std::int64_t>(next))
                    .bind_blob(2, subject.id.bytes)
                    .bind_text(3, entry.body)
                    .bind(4, static_cast<std::int64_t>(entry.place.block))
                    .bind_text(5, entry.place.transaction)
                    .bind_text(6, entry.witness)
                    .bind_text(7, entry.place.channel)
                    .run());
      if (insert_->changes() == 0) {
        FLORA_TRY(take_again(subject, entry));
        continue;
      }
      taken.push_back({next++, subject.id, entry.body});
    }
    FLORA_TRY(write_last(entries));
    FLORA_TRY(note_newest_->bind(1, newest).run());
    FLORA_TRY(database_->commit());
    newest_ = newest;
    return {};
  }

  Result<void> write_last(const std::vector<NetworkEntry>& entries) {
    std::map<std::string, const NetworkPlace*> last;
    for (const NetworkEntry& entry : entries) last[entry.place.channel] = &entry.place;
    for (const auto& [channel, place] : last) {
      FLORA_TRY(move_on_->bind_text(1, channel)
                    .bind(2, static_cast<std::int64_t>(place->block))
                    .bind_text(3, place->transaction)
                    .run());
    }
    return {};
  }

  // An entry that another channel has told of. That of the channel which the entry itself names
  // takes its place, so that every copy comes to prove it alike. Each channel refuses an id that it
  // has, but knows nothing of the others'.
  Result<void> take_again(const Named& subject, const NetworkEntry& entry) {
    FLORA_ASSIGN(auto select, database_->prepare("SELECT body, channel FROM entry WHERE id=?"));
    FLORA_ASSIGN(const bool row, select.bind_blob(1, subject.id.bytes).step());
    if (!row || select.text(1) == entry.place.channel) return {};
    if (select.text(0) != entry.body) {
      log::write(log::Level::error,
                 "channels of the ledger network hold different entries of one id",
                 {{"transaction", std::string_view(to_string(subject.id))},
                  {"channel", std::string_view(entry.place.channel)}});
      return {};
    }
    if (entry.place.channel != subject.channel) return {};
    FLORA_ASSIGN(auto update, database_->prepare("UPDATE entry SET block=?, network_transaction=?, "
                                                 "witness=?, channel=? WHERE id=?"));
    return update.bind(1, static_cast<std::int64_t>(entry.place.block))
        .bind_text(2, entry.place.transaction)
        .bind_text(3, entry.witness)
        .bind_text(4, entry.place.channel)
        .bind_blob(5, subject.id.bytes)
        .run();
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
  std::mutex writing_;  // Held while database_ is in use.
  std::optional<sqlite::Database> database_;
  std::optional<sqlite::Statement> insert_;
  std::optional<sqlite::Statement> move_on_;
  std::optional<sqlite::Statement> note_newest_;
  std::string name_;
  std::atomic<bool> is_complete_ = false;
  std::atomic<std::int64_t> newest_ = 0;
  std::atomic<std::uint64_t> size_ = 0;

  mutable std::mutex mutex_;
  std::map<std::string, NetworkPlace> last_;  // By channel.
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

Result<std::string> Replica::network_of(const std::string& path) {
  FLORA_ASSIGN(auto database, sqlite::Database::open(path, sqlite::Mode::read_only));
  FLORA_ASSIGN(auto select, database.prepare("SELECT name FROM network"));
  FLORA_ASSIGN(const bool row, select.step());
  if (!row) return Error{Errc::corrupt, "network.db does not say of which network it is"};
  return std::string(select.text(0));
}

Result<std::unique_ptr<Replica>> Replica::open_as_it_is(const std::string& path) {
  auto core = std::make_unique<Core>(path);
  FLORA_TRY(core->open_as_it_is());
  return std::unique_ptr<Replica>(new Replica(std::move(core)));
}

std::vector<NetworkPlace> Replica::last() const { return core_->last(); }
const std::string& Replica::name() const { return core_->name(); }
bool Replica::is_complete() const { return core_->is_complete(); }
Result<void> Replica::complete() { return core_->complete(); }
Instant Replica::newest() const { return core_->newest(); }
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
