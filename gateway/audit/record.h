// Start here. One record of the audit trail: who did what with which procedure, when, and what came
// of it. It holds names of ours, pseudonyms and numbers; never an identifier, an event's id or
// source, or any other text of a client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/audit.h"

namespace flora::audit {

/// What was done.
enum class Action : std::uint8_t {
  report,            ///< A status event.
  correct,           ///< One that replaces an earlier one.
  revoke,            ///< One that takes an earlier one back.
  merge,             ///< One that joins two procedures.
  search,            ///< For a procedure, by identifiers.
  read_procedure,    ///< Its current state.
  read_history,      ///< A page of its entries.
  read_transaction,  ///< The state of one submission.
  retry,             ///< The order to try again what the ledger has refused.
  read_receipt,      ///< Its receipt, which holds the entry.
  read_entries,      ///< Entries of the ledger as they are, of any procedure.
  read_answer,       ///< The answer that is kept under an Idempotency-Key.
  read_audit,        ///< A page of this trail.
  export_audit,      ///< This trail, as a file that can be verified.
  subject_report,    ///< What is stored about an identifier.
  erase,             ///< The order to erase the mapping of a procedure.
  expire,            ///< The gateway's own order to erase: a period of retention is over.
  erased,            ///< By the gateway: nothing of the mapping is left.
  segment_deleted,   ///< By the gateway, after retention.
  continued,         ///< By an operator: the trail goes on where records are missing.
};

/// `REPORT` …
std::string_view to_string(Action action);

/// `ACCEPTED` …
std::string_view to_string(AuditEffect::Outcome outcome);

/// Who asks: names of the policy.
struct Actor {
  std::string client;
  std::vector<std::string> authorities;  ///< For whom: the reporter's, or all of the client's.
  std::string_view role;                 ///< Of the authorities.
};

/// What is known of an access when it begins, as a piece of the record's text. Opaque to others.
std::string opening(const Actor& actor, Action action);

/// The same of what the gateway does by itself.
std::string own_opening(Action action);

/// The record but for number and time. `opening` is what opening() gave.
std::string body(std::string_view opening, const AuditEffect& effect);

/// The bodies of the records of what the gateway itself has done.
std::string body_of_deletion(std::int64_t segment);
std::string body_of_erasure(const std::vector<Uuid>& procedures);
std::string body_of_continuation(std::int64_t after, const std::optional<AuditHead>& known);

/// The whole record: one JSON object in one line, without a line feed.
std::string line(std::int64_t number, Instant at, std::string_view body);

/// What a line says, as far as checks and queries need it.
struct Record {
  std::int64_t number = 0;
  Instant at;
  std::string action;
  std::string client;  ///< Empty for the gateway's own.
  std::vector<std::string> authorities;
  std::string outcome;
  std::vector<Uuid> procedures;
  std::int64_t segment = 0;  ///< Of SEGMENT_DELETED.
  std::int64_t after = 0;    ///< Of CONTINUED.
};

/// Errors: invalid (the line is no record).
Result<Record> parse_record(std::string_view line);

}  // namespace flora::audit
