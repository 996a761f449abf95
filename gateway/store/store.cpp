#include "gateway/store/store.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "gateway/base/sql.h"
#include "gateway/store/audit_reader.h"
#include "gateway/store/outbox_rows.h"
#include "gateway/store/writer.h"

namespace flora::store {
namespace {

// The path from an identifier to the procedures that carry it and on to those that they were merged
// into; what remains at the ends, and whether it is what was asked for: for an identifier that
// there is not, the path of the next one is followed, so that it costs the same.
constexpr std::string_view kRoots =
    "WITH RECURSIVE path(n, merged_into, pseudonym) AS ("
    " SELECT p.n, p.merged_into, p.pseudonym FROM identifier i JOIN procedure p ON p.n=i.procedure"
    " WHERE i.hash=(SELECT hash FROM identifier WHERE hash>=?1 ORDER BY hash LIMIT 1)"
    " UNION SELECT p.n, p.merged_into, p.pseudonym FROM path JOIN procedure p"
    " ON p.n=path.merged_into)"
    " SELECT DISTINCT pseudonym, EXISTS(SELECT 1 FROM identifier WHERE hash=?1) FROM path"
    " WHERE merged_into IS NULL";

// Under each key that rows may have been made with.
std::vector<Digest> hashes_of(const KeysInUse& keys, const Identifier& identifier) {
  std::vector<Digest> hashes;
  for (const std::size_t place : keys.lookup_places()) {
    hashes.push_back(keys.keys->identifier_hash(place, identifier));
  }
  return hashes;
}

Result<std::set<Uuid>> roots_of(sql::Statement& select, const KeysInUse& keys,
                                const Identifier& identifier) {
  std::set<Uuid> roots;
  for (const Digest& hash : hashes_of(keys, identifier)) {
    select.reset();
    select.bind_blob(1, hash);
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) break;
      const Uuid root = uuid_from_bytes(select.blob(0));
      if (select.integer(1) != 0) roots.insert(root);
    }
    select.reset();
  }
  return roots;
}

struct KeptRow {
  FoundAnswer found;
  Digest request{};
};

// The row under a keyed hash that has not expired.
Result<std::optional<KeptRow>> kept_row(sql::Statement& select, const Digest& key, Instant now) {
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind_blob(1, key).bind(2, now.ms).step());
  std::optional<KeptRow> kept;
  if (row) {
    kept.emplace();
    const auto request = select.blob(0);
    std::copy_n(request.begin(), std::min(request.size(), kept->request.size()),
                kept->request.begin());
    KeptAnswer& answer = kept->found.answer;
    answer.status = static_cast<int>(select.integer(1));
    answer.location = select.text(2);
    answer.content_type = select.text(3);
    answer.body = select.text(4);
    if (!select.is_null(5)) answer.procedure = uuid_from_bytes(select.blob(5));
  }
  select.reset();
  return kept;
}

// Under each key that it may have been kept under.
Result<std::optional<FoundAnswer>> find_kept(sql::Database& db, const KeysInUse& keys,
                                             const AnswerKey& key, Instant now) {
  std::vector<AnswerDigests> candidates;
  for (const std::size_t place : keys.lookup_places()) {
    candidates.push_back(keys.keys->keyed(place, key.digests));
  }
  if (keys.first_rows && key.first) candidates.push_back(*key.first);
  FLORA_ASSIGN(auto select,
               db.prepare("SELECT request, status, location, content_type, body, procedure "
                          "FROM kept_answer WHERE key=? AND expires>?"));
  for (const AnswerDigests& candidate : candidates) {
    FLORA_ASSIGN(auto row, kept_row(select, candidate.key, now));
    if (!row) continue;
    row->found.same_request = row->request == candidate.request;
    return std::optional(std::move(row->found));
  }
  return std::optional<FoundAnswer>();
}

}  // namespace

bool names_a_person(const Identifier& identifier) {
  return identifier.type != IdentifierType::bamf_aktenzeichen;
}

std::string_view problem_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::content_differs:
      return "event-conflict";
    case Refusal::identifier_ambiguous:
      return "identifier-ambiguous";
    case Refusal::identifier_conflict:
      return "identifier-conflict";
    case Refusal::procedure_unknown:
      return "procedure-unknown";
    case Refusal::reference_unknown:
      return "reference-unknown";
    case Refusal::reference_mismatch:
      return "reference-mismatch";
    case Refusal::reference_cycle:
      return "reference-cycle";
    case Refusal::merge_with_itself:
      return "merge-with-itself";
    case Refusal::unavailable:
      return "unavailable";
    case Refusal::uncertain:
      return "outcome-unknown";
    case Refusal::overloaded:
      return "temporary-reduced-capacity";
  }
  return "internal-error";
}

// Read-only connections, lent to one thread at a time.
class Store::Readers {
 public:
  Readers(sql::Place place, const KeysInForce& keys) : place_(std::move(place)), keys_(keys) {}

  Result<AuditReader> audit() const { return AuditReader::open(place_); }

  // Runs `work(database)` with a connection of its own.
  template <typename Work>
  auto with(Work work) -> decltype(work(std::declval<sql::Database&>())) {
    while (true) {
      std::unique_ptr<sql::Database> connection = take();
      const bool is_new = connection == nullptr;
      if (is_new) {
        FLORA_ASSIGN(connection, sql::open(place_, sql::Access::read));
      }
      auto result = work(*connection);
      if (!connection->is_lost()) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
        return result;
      }
      if (is_new) return result;
    }
  }

  // Runs `work(database, keys)` on one moment of the file, with the keys that were in use then.
  template <typename Work>
  auto with_keys(Work work)
      -> decltype(work(std::declval<sql::Database&>(), std::declval<const KeysInUse&>())) {
    return with([&](sql::Database& db) -> decltype(work(db, std::declval<const KeysInUse&>())) {
      while (true) {
        const auto keys = keys_.get();
        FLORA_TRY(db.begin());
        const auto held = db.schema_version();  // The first read takes hold.
        if (held && keys != keys_.get()) {
          db.rollback();
          continue;
        }
        const auto named =
            held && db.is_shared() ? look_up(db, keys) : Result<decltype(keys_.get())>(keys);
        if (!named) {
          db.rollback();
          return named.error();
        }
        auto result = work(db, **named);
        db.rollback();
        return result;
      }
    });
  }

 private:
  std::unique_ptr<sql::Database> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<sql::Database> connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  sql::Place place_;
  const KeysInForce& keys_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<sql::Database>> idle_;
};

Store::Store() = default;
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(Options options, Env& env) {
  std::unique_ptr<Store> store(new Store());
  sql::Place place = options.place();
  store->is_shared_ = place.server.has_value();
  FLORA_ASSIGN(store->writer_, Writer::start(std::move(options), env));
  store->readers_ = std::make_unique<Readers>(std::move(place), store->writer_->keys());
  return store;
}

void Store::accept(std::string_view sender, std::vector<Draft> drafts, AcceptDone done) {
  writer_->accept(sender, std::move(drafts), std::move(done));
}

void Store::record(std::vector<std::string> bodies, std::function<void(const Result<void>&)> done) {
  writer_->record(std::move(bodies), std::move(done));
}

void Store::erase(ErasureOrder order, ErasureBegun begun, ErasureDone done) {
  writer_->erase(std::move(order), std::move(begun), std::move(done));
}

void Store::await_erasure(const Uuid& procedure, ErasureDone done) {
  writer_->await_erasure(procedure, std::move(done));
}

std::int64_t Store::erasures_under_way() const { return writer_->erasures_under_way(); }

void Store::committed_through(std::int64_t number) { writer_->committed_through(number); }

void Store::settle(std::vector<outbox::Settlement> settlements,
                   std::function<void(const Result<void>&)> done) {
  writer_->settle(std::nullopt, std::move(settlements), std::move(done));
}

void Store::settle_in_turn(std::int64_t fence, std::vector<outbox::Settlement> settlements,
                           std::function<void(const Result<void>&)> done) {
  writer_->settle(fence, std::move(settlements), std::move(done));
}

void Store::take_turn(const Turn& seen, std::function<void(const Result<std::int64_t>&)> done) {
  writer_->change_turn({Writer::TurnChange::Kind::take, seen, std::move(done)});
}

void Store::renew_turn(std::int64_t fence, std::function<void(const Result<std::int64_t>&)> done) {
  writer_->change_turn({Writer::TurnChange::Kind::renew, {.fence = fence}, std::move(done)});
}

void Store::give_turn_back(std::int64_t fence,
                           std::function<void(const Result<std::int64_t>&)> done) {
  writer_->change_turn({Writer::TurnChange::Kind::give_back, {.fence = fence}, std::move(done)});
}

void Store::reopen_failed(const Uuid& transaction_id, ReopenDone done) {
  writer_->reopen_failed(transaction_id, std::move(done));
}

void Store::keep_answer(const AnswerDigests& digests, const KeptAnswer& answer, Instant expires,
                        std::function<void()> done) {
  writer_->keep_answer(digests, answer, expires, std::move(done));
}

Result<void> Store::use_keys(std::shared_ptr<const MappingKeys> keys) {
  const auto promise = std::make_shared<std::promise<Result<void>>>();
  writer_->use_keys(std::move(keys),
                    [promise](const Result<void>& done) { promise->set_value(done); });
  return promise->get_future().get();
}

RotationProgress Store::rotation() const { return writer_->rotation(); }

bool Store::has_first_rows() const { return writer_->keys().get()->first_rows; }

Result<void> Store::keep_adapter(const AdapterMark& mark, const AdapterTexts& texts) {
  const auto promise = std::make_shared<std::promise<Result<void>>>();
  writer_->keep_adapter(mark, texts,
                        [promise](const Result<void>& kept) { promise->set_value(kept); });
  return promise->get_future().get();
}

Result<std::vector<Holding>> Store::holdings(const Identifier& identifier) {
  return readers_->with_keys([&identifier](sql::Database& db, const KeysInUse& keys) {
    return holdings_of(db, hashes_of(keys, identifier));
  });
}

Result<AuditReader> Store::audit_reader() const { return readers_->audit(); }

Result<std::vector<AdapterVersion>> Store::adapter_versions(std::string_view id) {
  return readers_->with([&](sql::Database& db) { return archived_versions(db, id); });
}

Result<std::optional<ArchivedAdapter>> Store::find_adapter(std::string_view hash) {
  return readers_->with([&](sql::Database& db) { return archived_adapter(db, hash); });
}

std::int64_t Store::outbox_size() const { return writer_->outbox_size(); }

Result<std::optional<FoundAnswer>> Store::kept_answer(const AnswerKey& key, Instant now) {
  return readers_->with_keys(
      [&](sql::Database& db, const KeysInUse& keys) { return find_kept(db, keys, key, now); });
}

// The rules are those of accepting: identifiers of a person decide where there are any, else what
// all known file numbers share.
Result<std::optional<Uuid>> Store::find_procedure(const std::vector<Identifier>& identifiers) {
  return readers_->with_keys(
      [&](sql::Database& db, const KeysInUse& keys) -> Result<std::optional<Uuid>> {
        FLORA_ASSIGN(auto select, db.prepare(kRoots));
        std::set<Uuid> of_persons;
        std::optional<std::set<Uuid>> of_files;
        for (const Identifier& identifier : identifiers) {
          FLORA_ASSIGN(std::set<Uuid> roots, roots_of(select, keys, identifier));
          if (names_a_person(identifier)) {
            of_persons.merge(roots);
          } else if (!of_files && !roots.empty()) {
            of_files = std::move(roots);
          } else if (!roots.empty()) {
            std::erase_if(*of_files, [&roots](const Uuid& id) { return !roots.contains(id); });
          }
        }
        const bool any_person = std::ranges::any_of(identifiers, names_a_person);
        const std::set<Uuid> found = any_person ? of_persons : of_files.value_or(std::set<Uuid>());
        if (found.size() != 1) return std::optional<Uuid>();
        return std::optional(*found.begin());
      });
}

Result<std::optional<OutboxEntry>> Store::find_in_outbox(const Uuid& transaction_id) {
  return readers_->with([&](sql::Database& db) -> Result<std::optional<OutboxEntry>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT n, body, coalesce(failed, ''), channels FROM "
                                         "outbox WHERE transaction_id=?"));
    FLORA_ASSIGN(const bool row, select.bind_blob(1, transaction_id.bytes).step());
    if (!row) return std::optional<OutboxEntry>();
    return std::optional(OutboxEntry{select.integer(0), transaction_id, std::string(select.text(1)),
                                     std::string(select.text(2)), channels_of(select.text(3))});
  });
}

Result<bool> Store::has_accepted(const Uuid& transaction_id) {
  return readers_->with([&](sql::Database& db) -> Result<bool> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT 1 FROM submission WHERE transaction_id=? AND "
                                         "content IS NOT NULL"));
    return select.bind_blob(1, transaction_id.bytes).step();
  });
}

Result<Turn> Store::turn() {
  return readers_->with([](sql::Database& db) { return read_turn(db); });
}

Result<std::vector<outbox::Row>> Store::rows(std::int64_t after, std::size_t limit) {
  return readers_->with([&](sql::Database& db) -> Result<std::vector<outbox::Row>> {
    FLORA_ASSIGN(auto select,
                 db.prepare("SELECT n, transaction_id, body, nonce, channels FROM outbox "
                            "WHERE n>? AND coalesce(failed, '')='' ORDER BY n LIMIT ?"));
    select.bind(1, after).bind(2, static_cast<std::int64_t>(limit));
    std::vector<outbox::Row> rows;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return rows;
      rows.push_back({select.integer(0), uuid_from_bytes(select.blob(1)),
                      std::string(select.text(2)), nonce_of(select.blob(3)),
                      channels_of(select.text(4))});
    }
  });
}

Result<std::vector<OutboxEntry>> Store::failed(std::int64_t after, std::size_t limit) {
  return readers_->with([&](sql::Database& db) -> Result<std::vector<OutboxEntry>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT n, transaction_id, body, failed FROM outbox "
                                         "WHERE n>? AND failed<>'' ORDER BY n LIMIT ?"));
    select.bind(1, after).bind(2, static_cast<std::int64_t>(limit));
    std::vector<OutboxEntry> entries;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return entries;
      entries.push_back({select.integer(0), uuid_from_bytes(select.blob(1)),
                         std::string(select.text(2)), std::string(select.text(3))});
    }
  });
}

Result<std::vector<outbox::Failed>> Store::failed_rows() {
  return readers_->with([&](sql::Database& db) -> Result<std::vector<outbox::Failed>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT transaction_id, failed, body FROM outbox "
                                         "WHERE failed IS NOT NULL ORDER BY n"));
    std::vector<outbox::Failed> failed;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return failed;
      failed.push_back({uuid_from_bytes(select.blob(0)), std::string(select.text(1)),
                        std::string(select.text(2))});
    }
  });
}

Result<std::vector<OutboxEntry>> Store::outbox(std::int64_t after, std::size_t limit) {
  return readers_->with([&](sql::Database& db) -> Result<std::vector<OutboxEntry>> {
    FLORA_ASSIGN(auto select, db.prepare("SELECT n, transaction_id, body FROM outbox "
                                         "WHERE n>? ORDER BY n LIMIT ?"));
    select.bind(1, after).bind(2, static_cast<std::int64_t>(limit));
    std::vector<OutboxEntry> entries;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return entries;
      entries.push_back(
          {select.integer(0), uuid_from_bytes(select.blob(1)), std::string(select.text(2)), {}});
    }
  });
}

}  // namespace flora::store
