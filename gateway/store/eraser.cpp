#include "gateway/store/eraser.h"

#include <algorithm>
#include <utility>

namespace flora::store {
namespace {

constexpr std::string_view kMergedWith =
    "WITH RECURSIVE up(n) AS (SELECT n FROM procedure WHERE pseudonym=?1"
    " UNION SELECT p.merged_into FROM up JOIN procedure p ON p.n=up.n"
    " WHERE p.merged_into IS NOT NULL),"
    " whole(n) AS (SELECT n FROM up"
    " UNION SELECT p.n FROM whole JOIN procedure p ON p.merged_into=whole.n)"
    " SELECT p.pseudonym FROM whole JOIN procedure p ON p.n=whole.n ORDER BY p.n";

Result<std::vector<Uuid>> all_of(sql::Statement& select) {
  std::vector<Uuid> found;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    found.push_back(uuid_from_bytes(select.blob(0)));
  }
  select.reset();
  return found;
}

}  // namespace

Result<Eraser> Eraser::open(sql::Database& db) {
  FLORA_ASSIGN(auto under_way, db.prepare("SELECT pseudonym, tombstone FROM erasure"));
  FLORA_ASSIGN(auto merged_with, db.prepare(kMergedWith));
  // A row without content is an id that a reference has reserved.
  FLORA_ASSIGN(auto transactions,
               db.prepare("SELECT transaction_id FROM submission WHERE content IS NOT NULL AND "
                          "procedure=(SELECT n FROM procedure WHERE pseudonym=?)"));
  FLORA_ASSIGN(auto insert, db.prepare("INSERT INTO erasure(pseudonym, tombstone) VALUES(?,?)"));
  FLORA_ASSIGN(auto remove, db.prepare("DELETE FROM erasure WHERE pseudonym=?"));
  FLORA_ASSIGN(auto outbox,
               db.prepare("DELETE FROM outbox WHERE transaction_id IN (SELECT transaction_id FROM "
                          "submission WHERE procedure=(SELECT n FROM procedure WHERE "
                          "pseudonym=?))"));
  FLORA_ASSIGN(auto find, db.prepare("SELECT n FROM procedure WHERE pseudonym=?"));
  FLORA_ASSIGN(auto answers, db.prepare("DELETE FROM kept_answer WHERE procedure=?"));
  FLORA_ASSIGN(auto identifiers, db.prepare("DELETE FROM identifier WHERE procedure=?"));
  FLORA_ASSIGN(auto submissions, db.prepare("DELETE FROM submission WHERE procedure=?"));
  FLORA_ASSIGN(auto detach,
               db.prepare("UPDATE procedure SET merged_into=NULL WHERE merged_into=?"));
  FLORA_ASSIGN(auto procedure, db.prepare("DELETE FROM procedure WHERE n=?"));
  Eraser eraser(Statements{std::move(under_way), std::move(merged_with), std::move(transactions),
                           std::move(insert), std::move(remove), std::move(outbox), std::move(find),
                           std::move(answers), std::move(identifiers), std::move(submissions),
                           std::move(detach), std::move(procedure)});
  FLORA_TRY(eraser.load());
  return eraser;
}

Result<void> Eraser::load() {
  under_way_.clear();
  s_.under_way.reset();
  while (true) {
    FLORA_ASSIGN(const bool row, s_.under_way.step());
    if (!row) break;
    under_way_[uuid_from_bytes(s_.under_way.blob(0))] = s_.under_way.integer(1);
  }
  s_.under_way.reset();
  settled_ = under_way_;
  return {};
}

std::optional<std::int64_t> Eraser::next() const {
  if (under_way_.empty()) return std::nullopt;
  return std::ranges::min_element(under_way_, {}, [](const auto& one) { return one.second; })
      ->second;
}

Result<std::vector<Uuid>> Eraser::merged_with(const Uuid& procedure) {
  s_.merged_with.reset();
  return all_of(s_.merged_with.bind_blob(1, procedure.bytes));
}

Result<bool> Eraser::holds_more(const std::vector<Uuid>& procedures,
                                const std::vector<Uuid>& known) {
  for (const Uuid& procedure : procedures) {
    s_.transactions.reset();
    FLORA_ASSIGN(const auto held, all_of(s_.transactions.bind_blob(1, procedure.bytes)));
    const auto is_new = [&known](const Uuid& id) {
      return std::ranges::find(known, id) == known.end();
    };
    if (std::ranges::any_of(held, is_new)) return true;
  }
  return false;
}

Result<void> Eraser::begin(const Uuid& procedure, std::int64_t tombstone) {
  FLORA_TRY(s_.insert.bind_blob(1, procedure.bytes).bind(2, tombstone).run());
  under_way_[procedure] = tombstone;
  return {};
}

Result<std::vector<Uuid>> Eraser::delete_through(std::int64_t number) {
  std::vector<Uuid> gone;
  for (const auto& [procedure, tombstone] : under_way_) {
    if (tombstone <= number) gone.push_back(procedure);
  }
  for (const Uuid& procedure : gone) FLORA_TRY(bury(procedure));
  return gone;
}

Result<Eraser::Deleted> Eraser::delete_settled(const std::vector<std::int64_t>& numbers) {
  Deleted deleted;
  for (const auto& [procedure, tombstone] : under_way_) {
    if (std::ranges::find(numbers, tombstone) != numbers.end()) {
      deleted.procedures.push_back(procedure);
    }
  }
  for (const Uuid& procedure : deleted.procedures) {
    FLORA_ASSIGN(const std::int64_t rows, delete_rows(procedure));
    deleted.rows += rows;
    FLORA_TRY(bury(procedure));
  }
  return deleted;
}

Result<std::int64_t> Eraser::delete_rows(const Uuid& procedure) {
  FLORA_TRY(s_.delete_outbox.bind_blob(1, procedure.bytes).run());
  return s_.delete_outbox.changes();
}

Result<void> Eraser::bury(const Uuid& procedure) {
  FLORA_TRY(delete_mapping(procedure));
  FLORA_TRY(s_.remove.bind_blob(1, procedure.bytes).run());
  under_way_.erase(procedure);
  return {};
}

Result<bool> Eraser::delete_mapping(const Uuid& procedure) {
  FLORA_TRY(s_.delete_answers.bind_blob(1, procedure.bytes).run());
  s_.find_procedure.reset();
  FLORA_ASSIGN(const bool known, s_.find_procedure.bind_blob(1, procedure.bytes).step());
  const std::int64_t number = known ? s_.find_procedure.integer(0) : 0;
  s_.find_procedure.reset();
  if (!known) return false;
  for (sql::Statement* step :
       {&s_.delete_identifiers, &s_.delete_submissions, &s_.detach, &s_.delete_procedure}) {
    FLORA_TRY(step->bind(1, number).run());
  }
  return true;
}

}  // namespace flora::store
