// `adapter new`: the folder of a new bundle, from a sample message.
#include <filesystem>
#include <iostream>

#include "adapters/skeleton.h"
#include "gateway/commands/adapter_tools.h"

namespace flora::commands::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSample = 64u << 20;

struct NewFile {
  std::string name;
  std::string text;
};

// Nothing of a bundle that is there already is changed.
Result<void> write_files(const std::string& folder, const std::vector<NewFile>& files, Env& env) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return Error{Errc::invalid, folder + " is there already and is not empty"};
  }
  for (const char* kind : {"accepted", "rejected", "skipped"}) {
    fs::create_directories(folder + "/fixtures/" + kind, error);
    if (error) return Error{Errc::unavailable, "cannot make " + folder + ": " + error.message()};
  }
  for (const NewFile& file : files) {
    FLORA_TRY(env.replace_file(folder + "/" + file.name, file.text, 0644));
  }
  return {};
}

}  // namespace

int make_bundle(const Call& call) {
  const std::string& id = call.words[0];
  const std::optional<std::string> sample_file = call.line->option("--sample");
  const std::optional<std::string> folder = call.line->option("--out");
  if (!sample_file || !folder) {
    return fail({Errc::invalid,
                 "adapter new <id> --sample <file> --out <folder> [--format xml | "
                 "soap | json | csv | fixed] [--land DE-…]"});
  }
  const Result<std::string> message = call.env->read_file(*sample_file, kMostSample);
  if (!message) return fail(message.error());
  const std::string format =
      call.line->option("--format").value_or(adapter::guess_format(*message));
  const Result<adapter::Sample> sample = adapter::describe_sample(format, *message);
  if (!sample) {
    const bool unknown = sample.error().code == Errc::not_found;
    return fail({unknown ? Errc::invalid : Errc::corrupt,
                 unknown ? sample.error().message
                         : *sample_file + " is no " + format + ": " + sample.error().message});
  }
  const std::string name = fs::path(*sample_file).filename().string();
  adapter::Skeleton skeleton =
      adapter::make_skeleton(id, call.line->option("--land").value_or(""), *sample, name);
  const std::vector<NewFile> files = {{"adapter.yaml", std::move(skeleton.adapter_yaml)},
                                      {"status.map.csv", std::move(skeleton.code_list)},
                                      {"README.md", std::move(skeleton.readme)},
                                      {"fixtures/accepted/" + name, *message}};
  const Result<void> written = write_files(*folder, files, *call.env);
  if (!written) return fail(written.error());
  if (call.json) {
    Json names = Json::array();
    for (const NewFile& file : files) names.push_back(file.name);
    print({{"folder", *folder}, {"format", format}, {"files", std::move(names)}});
    return 0;
  }
  std::cout << *folder << ": a bundle for " << format << " messages\n"
            << "The sample was copied to fixtures/accepted: replace every identifier in it.\n"
            << "Next: flora-gateway adapter lint " << *folder << '\n';
  return 0;
}

}  // namespace flora::commands::tools
