// Start here. What the gateway keeps beside the ledger, in one SQLite file, or in a database of
// PostgreSQL that several gateways share: the mapping from
// identifiers to procedures, the identity of every event that was accepted, the transactions that
// are not yet on the ledger, and answers under an Idempotency-Key. One thread writes, by groups.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/audit.h"
#include "gateway/model/channels.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"
#include "gateway/model/mapping_keys.h"
#include "gateway/model/transaction.h"
#include "gateway/store/adapter_archive.h"
#include "gateway/store/holdings.h"
#include "gateway/store/turn.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/outbox_store.h"

namespace flora::store {

/// True but for a BAMF-Aktenzeichen, which names a file that several persons may share.
bool names_a_person(const Identifier& identifier);

/// A pseudonym, or identifiers that lead to one (at least one).
using ProcedureKey = std::variant<Uuid, std::vector<Identifier>>;

/// The sender's identity of an event: its digest, and for Store::has_first_rows() the hash that
/// such a row has.
struct EventIdentity {
  Digest digest{};
  std::optional<Digest> first = {};
};

/// An earlier event: by transaction id, or by the sender's identity of it.
using EventKey = std::variant<Uuid, EventIdentity>;

/// An event that passed every check which needs no database. Identifiers and digests are still
/// without a key: the store writes them as hashes and encrypted, with the keys of that moment.
struct Draft {
  Digest identity{};                 ///< Of (authority, source, id).
  Digest content{};                  ///< Of the canonical event.
  std::optional<Digest> native;      ///< Of the native record that it came from.
  std::optional<Fingerprint> first;  ///< For Store::has_first_rows(): as such a row has the three.
  ProcedureKey procedure;
  std::optional<ProcedureKey> merged_into;
  std::optional<EventKey> corrects;
  std::optional<EventKey> revokes;
  bool may_correct_others = false;  ///< The reporter is the BAMF.
  std::string audit;                ///< Who reports what: AuditFormat::body has it as `opening`.
  /// All members but id, procedure, recorded_at, salt, corrects, revokes and merged_into, which the
  /// store sets.
  Transaction transaction;
};

/// Why a draft was not accepted. Nothing of it was written.
enum class Refusal : std::uint8_t {
  content_differs,       ///< This identity was accepted with another content.
  identifier_ambiguous,  ///< The only identifier belongs to several procedures.
  identifier_conflict,   ///< The identifiers lead to several procedures.
  procedure_unknown,     ///< No procedure has this pseudonym.
  reference_unknown,     ///< The event that it refers to is not known, or is another authority's.
  reference_mismatch,    ///< It is about another procedure or, for a revocation, another status.
  reference_cycle,       ///< The event would correct itself, by way of others.
  merge_with_itself,     ///< Both procedures are the same.
  unavailable,  ///< The disk or the keys' token fails, the disk is full, or the procedure is just
                ///< being erased.
  uncertain,    ///< The disk failed during the commit: send the same again.
  overloaded,   ///< Too many are waiting; try again after a while.
};

/// A draft that is durable here.
struct Accepted {
  std::int64_t number = 0;  ///< The order of acceptance; 0 if it is a repeat that is on the ledger.
  bool repeat = false;      ///< It was accepted before.
  Uuid transaction_id;
  Uuid procedure;
  std::optional<Uuid> merged_into;  ///< Of the transaction, if it is in `body`.
  std::string body;  ///< The transaction text; empty for a repeat that is no longer in the outbox.
  bool tombstone = false;    ///< It says that the mapping of `procedure` is erased.
  std::string status = {};   ///< Of the transaction, if it is in `body`; empty for a tombstone.
  Instant recorded = {};     ///< Likewise.
  outbox::Nonce nonce = {};  ///< Of its next try with a remote ledger, if it is in `body`.
  std::string failed = {};   ///< A repeat: why a remote ledger has refused it; empty: it has not.
  /// Of a remote ledger, that it goes to, if it is in `body`; empty: there is only one.
  std::vector<std::string> channels = {};
};

using Outcome = std::variant<Accepted, Refusal>;

/// The name of the problem that a refusal is (gateway/model/problem.h).
std::string_view problem_of(Refusal refusal);

/// A transaction that is accepted and perhaps not yet on the ledger.
struct OutboxEntry {
  std::int64_t number = 0;
  Uuid transaction_id;
  std::string body;
  std::string failed = {};  ///< Why a remote ledger has refused it; empty: it has not.
  std::vector<std::string> channels = {};  ///< As Accepted has them.
};

/// An answer that is kept under an Idempotency-Key.
struct KeptAnswer {
  int status = 0;
  std::string location;  ///< The Location field's value, or empty.
  std::string content_type;
  std::string body;
  std::optional<Uuid> procedure = {};  ///< That it is about; nothing for a refusal.
};

/// Who asks for a kept answer: the digests, and for Store::has_first_rows() what such a row has.
struct AnswerKey {
  AnswerDigests digests;
  std::optional<AnswerDigests> first = {};
};

struct FoundAnswer {
  KeptAnswer answer;
  bool same_request = false;  ///< Else the key was given for another request.
};

/// How far the change to the current keys is.
struct RotationProgress {
  bool running = false;       ///< Rows are being looked at; false also while answers expire.
  std::uint64_t rekeyed = 0;  ///< Rows that were brought under a current key since the start.
  std::uint64_t damaged = 0;  ///< Rows, when they were last looked at, that do not open.
};

/// The wish to erase the mapping of a procedure and of all that it is merged with: who can
/// attribute one of them can attribute all.
struct ErasureOrder {
  Uuid procedure;
  std::string authority;  ///< Of the tombstone.
  std::string audit;      ///< Who orders it: AuditFormat::body has it as `opening`.
  /// The transactions that the decision to erase knew, if it stands on them: with another one of
  /// these procedures it is `conflict`, and if the store knows no such procedure `not_found`;
  /// nothing is written then, no record of the audit trail either.
  std::optional<std::vector<Uuid>> known = {};
};

/// Of the audit trail, which the store keeps in its own commits.
struct AuditOptions {
  std::shared_ptr<const AuditFormat> format;
  /// The newest head, signed, outside the database: a trail that has lost its end is found out.
  std::string head_file;
  /// Names the gateway whose head file it is among those that share a database: one that was there
  /// before must have its file. Empty where nobody shares it.
  std::string keeper;
  std::int64_t segment_records = 1'000'000;  ///< A segment is closed after so many records,
  std::int64_t segment_days = 7;             ///< or days, and at the end of a year (UTC).
  /// From the end of a segment to its deletion; nothing: until the end of the year that follows
  /// (the rule of § 76 (4) BDSG).
  std::optional<std::int64_t> retention_days;
};

struct Options {
  std::string path;                   ///< Of store.db; created if missing.
  std::optional<sql::Server> server;  ///< Instead of the file; other gateways may share it.
  std::size_t queue = 16384;          ///< Drafts that may wait, see FairQueue; above, `overloaded`.
  std::size_t group = 512;            ///< Drafts per commit, at most.
  std::int64_t outbox = 200'000;      ///< Transactions not yet on the ledger; above, `overloaded`.
  /// What has left the outbox is here; it must outlive the store. nullptr: nothing has.
  Ledger* ledger = nullptr;
  Instant last_recorded;  ///< recordedAt of the newest ledger entry: it never goes back.
  std::shared_ptr<const MappingKeys> keys;  ///< Wraps and unwraps on the writer thread.
  /// Called once, on the writer thread, after a commit whose outcome is unknown, or when the
  /// write-ahead log could not be moved: the process must not acknowledge anything any more and
  /// should end.
  std::function<void(const Error&)> on_fatal;
  AuditOptions audit;
  std::string channel;  ///< Of tombstones.
  /// Of the others, where there are several: then the first of an entry stands in it.
  ChannelRule channels;
  std::string vfs;  ///< A SQLite VFS for tests.

  sql::Place place() const {
    sql::Place place{path, vfs};
    place.server = server;
    return place;
  }
};

class AuditReader;

/// Thread-safe.
class Store final : public outbox::OutboxStore {
 public:
  /// Errors: unavailable; corrupt (also: the audit trail lacks records that were signed); invalid
  /// (the file is of a newer version, or its rows name a key that is not among those given, or is
  /// another one of that id: all are named).
  static Result<std::unique_ptr<Store>> open(Options options, Env& env);
  /// Waits until everything that was queued is written.
  ~Store() override;

  /// Called once, on the writer thread, for one sender in the order of its calls of accept(); must
  /// not block.
  using AcceptDone = std::function<void(std::vector<Outcome>)>;

  /// Queues drafts and returns at once; the senders take turns in each commit. When `done` reports
  /// Accepted, the draft is durable. The drafts of one call are accepted in their order, one by
  /// one: one that is refused does not hold back the others. The transaction id is drawn once and
  /// kept with the identity, so that the same event always has the same id.
  void accept(std::string_view sender, std::vector<Draft> drafts, AcceptDone done);

  /// Begins an erasure and returns at once. `begun` is called once, on the writer thread, when the
  /// tombstones are durable in the outbox, behind all that was accepted of these procedures; they
  /// must be forwarded like every accepted transaction (none, if the erasure is under way already
  /// or the procedure is not known). From then on nothing is accepted for them. As soon as
  /// committed_through() says that the tombstones are on the ledger, the mapping is deleted. `done`
  /// is called once, when neither the files nor their write-ahead log hold anything of it. Both may
  /// be called within this call, and must not block. Errors of both: unavailable, uncertain,
  /// overloaded, those of ErasureOrder::known; of `done` also overloaded if it takes long: it goes
  /// on by itself, after a restart too.
  using ErasureBegun = std::function<void(const Result<std::vector<Accepted>>&)>;
  using ErasureDone = std::function<void(const Result<void>&)>;
  void erase(ErasureOrder order, ErasureBegun begun, ErasureDone done);

  /// Calls `done` as erase() does, for an erasure that has begun, perhaps in an earlier life.
  void await_erasure(const Uuid& procedure, ErasureDone done);

  /// Erasures that are under way; for metrics.
  std::int64_t erasures_under_way() const;

  /// Queues records of the audit trail (AuditFormat::body) and returns at once. `done` is called
  /// once, perhaps within this call: if the result is good they are durable, and what they are
  /// about may be answered. Must not block. Errors: unavailable, uncertain, overloaded.
  void record(std::vector<std::string> bodies, std::function<void(const Result<void>&)> done);

  /// Everything up to this number is on the ledger and leaves the outbox, with some later commit.
  /// For a ledger that takes the outbox in its order.
  void committed_through(std::int64_t number);

  /// For a remote ledger, which takes each procedure in its order: see OutboxStore. What is
  /// committed leaves the outbox; if it is a tombstone, the mapping is deleted in the same commit.
  void settle(std::vector<outbox::Settlement> settlements,
              std::function<void(const Result<void>&)> done) override;

  /// True if other gateways may work with the database: then one of them at a time has the turn to
  /// bring the outbox to the network (turn.h), and settles with its fence.
  bool is_shared() const { return is_shared_; }

  /// As settle(), for who had the turn of that fence. Errors: also conflict (it is over; nothing of
  /// these settlements was written).
  void settle_in_turn(std::int64_t fence, std::vector<outbox::Settlement> settlements,
                      std::function<void(const Result<void>&)> done);

  /// Takes the turn, if it is as it was seen: `done` is told the fence of the new one. The three
  /// are for a store that is shared, return at once, and call `done` once, on the writer thread or
  /// within the call. Errors: conflict (the turn is another one), unavailable, uncertain.
  void take_turn(const Turn& seen, std::function<void(const Result<std::int64_t>&)> done);
  void renew_turn(std::int64_t fence, std::function<void(const Result<std::int64_t>&)> done);
  /// Another one may take it at once.
  void give_turn_back(std::int64_t fence, std::function<void(const Result<std::int64_t>&)> done);

  /// Lets a transaction be tried again that has failed, with a new nonce; `done` is called once
  /// with the row, which then goes to Outbox::retry(), on the writer thread, or within this call if
  /// nothing can be written. If the store is shared the row has a new number, behind all others:
  /// who has the turn finds it there. Errors: not_found (none of that id has failed), unavailable,
  /// uncertain.
  using ReopenDone = std::function<void(Result<outbox::Row>)>;
  void reopen_failed(const Uuid& transaction_id, ReopenDone done);

  /// Keeps an answer until `expires`; `done` is called when it is durable (or could not be kept).
  void keep_answer(const AnswerDigests& digests, const KeptAnswer& answer, Instant expires,
                   std::function<void()> done);

  /// Makes new rows with other keys from now on, and brings the old ones under them in the
  /// background, in small steps within the commits. Until that is done a row is found under its old
  /// key, in the same transaction. Blocks. Errors: as open(); nothing is changed then.
  Result<void> use_keys(std::shared_ptr<const MappingKeys> keys);

  /// Keeps the texts of an adapter before it comes into use. Blocks; durable on return. It is not
  /// an error if they are there already. Errors: unavailable, uncertain; overloaded (the disk is
  /// full).
  Result<void> keep_adapter(const AdapterMark& mark, const AdapterTexts& texts);

  // Reading. Blocks on the disk. Any thread.

  /// What is held about the procedures that the identifier leads to (holdings.h).
  Result<std::vector<Holding>> holdings(const Identifier& identifier);

  /// A connection of its own to the audit trail (audit_reader.h); used by one thread at a time.
  Result<AuditReader> audit_reader() const;

  /// The versions of one adapter that were ever in use, in that order.
  Result<std::vector<AdapterVersion>> adapter_versions(std::string_view id);

  Result<std::optional<ArchivedAdapter>> find_adapter(std::string_view hash);

  /// The answer under a key that has not expired at `now`.
  Result<std::optional<FoundAnswer>> kept_answer(const AnswerKey& key, Instant now);

  /// The procedure that an event with these identifiers would be about, or nothing if they lead to
  /// none, to several, or do not name one person.
  Result<std::optional<Uuid>> find_procedure(const std::vector<Identifier>& identifiers);

  /// A transaction that is still in the outbox.
  Result<std::optional<OutboxEntry>> find_in_outbox(const Uuid& transaction_id);

  /// The transactions in the outbox behind `after`, in order, at most `limit`.
  Result<std::vector<OutboxEntry>> outbox(std::int64_t after, std::size_t limit);

  /// True if the event of that transaction was accepted, also if it has left the outbox.
  Result<bool> has_accepted(const Uuid& transaction_id);

  /// Whose turn it is, of a store that is shared.
  Result<Turn> turn();

  Result<std::vector<outbox::Row>> rows(std::int64_t after, std::size_t limit) override;
  Result<std::vector<outbox::Failed>> failed_rows() override;

  /// Those behind `after` that a remote ledger has refused, in order, at most `limit`.
  Result<std::vector<OutboxEntry>> failed(std::int64_t after, std::size_t limit);

  /// Transactions in the outbox; for metrics.
  std::int64_t outbox_size() const;

  RotationProgress rotation() const;

  /// True if rows of before schema version 4 are there that are recognised only by hashes as they
  /// were made then, with the mapping secret.
  bool has_first_rows() const;

 private:
  class Writer;
  class Readers;
  Store();
  bool is_shared_ = false;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace flora::store
