// Brings rows under the current keys, some at a time: the writer does it within its commits.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/sql.h"
#include "gateway/store/keys_in_use.h"
#include "gateway/store/store.h"

namespace flora::store {

/// Used by the writer thread alone, but for progress(). What is under the current keys already is
/// passed over, so that a rotation that was broken off begins at the front. A row that does not
/// open stays as it is, and its key in use.
class Rotation {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  static Result<Rotation> open(sql::Database& database, Env& env);
  Rotation(Rotation&&) noexcept;
  ~Rotation();

  /// Begins at the front, if rows may name older keys.
  void use(std::shared_ptr<const KeysInUse> keys);

  /// How long until step() has something to do; nothing: not with these keys.
  std::optional<Nanoseconds> wait() const;

  /// Within the writer's transaction. Ends after `bound`, but not before one row is done. Errors:
  /// what SQLite reports; the transaction must be rolled back then.
  Result<void> step(Nanoseconds bound);

  /// The step is durable. True: older keys are not named any more, and the keys must be taken into
  /// use again.
  bool committed();
  /// The step is undone.
  void rolled_back();
  /// Does nothing more with these keys, since what failed would fail again. rolled_back() follows.
  void give_up();

  RotationProgress progress() const;

 private:
  enum class Phase : std::uint8_t { procedures, submissions, answers, done };
  struct Statements;
  struct ProcedureRow {
    std::int64_t number = 0;
    Uuid pseudonym;
    std::int64_t wrapping_key = 0;
    std::string wrapped;
  };
  struct Secret {
    crypto::SecretKey key;
    std::string wrapped;  // Empty: the row has it as it should be.
  };
  struct IdentifierRow {
    std::string hash;
    IdentifierType type{};
    std::string value;
    std::int64_t lookup_key = 0;
  };
  struct SubmissionRow {
    std::int64_t number = 0;
    Uuid transaction_id;
    std::int64_t lookup_key = 0;
    std::string sealed;
    bool has_content = false;
  };
  // What a rolled-back step must take back.
  struct State {
    Phase phase = Phase::done;
    std::int64_t after = 0;       // The last row of the phase that was looked at.
    std::set<std::int64_t> kept;  // Numbers of keys that rows go on naming.
    std::uint64_t rekeyed = 0;
    std::uint64_t damaged = 0;
    std::int64_t not_before_ns = 0;
    bool waits_for_answers = false;  // Nothing else is left to do.
    bool retired = false;
  };
  struct Counters {
    std::atomic<bool> running = false;
    std::atomic<std::uint64_t> rekeyed = 0;
    std::atomic<std::uint64_t> damaged = 0;
  };

  Rotation(std::unique_ptr<Statements> statements, Env& env);

  Result<bool> next();
  Result<bool> next_procedure();
  Result<Secret> open_secret(const ProcedureRow& procedure) const;
  Result<void> rekey(const ProcedureRow& procedure, const Secret& secret,
                     const std::vector<IdentifierRow>& identifiers);
  Result<std::vector<IdentifierRow>> identifiers_of(std::int64_t procedure);
  Result<void> rekey(const ProcedureRow& procedure, const crypto::SecretKey& key,
                     const IdentifierRow& row);
  Result<bool> next_submission();
  Result<void> rekey(const SubmissionRow& row, const Fingerprint& plain);
  Result<bool> finish_answers();
  Result<void> retire();
  Result<std::vector<std::int64_t>> older_keys();
  Result<bool> is_named(std::int64_t key);
  void keep(std::int64_t key);
  void pause(std::int64_t ns);
  void publish();

  std::unique_ptr<Statements> s_;
  Env* env_;
  std::shared_ptr<const KeysInUse> keys_;
  State state_;
  State durable_;
  bool stepped_ = false;
  std::unique_ptr<Counters> counters_;
};

}  // namespace flora::store
