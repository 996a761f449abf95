// The checks behind verify and fsck, on one open database.
#pragma once

#include <optional>
#include <string>

#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/embedded/operations.h"

namespace flora::ledger {

enum class CheckDepth {
  promises,    ///< What verify covers.
  everything,  ///< What fsck covers.
};

/// True if a log of this configured origin may sign under `name`.
bool is_origin_of(const std::string& name, const std::string& configured);

/// The checkpoint of a note that the ledger signed under one of its origins. Errors: invalid.
Result<Checkpoint> open_own_checkpoint(std::string_view note, const LedgerFiles& files);

/// Checks one snapshot of the database. `outside` is the note that was in the checkpoint file
/// before the snapshot was taken. What is wrong, unreadable parts included, becomes a finding.
CheckReport check(LogReader& reader, const LedgerFiles& files,
                  const std::optional<std::string>& outside, CheckDepth depth);

}  // namespace flora::ledger
