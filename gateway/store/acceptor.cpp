#include "gateway/store/acceptor.h"

#include <algorithm>
#include <utility>

namespace flora::store {
namespace {

constexpr std::string_view kMergeStatus = "VERFAHREN_ZUSAMMENGEFUEHRT";

Digest digest_of(std::span<const std::byte> bytes) {
  Digest digest{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

std::optional<Digest> optional_digest(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return digest_of(row.blob(column));
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
  sqlite::Statement update_merged;
  sqlite::Statement last_outbox;
};

Acceptor::Acceptor(std::unique_ptr<Statements> statements, const Options& options, Env& env)
    : s_(std::move(statements)),
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
  FLORA_ASSIGN(auto update_merged, db.prepare("UPDATE procedure SET merged_into=? WHERE n=?"));
  FLORA_ASSIGN(auto last_outbox, db.prepare("SELECT coalesce(max(n), 0) FROM outbox"));
  auto statements = std::make_unique<Statements>(Statements{
      std::move(by_identity), std::move(by_id), std::move(by_pseudonym), std::move(by_number),
      std::move(of_identifier), std::move(outbox_body), std::move(insert_procedure),
      std::move(insert_identifier), std::move(insert_submission), std::move(fill_submission),
      std::move(insert_outbox), std::move(update_merged), std::move(last_outbox)});
  Acceptor acceptor(std::move(statements), options, env);
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
  if (draft.corrects || draft.revokes) {
    FLORA_ASSIGN(auto checked, check_reference(draft, plan));
    if (const auto* refusal = std::get_if<Refusal>(&checked)) return Outcome(*refusal);
    plan.reference = std::move(std::get<Reference>(checked));
  }
  if (draft.merged_into) {
    FLORA_ASSIGN(auto target, resolve(*draft.merged_into));
    if (const auto* refusal = std::get_if<Refusal>(&target)) return Outcome(*refusal);
    plan.merge = std::move(std::get<Resolution>(target));
    if (merges_with_itself(plan)) return Outcome(Refusal::merge_with_itself);
    // A new identifier of a person that both sides name belongs to the first one.
    std::erase_if(plan.merge->to_add, [&plan](const KeyedIdentifier& one) {
      return names_a_person(one) &&
             std::ranges::find(plan.procedure.to_add, one.hash, &KeyedIdentifier::hash) !=
                 plan.procedure.to_add.end();
    });
  }
  if (reserved) {
    // A reference to this event came first and named its procedure.
    FLORA_ASSIGN(const Procedure expected, root_of(reserved->procedure));
    if (!plan.procedure.existing || plan.procedure.existing->number != expected.number) {
      return Outcome(Refusal::reference_mismatch);
    }
  }
  return write(draft, plan);
}

// Before anything is written: would a procedure be merged into itself?
bool Acceptor::merges_with_itself(const Plan& plan) {
  const Resolution& from = plan.procedure;
  const Resolution& into = *plan.merge;
  if (into.existing && plan.reference && plan.reference->existing) {
    return into.existing->number == plan.reference->existing->procedure;
  }
  if (into.existing && from.existing) return into.existing->number == from.existing->number;
  if (into.existing || from.existing) return false;
  return std::ranges::any_of(from.to_add, [&into](const KeyedIdentifier& a) {
    return std::ranges::any_of(into.to_add,
                               [&a](const KeyedIdentifier& b) { return a.hash == b.hash; });
  });
}

Result<Outcome> Acceptor::write(Draft& draft, const Plan& plan) {
  FLORA_ASSIGN(Procedure target, materialise(plan.procedure));
  Transaction& t = draft.transaction;
  if (plan.reference) {
    Uuid referred;
    if (plan.reference->existing) {
      referred = plan.reference->existing->transaction_id;
      // The event that is replaced keeps its procedure, even if that was merged since.
      FLORA_ASSIGN(target, procedure(plan.reference->existing->procedure));
    } else {
      FLORA_ASSIGN(referred, reserve(draft, *plan.reference->to_reserve, target));
    }
    (draft.corrects ? t.corrects : t.revokes) = referred;
    if (plan.reference->existing && plan.reference->existing->status == kMergeStatus) {
      FLORA_TRY(set_merged(target.number, std::nullopt));
    }
  }
  if (plan.merge) {
    FLORA_ASSIGN(const Procedure into, materialise(*plan.merge));
    t.merged_into = into.pseudonym;
    FLORA_TRY(set_merged(target.number, into.number));
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
  FLORA_ASSIGN(resolution.existing, root_of(number));
  return std::variant<Resolution, Refusal>(std::move(resolution));
}

// An identifier of a person leads to one procedure, or is new. A file number leads to a procedure
// only where no identifier of a person is given and exactly one procedure carries it: so it never
// joins two persons.
Result<std::variant<Acceptor::Resolution, Refusal>> Acceptor::resolve_identifiers(
    const std::vector<KeyedIdentifier>& identifiers) {
  using Answer = std::variant<Resolution, Refusal>;
  Resolution resolution;
  bool any_person = false;
  std::optional<std::vector<std::int64_t>> of_files;  // What all known file numbers share.
  std::vector<std::int64_t> of_persons;
  for (const KeyedIdentifier& identifier : identifiers) {
    std::vector<std::int64_t> roots;
    sqlite::Statement& select = s_->procedures_of_identifier;
    std::vector<std::int64_t> direct;
    select.reset();
    select.bind_blob(1, identifier.hash);
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) break;
      direct.push_back(select.integer(0));
    }
    select.reset();
    for (const std::int64_t number : direct) {
      FLORA_ASSIGN(const Procedure root, root_of(number));
      if (std::ranges::find(roots, root.number) == roots.end()) roots.push_back(root.number);
    }
    const bool person = names_a_person(identifier);
    // A person's identifier that is known leads to where it leads, perhaps by way of a merge.
    if (!person || direct.empty()) resolution.to_add.push_back(identifier);
    if (person) {
      any_person = true;
      for (const std::int64_t root : roots) {
        if (std::ranges::find(of_persons, root) == of_persons.end()) of_persons.push_back(root);
      }
    } else if (!roots.empty()) {
      if (!of_files) {
        of_files = roots;
      } else {
        std::erase_if(*of_files, [&roots](std::int64_t root) {
          return std::ranges::find(roots, root) == roots.end();
        });
      }
    }
  }
  if (of_persons.size() > 1) return Answer(Refusal::identifier_conflict);
  std::optional<std::int64_t> number;
  if (of_persons.size() == 1) {
    number = of_persons.front();
  } else if (!any_person && of_files) {
    if (of_files->empty()) return Answer(Refusal::identifier_conflict);
    if (of_files->size() > 1) return Answer(Refusal::identifier_ambiguous);
    number = of_files->front();
  }
  if (number) {
    FLORA_ASSIGN(resolution.existing, procedure(*number));
  }
  return Answer(std::move(resolution));
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
  FLORA_ASSIGN(const Procedure root, root_of(target.procedure));
  if (!plan.procedure.existing || plan.procedure.existing->number != root.number) {
    return Answer(Refusal::reference_mismatch);
  }
  if (draft.revokes && target.content && target.status != draft.transaction.status) {
    return Answer(Refusal::reference_mismatch);
  }
  if (plan.reserved) {
    FLORA_ASSIGN(const bool cycle, leads_to(target, plan.reserved->transaction_id));
    if (cycle) return Answer(Refusal::reference_cycle);
  }
  return Answer(std::move(reference));
}

Result<bool> Acceptor::leads_to(const Submission& from, const Uuid& transaction_id) {
  Submission at = from;
  // Chains are finite: each link was checked when it was made.
  while (true) {
    if (at.transaction_id == transaction_id) return true;
    if (!at.refers) return false;
    FLORA_ASSIGN(const auto next, find_submission(*at.refers));
    if (!next) return false;
    at = *next;
  }
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

Result<Uuid> Acceptor::reserve(const Draft& draft, const Digest& identity,
                               const Procedure& procedure) {
  const Uuid id = ids_.next();
  sqlite::Statement& row = s_->insert_submission;
  for (int parameter = 1; parameter <= 4; ++parameter) row.bind_null(parameter);
  row.bind_blob(5, id.bytes).bind_blob(6, identity);
  row.bind_text(7, draft.transaction.authority).bind(8, procedure.number);
  FLORA_TRY(row.run());
  return id;
}

Result<void> Acceptor::set_merged(std::int64_t procedure, std::optional<std::int64_t> into) {
  sqlite::Statement& update = s_->update_merged;
  if (into) {
    update.bind(1, *into);
  } else {
    update.bind_null(1);
  }
  return update.bind(2, procedure).run();
}

}  // namespace flora::store
