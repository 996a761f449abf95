// DELETE of a procedure's mapping.
#include <span>

#include "gateway/api/access.h"
#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/view/procedure_entries.h"

namespace flora::api {
namespace {

http::Response answer_of(const Result<void>& erased) {
  if (erased) return {204, {{"cache-control", "no-store"}}, {}};
  if (erased.error().code == Errc::uncertain) {
    return problem_response({"outcome-unknown", {}, {}});
  }
  if (erased.error().code == Errc::invalid) return problem_response({"internal-error", {}, {}});
  return problem_response(
      {"unavailable", "The erasure is not finished. What has begun goes on by itself.", {}});
}

std::string record_of_erasure(const policy::Caller& caller, AuditEffect::Outcome outcome,
                              const Uuid& procedure) {
  AuditEffect effect;
  effect.outcome = outcome;
  if (outcome != AuditEffect::Outcome::not_found) effect.procedures = {procedure};
  return record_of(caller, audit::Action::erase, effect);
}

// The authority that has ordered the erasure which this entry tells of.
Result<std::string> orderer_of(Ledger& ledger, std::uint64_t index) {
  FLORA_ASSIGN(const auto read, ledger.read(index, 1));
  if (read.size() != 1) return Error{Errc::unavailable, "an indexed entry is not there"};
  FLORA_ASSIGN(const EntryContent content, parse_entry(read.front().body));
  const auto* tombstone = std::get_if<Tombstone>(&content);
  if (tombstone == nullptr) return Error{Errc::corrupt, "an indexed entry is no tombstone"};
  return tombstone->authority;
}

}  // namespace

// For what is unknown and for what is foreign the same is done, and nothing comes out.
void Api::erase_mapping(Call call, Reply reply) {
  using Outcome = AuditEffect::Outcome;
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  if (refuse(call, audit::Action::erase, reply)) return;
  run_blocking(reply, [this, id = *id, caller = *call.caller, reply] {
    const auto tombstone = parts_.index->tombstone_of(id);
    const Digest place = parts_.questions->hash(id);
    const auto read =
        parts_.index->itself_or_another(id, uuid_from_bytes(std::span(place).first(16)));
    if (!tombstone || !read) return reply->send(unavailable());
    if (*tombstone) return repeat_erasure(id, **tombstone, caller, reply);
    const auto entries = view::joined_entries({parts_.index, parts_.ledger}, *read);
    if (!entries) return reply->send(unavailable());
    const bool may = policy::may_erase(caller, facts_of(*entries));
    const bool known = *read == id && !entries->empty();
    if (!known || !may) {
      const Outcome outcome = known ? Outcome::hidden : Outcome::not_found;
      return send_recorded(reply, record_of_erasure(caller, outcome, id), not_found());
    }
    store::ErasureOrder order{id, caller.payer(),
                              audit::opening(intake::actor_of(caller), audit::Action::erase)};
    parts_.eraser->erase(std::move(order),
                         [reply](const Result<void>& erased) { reply->send(answer_of(erased)); });
  });
}

// Who has ordered it learns that it is done; to all others the procedure is unknown.
void Api::repeat_erasure(const Uuid& id, std::uint64_t tombstone, const policy::Caller& caller,
                         Reply reply) {
  const auto orderer = orderer_of(*parts_.ledger, tombstone);
  if (!orderer) return reply->send(unavailable());
  if (!caller.acts_for(*orderer)) {
    return send_recorded(reply, record_of_erasure(caller, AuditEffect::Outcome::hidden, id),
                         not_found());
  }
  std::string record = record_of_erasure(caller, AuditEffect::Outcome::repeat, id);
  parts_.store->await_erasure(
      id, [this, reply, record = std::move(record)](const Result<void>& erased) {
        if (!erased) return reply->send(answer_of(erased));
        send_recorded(reply, record, answer_of(erased));
      });
}

}  // namespace flora::api
