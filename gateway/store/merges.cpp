#include "gateway/store/merges.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "gateway/model/transaction.h"

namespace flora::store {
namespace {

// The outbox goes to the ledger in its order, behind what is there.
constexpr std::uint64_t kBehindLedger = std::uint64_t{1} << 62;

Result<std::vector<std::int64_t>> numbers(sql::Statement& select) {
  std::vector<std::int64_t> found;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    if (!select.is_null(0)) found.push_back(select.integer(0));
  }
  select.reset();
  return found;
}

}  // namespace

struct Merges::Statements {
  sql::Statement about_merges;
  sql::Statement outbox_body;
  sql::Statement number;
  sql::Statement pseudonym;
  sql::Statement leads_to;
  sql::Statement led_from;
  sql::Statement set;
};

Merges::Merges(std::unique_ptr<Statements> statements, Ledger* ledger, bool may_lag)
    : s_(std::move(statements)), ledger_(ledger), may_lag_(may_lag) {}
Merges::Merges(Merges&&) noexcept = default;
Merges::~Merges() = default;

Result<Merges> Merges::open(sql::Database& db, Ledger* ledger) {
  // Derived, and so no step of the schema: files of any version get it when they are next written.
  if (!db.is_shared())
    FLORA_TRY(
        db.execute("CREATE INDEX IF NOT EXISTS procedure_merged ON procedure(merged_into) "
                   "WHERE merged_into IS NOT NULL"));
  FLORA_ASSIGN(auto about_merges,
               db.prepare("SELECT transaction_id FROM submission WHERE procedure=? AND status=? "
                          "AND content IS NOT NULL"));
  FLORA_ASSIGN(auto outbox_body, db.prepare("SELECT n, body FROM outbox WHERE transaction_id=?"));
  FLORA_ASSIGN(auto number, db.prepare("SELECT n FROM procedure WHERE pseudonym=?"));
  FLORA_ASSIGN(auto pseudonym, db.prepare("SELECT pseudonym FROM procedure WHERE n=?"));
  FLORA_ASSIGN(auto leads_to, db.prepare("SELECT merged_into FROM procedure WHERE n=?"));
  FLORA_ASSIGN(auto led_from, db.prepare("SELECT n FROM procedure WHERE merged_into=?"));
  FLORA_ASSIGN(
      auto set,
      db.prepare("UPDATE procedure SET merged_into="
                 "(SELECT n FROM procedure WHERE pseudonym=?1) WHERE n=?2 AND "
                 "merged_into IS DISTINCT FROM (SELECT n FROM procedure WHERE pseudonym=?1)"));
  return Merges(
      std::make_unique<Statements>(Statements{
          std::move(about_merges), std::move(outbox_body), std::move(number), std::move(pseudonym),
          std::move(leads_to), std::move(led_from), std::move(set)}),
      ledger, db.is_shared());
}

Result<Merges::Joined> Merges::joined_with(std::vector<std::int64_t> open) {
  Joined joined;
  while (!open.empty()) {
    const std::int64_t at = open.back();
    open.pop_back();
    if (joined.procedures.contains(at)) continue;
    s_->pseudonym.reset();
    FLORA_ASSIGN(const bool row, s_->pseudonym.bind(1, at).step());
    if (!row) return Error{Errc::corrupt, "store.db names a procedure that does not exist"};
    joined.procedures[at] = uuid_from_bytes(s_->pseudonym.blob(0));
    s_->pseudonym.reset();
    FLORA_ASSIGN(std::vector<HistoryEntry> own, entries_of(at));
    FLORA_ASSIGN(const std::vector<std::int64_t> next, neighbours(at, own));
    open.insert(open.end(), next.begin(), next.end());
    std::ranges::move(own, std::back_inserter(joined.entries));
  }
  return joined;
}

Result<bool> Merges::is_readable(std::vector<std::int64_t> procedures) {
  if (!may_lag_) return true;
  const Result<Joined> joined = joined_with(std::move(procedures));
  if (joined) return true;
  if (joined.error().code != Errc::not_found) return joined.error();
  return false;
}

Result<void> Merges::update(std::int64_t procedure) {
  FLORA_ASSIGN(Joined joined, joined_with({procedure}));
  settle(joined.entries);
  const std::map<Uuid, Uuid> leads = remaining(merges_in_effect(joined.entries));
  for (const auto& [number, pseudonym] : joined.procedures) {
    const auto to = leads.find(pseudonym);
    const bool leads_on = to != leads.end() && to->second != pseudonym;
    if (leads_on) {
      s_->set.bind_blob(1, to->second.bytes);
    } else {
      s_->set.bind_null(1);
    }
    FLORA_TRY(s_->set.bind(2, number).run());
  }
  return {};
}

// All entries of the procedure about merges: a merge is corrected by a merge, and a revocation
// repeats the status.
Result<std::vector<HistoryEntry>> Merges::entries_of(std::int64_t procedure) {
  std::vector<Uuid> ids;
  sql::Statement& select = s_->about_merges;
  select.reset();
  select.bind(1, procedure).bind_text(2, kMergeStatus);
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    ids.push_back(uuid_from_bytes(select.blob(0)));
  }
  select.reset();
  std::vector<HistoryEntry> entries;
  for (const Uuid& id : ids) {
    FLORA_ASSIGN(std::optional<HistoryEntry> entry, find(id));
    if (entry) entries.push_back(std::move(*entry));
  }
  return entries;
}

// Nothing, if neither outbox nor ledger has it: then it is of no effect for anybody else either.
Result<std::optional<HistoryEntry>> Merges::find(const Uuid& transaction_id) {
  HistoryEntry entry;
  entry.is_ordered = ledger_ == nullptr || ledger_->numbering().empty();
  sql::Statement& select = s_->outbox_body;
  select.reset();
  FLORA_ASSIGN(const bool waits, select.bind_blob(1, transaction_id.bytes).step());
  if (waits) {
    entry.index = kBehindLedger + static_cast<std::uint64_t>(select.integer(0));
    FLORA_ASSIGN(entry.transaction, parse_transaction(select.text(1)));
    select.reset();
    return std::optional(std::move(entry));
  }
  select.reset();
  if (ledger_ == nullptr) return std::optional<HistoryEntry>();
  FLORA_ASSIGN(const std::optional<std::uint64_t> index, ledger_->find(transaction_id));
  if (!index && may_lag_) return Error{Errc::not_found, "the ledger's copy lags behind"};
  if (!index) return std::optional<HistoryEntry>();
  FLORA_ASSIGN(const auto read, ledger_->read(*index, 1));
  if (read.empty()) return Error{Errc::unavailable, "an entry of the ledger is not there"};
  entry.index = *index;
  FLORA_ASSIGN(entry.transaction, parse_transaction(read.front().body));
  return std::optional(std::move(entry));
}

// Those that it leads to and that lead to it now, and those that its entries name.
Result<std::vector<std::int64_t>> Merges::neighbours(std::int64_t procedure,
                                                     const std::vector<HistoryEntry>& entries) {
  std::vector<std::int64_t> found;
  for (sql::Statement* select : {&s_->leads_to, &s_->led_from}) {
    select->reset();
    select->bind(1, procedure);
    FLORA_ASSIGN(const std::vector<std::int64_t> some, numbers(*select));
    found.insert(found.end(), some.begin(), some.end());
  }
  for (const HistoryEntry& entry : entries) {
    if (!entry.transaction.merged_into) continue;
    s_->number.reset();
    s_->number.bind_blob(1, entry.transaction.merged_into->bytes);
    FLORA_ASSIGN(const std::vector<std::int64_t> some, numbers(s_->number));
    found.insert(found.end(), some.begin(), some.end());
  }
  return found;
}

}  // namespace flora::store
