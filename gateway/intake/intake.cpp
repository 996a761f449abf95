#include "gateway/intake/intake.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "gateway/policy/decision.h"

namespace flora::intake {
namespace {

constexpr std::chrono::milliseconds kNoPatience{0};
constexpr std::chrono::milliseconds kSoon{250};  // For the answer of who has nothing to give.

Problem problem_of(policy::Denial denial, std::string explanation) {
  const auto mismatch = [&explanation](std::string pointer) {
    ProblemCause cause;
    cause.code = "reporter";
    cause.detail = std::move(explanation);
    cause.pointer = std::move(pointer);
    cause.has_pointer = true;
    return Problem{"validation-failed", {}, {std::move(cause)}};
  };
  switch (denial) {
    case policy::Denial::not_your_authority:
      return {"not-your-authority", {}, {}};
    case policy::Denial::not_your_status:
      return {"not-your-status", std::move(explanation), {}};
    case policy::Denial::wrong_land:
      return mismatch("/reporter/land");
    case policy::Denial::wrong_role:
      return mismatch("/reporter/role");
    case policy::Denial::unknown_site:
      return mismatch("/site");
  }
  return {"internal-error", {}, {}};
}

store::ProcedureKey key_of(const ProcedureReference& procedure) {
  if (procedure.pseudonym) return *procedure.pseudonym;
  return procedure.identifiers;
}

// `first` makes the hashes of rows of before version 4 of the store; null: there are none.
store::EventKey key_of(const privacy::Keys* first, std::string_view authority,
                       const EventReference& reference) {
  if (const auto* id = std::get_if<Uuid>(&reference)) return *id;
  const auto& identity = std::get<SenderIdentity>(reference);
  store::EventIdentity key{privacy::identity_digest(authority, identity)};
  if (first != nullptr) key.first = first->first_identity_hash(authority, identity);
  return key;
}

Answer refused(Problem problem) {
  Answer answer;
  answer.problem = std::move(problem);
  return answer;
}

audit::Action action_of(const StatusEvent& event) {
  if (event.merged_into) return audit::Action::merge;
  if (event.corrects) return audit::Action::correct;
  return event.revokes ? audit::Action::revoke : audit::Action::report;
}

// Who reports what, for the audit: for the reporter, if the caller may speak for it.
std::string audit_opening(const policy::Caller& caller, const StatusEvent& event) {
  audit::Actor actor = actor_of(caller);
  if (caller.acts_for(event.authority)) actor.authorities = {event.authority};
  return audit::opening(actor, action_of(event));
}

}  // namespace

audit::Actor actor_of(const policy::Caller& caller) {
  return {caller.client, caller.authorities, to_string(caller.role)};
}

int Answer::status() const {
  switch (kind) {
    case Kind::committed:
      return repeat ? 200 : 201;
    case Kind::accepted:
      return 202;
    case Kind::test:
      return 200;
    case Kind::refused:
      return problem.status();
  }
  return 500;
}

// One submission on its way through the stages. Shared by their callbacks; the stages follow each
// other, so that no two threads work on it at the same time.
class Intake::Run : public std::enable_shared_from_this<Run> {
 public:
  Run(const Parts& parts, const policy::Caller& caller, Submission& submission, Done done)
      : parts_(parts),
        sender_(caller.payer()),
        early_(submission.answer_early),
        patience_(submission.patience),
        with_receipts_(submission.with_receipts),
        reached_(std::move(submission.reached)),
        answers_(submission.items.size()),
        done_(std::move(done)) {}

  void refuse(std::size_t item, Problem problem) { answers_[item] = refused(std::move(problem)); }
  // The same; the refusal is told when its record is durable.
  void deny(std::size_t item, Problem problem, std::string_view opening) {
    AuditEffect effect;
    effect.problem = problem.name;
    records_.push_back(audit::body(opening, effect));
    denied_.push_back(item);
    refuse(item, std::move(problem));
  }
  void mark_test(std::size_t item) { answers_[item].kind = Answer::Kind::test; }
  void add(std::size_t item, store::Draft draft) {
    items_.push_back(item);
    drafts_.push_back(std::move(draft));
  }

  void start() {
    if (denied_.empty()) return accept();
    parts_.store->record(std::move(records_), [self = shared_from_this()](const auto& recorded) {
      if (!recorded) {
        for (const std::size_t item : self->denied_) self->refuse(item, {"unavailable", {}, {}});
      }
      self->accept();
    });
  }

 private:
  void accept() {
    if (drafts_.empty()) return finish();
    parts_.store->accept(sender_, std::move(drafts_), [self = shared_from_this()](auto outcomes) {
      self->stored(std::move(outcomes));
    });
  }

  // On the store's thread: what is durable goes on to the ledger.
  void stored(std::vector<store::Outcome> outcomes) {
    if (reached_) reached_(Stage::durable);
    std::vector<store::Accepted> to_forward;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      Answer& answer = answers_[items_[i]];
      if (const auto* refusal = std::get_if<store::Refusal>(&outcomes[i])) {
        answer = refused({store::problem_of(*refusal), {}, {}});
        continue;
      }
      auto& accepted = std::get<store::Accepted>(outcomes[i]);
      answer.kind = Answer::Kind::accepted;
      answer.repeat = accepted.repeat;
      answer.transaction_id = accepted.transaction_id;
      answer.procedure = accepted.procedure;
      if (accepted.body.empty() && !awaits_copy()) {
        on_ledger_.push_back(items_[i]);
      } else {
        forwarded_.push_back(items_[i]);
        to_forward.push_back(std::move(accepted));
      }
    }
    if (early_) {
      if (!to_forward.empty()) parts_.forwarder->forward(to_forward, kNoPatience, [](auto) {});
      return look_up();
    }
    if (to_forward.empty()) return look_up();
    parts_.forwarder->forward(to_forward, patience_, [self = shared_from_this()](auto fates) {
      self->forwarded(std::move(fates));
    });
  }

  // Another gateway may have seen it on the ledger before this one.
  bool awaits_copy() const {
    return !early_ && patience_ && patience_->count() > 0 && parts_.store->is_shared();
  }

  // On a thread of the read model or of the outbox.
  void forwarded(std::vector<Fate> fates) {
    if (reached_) reached_(Stage::on_ledger);
    for (std::size_t i = 0; i < fates.size(); ++i) {
      Answer& answer = answers_[forwarded_[i]];
      if (const auto* refused = std::get_if<RefusedByLedger>(&fates[i])) {
        answer.refusal = refused->reason;
        continue;
      }
      auto* const there = std::get_if<OnLedger>(&fates[i]);
      if (there == nullptr) continue;  // It stays accepted, and is tried again.
      answer.kind = Answer::Kind::committed;
      answer.index = there->position.index;
      if (!with_receipts_) continue;
      answer.receipt = std::move(there->position.receipt);
      if (!answer.receipt) on_ledger_.push_back(forwarded_[i]);
    }
    look_up();
  }

  // Repeats of what has been on the ledger for long are read from the disk.
  void look_up() {
    if (on_ledger_.empty()) return finish();
    const bool queued = parts_.blocking->post(sender_, [self = shared_from_this()] {
      bool gives = self->with_receipts_;
      for (const std::size_t item : self->on_ledger_) {
        gives = self->look_up(self->answers_[item], gives);
      }
      self->finish();
    });
    if (queued) return;
    for (const std::size_t item : on_ledger_)
      answers_[item] = refused({"temporary-reduced-capacity", {}, {}});
    finish();
  }

  // False: the ledger does not give receipts now, and is not asked for more of them.
  bool look_up(Answer& answer, bool gives) {
    if (gives) {
      const auto begin = std::chrono::steady_clock::now();
      Result<Receipt> receipt = parts_.ledger->receipt(answer.transaction_id);
      if (receipt) {
        answer.kind = Answer::Kind::committed;
        answer.index = receipt->index;
        answer.receipt = std::move(*receipt);
        return true;
      }
      // Of several channels another one may; but not each item waits for one that hangs.
      const bool soon = std::chrono::steady_clock::now() - begin < kSoon;
      gives = receipt.error().code != Errc::unavailable ||
              (soon && !parts_.ledger->numbering().empty());
    }
    // Also where a network that holds it does not give the receipt now.
    const auto index = parts_.ledger->find(answer.transaction_id);
    if (!index || !*index) return gives;  // Not there yet: it stays accepted.
    answer.kind = Answer::Kind::committed;
    answer.index = **index;
    return gives;
  }

  void finish() { done_(std::move(answers_)); }

  const Parts& parts_;
  const std::string sender_;  // Whose turn it is in the queues.
  bool early_;
  const std::optional<std::chrono::milliseconds> patience_;
  bool with_receipts_;
  std::function<void(Stage)> reached_;
  std::vector<Answer> answers_;
  Done done_;
  std::vector<std::string> records_;  // Of what was denied.
  std::vector<std::size_t> denied_;
  std::vector<store::Draft> drafts_;
  std::vector<std::size_t> items_;      // The item of each draft.
  std::vector<std::size_t> forwarded_;  // The item of each transaction that went to the ledger.
  std::vector<std::size_t> on_ledger_;  // Items whose place on the ledger must be read.
};

// By what the items of one submission are judged.
struct Intake::Judge {
  const policy::Policy& policy;
  const policy::Caller* caller;  // nullptr: nobody any more.
  const policy::Caller& sender;  // As it was let in.
};

void Intake::submit(const policy::Caller& caller, Submission submission, Done done) {
  const auto policy = parts_.policy->get();
  const Judge judge{*policy, policy->find(caller), caller};
  const auto run = std::make_shared<Run>(parts_, caller, submission, std::move(done));
  for (std::size_t i = 0; i < submission.items.size(); ++i) {
    store::Draft draft;
    bool test = false;
    if (auto problem = prepare(judge, submission.items[i], draft, test)) {
      // What is wrong with an event itself is no access to procedure data.
      if (problem->status() == 403) {
        run->deny(i, std::move(*problem), draft.audit);
      } else {
        run->refuse(i, std::move(*problem));
      }
    } else if (test) {
      run->mark_test(i);
    } else {
      run->add(i, std::move(draft));
    }
  }
  run->start();
}

// Everything that needs no database.
std::optional<Problem> Intake::prepare(const Judge& judge, Item& item, store::Draft& draft,
                                       bool& test) const {
  if (auto* problem = std::get_if<Problem>(&item.parsed)) return std::move(*problem);
  const ParsedEvent& parsed = std::get<ParsedEvent>(item.parsed);
  const StatusEvent& event = parsed.event;
  // Who is nobody any more is named as he was when he came.
  draft.audit = audit_opening(judge.caller != nullptr ? *judge.caller : judge.sender, event);
  if (judge.caller == nullptr) return problem_of(policy::Denial::not_your_authority, {});
  if (const auto denial =
          policy::may_report(judge.policy, *judge.caller, parsed.claim, *parsed.status)) {
    return problem_of(*denial, policy::explain(*denial, *judge.caller, *parsed.status));
  }
  const policy::Authority& authority = *judge.policy.authority(event.authority);

  Transaction& t = draft.transaction;
  t.status = event.status;
  t.regime = event.regime;
  t.occurred = event.occurred;
  t.source_sequence = event.source_sequence;
  t.authority = event.authority;
  t.role = to_string(authority.role);
  t.land = authority.land;
  t.site = event.site;
  t.channel = parts_.channel;
  t.catalogue = parts_.catalogue_version;
  t.details = event.details;
  t.adapter = item.adapter;
  const privacy::PolicyLists lists{judge.policy.ids(), judge.policy.sites()};
  if (const Result<void> allowed = parts_.guard->check(t, event, lists); !allowed) {
    ProblemCause cause;
    cause.code = "guard";
    cause.detail =
        "The privacy gate refuses a member that could name a person or is in no closed list.";
    return Problem{"validation-failed", {}, {std::move(cause)}};
  }
  test = event.test;
  if (test) return std::nullopt;

  const std::string content = fingerprint_text(event);
  const privacy::Keys* const first = parts_.store->has_first_rows() ? parts_.first_keys : nullptr;
  draft.identity = privacy::identity_digest(event.authority, event.identity);
  draft.content = privacy::content_digest(content);
  draft.native = item.native;
  if (first != nullptr) {
    draft.first = {first->first_identity_hash(event.authority, event.identity),
                   first->first_content_hash(content), item.first_native};
  }
  draft.procedure = key_of(event.procedure);
  if (event.merged_into) draft.merged_into = key_of(*event.merged_into);
  if (event.corrects) draft.corrects = key_of(first, event.authority, *event.corrects);
  if (event.revokes) draft.revokes = key_of(first, event.authority, *event.revokes);
  draft.may_correct_others = authority.role == Role::bamf;
  return std::nullopt;
}

}  // namespace flora::intake
