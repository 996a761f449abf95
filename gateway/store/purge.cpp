#include "gateway/store/purge.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/sql.h"
#include "gateway/model/transaction.h"
#include "gateway/store/eraser.h"
#include "gateway/store/schema.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::store {
namespace {

constexpr std::size_t kChunk = 1024;
constexpr std::size_t kChunks = 64;  // In one transaction.

// What stands in no other entry: a status transaction has no member of this name.
constexpr std::string_view kMark = "\"kind\":";

Result<std::optional<CommittedEntry>> entry_at(Ledger& ledger, std::uint64_t index) {
  FLORA_ASSIGN(auto read, ledger.read(index, 1));
  if (read.empty()) return std::optional<CommittedEntry>();
  return std::optional(std::move(read.front()));
}

// How far the ledger was looked at.
struct Reached {
  std::uint64_t next = 0;
  std::string last;  // The id of the transaction before.
};

// Of the copy's own order, if it has one.
Result<Reached> reached_by(sql::Database& database, const std::string& numbering) {
  const bool own = !numbering.empty();
  FLORA_ASSIGN(auto select,
               database.prepare(own ? "SELECT next, last_transaction FROM purged_copy WHERE "
                                      "numbering=?"
                                    : "SELECT next, last_transaction FROM purged"));
  if (own) select.bind_text(1, numbering);
  FLORA_ASSIGN(const bool row, select.step());
  if (!row) return Reached();
  const auto next = static_cast<std::uint64_t>(select.integer(0));
  return Reached{next, own ? std::string(select.text(1)) : to_hex(select.blob(1))};
}

Result<void> remember(sql::Database& database, const CommittedEntry& last,
                      const std::string& numbering) {
  const auto next = static_cast<std::int64_t>(last.index + 1);
  if (numbering.empty()) {
    FLORA_ASSIGN(auto update, database.prepare("UPDATE purged SET next=?, last_transaction=?"));
    return update.bind(1, next).bind_blob(2, last.id.bytes).run();
  }
  FLORA_ASSIGN(auto upsert,
               database.prepare("INSERT INTO purged_copy(numbering, next, last_transaction) "
                                "VALUES(?,?,?) ON CONFLICT(numbering) DO UPDATE SET "
                                "next=excluded.next, last_transaction=excluded.last_transaction"));
  return upsert.bind_text(1, numbering).bind(2, next).bind_text(3, to_hex(last.id.bytes)).run();
}

// Where to begin: behind what was looked at, if this ledger still has it.
Result<std::uint64_t> begin_of(sql::Database& database, Ledger& ledger) {
  const std::string numbering = ledger.numbering();
  FLORA_ASSIGN(const Reached reached, reached_by(database, numbering));
  if (reached.next == 0) return reached.next;
  // Another gateway has looked at what this one's copy of the ledger does not have yet. That holds
  // of copies that are numbered alike.
  const bool alike = database.is_shared() && numbering.empty();
  if (alike && reached.next > ledger.size()) return ledger.size();
  FLORA_ASSIGN(const auto last, entry_at(ledger, reached.next - 1));
  const bool same = last && to_hex(last->id.bytes) == reached.last;
  return same ? reached.next : 0;
}

// What one transaction has done. There are several, because others wait for the lock meanwhile.
struct Step {
  std::uint64_t count = 0;  // Procedures.
  bool more = true;         // There may be.
};

Result<Step> purge_some(sql::Database& database, Eraser& eraser, Ledger& ledger) {
  Step step;
  FLORA_ASSIGN(std::uint64_t next, begin_of(database, ledger));
  for (std::size_t i = 0; i < kChunks; ++i) {
    FLORA_ASSIGN(const std::vector<CommittedEntry> entries, ledger.read(next, kChunk));
    step.more = !entries.empty();
    if (!step.more) return step;
    for (const CommittedEntry& entry : entries) {
      FLORA_ASSIGN(const std::optional<Uuid> procedure, buried_by(entry.body));
      if (!procedure) continue;
      FLORA_TRY(eraser.delete_rows(*procedure));
      FLORA_ASSIGN(const bool known, eraser.delete_mapping(*procedure));
      if (known) ++step.count;
    }
    FLORA_TRY(remember(database, entries.back(), ledger.numbering()));
    next = entries.back().index + 1;
  }
  return step;
}

Result<std::uint64_t> purge_of_lost(sql::Database& database, Eraser& eraser, Ledger& ledger,
                                    const std::vector<CommittedEntry>& lost) {
  FLORA_ASSIGN(auto insert,
               database.prepare("INSERT INTO outbox(n, transaction_id, body, nonce) "
                                "SELECT coalesce(max(n), 0)+1, ?1, ?2, ?3 FROM outbox WHERE true "
                                "ON CONFLICT DO NOTHING"));
  std::uint64_t count = 0;
  for (const CommittedEntry& entry : lost) {
    FLORA_ASSIGN(const std::optional<Uuid> procedure, buried_by(entry.body));
    if (!procedure) continue;
    FLORA_ASSIGN(const std::optional<std::uint64_t> there, ledger.find(entry.id));
    if (there) continue;
    outbox::Nonce nonce;
    Env::system().random(nonce);
    FLORA_TRY(
        insert.bind_blob(1, entry.id.bytes).bind_text(2, entry.body).bind_blob(3, nonce).run());
    FLORA_ASSIGN(const bool known, eraser.delete_mapping(*procedure));
    if (known) ++count;
  }
  return count;
}

// The last one has what was lost, too.
Result<Step> purge_step(sql::Database& database, Eraser& eraser, Ledger& ledger,
                        const std::vector<CommittedEntry>& lost) {
  FLORA_ASSIGN(Step step, purge_some(database, eraser, ledger));
  if (step.more) return step;
  FLORA_ASSIGN(const std::uint64_t of_lost, purge_of_lost(database, eraser, ledger, lost));
  step.count += of_lost;
  return step;
}

}  // namespace

Result<std::optional<Uuid>> buried_by(const std::string& body) {
  if (body.find(kMark) == std::string::npos) return std::optional<Uuid>();
  FLORA_ASSIGN(const EntryContent content, parse_entry(body));
  const auto* tombstone = std::get_if<Tombstone>(&content);
  return tombstone == nullptr ? std::optional<Uuid>() : std::optional(tombstone->procedure);
}

Result<std::uint64_t> purge(const sql::Place& place, Ledger& ledger,
                            const std::vector<CommittedEntry>& lost) {
  if (!exists(place)) return std::uint64_t{0};
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::write));
  FLORA_TRY(prepare_schema(*database));
  FLORA_ASSIGN(Eraser eraser, Eraser::open(*database));
  std::uint64_t count = 0;
  for (bool more = true; more;) {
    FLORA_TRY(database->begin());
    const Result<Step> step = purge_step(*database, eraser, ledger, lost);
    if (!step) {
      database->rollback();
      return step.error();
    }
    FLORA_TRY(database->commit());
    count += step->count;
    more = step->more;
  }
  // The store tries again when it opens: somebody may make a backup just now.
  FLORA_TRY(database->forget_deleted(kMappingTables));
  return count;
}

}  // namespace flora::store
