#include "ledger-client/fabric/endpoints.h"

#include <algorithm>
#include <utility>

#include "gateway/base/log.h"

namespace flora::fabric {

Endpoints::Endpoints(std::vector<std::string> names, Pauses pauses, Env& env)
    : pauses_(pauses), env_(env) {
  for (std::string& name : names) states_.push_back({.name = std::move(name)});
}

std::optional<std::size_t> Endpoints::pick(const std::vector<bool>& tried) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = env_.steady_ns();
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!tried[i] && states_[i].until_ns <= now) return i;
  }
  if (states_.empty() || std::ranges::find(tried, true) != tried.end()) return std::nullopt;
  const auto soonest = std::ranges::min_element(states_, {}, &State::until_ns);
  return static_cast<std::size_t>(soonest - states_.begin());
}

void Endpoints::failed(std::size_t index) {
  const std::lock_guard lock(mutex_);
  State& state = states_[index];
  const std::int64_t now = env_.steady_ns();
  if (state.until_ns > now) return;
  if (state.pause.count() == 0) {
    log::write(log::Level::warning, "endpoint of the ledger network failed",
               {{"endpoint", std::string_view(state.name)}});
  }
  state.pause =
      std::clamp<std::chrono::nanoseconds>(2 * state.pause, pauses_.first, pauses_.longest);
  state.until_ns = now + state.pause.count();
}

void Endpoints::answered(std::size_t index) {
  const std::lock_guard lock(mutex_);
  State& state = states_[index];
  if (state.pause.count() == 0) return;
  state.pause = std::chrono::nanoseconds(0);
  state.until_ns = 0;
  log::write(log::Level::info, "endpoint of the ledger network answers again",
             {{"endpoint", std::string_view(state.name)}});
}

}  // namespace flora::fabric
