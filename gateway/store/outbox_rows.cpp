#include "gateway/store/outbox_rows.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flora::store {
namespace {

// In place of a reason: it is to be tried again, out of the order of numbers. Whoever takes the
// outbox over must know of it before what refers to it.
constexpr std::string_view kReopened;

}  // namespace

outbox::Nonce nonce_of(std::span<const std::byte> bytes) {
  outbox::Nonce nonce;
  if (bytes.size() != nonce.size()) std::abort();
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

std::string text_of(const std::vector<std::string>& channels) {
  std::string text;
  for (const std::string& channel : channels) {
    if (!text.empty()) text += ' ';
    text += channel;
  }
  return text;
}

std::vector<std::string> channels_of(std::string_view text) {
  std::vector<std::string> channels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    channels.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return channels;
}

Result<void> read_waiting(const sql::Statement& row, Accepted& accepted) {
  accepted.number = row.integer(0);
  accepted.body = row.text(1);
  FLORA_ASSIGN(const Transaction waiting, parse_transaction(accepted.body));
  accepted.merged_into = waiting.merged_into;
  accepted.procedure = waiting.procedure;
  accepted.status = waiting.status;
  accepted.recorded = waiting.recorded_at;
  accepted.nonce = nonce_of(row.blob(2));
  accepted.failed = row.text(3);
  accepted.channels = channels_of(row.text(4));
  return {};
}

Result<OutboxRows> OutboxRows::open(sql::Database& db, Env& env) {
  FLORA_ASSIGN(auto count, db.prepare("SELECT count(*) FROM outbox"));
  FLORA_ASSIGN(auto trim, db.prepare("DELETE FROM outbox WHERE n<=?"));
  FLORA_ASSIGN(auto remove, db.prepare("DELETE FROM outbox WHERE n=?"));
  FLORA_ASSIGN(auto fail, db.prepare("UPDATE outbox SET failed=? WHERE n=?"));
  FLORA_ASSIGN(auto renew, db.prepare("UPDATE outbox SET nonce=? WHERE n=?"));
  FLORA_ASSIGN(auto find_failed, db.prepare("SELECT n, body, channels FROM outbox WHERE "
                                            "transaction_id=? AND failed<>''"));
  FLORA_ASSIGN(auto reopen, db.prepare("UPDATE outbox SET failed=?, nonce=?, n=? WHERE n=?"));
  return OutboxRows({std::move(count), std::move(trim), std::move(remove), std::move(fail),
                     std::move(renew), std::move(find_failed), std::move(reopen)},
                    env);
}

Result<std::int64_t> OutboxRows::count() {
  s_.count.reset();
  FLORA_ASSIGN(const bool row, s_.count.step());
  const std::int64_t rows = row ? s_.count.integer(0) : 0;
  s_.count.reset();
  return rows;
}

Result<std::int64_t> OutboxRows::trim(std::int64_t through) {
  FLORA_TRY(s_.trim.bind(1, through).run());
  return s_.trim.changes();
}

Result<std::int64_t> OutboxRows::settle(const outbox::Settlement& settlement) {
  switch (settlement.kind) {
    case outbox::Settlement::Kind::committed:
      FLORA_TRY(s_.remove.bind(1, settlement.number).run());
      return s_.remove.changes();
    case outbox::Settlement::Kind::failed:
      FLORA_TRY(s_.fail.bind_text(1, settlement.reason).bind(2, settlement.number).run());
      break;
    case outbox::Settlement::Kind::renewed:
      FLORA_TRY(s_.renew.bind_blob(1, settlement.nonce).bind(2, settlement.number).run());
      break;
  }
  return std::int64_t{0};
}

Result<outbox::Row> OutboxRows::reopen(const Uuid& transaction_id,
                                       std::optional<std::int64_t> number) {
  s_.find_failed.reset();
  FLORA_ASSIGN(const bool found, s_.find_failed.bind_blob(1, transaction_id.bytes).step());
  outbox::Row row;
  if (found) {
    row = {s_.find_failed.integer(0),
           transaction_id,
           std::string(s_.find_failed.text(1)),
           {},
           channels_of(s_.find_failed.text(2))};
  }
  s_.find_failed.reset();
  if (!found) return Error{Errc::not_found, "no transaction of this id has failed"};
  env_->random(row.nonce);
  const std::int64_t old = std::exchange(row.number, number.value_or(row.number));
  if (number) {
    s_.reopen.bind_text(1, kReopened);
  } else {
    s_.reopen.bind_null(1);
  }
  FLORA_TRY(s_.reopen.bind_blob(2, row.nonce).bind(3, row.number).bind(4, old).run());
  return row;
}

}  // namespace flora::store
