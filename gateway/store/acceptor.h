// Accepts one draft within the writer's transaction: identity, procedure, references, transaction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/sql.h"
#include "gateway/model/channels.h"
#include "gateway/store/keys_in_use.h"
#include "gateway/store/merges.h"
#include "gateway/store/store.h"

namespace flora::store {

/// Used by the writer thread alone. Reads everything first and writes only what is accepted, so
/// that a refusal leaves nothing behind.
class Acceptor {
 public:
  /// Keeps a reference to the environment. use() comes before the first accept().
  static Result<Acceptor> open(sql::Database& database, const Options& options, Env& env);
  Acceptor(Acceptor&&) noexcept;
  ~Acceptor();

  void use(std::shared_ptr<const KeysInUse> keys) { keys_ = std::move(keys); }

  /// Errors: what SQLite reports; the transaction must be rolled back then.
  Result<Outcome> accept(Draft& draft);

  /// Puts a tombstone into the outbox. Errors: as accept().
  Result<Accepted> bury(const Uuid& procedure, std::string_view authority);

  /// From here on a draft that leads to a procedure of which this says true is refused.
  void refuse_where(std::function<bool(const Uuid&)> erasing) { is_erasing_ = std::move(erasing); }

  /// The number of the last transaction that was put into the outbox, and the newest recordedAt.
  std::int64_t last_number() const { return last_number_; }
  /// For a row that goes behind all others.
  std::int64_t next_number() { return ++last_number_; }
  Instant last_recorded() const { return last_recorded_; }

  /// Others have come as far: neither goes back behind it.
  void catch_up(std::int64_t number, Instant recorded) {
    last_number_ = std::max(last_number_, number);
    last_recorded_ = std::max(last_recorded_, recorded);
  }

 private:
  struct Statements;
  struct Submission {
    std::int64_t number = 0;
    Uuid transaction_id;
    std::string authority;
    std::int64_t procedure = 0;
    std::int64_t lookup_key = 0;
    std::optional<Digest> content;  // Nothing: the id is only reserved by a reference.
    std::optional<Digest> native;
    std::string status;  // Of a reservation: see fits().
    std::optional<Uuid> refers;
  };
  struct Procedure {
    std::int64_t number = 0;
    Uuid pseudonym;
    std::optional<std::int64_t> merged_into = {};
    // That its entries have gone to; empty: it is new.
    std::vector<std::string> channels = {};
  };
  // The key of a procedure, as its row has it and open.
  struct Secret {
    Uuid procedure;
    std::int64_t wrapping_key = 0;
    std::string wrapped;
    crypto::SecretKey key;
    bool is_new = false;  // The row does not have it yet.
  };
  // Where a ProcedureKey leads: an existing procedure, or a new one that is still to be made.
  struct Resolution {
    std::optional<Procedure> existing;
    std::vector<Identifier> to_add;
    std::optional<Secret> secret;  // Where identifiers will be written.
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
    std::optional<EventIdentity> to_reserve;
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

  bool is_same(const Submission& known, const Draft& draft) const;
  Result<Outcome> repeat(const Submission& known, const Draft& draft);
  Result<Outcome> accept_new(Draft& draft, const std::optional<Submission>& reserved);
  Result<std::optional<Refusal>> plan_reserved(const Draft& draft, Plan& plan);
  Result<std::optional<Refusal>> plan_reference(const Draft& draft, Plan& plan);
  Result<std::optional<Refusal>> plan_merge(const Draft& draft, Plan& plan);
  static bool merges_with_itself(const Plan& plan);
  Result<bool> is_erasing(const Plan& plan);
  Result<bool> can_merge(const Draft& draft, const Plan& plan);
  Result<void> put_into_outbox(Accepted& accepted);
  Result<std::vector<std::string>> spread(const Transaction& entry,
                                          std::vector<Procedure> procedures, bool is_overtaken);
  Instant record_now();
  Result<Outcome> write(Draft& draft, const Plan& plan);
  Result<Uuid> refer(const Draft& draft, const Reference& reference, const Procedure& procedure);
  Result<void> record(const Draft& draft, const Plan& plan, std::int64_t procedure);

  Result<std::optional<Submission>> find_submission(const Uuid& transaction_id);
  Result<std::optional<Submission>> find_submission(const EventIdentity& identity);
  static Result<std::optional<Submission>> read_submission(sql::Statement& select);
  Result<Procedure> procedure(std::int64_t number);
  Result<Procedure> root_of(std::int64_t number);
  OrRefusal<Resolution> resolve(const ProcedureKey& key);
  OrRefusal<Resolution> resolve_identifiers(const std::vector<Identifier>& identifiers);
  Result<Carriers> carriers_of(const Identifier& identifier);
  Result<bool> is_about(const Resolution& resolution, std::int64_t procedure);
  OrRefusal<Reference> check_reference(const Draft& draft, const Plan& plan);
  Result<bool> leads_to(const Submission& from, const Uuid& transaction_id);

  Result<bool> unlock(Resolution& resolution);
  Result<Secret> read_secret(std::int64_t procedure);
  Result<void> make_key(Secret& secret) const;
  Result<void> open_key(Secret& secret) const;
  Result<void> leave_what_is_there(Resolution& resolution);
  Result<bool> carries(std::int64_t procedure, const Identifier& identifier);
  Result<void> keep_key(std::int64_t procedure, const Secret& secret);
  void tell(const Result<void>& opened);
  Result<Procedure> materialise(const Resolution& resolution);
  Result<Uuid> reserve(const Draft& draft, const EventIdentity& identity,
                       const Procedure& procedure);

  std::unique_ptr<Statements> s_;
  Merges merges_;
  std::shared_ptr<const KeysInUse> keys_;
  Env* env_;
  UuidSequence ids_;
  Instant last_recorded_;
  std::string channel_;  // Of tombstones.
  ChannelRule channels_;
  std::int64_t last_number_ = 0;
  bool keys_fail_ = false;  // As the log was told.
  std::int64_t keys_rest_until_ns_ = 0;
  std::function<bool(const Uuid&)> is_erasing_;
};

}  // namespace flora::store
