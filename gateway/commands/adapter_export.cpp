// `flora-gateway adapter export`: the bundle that a transaction on the ledger was made by, from the
// archive of the store.
#include <filesystem>
#include <iostream>

#include "adapters/adapter.h"
#include "gateway/commands/commands.h"
#include "gateway/store/adapter_archive.h"

namespace flora::commands {
namespace {

Result<void> write_bundle(const store::AdapterTexts& texts, const std::string& folder, Env& env) {
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return Error{Errc::conflict, folder + " is there already"};
  }
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Errc::unavailable, "cannot make " + folder + ": " + error.message()};
  for (const auto& [name, text] : texts) {
    FLORA_TRY(env.replace_file(folder + "/" + name, text, 0644));
  }
  return {};
}

}  // namespace

int adapter_export(const settings::Settings& settings, const CommandLine& line, Env& env) {
  if (line.words.size() != 4) return fail({Errc::invalid, "adapter export <hash> <folder>"});
  const std::string& hash = line.words[2];
  const std::string& folder = line.words[3];
  const auto found = store::archived_adapter(settings.store_place(), hash);
  if (!found) return fail(found.error());
  if (adapter::hash_of(found->texts) != hash) {
    return fail({Errc::corrupt, "the archive's texts do not have the hash under which they are"});
  }
  if (const auto written = write_bundle(found->texts, folder, env); !written) {
    return fail(written.error());
  }
  const store::AdapterVersion& version = found->version;
  std::cout << version.mark.id << ' ' << version.mark.version << ", first used "
            << to_string(version.first_used) << ": " << found->texts.size() << " files in "
            << folder << '\n';
  return 0;
}

}  // namespace flora::commands
