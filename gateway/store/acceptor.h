// Accepts one draft within the writer's transaction: identity, procedure, references, transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/sqlite.h"
#include "gateway/store/merges.h"
#include "gateway/store/store.h"

namespace flora::store {

/// Used by the writer thread alone. Reads everything first and writes only what is accepted, so
/// that a refusal leaves nothing behind.
class Acceptor {
 public:
  /// Keeps references to the options and the environment.
  static Result<Acceptor> open(sqlite::Database& database, const Options& options, Env& env);
  Acceptor(Acceptor&&) noexcept;
  ~Acceptor();

  /// Errors: what SQLite reports; the transaction must be rolled back then.
  Result<Outcome> accept(Draft& draft);

  /// The number of the last transaction that was put into the outbox.
  std::int64_t last_number() const { return last_number_; }

 private:
  struct Statements;
  struct Submission {
    std::int64_t number = 0;
    Uuid transaction_id;
    std::string authority;
    std::int64_t procedure = 0;
    std::optional<Digest> content;  // Nothing: the id is only reserved by a reference.
    std::optional<Digest> native;
    std::string status;  // Of a reservation: see fits().
    std::optional<Uuid> refers;
  };
  struct Procedure {
    std::int64_t number = 0;
    Uuid pseudonym;
  };
  // Where a ProcedureKey leads: an existing procedure, or a new one that is still to be made.
  struct Resolution {
    std::optional<Procedure> existing;
    std::vector<KeyedIdentifier> to_add;
  };
  // Who carries an identifier: the procedures themselves, and those that remain of them.
  struct Carriers {
    std::set<std::int64_t> direct;
    std::set<std::int64_t> roots;

    void add(const Carriers& other);
    void keep(const Carriers& other);
    // The only one; of several that are joined the one that remains. `roots` has one.
    std::int64_t one() const;
  };
  struct Reference {
    std::optional<Submission> existing;
    std::optional<Digest> to_reserve;
    bool narrows = false;  // The reservation learns its status.
  };
  // Everything that reading decided about one draft.
  struct Plan {
    Resolution procedure;
    std::optional<Resolution> merge;
    std::optional<Reference> reference;
    std::optional<Submission> reserved;
    std::optional<std::int64_t> kept;  // The procedure that the event is about already.
  };
  template <typename T>
  using OrRefusal = Result<std::variant<T, Refusal>>;

  Acceptor(std::unique_ptr<Statements> statements, Merges merges, const Options& options, Env& env);

  Result<Outcome> repeat(const Submission& known, const Draft& draft);
  Result<Outcome> accept_new(Draft& draft, const std::optional<Submission>& reserved);
  Result<std::optional<Refusal>> plan_reserved(const Draft& draft, Plan& plan);
  Result<std::optional<Refusal>> plan_reference(const Draft& draft, Plan& plan);
  Result<std::optional<Refusal>> plan_merge(const Draft& draft, Plan& plan);
  static bool merges_with_itself(const Plan& plan);
  Result<Outcome> write(Draft& draft, const Plan& plan);
  Result<Uuid> refer(const Draft& draft, const Reference& reference, const Procedure& procedure);
  Result<void> record(const Draft& draft, const Plan& plan, std::int64_t procedure);

  Result<std::optional<Submission>> find_submission(const EventKey& key);
  Result<Procedure> procedure(std::int64_t number);
  Result<Procedure> root_of(std::int64_t number);
  OrRefusal<Resolution> resolve(const ProcedureKey& key);
  OrRefusal<Resolution> resolve_identifiers(const std::vector<KeyedIdentifier>& identifiers);
  Result<Carriers> carriers_of(const Digest& identifier);
  Result<bool> is_about(const Resolution& resolution, std::int64_t procedure);
  OrRefusal<Reference> check_reference(const Draft& draft, const Plan& plan);
  Result<bool> leads_to(const Submission& from, const Uuid& transaction_id);

  Result<Procedure> materialise(const Resolution& resolution);
  Result<Uuid> reserve(const Draft& draft, const Digest& identity, const Procedure& procedure);

  std::unique_ptr<Statements> s_;
  Merges merges_;
  const Options* options_;
  Env* env_;
  UuidSequence ids_;
  Instant last_recorded_;
  std::int64_t last_number_ = 0;
};

}  // namespace flora::store
