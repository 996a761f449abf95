// A canonical status event: what an authority reports. It may hold identifiers of persons; it lives
// in memory only and is never logged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"

namespace flora {

/// Which procedure an event is about: a pseudonym, or identifiers that lead to one.
struct ProcedureReference {
  std::optional<Uuid> pseudonym;
  std::vector<Identifier> identifiers;  ///< In normal form; empty if there is a pseudonym.
  std::vector<std::string> written;     ///< The same values as they were sent.
};

/// The sender's own name of an event. Counts as an identifier of a person, because state systems
/// build it from file numbers.
struct SenderIdentity {
  std::string source;
  std::string id;
};

/// An earlier event: by transaction id or by the sender's own identity of it.
using EventReference = std::variant<Uuid, SenderIdentity>;

struct StatusEvent {
  SenderIdentity identity;
  std::string status;
  std::string regime;                   ///< `ALT`, `GEAS` or empty.
  std::variant<Instant, Day> occurred;  ///< occurredAt or occurredOn, as it was sent.
  std::optional<std::int32_t> source_sequence;
  ProcedureReference procedure;
  std::string authority;  ///< The reporter's Behördenkennzeichen, six digits.
  std::string site;       ///< Empty if not given.
  std::string details;    ///< Canonical JSON of a non-empty object, or empty.
  std::optional<EventReference> corrects;
  std::optional<EventReference> revokes;
  std::optional<ProcedureReference> merged_into;
  bool test = false;
};

/// One text for equal events, whatever form they came in: the basis of the content fingerprint.
/// Holds identifiers; never stored, only hashed with a key.
std::string fingerprint_text(const StatusEvent& event);

}  // namespace flora
