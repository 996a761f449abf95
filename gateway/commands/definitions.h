// What the gateway is made of before it touches its data: document, catalogue, policy, adapters and
// what is compiled from them.
#pragma once

#include <memory>

#include "gateway/api/api.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

struct Definitions {
  openapi::Document document;
  Catalogue catalogue;
  policy::Policy policy;
  api::Adapters adapters;
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

/// Reads and compiles all of it. Errors: invalid, not_found; the message names file and place.
Result<std::unique_ptr<Definitions>> load_definitions(const settings::Settings& settings, Env& env);

/// The lists that the guard closes the ledger with.
privacy::ClosedLists closed_lists(const Definitions& definitions,
                                  const settings::Settings& settings);

/// The ledger's signing key. Errors: not_found (run `flora-gateway init`), invalid.
Result<crypto::Ed25519Key> load_ledger_key(const settings::Settings& settings, Env& env);

}  // namespace flora::commands
