#include "adapters/engine/bundle_files.h"

#include <filesystem>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/env.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kMostFileBytes = 4u << 20;
constexpr std::string_view kMain = "adapter.yaml";
constexpr std::string_view kCodeListEnding = ".map.csv";

}  // namespace

Result<BundleFiles> read_bundle(const std::string& folder) {
  BundleFiles files;
  Env& env = Env::system();
  FLORA_ASSIGN(files.adapter_yaml, env.read_file(folder + "/adapter.yaml", kMostFileBytes));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kCodeListEnding)) continue;
    if (!entry.is_regular_file()) return Error{Errc::invalid, name + " is no file"};
    FLORA_ASSIGN(files.code_lists[name], env.read_file(entry.path().string(), kMostFileBytes));
  }
  if (error) return Error{Errc::unavailable, "the folder of the bundle cannot be listed"};
  return files;
}

BundleTexts texts_of(const BundleFiles& files) {
  BundleTexts texts = files.code_lists;
  texts.emplace(kMain, files.adapter_yaml);
  return texts;
}

// The SHA-256 of what `sha256sum adapter.yaml *.map.csv` prints, with the names in byte order.
std::string hash_of(const BundleTexts& texts) {
  std::string lines;
  for (const auto& [name, text] : texts) {
    lines += to_hex(crypto::sha256(text)) + "  " + name + "\n";
  }
  return to_hex(crypto::sha256(lines));
}

}  // namespace flora::adapter
