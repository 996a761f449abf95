// What the gateway is made of before it touches its data: document, catalogue, policy, adapters and
// what is compiled from them.
#pragma once

#include <memory>

#include "adapters/installed.h"
#include "gateway/api/api.h"
#include "gateway/audit/trail.h"
#include "gateway/base/findings.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

struct Definitions {
  openapi::Document document;
  Catalogue catalogue;
  std::unique_ptr<policy::InForce> policy;
  std::unique_ptr<intake::EventParser> parser;
  std::unique_ptr<adapter::Installed> adapters;
  std::string statuses;  ///< The text that the catalogue was read from.
};

/// What defines a canonical event.
struct Canonical {
  openapi::Document document;
  Catalogue catalogue;
};

/// The embedded document and a catalogue of statuses. Errors: invalid, not_found.
Result<Canonical> load_canonical(const std::string& statuses_file, Env& env);

/// What adapters may say, by document and catalogue.
adapter::CanonicalTypes canonical_types(const openapi::Document& document,
                                        const Catalogue& catalogue);

/// Reads and compiles all of it, and tells all that is wrong; what could not be read is told where
/// the settings name it. Null if there is an error.
std::unique_ptr<Definitions> load_definitions(const settings::Settings& settings, Env& env,
                                              Findings& findings);

/// The same. Errors: invalid, one line "file:line:column: what" for each mistake.
Result<std::unique_ptr<Definitions>> load_definitions(const settings::Settings& settings, Env& env);

/// What the fixtures of a bundle are held against, besides their expected results. The parser must
/// outlive it.
adapter::EventCheck canonical_check(const intake::EventParser& parser);

/// The policy file that the settings name, read and held against the catalogue (null: it is not
/// there); what is wrong is told. Nothing if there is an error.
std::optional<policy::Policy> read_policy(const settings::Settings& settings,
                                          const Catalogue* catalogue, Env& env, Findings& findings);

/// The lists that the guard closes the ledger with, but for those of the policy. `adapters` must
/// outlive it.
privacy::ClosedLists closed_lists(const Definitions& definitions,
                                  const settings::Settings& settings,
                                  const privacy::KnownAdapters& adapters);

/// What must be done before an adapter is used: its texts are kept, so that what it makes stays
/// explainable, and the guard lets its name pass. Both must outlive the result.
adapter::Installed::BeforeUse before_use(store::Store& store, privacy::KnownAdapters& adapters);

/// The same for all that are installed. Errors: those of the store.
Result<void> take_into_use(const adapter::Installed& installed,
                           const adapter::Installed::BeforeUse& prepare);

/// The audit trail's origin and signing key. Errors: not_found (run `flora-gateway init`), invalid,
/// unavailable.
Result<std::shared_ptr<const audit::Trail>> load_audit_trail(const settings::Settings& settings,
                                                             Env& env);

/// How the store keeps it.
store::AuditOptions audit_options(const settings::Settings& settings,
                                  std::shared_ptr<const AuditFormat> trail);

/// The ledger's signing key. Errors: not_found (run `flora-gateway init`), invalid, unavailable.
Result<crypto::Ed25519Key> load_ledger_key(const settings::Settings& settings, Env& env);

}  // namespace flora::commands
