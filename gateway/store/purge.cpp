#include "gateway/store/purge.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "gateway/base/env.h"
#include "gateway/base/sql.h"
#include "gateway/model/transaction.h"
#include "gateway/store/eraser.h"
#include "gateway/store/schema.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::store {
namespace {

constexpr std::size_t kChunk = 1024;

// What stands in no other entry: a status transaction has no member of this name.
constexpr std::string_view kMark = "\"kind\":";

Result<std::optional<CommittedEntry>> entry_at(Ledger& ledger, std::uint64_t index) {
  FLORA_ASSIGN(auto read, ledger.read(index, 1));
  if (read.empty()) return std::optional<CommittedEntry>();
  return std::optional(std::move(read.front()));
}

// Where to begin: behind what was looked at, if this ledger still has it.
Result<std::uint64_t> begin_of(sql::Database& database, Ledger& ledger) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT next, last_transaction FROM purged"));
  FLORA_ASSIGN(const bool row, select.step());
  const auto next = row ? static_cast<std::uint64_t>(select.integer(0)) : 0;
  if (next == 0) return next;
  // Another gateway has looked at what this one's copy of the ledger does not have yet.
  if (database.is_shared() && next > ledger.size()) return ledger.size();
  FLORA_ASSIGN(const auto last, entry_at(ledger, next - 1));
  const bool same = last && std::ranges::equal(last->id.bytes, select.blob(1));
  return same ? next : 0;
}

Result<void> remember(sql::Database& database, const CommittedEntry& last) {
  FLORA_ASSIGN(auto update, database.prepare("UPDATE purged SET next=?, last_transaction=?"));
  return update.bind(1, static_cast<std::int64_t>(last.index + 1))
      .bind_blob(2, last.id.bytes)
      .run();
}

Result<std::uint64_t> purge_of_ledger(sql::Database& database, Eraser& eraser, Ledger& ledger) {
  std::uint64_t count = 0;
  FLORA_ASSIGN(std::uint64_t next, begin_of(database, ledger));
  while (true) {
    FLORA_ASSIGN(const std::vector<CommittedEntry> entries, ledger.read(next, kChunk));
    if (entries.empty()) return count;
    for (const CommittedEntry& entry : entries) {
      FLORA_ASSIGN(const std::optional<Uuid> procedure, buried_by(entry.body));
      if (!procedure) continue;
      FLORA_TRY(eraser.delete_rows(*procedure));
      FLORA_ASSIGN(const bool known, eraser.delete_mapping(*procedure));
      if (known) ++count;
    }
    FLORA_TRY(remember(database, entries.back()));
    next = entries.back().index + 1;
  }
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

Result<std::uint64_t> purge_all(sql::Database& database, Ledger& ledger,
                                const std::vector<CommittedEntry>& lost) {
  FLORA_ASSIGN(Eraser eraser, Eraser::open(database));
  FLORA_ASSIGN(const std::uint64_t of_ledger, purge_of_ledger(database, eraser, ledger));
  FLORA_ASSIGN(const std::uint64_t of_lost, purge_of_lost(database, eraser, ledger, lost));
  return of_ledger + of_lost;
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
  FLORA_TRY(database->begin());
  Result<std::uint64_t> count = purge_all(*database, ledger, lost);
  if (!count) {
    database->rollback();
    return count;
  }
  FLORA_TRY(database->commit());
  // The store tries again when it opens: somebody may make a backup just now.
  FLORA_TRY(database->forget_deleted(kMappingTables));
  return count;
}

}  // namespace flora::store
