// Which rows of the outbox may be tried: those that go to the same channels are a route, and one
// that is away keeps no other one waiting.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/model/ids.h"

namespace flora::outbox {

/// Not thread-safe. A route on which so many tries in a row have found nobody is away: one try at a
/// time looks whether it is back. Before its first answer no more than so many are under way at one
/// time. What may not be tried is parked: by procedure, in order. A row that names no channel has
/// no route.
class Routes {
 public:
  using Name = std::vector<std::string>;  ///< Row::channels.
  using Clock = std::chrono::steady_clock;

  explicit Routes(std::size_t breaker) : breaker_(breaker) {}

  /// Whether the procedure's first row may be tried on its route.
  bool lets(const Name& name, const Uuid& procedure) {
    if (name.empty()) return true;
    const Route& route = routes_[name];
    if (route.is_away) return route.probe == procedure;
    return route.is_found || route.under_way < breaker_;
  }
  void park(const Name& name, const Uuid& procedure) {
    forget(procedure);
    routes_[name].parked.push_back(procedure);
  }
  void begin(const Name& name, const Uuid& procedure) {
    forget(procedure);
    if (!name.empty()) ++routes_[name].under_way;
  }
  /// The procedure is not tried now, for another reason.
  void forget(const Uuid& procedure) {
    for (auto& [name, route] : routes_) {
      if (route.probe == procedure) route.probe.reset();
    }
  }

  /// A try of the route has ended with somebody's answer, with none, or by itself. Each returns the
  /// procedures that may go on.
  std::vector<Uuid> found(const Name& name) {
    if (name.empty()) return {};
    Route& route = routes_[name];
    --route.under_way;
    route.is_found = true;
    route.is_away = false;
    route.failures = 0;
    route.probes = 0;
    return take_parked(route, route.parked.size());
  }
  /// `pause` tells how long it is until the next look, from how many there were.
  template <typename Pause>
  std::vector<Uuid> missed(const Name& name, Clock::time_point now, Pause pause) {
    if (name.empty()) return {};
    Route& route = routes_[name];
    --route.under_way;
    route.is_away = ++route.failures >= breaker_;
    if (!route.is_away) return take_parked(route, 1);
    route.is_found = false;
    // Those that were under way when it was lost count as one.
    if (route.under_way == 0) route.probe_at = now + pause(route.probes++);
    return {};
  }
  std::vector<Uuid> ended(const Name& name) {
    if (name.empty()) return {};
    Route& route = routes_[name];
    --route.under_way;
    return route.is_away ? std::vector<Uuid>() : take_parked(route, 1);
  }

  /// The next look at each route that is due.
  std::vector<Uuid> due(Clock::time_point now) {
    std::vector<Uuid> procedures;
    for (auto& [name, route] : routes_) {
      if (!waits(route) || now < route.probe_at) continue;
      route.probe = route.parked.front();
      route.parked.pop_front();
      procedures.push_back(*route.probe);
    }
    return procedures;
  }
  std::optional<Clock::time_point> next() const {
    std::optional<Clock::time_point> next;
    for (const auto& [name, route] : routes_) {
      if (waits(route)) next = next ? std::min(*next, route.probe_at) : route.probe_at;
    }
    return next;
  }

 private:
  struct Route {
    bool is_found = false;  // Since it was away.
    bool is_away = false;
    std::size_t under_way = 0;
    std::size_t failures = 0;  // In a row.
    std::size_t probes = 0;
    Clock::time_point probe_at;
    std::optional<Uuid> probe;  // About to be tried.
    std::deque<Uuid> parked;
  };

  static bool waits(const Route& route) {
    return route.is_away && route.under_way == 0 && !route.probe && !route.parked.empty();
  }

  static std::vector<Uuid> take_parked(Route& route, std::size_t limit) {
    std::vector<Uuid> taken;
    for (; taken.size() < limit && !route.parked.empty(); route.parked.pop_front()) {
      taken.push_back(route.parked.front());
    }
    return taken;
  }

  const std::size_t breaker_;
  std::map<Name, Route> routes_;  // Few.
};

}  // namespace flora::outbox
