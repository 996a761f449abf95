#include "gateway/store/acceptor.h"

#include <algorithm>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/store/acceptor_statements.h"
#include "gateway/store/outbox_rows.h"

namespace flora::store {
namespace {

// More than any sender's correction of corrections; each link costs a look-up.
constexpr int kMaxChain = 1000;

// A token that does not answer is not asked again for so long: all others wait behind it.
constexpr std::int64_t kKeysRestNs = 1'000'000'000;

Fingerprint fingerprint_of(const Draft& draft) {
  return {draft.identity, draft.content, draft.native};
}

std::optional<Digest> optional_digest(const sql::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return digest_from(row.blob(column));
}

// Joining and separating persons is explicit: only a merge replaces or takes back a merge.
bool may_refer(std::string_view status, std::string_view target) {
  return (status == kMergeStatus) == (target == kMergeStatus);
}

// A reservation has the status that a revocation of it repeats; without one yet, anything but a
// merge fits.
bool fits(std::string_view reserved, std::string_view status) {
  return reserved.empty() ? may_refer(status, reserved) : reserved == status;
}

}  // namespace

Acceptor::Acceptor(std::unique_ptr<Statements> statements, Merges merges, const Options& options,
                   Env& env)
    : s_(std::move(statements)),
      merges_(std::move(merges)),
      env_(&env),
      ids_(env),
      last_recorded_(options.last_recorded),
      channel_(options.channel),
      channels_(options.channels) {}
Acceptor::Acceptor(Acceptor&&) noexcept = default;
Acceptor::~Acceptor() = default;

Result<Acceptor> Acceptor::open(sql::Database& db, const Options& options, Env& env) {
  FLORA_ASSIGN(auto statements, Statements::open(db));
  FLORA_ASSIGN(Merges merges, Merges::open(db, options.ledger));
  Acceptor acceptor(std::move(statements), std::move(merges), options, env);
  sql::Statement& last = acceptor.s_->last_outbox;
  FLORA_ASSIGN(const bool row, last.step());
  if (row) {
    acceptor.last_number_ = last.integer(0);
    FLORA_ASSIGN(const EntryContent content, parse_entry(last.text(1)));
    const Instant recorded = std::visit([](const auto& one) { return one.recorded_at; }, content);
    acceptor.last_recorded_ = std::max(acceptor.last_recorded_, recorded);
  }
  last.reset();
  return acceptor;
}

Result<Outcome> Acceptor::accept(Draft& draft) {
  const EventIdentity identity{draft.identity,
                               draft.first ? std::optional(draft.first->identity) : std::nullopt};
  FLORA_ASSIGN(const auto known, find_submission(identity));
  if (known && known->content) return repeat(*known, draft);
  return accept_new(draft, known);
}

// By the hashes that the row's key makes.
bool Acceptor::is_same(const Submission& known, const Draft& draft) const {
  std::optional<Fingerprint> keyed = draft.first;
  if (known.lookup_key != kFirstKey) {
    const auto place = keys_->lookup_place(known.lookup_key);
    if (!place) return false;
    keyed = keys_->keys->keyed(*place, fingerprint_of(draft));
  }
  if (!keyed) return false;
  return known.content == keyed->content || (known.native && known.native == keyed->native);
}

Result<Outcome> Acceptor::repeat(const Submission& known, const Draft& draft) {
  if (!is_same(known, draft)) return Outcome(Refusal::content_differs);
  FLORA_ASSIGN(const Procedure procedure, procedure(known.procedure));
  Accepted accepted;
  accepted.repeat = true;
  accepted.transaction_id = known.transaction_id;
  accepted.procedure = procedure.pseudonym;
  s_->queued.reset();
  FLORA_ASSIGN(const bool waiting, s_->queued.bind_blob(1, known.transaction_id.bytes).step());
  if (waiting) FLORA_TRY(read_waiting(s_->queued, accepted));
  s_->queued.reset();
  return Outcome(std::move(accepted));
}

Result<Outcome> Acceptor::accept_new(Draft& draft, const std::optional<Submission>& reserved) {
  Plan plan;
  plan.reserved = reserved;
  FLORA_ASSIGN(auto resolved, resolve(draft.procedure));
  if (const auto* refusal = std::get_if<Refusal>(&resolved)) return Outcome(*refusal);
  plan.procedure = std::move(std::get<Resolution>(resolved));
  for (const auto step :
       {&Acceptor::plan_reserved, &Acceptor::plan_reference, &Acceptor::plan_merge}) {
    FLORA_ASSIGN(const std::optional<Refusal> refusal, (this->*step)(draft, plan));
    if (refusal) return Outcome(*refusal);
  }
  FLORA_ASSIGN(const bool erasing, is_erasing(plan));
  if (erasing) return Outcome(Refusal::unavailable);
  FLORA_ASSIGN(const bool readable, can_merge(draft, plan));
  if (!readable) return Outcome(Refusal::unavailable);
  FLORA_ASSIGN(bool unlocked, unlock(plan.procedure));
  if (unlocked && plan.merge) {
    FLORA_ASSIGN(unlocked, unlock(*plan.merge));
  }
  if (!unlocked) return Outcome(Refusal::unavailable);
  return write(draft, plan);
}

// If a reference to this event came first, it has named the procedure and what the status can be.
Result<std::optional<Refusal>> Acceptor::plan_reserved(const Draft& draft, Plan& plan) {
  using Answer = std::optional<Refusal>;
  if (!plan.reserved) return Answer();
  FLORA_ASSIGN(const bool same, is_about(plan.procedure, plan.reserved->procedure));
  if (!same || !fits(plan.reserved->status, draft.transaction.status)) {
    return Answer(Refusal::reference_mismatch);
  }
  plan.kept = plan.reserved->procedure;
  return Answer();
}

// The event that is replaced or taken back keeps its procedure, even if that was joined to another
// since. What refers to each other is always of one procedure.
Result<std::optional<Refusal>> Acceptor::plan_reference(const Draft& draft, Plan& plan) {
  using Answer = std::optional<Refusal>;
  if (!draft.corrects && !draft.revokes) return Answer();
  FLORA_ASSIGN(auto checked, check_reference(draft, plan));
  if (const auto* refusal = std::get_if<Refusal>(&checked)) return Answer(*refusal);
  plan.reference = std::move(std::get<Reference>(checked));
  if (!plan.reference->existing) return Answer();
  const std::int64_t procedure = plan.reference->existing->procedure;
  if (plan.kept && *plan.kept != procedure) return Answer(Refusal::reference_mismatch);
  plan.kept = procedure;
  return Answer();
}

Result<std::optional<Refusal>> Acceptor::plan_merge(const Draft& draft, Plan& plan) {
  using Answer = std::optional<Refusal>;
  if (!draft.merged_into) return Answer();
  FLORA_ASSIGN(auto target, resolve(*draft.merged_into));
  if (const auto* refusal = std::get_if<Refusal>(&target)) return Answer(*refusal);
  plan.merge = std::move(std::get<Resolution>(target));
  if (merges_with_itself(plan)) return Answer(Refusal::merge_with_itself);
  // A new identifier of a person that both sides name belongs to the first one.
  std::erase_if(plan.merge->to_add, [&plan](const Identifier& one) {
    return names_a_person(one) &&
           std::ranges::find(plan.procedure.to_add, one) != plan.procedure.to_add.end();
  });
  return Answer();
}

// All procedures of a merge are erased together, so that one of them tells.
Result<bool> Acceptor::is_erasing(const Plan& plan) {
  for (const Resolution* one : {&plan.procedure, plan.merge ? &*plan.merge : nullptr}) {
    if (one != nullptr && one->existing && is_erasing_(one->existing->pseudonym)) return true;
  }
  if (!plan.kept) return false;
  FLORA_ASSIGN(const Procedure kept, procedure(*plan.kept));
  return is_erasing_(kept.pseudonym);
}

// Before anything is written: are the merges that this one meets known here?
Result<bool> Acceptor::can_merge(const Draft& draft, const Plan& plan) {
  if (draft.transaction.status != kMergeStatus) return true;
  std::vector<std::int64_t> met;
  if (plan.kept) met.push_back(*plan.kept);
  for (const Resolution* one : {&plan.procedure, plan.merge ? &*plan.merge : nullptr}) {
    if (one != nullptr && one->existing) met.push_back(one->existing->number);
  }
  return merges_.is_readable(std::move(met));
}

// Before anything is written: would a procedure be merged into itself?
bool Acceptor::merges_with_itself(const Plan& plan) {
  const Resolution& from = plan.procedure;
  const Resolution& into = *plan.merge;
  if (into.existing && plan.kept) return into.existing->number == *plan.kept;
  if (into.existing && from.existing) return into.existing->number == from.existing->number;
  if (into.existing || from.existing) return false;
  return std::ranges::any_of(from.to_add, [&into](const Identifier& one) {
    return std::ranges::find(into.to_add, one) != into.to_add.end();
  });
}

Result<Outcome> Acceptor::write(Draft& draft, const Plan& plan) {
  FLORA_ASSIGN(Procedure target, materialise(plan.procedure));
  if (plan.kept) {
    FLORA_ASSIGN(target, procedure(*plan.kept));
  }
  Transaction& t = draft.transaction;
  if (plan.reference) {
    FLORA_ASSIGN((draft.corrects ? t.corrects : t.revokes), refer(draft, *plan.reference, target));
  }
  std::vector<Procedure> procedures = {target};
  if (plan.merge) {
    procedures.push_back({});
    FLORA_ASSIGN(procedures.back(), materialise(*plan.merge));
    t.merged_into = procedures.back().pseudonym;
  }
  t.id = plan.reserved ? plan.reserved->transaction_id : ids_.next();
  t.procedure = target.pseudonym;
  t.recorded_at = record_now();
  env_->random(t.salt);
  FLORA_TRY(record(draft, plan, target.number));

  Accepted accepted;
  FLORA_ASSIGN(accepted.channels, spread(t, std::move(procedures), plan.reserved.has_value()));
  if (!accepted.channels.empty()) t.channel = accepted.channels.front();
  accepted.transaction_id = t.id;
  accepted.procedure = t.procedure;
  accepted.merged_into = t.merged_into;
  accepted.status = t.status;
  accepted.recorded = t.recorded_at;
  accepted.body = to_canonical(t);
  FLORA_TRY(put_into_outbox(accepted));
  if (t.status == kMergeStatus) FLORA_TRY(merges_.update(target.number));
  return Outcome(std::move(accepted));
}

// Where the entry goes, and with it from now on what is about its procedures: it counts as one with
// the procedure that it is joined to.
Result<std::vector<std::string>> Acceptor::spread(const Transaction& entry,
                                                  std::vector<Procedure> procedures,
                                                  bool is_overtaken) {
  if (channels_.all().empty()) return std::vector<std::string>();
  for (std::size_t i = 0, named = procedures.size(); i < named; ++i) {
    if (!procedures[i].merged_into) continue;
    FLORA_ASSIGN(Procedure root, root_of(*procedures[i].merged_into));
    procedures.push_back(std::move(root));
  }
  std::vector<std::string> before;
  for (const Procedure& one : procedures) {
    before.insert(before.end(), one.channels.begin(), one.channels.end());
  }
  std::vector<std::string> channels = channels_.of(entry, before, is_overtaken);
  const std::string grown = text_of(ChannelRule::grown(before, channels));
  for (const Procedure& one : procedures) {
    if (text_of(one.channels) == grown) continue;
    FLORA_TRY(s_->set_channels.bind_text(1, grown).bind(2, one.number).run());
  }
  return channels;
}

Instant Acceptor::record_now() {
  last_recorded_ = std::max(last_recorded_, Instant{env_->now_ms()});
  return last_recorded_;
}

Result<void> Acceptor::put_into_outbox(Accepted& accepted) {
  accepted.number = next_number();
  env_->random(accepted.nonce);
  sql::Statement& row = s_->insert_outbox;
  row.bind(1, accepted.number).bind_blob(2, accepted.transaction_id.bytes);
  row.bind_text(3, accepted.body).bind_blob(4, accepted.nonce);
  return row.bind_text(5, text_of(accepted.channels)).run();
}

Result<Accepted> Acceptor::bury(const Uuid& procedure, std::string_view authority) {
  std::vector<std::string> before;
  FLORA_ASSIGN(const auto known, resolve(procedure));
  if (const auto* one = std::get_if<Resolution>(&known)) before = one->existing->channels;
  Tombstone tombstone{ids_.next(), procedure, record_now(), std::string(authority), channel_, {}};
  env_->random(tombstone.salt);
  Accepted accepted;
  accepted.transaction_id = tombstone.id;
  accepted.procedure = procedure;
  accepted.tombstone = true;
  accepted.channels = channels_.of_tombstone(before);
  if (!accepted.channels.empty()) tombstone.channel = accepted.channels.front();
  accepted.body = to_canonical(tombstone);
  FLORA_TRY(put_into_outbox(accepted));
  return accepted;
}

// The row of the event's identity: new, or the one that a reference reserved.
Result<void> Acceptor::record(const Draft& draft, const Plan& plan, std::int64_t procedure) {
  const Transaction& t = draft.transaction;
  const Fingerprint plain = fingerprint_of(draft);
  const Fingerprint keyed = keys_->keys->keyed(0, plain);
  const std::string sealed = keys_->keys->seal(0, plain, t.id);
  sql::Statement& row = plan.reserved ? s_->fill_submission : s_->insert_submission;
  row.bind_blob(1, keyed.identity).bind_blob(2, *keyed.content);
  if (keyed.native) {
    row.bind_blob(3, *keyed.native);
  } else {
    row.bind_null(3);
  }
  row.bind(4, keys_->current_lookup()).bind_blob(5, as_bytes(sealed)).bind_text(6, t.status);
  const std::optional<Uuid>& refers = t.corrects ? t.corrects : t.revokes;
  if (refers) {
    row.bind_blob(7, refers->bytes);
  } else {
    row.bind_null(7);
  }
  if (plan.reserved) {
    row.bind(8, plan.reserved->number);
  } else {
    row.bind_blob(8, t.id.bytes).bind_text(9, t.authority).bind(10, procedure);
  }
  return row.run();
}

Result<std::optional<Acceptor::Submission>> Acceptor::find_submission(const Uuid& id) {
  s_->submission_by_id.reset();
  return read_submission(s_->submission_by_id.bind_blob(1, id.bytes));
}

// Under each key that rows may have been made with.
Result<std::optional<Acceptor::Submission>> Acceptor::find_submission(
    const EventIdentity& identity) {
  sql::Statement& select = s_->submission_by_identity;
  for (const std::size_t place : keys_->lookup_places()) {
    const Fingerprint keyed = keys_->keys->keyed(place, Fingerprint{identity.digest, {}, {}});
    select.reset();
    FLORA_ASSIGN(auto found, read_submission(select.bind_blob(1, keyed.identity)));
    if (found) return std::optional(std::move(found));
  }
  if (!keys_->first_rows || !identity.first) return std::optional<Submission>();
  select.reset();
  return read_submission(select.bind_blob(1, *identity.first));
}

Result<std::optional<Acceptor::Submission>> Acceptor::read_submission(sql::Statement& select) {
  FLORA_ASSIGN(const bool row, select.step());
  if (!row) {
    select.reset();
    return std::optional<Submission>();
  }
  Submission found;
  found.number = select.integer(0);
  found.transaction_id = uuid_from_bytes(select.blob(1));
  found.authority = select.text(2);
  found.procedure = select.integer(3);
  found.content = optional_digest(select, 4);
  found.native = optional_digest(select, 5);
  found.status = select.text(6);
  if (!select.is_null(7)) found.refers = uuid_from_bytes(select.blob(7));
  found.lookup_key = select.integer(8);
  select.reset();
  return std::optional(std::move(found));
}

Result<Acceptor::Procedure> Acceptor::procedure(std::int64_t number) {
  sql::Statement& select = s_->procedure_by_number;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind(1, number).step());
  if (!row) return Error{Errc::corrupt, "store.db names a procedure that does not exist"};
  Procedure found{number, uuid_from_bytes(select.blob(0))};
  if (!select.is_null(1)) found.merged_into = select.integer(1);
  found.channels = channels_of(select.text(2));
  if (found.channels.empty()) found.channels.emplace_back(kEarlierChannel);
  select.reset();
  return found;
}

Result<Acceptor::Procedure> Acceptor::root_of(std::int64_t number) {
  // Merges make no circles; the bound guards against a damaged file.
  for (int steps = 0; steps < 1000; ++steps) {
    FLORA_ASSIGN(const Procedure found, procedure(number));
    if (!found.merged_into) return found;
    number = *found.merged_into;
  }
  return Error{Errc::corrupt, "store.db merges procedures in a circle"};
}

Result<std::variant<Acceptor::Resolution, Refusal>> Acceptor::resolve(const ProcedureKey& key) {
  if (const auto* identifiers = std::get_if<std::vector<Identifier>>(&key)) {
    return resolve_identifiers(*identifiers);
  }
  sql::Statement& select = s_->procedure_by_pseudonym;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind_blob(1, std::get<Uuid>(key).bytes).step());
  if (!row) return std::variant<Resolution, Refusal>(Refusal::procedure_unknown);
  const std::int64_t number = select.integer(0);
  select.reset();
  Resolution resolution;
  FLORA_ASSIGN(resolution.existing, procedure(number));
  return std::variant<Resolution, Refusal>(std::move(resolution));
}

// An identifier of a person leads to one procedure, or is new. A file number leads to a procedure
// only where no identifier of a person is given and exactly one procedure carries it: so it never
// joins two persons. Procedures that are joined count as one. An event stays with the procedure
// that carries what it names, also while that is joined to another: so a merge that is taken back
// leaves everything where it was.
Result<std::variant<Acceptor::Resolution, Refusal>> Acceptor::resolve_identifiers(
    const std::vector<Identifier>& identifiers) {
  using Answer = std::variant<Resolution, Refusal>;
  Resolution resolution;
  bool any_person = false;
  Carriers of_persons;
  std::optional<Carriers> of_files;  // What all known file numbers share.
  for (const Identifier& identifier : identifiers) {
    FLORA_ASSIGN(const Carriers carriers, carriers_of(identifier));
    const bool known = !carriers.direct.empty();
    // A person's identifier that is known stays where it is.
    if (!names_a_person(identifier)) {
      resolution.to_add.push_back(identifier);
      if (known && of_files) of_files->keep(carriers);
      if (known && !of_files) of_files = carriers;
    } else {
      if (!known) resolution.to_add.push_back(identifier);
      any_person = true;
      of_persons.add(carriers);
    }
  }
  const Carriers found = any_person ? of_persons : of_files.value_or(Carriers{});
  if (!any_person && of_files) {
    if (found.roots.empty()) return Answer(Refusal::identifier_conflict);
    if (found.roots.size() > 1) return Answer(Refusal::identifier_ambiguous);
  }
  if (found.roots.size() > 1) return Answer(Refusal::identifier_conflict);
  if (found.roots.size() == 1) {
    FLORA_ASSIGN(resolution.existing, procedure(found.one()));
  }
  return Answer(std::move(resolution));
}

void Acceptor::Carriers::add(const Carriers& other) {
  direct.insert(other.direct.begin(), other.direct.end());
  roots.insert(other.roots.begin(), other.roots.end());
}

void Acceptor::Carriers::keep(const Carriers& other) {
  std::erase_if(direct, [&other](std::int64_t one) { return !other.direct.contains(one); });
  std::erase_if(roots, [&other](std::int64_t one) { return !other.roots.contains(one); });
}

std::int64_t Acceptor::Carriers::one() const {
  return direct.size() == 1 ? *direct.begin() : *roots.begin();
}

// Under whatever key.
Result<Acceptor::Carriers> Acceptor::carriers_of(const Identifier& identifier) {
  Carriers carriers;
  sql::Statement& select = s_->procedures_of_identifier;
  for (const std::size_t place : keys_->lookup_places()) {
    const Digest hash = keys_->keys->identifier_hash(place, identifier);
    select.reset();
    select.bind_blob(1, hash);
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) break;
      carriers.direct.insert(select.integer(0));
    }
    select.reset();
  }
  for (const std::int64_t number : carriers.direct) {
    FLORA_ASSIGN(const Procedure root, root_of(number));
    carriers.roots.insert(root.number);
  }
  return carriers;
}

// True also if both are joined.
Result<bool> Acceptor::is_about(const Resolution& resolution, std::int64_t procedure) {
  if (!resolution.existing) return false;
  FLORA_ASSIGN(const Procedure one, root_of(resolution.existing->number));
  FLORA_ASSIGN(const Procedure other, root_of(procedure));
  return one.number == other.number;
}

Result<std::variant<Acceptor::Reference, Refusal>> Acceptor::check_reference(const Draft& draft,
                                                                             const Plan& plan) {
  using Answer = std::variant<Reference, Refusal>;
  const EventKey& key = draft.corrects ? *draft.corrects : *draft.revokes;
  const auto* identity = std::get_if<EventIdentity>(&key);
  if (identity != nullptr && identity->digest == draft.identity) {
    return Answer(Refusal::reference_cycle);
  }
  Reference reference;
  FLORA_ASSIGN(reference.existing,
               std::visit([this](const auto& one) { return find_submission(one); }, key));
  if (!reference.existing) {
    if (identity == nullptr) return Answer(Refusal::reference_unknown);
    reference.to_reserve = *identity;
    return Answer(std::move(reference));
  }
  const Submission& target = *reference.existing;
  const bool own = target.authority == draft.transaction.authority;
  if (!own && !draft.may_correct_others) return Answer(Refusal::reference_unknown);
  FLORA_ASSIGN(const bool same, is_about(plan.procedure, target.procedure));
  const std::string& status = draft.transaction.status;
  if (!same || !may_refer(status, target.status)) return Answer(Refusal::reference_mismatch);
  if (draft.revokes && target.status != status) {
    reference.narrows = !target.content && target.status.empty();
    if (!reference.narrows) return Answer(Refusal::reference_mismatch);
  }
  if (plan.reserved) {
    FLORA_ASSIGN(const bool cycle, leads_to(target, plan.reserved->transaction_id));
    if (cycle) return Answer(Refusal::reference_cycle);
  }
  return Answer(std::move(reference));
}

// True also where the chain is too long to tell.
Result<bool> Acceptor::leads_to(const Submission& from, const Uuid& transaction_id) {
  Submission at = from;
  for (int links = 0; links < kMaxChain; ++links) {
    if (at.transaction_id == transaction_id) return true;
    if (!at.refers) return false;
    FLORA_ASSIGN(const auto next, find_submission(*at.refers));
    if (!next) return false;
    at = *next;
  }
  return true;
}

// Before anything is written: the key that new identifiers are encrypted with. False, and the log
// says why: the token does not answer, or the row is damaged.
Result<bool> Acceptor::unlock(Resolution& resolution) {
  FLORA_TRY(leave_what_is_there(resolution));
  if (resolution.existing && resolution.to_add.empty()) return true;
  if (env_->steady_ns() < keys_rest_until_ns_) return false;
  Secret secret;
  if (resolution.existing) {
    FLORA_ASSIGN(secret, read_secret(resolution.existing->number));
  } else {
    secret.procedure = random_uuid(*env_);
  }
  const Result<void> opened = secret.wrapped.empty() ? make_key(secret) : open_key(secret);
  tell(opened);
  if (!opened && opened.error().code == Errc::unavailable) {
    keys_rest_until_ns_ = env_->steady_ns() + kKeysRestNs;
  }
  if (opened) resolution.secret = std::move(secret);
  return opened.has_value();
}

// An identifier that the procedure has is not written again.
Result<void> Acceptor::leave_what_is_there(Resolution& resolution) {
  if (!resolution.existing) return {};
  std::vector<Identifier> missing;
  for (Identifier& identifier : resolution.to_add) {
    FLORA_ASSIGN(const bool there, carries(resolution.existing->number, identifier));
    if (!there) missing.push_back(std::move(identifier));
  }
  resolution.to_add = std::move(missing);
  return {};
}

Result<bool> Acceptor::carries(std::int64_t procedure, const Identifier& identifier) {
  sql::Statement& select = s_->has_identifier;
  for (const std::size_t place : keys_->lookup_places()) {
    const Digest hash = keys_->keys->identifier_hash(place, identifier);
    select.reset();
    FLORA_ASSIGN(const bool there, select.bind_blob(1, hash).bind(2, procedure).step());
    select.reset();
    if (there) return true;
  }
  return false;
}

// Its key is still closed; `wrapped` is empty for a procedure of before schema version 4.
Result<Acceptor::Secret> Acceptor::read_secret(std::int64_t procedure) {
  sql::Statement& select = s_->wrapped_key;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind(1, procedure).step());
  if (!row) return Error{Errc::corrupt, "store.db names a procedure that does not exist"};
  Secret secret;
  secret.procedure = uuid_from_bytes(select.blob(0));
  secret.wrapping_key = select.integer(1);
  secret.wrapped = as_text(select.blob(2));
  select.reset();
  return secret;
}

Result<void> Acceptor::make_key(Secret& secret) const {
  secret.key = keys_->keys->new_key();
  secret.is_new = true;
  FLORA_ASSIGN(secret.wrapped, keys_->keys->wrap(secret.key, secret.procedure));
  return {};
}

Result<void> Acceptor::open_key(Secret& secret) const {
  const auto place = keys_->wrapping_place(secret.wrapping_key);
  if (!place) return Error{Errc::corrupt, "a procedure names a wrapping key that is not known"};
  FLORA_ASSIGN(secret.key, keys_->keys->unwrap(*place, secret.wrapped, secret.procedure));
  return {};
}

// Once for each time that it begins to fail, and when it is over.
void Acceptor::tell(const Result<void>& opened) {
  if (keys_fail_ == !opened) return;
  keys_fail_ = !opened;
  if (opened) {
    log::write(log::Level::info, "store: the keys of procedures can be used again");
  } else {
    log::write(log::Level::error, "store: a procedure's key cannot be used, its events are refused",
               {{"reason", to_string(opened.error().code)},
                {"detail", std::string_view(opened.error().message)}});
  }
}

Result<Acceptor::Procedure> Acceptor::materialise(const Resolution& resolution) {
  if (!resolution.secret) return *resolution.existing;
  const Secret& secret = *resolution.secret;
  Procedure target;
  if (resolution.existing) {
    target = *resolution.existing;
    FLORA_TRY(keep_key(target.number, secret));
  } else {
    target.pseudonym = secret.procedure;
    FLORA_ASSIGN(target.number, s_->insert_procedure.bind_blob(1, target.pseudonym.bytes)
                                    .bind(2, keys_->current_wrapping())
                                    .bind_blob(3, as_bytes(secret.wrapped))
                                    .run_for_number());
  }
  for (const Identifier& identifier : resolution.to_add) {
    const Digest hash = keys_->keys->identifier_hash(0, identifier);
    const std::string sealed = keys_->keys->seal_value(secret.key, identifier, target.pseudonym);
    FLORA_TRY(s_->insert_identifier.bind_blob(1, hash)
                  .bind(2, target.number)
                  .bind(3, static_cast<std::int64_t>(identifier.type))
                  .bind_blob(4, as_bytes(sealed))
                  .bind(5, keys_->current_lookup())
                  .run());
  }
  return target;
}

// Of a procedure of before schema version 4 that had none.
Result<void> Acceptor::keep_key(std::int64_t procedure, const Secret& secret) {
  if (!secret.is_new) return {};
  return s_->update_key.bind(1, keys_->current_wrapping())
      .bind_blob(2, as_bytes(secret.wrapped))
      .bind(3, procedure)
      .run();
}

// The transaction id of what the draft refers to.
Result<Uuid> Acceptor::refer(const Draft& draft, const Reference& reference,
                             const Procedure& procedure) {
  if (!reference.existing) return reserve(draft, *reference.to_reserve, procedure);
  if (reference.narrows) {
    FLORA_TRY(s_->narrow_reservation.bind_text(1, draft.transaction.status)
                  .bind(2, reference.existing->number)
                  .run());
  }
  return reference.existing->transaction_id;
}

Result<Uuid> Acceptor::reserve(const Draft& draft, const EventIdentity& identity,
                               const Procedure& procedure) {
  const Uuid id = ids_.next();
  const std::string& status = draft.transaction.status;
  const Fingerprint plain{identity.digest, {}, {}};
  const Fingerprint keyed = keys_->keys->keyed(0, plain);
  const std::string sealed = keys_->keys->seal(0, plain, id);
  sql::Statement& row = s_->insert_submission;
  row.bind_blob(1, keyed.identity).bind_null(2).bind_null(3);
  row.bind(4, keys_->current_lookup()).bind_blob(5, as_bytes(sealed));
  if (draft.revokes || status == kMergeStatus) {
    row.bind_text(6, status);
  } else {
    row.bind_null(6);
  }
  row.bind_null(7).bind_blob(8, id.bytes);
  row.bind_text(9, draft.transaction.authority).bind(10, procedure.number);
  FLORA_TRY(row.run());
  return id;
}

}  // namespace flora::store
