// Start here. Intake takes parsed events to the ledger: policy, privacy gate, store, ledger, read
// model. No thread waits: each stage hands over to the next.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/audit/record.h"
#include "gateway/base/thread_pool.h"
#include "gateway/intake/event_parser.h"
#include "gateway/intake/forwarder.h"
#include "gateway/policy/in_force.h"
#include "gateway/privacy/guard.h"
#include "gateway/privacy/keys.h"
#include "gateway/store/store.h"
#include "ledger-client/ledger.h"

namespace flora::intake {

/// Who asks, as the audit names it: for all authorities of the caller.
audit::Actor actor_of(const policy::Caller& caller);

/// One event on its way, or the problem that parsing found.
struct Item {
  ParseResult parsed;
  std::optional<AdapterMark> adapter;  ///< The adapter that made the event.
  std::optional<Digest> native;  ///< privacy::content_digest of the native record, if there is one.
  /// For Store::has_first_rows(): Keys::first_content_hash of it.
  std::optional<Digest> first_native = {};
};

/// What became of one event.
struct Answer {
  enum class Kind {
    committed,  ///< On the ledger. `repeat`: it was there or on its way before.
    accepted,   ///< Durable here, not yet on the ledger.
    test,       ///< Valid, with the sender's test mark: nothing was written.
    refused,    ///< Nothing was written, but for the problem `outcome-unknown`.
  };
  Kind kind = Kind::refused;
  bool repeat = false;
  Uuid transaction_id;
  Uuid procedure;
  std::uint64_t index = 0;         ///< committed only.
  std::optional<Receipt> receipt;  ///< committed only, and only if asked for.
  std::string refusal;             ///< accepted only: why the ledger has refused it for good.
  Problem problem;                 ///< refused only.

  /// The HTTP status of this event alone.
  int status() const;
};

/// How far a submission has come.
enum class Stage {
  durable,   ///< In the store: what was accepted of it cannot be lost.
  on_ledger  ///< Committed, or refused by the ledger until somebody tries again.
};

struct Submission {
  std::vector<Item> items;
  bool answer_early = false;  ///< As soon as it is durable here, not when it is on the ledger.
  std::optional<std::chrono::milliseconds> patience;  ///< See Forwarder::forward().
  bool with_receipts = true;
  /// Told of each stage when it is reached, on the stage's thread, before `done`; may be empty.
  /// Must not block.
  std::function<void(Stage)> reached;
};

/// What intake works with; all of it outlives it.
struct Parts {
  const policy::InForce* policy = nullptr;
  const privacy::Keys* first_keys = nullptr;  ///< Of the mapping secret; null: there is none.
  const privacy::Guard* guard = nullptr;
  store::Store* store = nullptr;
  Ledger* ledger = nullptr;
  Forwarder* forwarder = nullptr;
  ThreadPool* blocking = nullptr;  ///< Runs what waits for the disk.
  std::string channel;
  std::string catalogue_version;
};

/// Thread-safe.
class Intake {
 public:
  using Done = std::function<void(std::vector<Answer>)>;

  explicit Intake(Parts parts) : parts_(std::move(parts)) {}

  /// Answers all items, in their order; each is accepted or refused by itself, all by the policy
  /// that is in force now: who sends for long may lose his right on the way. `done` is called once,
  /// on any thread, perhaps within this call.
  void submit(const policy::Caller& caller, Submission submission, Done done);

 private:
  class Run;
  struct Judge;
  std::optional<Problem> prepare(const Judge& judge, Item& item, store::Draft& draft,
                                 bool& test) const;

  Parts parts_;
};

}  // namespace flora::intake
