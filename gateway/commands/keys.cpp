// `flora-gateway keys …`: what an operator needs to change the keys of the mapping.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/commands/commands.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/mapping_keys.h"
#include "gateway/store/key_uses.h"

namespace flora::commands {
namespace {

using store::KeyUse;

constexpr const char* kKeysForms = "keys new <file> | status [--json]";

enum class State : std::uint8_t {
  current,     // Makes new rows.
  not_yet,     // It will be the current one when the gateway reads its settings.
  needed,      // Rows name it.
  not_needed,  // No row names it: it may be removed.
  missing,     // Rows name it, and the settings do not have it.
};

std::string_view to_string(State state) {
  constexpr std::array<std::string_view, 5> kNames = {"CURRENT", "NOT_YET_IN_USE", "NEEDED",
                                                      "REMOVABLE", "MISSING"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string_view sentence_of(State state) {
  constexpr std::array<std::string_view, 5> kSentences = {
      "the current one", "will be the current one with the next start or SIGHUP", "rows name it",
      "may be removed: nothing names it", "MISSING in the settings, and rows name it"};
  return kSentences.at(static_cast<std::size_t>(state));
}

std::string_view to_string(KeyUse::Kind kind) {
  if (kind == KeyUse::Kind::first) return "FIRST";
  return kind == KeyUse::Kind::lookup ? "LOOKUP" : "WRAPPING";
}

struct Entry {
  KeyUse use;
  State state = State::needed;
};

// The ids of one kind as the settings have them, the current one first.
Result<std::vector<std::string>> ids_of(const settings::Settings& settings,
                                        const std::vector<settings::Key>& keys, Env& env) {
  std::vector<std::string> ids;
  for (const settings::Key& key : keys) ids.push_back(key.id);
  FLORA_ASSIGN(const auto secret, load_mapping_secret(settings, env));
  if (secret) ids.push_back(secret->derived_id());
  return ids;
}

void add(std::vector<Entry>& entries, const std::vector<KeyUse>& uses, KeyUse::Kind kind,
         const std::vector<std::string>& ids) {
  for (std::size_t place = 0; place < ids.size(); ++place) {
    const auto use = std::ranges::find_if(
        uses, [&](const KeyUse& one) { return one.kind == kind && one.id == ids[place]; });
    const bool in_use = use != uses.end();
    KeyUse unused;
    unused.kind = kind;
    unused.id = ids[place];
    State state = in_use ? State::needed : State::not_needed;
    if (place == 0) state = in_use ? State::current : State::not_yet;
    entries.push_back({in_use ? *use : unused, state});
  }
  for (const KeyUse& use : uses) {
    if (use.kind != kind || std::ranges::find(ids, use.id) != ids.end()) continue;
    entries.push_back({use, State::missing});
  }
}

Result<std::vector<Entry>> entries_of(const settings::Settings& settings, Env& env) {
  FLORA_ASSIGN(const std::vector<KeyUse> uses, store::key_uses(settings.store_place()));
  FLORA_ASSIGN(const auto lookup, ids_of(settings, settings.keys.lookup, env));
  FLORA_ASSIGN(const auto wrapping, ids_of(settings, settings.keys.wrapping, env));
  std::vector<Entry> entries;
  add(entries, uses, KeyUse::Kind::lookup, lookup);
  add(entries, uses, KeyUse::Kind::wrapping, wrapping);
  for (const KeyUse& use : uses) {
    if (use.kind != KeyUse::Kind::first) continue;
    const bool missing = settings.mapping_secret_file.empty();
    entries.push_back({use, missing ? State::missing : State::needed});
  }
  return entries;
}

void print(const Entry& entry) {
  const KeyUse& use = entry.use;
  std::cout << to_string(use.kind) << ' '
            << (use.kind == KeyUse::Kind::first ? "mapping_secret, for rows of an earlier version"
                                                : use.id)
            << ": " << sentence_of(entry.state);
  if (use.kind != KeyUse::Kind::lookup) std::cout << "; " << use.procedures << " procedures";
  if (use.kind != KeyUse::Kind::wrapping) {
    std::cout << "; " << use.identifiers << " identifiers, " << use.submissions << " submissions, "
              << use.answers << " kept answers";
  }
  std::cout << '\n';
}

nlohmann::json to_json(const Entry& entry) {
  const KeyUse& use = entry.use;
  return {{"kind", to_string(use.kind)},     {"id", use.id},
          {"state", to_string(entry.state)}, {"procedures", use.procedures},
          {"identifiers", use.identifiers},  {"submissions", use.submissions},
          {"keptAnswers", use.answers}};
}

int status(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const auto entries = entries_of(settings, env);
  if (!entries) return fail(entries.error());
  nlohmann::json keys = nlohmann::json::array();
  for (const Entry& entry : *entries) {
    if (line.has("--json")) {
      keys.push_back(to_json(entry));
    } else {
      print(entry);
    }
  }
  if (line.has("--json")) std::cout << nlohmann::json{{"keys", keys}}.dump(2) << '\n';
  const bool missing = std::ranges::any_of(
      *entries, [](const Entry& entry) { return entry.state == State::missing; });
  return missing ? kFailed : kDone;
}

int make(const std::string& file, Env& env) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return fail({Errc::conflict, file + " is there already"});
  }
  std::array<std::byte, 32> secret{};
  env.random(secret);
  const Result<void> written = env.replace_file(file, to_base64(secret) + '\n', 0600);
  if (!written) return fail(written.error());
  std::cout << file << " made\n";
  return kDone;
}

}  // namespace

int keys(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const std::string action = line.words.size() > 1 ? line.words[1] : "";
  if (action == "new" && line.words.size() == 3) return make(line.words[2], env);
  if (action == "status" && line.words.size() == 2) return status(settings, line, env);
  return fail({Errc::invalid, kKeysForms});
}

}  // namespace flora::commands
