// The ledger that the settings name, and how accepted transactions come to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gateway/base/env.h"
#include "gateway/intake/forwarder.h"
#include "gateway/settings/settings.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/embedded/embedded_ledger.h"
#include "ledger-client/embedded/lock_file.h"
#include "ledger-client/outbox/remote_ledger.h"

namespace flora::commands {

/// One of the two.
struct OpenLedger {
  std::optional<ledger::LockFile> lock;  ///< Beside a network: this process works with the folder.
  std::unique_ptr<ledger::EmbeddedLedger> embedded;
  std::unique_ptr<outbox::RemoteLedger> remote;

  Ledger& get() const {
    return embedded ? static_cast<Ledger&>(*embedded) : static_cast<Ledger&>(*remote);
  }
};

/// `on_fatal` is EmbeddedOptions::on_fatal. Errors: those of the ledger and of keeps_channels();
/// invalid (this build has no Fabric).
Result<OpenLedger> open_ledger(const settings::Settings& settings,
                               std::function<void(const Error&)> on_fatal, Env& env);

/// With a network: the local copy is none of a channel that the settings leave out, whose entries
/// would vanish from every history, tombstones and merges among them; and the default, or a channel
/// that was the only one, is the default: what comes about its procedures goes there. Errors:
/// invalid.
Result<void> keeps_channels(const settings::Settings& settings);

/// Does not wait for it. Errors: those of fabric::open(); invalid (this build has no Fabric).
Result<std::unique_ptr<outbox::RemoteNetwork>> open_network(const settings::Fabric& settings,
                                                            Env& env);

/// The ledger's files, or the local copy of a network, as they are, beside a gateway that writes
/// them. Used by one thread; it takes nothing and gives no receipts. Errors: not_found,
/// unavailable, invalid (they are of another version), corrupt.
Result<std::unique_ptr<Ledger>> read_ledger(const settings::Settings& settings);

/// Deletes the local copy of a network and follows it from its first block until nothing more has
/// come for some seconds. While no gateway runs. Errors: those of open_ledger(); unavailable (the
/// network is not reached).
Result<OpenLedger> follow_anew(const settings::Settings& settings, Env& env);

/// All that is given outlives it.
std::unique_ptr<intake::Forwarder> make_forwarder(const settings::Settings& settings,
                                                  const OpenLedger& ledger, store::Store& store,
                                                  view::ProcedureIndex& index, Env& env);

}  // namespace flora::commands
