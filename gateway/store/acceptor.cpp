#include "gateway/store/acceptor.h"

#include <algorithm>
#include <utility>

namespace flora::store {
namespace {

// More than any sender's correction of corrections; each link costs a look-up.
constexpr int kMaxChain = 1000;

Digest digest_of(std::span<const std::byte> bytes) {
  Digest digest{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

std::optional<Digest> optional_digest(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return digest_of(row.blob(column));
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

struct Acceptor::Statements {
  sqlite::Statement submission_by_identity;
  sqlite::Statement submission_by_id;
  sqlite::Statement procedure_by_pseudonym;
  sqlite::Statement procedure_by_number;
  sqlite::Statement procedures_of_identifier;
  sqlite::Statement outbox_body;
  sqlite::Statement insert_procedure;
  sqlite::Statement insert_identifier;
  sqlite::Statement insert_submission;
  sqlite::Statement fill_submission;
  sqlite::Statement insert_outbox;
  sqlite::Statement narrow_reservation;
  sqlite::Statement last_outbox;
};

Acceptor::Acceptor(std::unique_ptr<Statements> statements, Merges merges, const Options& options,
                   Env& env)
    : s_(std::move(statements)),
      merges_(std::move(merges)),
      options_(&options),
      env_(&env),
      ids_(env),
      last_recorded_(options.last_recorded) {}
Acceptor::Acceptor(Acceptor&&) noexcept = default;
Acceptor::~Acceptor() = default;

Result<Acceptor> Acceptor::open(sqlite::Database& db, const Options& options, Env& env) {
  constexpr std::string_view kSubmission =
      "SELECT n, transaction_id, authority, procedure, content, native, status, refers "
      "FROM submission WHERE ";
  FLORA_ASSIGN(auto by_identity, db.prepare(std::string(kSubmission) + "identity=?"));
  FLORA_ASSIGN(auto by_id, db.prepare(std::string(kSubmission) + "transaction_id=?"));
  FLORA_ASSIGN(auto by_pseudonym, db.prepare("SELECT n FROM procedure WHERE pseudonym=?"));
  FLORA_ASSIGN(auto by_number,
               db.prepare("SELECT pseudonym, merged_into FROM procedure WHERE n=?"));
  FLORA_ASSIGN(auto of_identifier, db.prepare("SELECT procedure FROM identifier WHERE hash=?"));
  FLORA_ASSIGN(auto outbox_body, db.prepare("SELECT n, body FROM outbox WHERE transaction_id=?"));
  FLORA_ASSIGN(auto insert_procedure, db.prepare("INSERT INTO procedure(pseudonym) VALUES(?)"));
  FLORA_ASSIGN(auto insert_identifier,
               db.prepare("INSERT OR IGNORE INTO identifier(hash, procedure, type, value) "
                          "VALUES(?,?,?,?)"));
  FLORA_ASSIGN(auto insert_submission,
               db.prepare("INSERT INTO submission(content, native, status, refers, transaction_id, "
                          "identity, authority, procedure) VALUES(?,?,?,?,?,?,?,?)"));
  FLORA_ASSIGN(auto fill_submission,
               db.prepare("UPDATE submission SET content=?, native=?, status=?, refers=? "
                          "WHERE n=?"));
  FLORA_ASSIGN(auto insert_outbox,
               db.prepare("INSERT INTO outbox(n, transaction_id, body) VALUES(?,?,?)"));
  FLORA_ASSIGN(auto narrow_reservation, db.prepare("UPDATE submission SET status=? WHERE n=?"));
  FLORA_ASSIGN(auto last_outbox, db.prepare("SELECT coalesce(max(n), 0) FROM outbox"));
  auto statements = std::make_unique<Statements>(Statements{
      std::move(by_identity), std::move(by_id), std::move(by_pseudonym), std::move(by_number),
      std::move(of_identifier), std::move(outbox_body), std::move(insert_procedure),
      std::move(insert_identifier), std::move(insert_submission), std::move(fill_submission),
      std::move(insert_outbox), std::move(narrow_reservation), std::move(last_outbox)});
  FLORA_ASSIGN(Merges merges, Merges::open(db, options.ledger));
  Acceptor acceptor(std::move(statements), std::move(merges), options, env);
  FLORA_ASSIGN(const bool row, acceptor.s_->last_outbox.step());
  if (row) acceptor.last_number_ = acceptor.s_->last_outbox.integer(0);
  acceptor.s_->last_outbox.reset();
  return acceptor;
}

Result<Outcome> Acceptor::accept(Draft& draft) {
  FLORA_ASSIGN(const auto known, find_submission(draft.identity));
  if (known && known->content) return repeat(*known, draft);
  return accept_new(draft, known);
}

Result<Outcome> Acceptor::repeat(const Submission& known, const Draft& draft) {
  const bool same_record = draft.native && known.native && *draft.native == *known.native;
  if (*known.content != draft.content && !same_record) return Outcome(Refusal::content_differs);
  FLORA_ASSIGN(const Procedure procedure, procedure(known.procedure));
  Accepted accepted;
  accepted.repeat = true;
  accepted.transaction_id = known.transaction_id;
  accepted.procedure = procedure.pseudonym;
  s_->outbox_body.reset();
  FLORA_ASSIGN(const bool waiting, s_->outbox_body.bind_blob(1, known.transaction_id.bytes).step());
  if (waiting) {
    accepted.number = s_->outbox_body.integer(0);
    accepted.body = s_->outbox_body.text(1);
    FLORA_ASSIGN(const Transaction waiting_one, parse_transaction(accepted.body));
    accepted.merged_into = waiting_one.merged_into;
    accepted.procedure = waiting_one.procedure;
  }
  s_->outbox_body.reset();
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
  std::erase_if(plan.merge->to_add, [&plan](const KeyedIdentifier& one) {
    return names_a_person(one) &&
           std::ranges::find(plan.procedure.to_add, one.hash, &KeyedIdentifier::hash) !=
               plan.procedure.to_add.end();
  });
  return Answer();
}

// Before anything is written: would a procedure be merged into itself?
bool Acceptor::merges_with_itself(const Plan& plan) {
  const Resolution& from = plan.procedure;
  const Resolution& into = *plan.merge;
  if (into.existing && plan.kept) return into.existing->number == *plan.kept;
  if (into.existing && from.existing) return into.existing->number == from.existing->number;
  if (into.existing || from.existing) return false;
  return std::ranges::any_of(from.to_add, [&into](const KeyedIdentifier& a) {
    return std::ranges::any_of(into.to_add,
                               [&a](const KeyedIdentifier& b) { return a.hash == b.hash; });
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
  if (plan.merge) {
    FLORA_ASSIGN(const Procedure into, materialise(*plan.merge));
    t.merged_into = into.pseudonym;
  }
  t.id = plan.reserved ? plan.reserved->transaction_id : ids_.next();
  t.procedure = target.pseudonym;
  last_recorded_ = std::max(last_recorded_, Instant{env_->now_ms()});
  t.recorded_at = last_recorded_;
  env_->random(t.salt);
  FLORA_TRY(record(draft, plan, target.number));

  Accepted accepted;
  accepted.number = ++last_number_;
  accepted.transaction_id = t.id;
  accepted.procedure = t.procedure;
  accepted.merged_into = t.merged_into;
  accepted.body = to_canonical(t);
  FLORA_TRY(s_->insert_outbox.bind(1, accepted.number)
                .bind_blob(2, t.id.bytes)
                .bind_text(3, accepted.body)
                .run());
  if (t.status == kMergeStatus) FLORA_TRY(merges_.update(target.number));
  return Outcome(std::move(accepted));
}

// The row of the event's identity: new, or the one that a reference reserved.
Result<void> Acceptor::record(const Draft& draft, const Plan& plan, std::int64_t procedure) {
  const Transaction& t = draft.transaction;
  sqlite::Statement& row = plan.reserved ? s_->fill_submission : s_->insert_submission;
  row.bind_blob(1, draft.content);
  if (draft.native) {
    row.bind_blob(2, *draft.native);
  } else {
    row.bind_null(2);
  }
  row.bind_text(3, t.status);
  const std::optional<Uuid>& refers = t.corrects ? t.corrects : t.revokes;
  if (refers) {
    row.bind_blob(4, refers->bytes);
  } else {
    row.bind_null(4);
  }
  if (plan.reserved) {
    row.bind(5, plan.reserved->number);
  } else {
    row.bind_blob(5, t.id.bytes).bind_blob(6, draft.identity);
    row.bind_text(7, t.authority).bind(8, procedure);
  }
  return row.run();
}

Result<std::optional<Acceptor::Submission>> Acceptor::find_submission(const EventKey& key) {
  sqlite::Statement& select =
      std::holds_alternative<Uuid>(key) ? s_->submission_by_id : s_->submission_by_identity;
  select.reset();
  std::visit(
      [&select](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Uuid>) {
          select.bind_blob(1, value.bytes);
        } else {
          select.bind_blob(1, value);
        }
      },
      key);
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
  select.reset();
  return std::optional(std::move(found));
}

Result<Acceptor::Procedure> Acceptor::procedure(std::int64_t number) {
  sqlite::Statement& select = s_->procedure_by_number;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind(1, number).step());
  if (!row) return Error{Errc::corrupt, "store.db names a procedure that does not exist"};
  Procedure found{number, uuid_from_bytes(select.blob(0))};
  select.reset();
  return found;
}

Result<Acceptor::Procedure> Acceptor::root_of(std::int64_t number) {
  sqlite::Statement& select = s_->procedure_by_number;
  // Merges make no circles; the bound guards against a damaged file.
  for (int steps = 0; steps < 1000; ++steps) {
    select.reset();
    FLORA_ASSIGN(const bool row, select.bind(1, number).step());
    if (!row) return Error{Errc::corrupt, "store.db names a procedure that does not exist"};
    if (select.is_null(1)) {
      Procedure found{number, uuid_from_bytes(select.blob(0))};
      select.reset();
      return found;
    }
    number = select.integer(1);
  }
  return Error{Errc::corrupt, "store.db merges procedures in a circle"};
}

Result<std::variant<Acceptor::Resolution, Refusal>> Acceptor::resolve(const ProcedureKey& key) {
  if (const auto* identifiers = std::get_if<std::vector<KeyedIdentifier>>(&key)) {
    return resolve_identifiers(*identifiers);
  }
  sqlite::Statement& select = s_->procedure_by_pseudonym;
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
    const std::vector<KeyedIdentifier>& identifiers) {
  using Answer = std::variant<Resolution, Refusal>;
  Resolution resolution;
  bool any_person = false;
  Carriers of_persons;
  std::optional<Carriers> of_files;  // What all known file numbers share.
  for (const KeyedIdentifier& identifier : identifiers) {
    FLORA_ASSIGN(const Carriers carriers, carriers_of(identifier.hash));
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

Result<Acceptor::Carriers> Acceptor::carriers_of(const Digest& identifier) {
  Carriers carriers;
  sqlite::Statement& select = s_->procedures_of_identifier;
  select.reset();
  select.bind_blob(1, identifier);
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    carriers.direct.insert(select.integer(0));
  }
  select.reset();
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
  if (const auto* identity = std::get_if<Digest>(&key); identity && *identity == draft.identity) {
    return Answer(Refusal::reference_cycle);
  }
  Reference reference;
  FLORA_ASSIGN(reference.existing, find_submission(key));
  if (!reference.existing) {
    const auto* identity = std::get_if<Digest>(&key);
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

Result<Acceptor::Procedure> Acceptor::materialise(const Resolution& resolution) {
  Procedure target;
  if (resolution.existing) {
    target = *resolution.existing;
  } else {
    target.pseudonym = random_uuid(*env_);
    FLORA_TRY(s_->insert_procedure.bind_blob(1, target.pseudonym.bytes).run());
    target.number = s_->insert_procedure.last_rowid();
  }
  for (const KeyedIdentifier& identifier : resolution.to_add) {
    const std::string sealed = options_->seal(identifier.identifier, target.pseudonym);
    FLORA_TRY(s_->insert_identifier.bind_blob(1, identifier.hash)
                  .bind(2, target.number)
                  .bind(3, static_cast<std::int64_t>(identifier.identifier.type))
                  .bind_blob(4, as_bytes(sealed))
                  .run());
  }
  return target;
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

Result<Uuid> Acceptor::reserve(const Draft& draft, const Digest& identity,
                               const Procedure& procedure) {
  const Uuid id = ids_.next();
  const std::string& status = draft.transaction.status;
  sqlite::Statement& row = s_->insert_submission;
  row.bind_null(1).bind_null(2).bind_null(4);
  if (draft.revokes || status == kMergeStatus) {
    row.bind_text(3, status);
  } else {
    row.bind_null(3);
  }
  row.bind_blob(5, id.bytes).bind_blob(6, identity);
  row.bind_text(7, draft.transaction.authority).bind(8, procedure.number);
  FLORA_TRY(row.run());
  return id;
}

}  // namespace flora::store
