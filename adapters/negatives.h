// Messages as a sender's software might send them by mistake, generated from a bundle's accepted
// fixtures and its compiled rules: an author needs not think of each mistake. None of them may
// crash, or give an event that is no canonical status event; messages that only look otherwise must
// give the same events.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/fixtures.h"

namespace flora::adapter {

struct NegativeRun {
  /// How many messages were tried, by kind: `deleted`, `emptied`, `malformed` and `over-long` (each
  /// value that a rule reads), `day` (29 February, 31 April, the days and hours when clocks
  /// change), `truncated`, `charset`, `doctype`, `nesting`, `other-form` (prefixes, order of
  /// attributes, members and columns, white space).
  std::map<std::string, std::size_t> messages;
  std::vector<std::string> failures;  ///< One sentence each; no text of a message.
};

/// Errors: those of Adapter::load; not_found (no accepted fixture).
Result<NegativeRun> run_negatives(const std::string& folder, const CanonicalTypes* types,
                                  const EventCheck& check);

}  // namespace flora::adapter
