#include "gateway/commands/reloader.h"

#include <utility>

#include "gateway/base/log.h"
#include "gateway/commands/check.h"
#include "gateway/commands/mapping_keys.h"
#include "gateway/commands/service_manager.h"

namespace flora::commands {
namespace {

using Reasons = api::ConfigurationState::Reasons;

constexpr std::size_t kMaxFile = 4 << 20;

// What comes into force without a restart.
bool is_reloaded(std::string_view key) {
  return key == "log.level" || key == "mapping_secret" || key == "keys" || key.starts_with("keys.");
}

Reasons reasons_of(const Findings& findings) {
  Reasons reasons;
  for (const Finding& finding : findings.all()) {
    if (finding.weight == Finding::Weight::error) reasons.push_back(to_string(finding));
  }
  return reasons;
}

// What another start would read differently.
Reasons changes(const settings::Settings& before, const settings::Settings& now) {
  Findings found;
  const auto compare = [&](const settings::Settings& one, const settings::Settings& other) {
    for (const auto& [key, value] : one.written) {
      const auto at = other.written.find(key);
      const bool same = at != other.written.end() && at->second.text == value.text;
      if (same || is_reloaded(key)) continue;
      const bool stays = now.written.contains(key);
      found.error(stays ? now.place(key) : Place{now.file},
                  key + " is not what the gateway was started with: it needs a restart");
    }
  };
  compare(before, now);
  compare(now, before);
  return reasons_of(found);
}

}  // namespace

Reloader::Reloader(Parts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}

Reloader::~Reloader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Reloader::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.notify_all();
}

void Reloader::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return requested_ || stopping_; });
      if (stopping_) return;
      requested_ = false;
    }
    service_manager::reloading();
    reload();
    if (!is_stopping()) service_manager::ready("Serving, configuration read again.");
  }
}

bool Reloader::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Reloader::reload() {
  for (const auto step :
       {&Reloader::read_settings, &Reloader::read_keys, &Reloader::read_certificates,
        &Reloader::read_policy, &Reloader::read_statuses, &Reloader::read_adapters}) {
    if (is_stopping()) return;
    (this->*step)();
  }
  log::write(log::Level::info, "configuration read again");
}

void Reloader::conclude(std::string_view part, Reasons reasons) {
  const std::string event = std::string(part) + " not reloaded, the old ones stay";
  for (const std::string& reason : reasons) {
    log::write(log::Level::error, event, {{"reason", std::string_view(reason)}});
  }
  parts_.state.set(part, std::move(reasons));
}

void Reloader::read_settings() {
  Findings findings;
  const settings::Settings now =
      settings::read_file(parts_.source.file, parts_.source.overrides, parts_.env, findings);
  if (findings.has_errors()) return conclude("settings", reasons_of(findings));
  log::set_level(now.log_level);
  conclude("settings", changes(parts_.settings, now));
}

// What is wrong with the settings themselves is told already.
void Reloader::read_keys() {
  Findings findings;
  const settings::Settings now =
      settings::read_file(parts_.source.file, parts_.source.overrides, parts_.env, findings);
  if (findings.has_errors()) return;
  check_keys(now, parts_.env, findings);
  if (findings.has_errors()) return conclude("keys", reasons_of(findings));
  auto keys = load_keys(now, parts_.env);
  const Result<void> used =
      keys ? parts_.store.use_keys(std::move(*keys)) : Result<void>(keys.error());
  if (used) log::write(log::Level::info, "keys reloaded");
  conclude("keys", used ? Reasons() : Reasons{used.error().message});
}

void Reloader::read_certificates() {
  const Result<void> read = parts_.server.reload_tls();
  if (read) log::write(log::Level::info, "certificates reloaded");
  conclude("certificates", read ? Reasons() : Reasons{read.error().message});
}

void Reloader::read_policy() {
  Findings findings;
  check_policy_file(parts_.settings, findings);
  auto policy =
      commands::read_policy(parts_.settings, &parts_.definitions.catalogue, parts_.env, findings);
  if (policy && !findings.has_errors()) {
    parts_.definitions.policy->replace(std::move(*policy));
    log::write(log::Level::info, "policy reloaded");
  }
  conclude("policy", reasons_of(findings));
}

// Documents, guard and adapters are compiled for the statuses that there were at the start.
void Reloader::read_statuses() {
  const std::string& file = parts_.settings.statuses_file;
  const auto text = parts_.env.read_file(file, kMaxFile);
  if (!text) return conclude("statuses", {text.error().message});
  const bool same = *text == parts_.definitions.statuses;
  conclude("statuses", same ? Reasons() : Reasons{file + ": it has changed: it needs a restart"});
}

void Reloader::read_adapters() {
  parts_.definitions.adapters->reload(parts_.before_use);
  log_adapters(*parts_.definitions.adapters);
}

void log_adapters(const adapter::Installed& installed) {
  for (const adapter::InstalledBundle& bundle : installed.list()) {
    const adapter::BundleInfo& info = bundle.adapter->info();
    const std::string_view id = info.id;
    for (const std::string& reason : bundle.refused) {
      log::write(log::Level::error, "adapter not reloaded, the old version stays",
                 {{"adapter", id}, {"reason", std::string_view(reason)}});
    }
    if (!bundle.refused.empty()) continue;
    log::write(log::Level::info, "adapter in use",
               {{"adapter", id},
                {"version", std::string_view(info.version)},
                {"hash", std::string_view(info.hash)}});
  }
}

}  // namespace flora::commands
