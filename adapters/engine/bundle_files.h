// Reads the texts that a bundle is made of.
#pragma once

#include <string>

#include "adapters/engine/plan.h"

namespace flora::adapter {

/// adapter.yaml and the code lists (*.map.csv) of the folder. Errors: those of Env::read_file;
/// unavailable (the folder cannot be listed).
Result<BundleFiles> read_bundle(const std::string& folder);

BundleTexts texts_of(const BundleFiles& files);

}  // namespace flora::adapter
