#include "adapters/engine/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>

namespace flora::adapter {
namespace {

constexpr date::sys_seconds kFirst = date::sys_days(date::year(1970) / 1 / 1);
constexpr date::sys_seconds kEnd = date::sys_days(date::year(2038) / 1 / 1);

std::int64_t ms(std::chrono::seconds time) { return std::int64_t{time.count()} * 1000; }

// A database may state the rule of the coming years instead of each change (zic -b slim), which
// date-tz does not read: it would take the last change that is listed to be the last one. One of
// these zones changes its clocks in 2037 wherever changes are listed.
bool lists_changes() {
  constexpr const char* kChanging[] = {"Europe/Berlin", "America/New_York", "Australia/Sydney"};
  return std::any_of(std::begin(kChanging), std::end(kChanging), [](const char* name) {
    const date::sys_info info =
        date::locate_zone(name)->get_info(date::sys_days(date::year(2037) / 7 / 1));
    return info.end < kEnd;
  });
}

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::find(const std::string& name) {
  try {
    if (!lists_changes()) {
      return Error{Errc::unavailable,
                   "the system's time zone database does not list the changes until 2037"};
    }
  } catch (const std::runtime_error&) {  // How date-tz reports files that are missing or damaged.
    return Error{Errc::unavailable, "the system has no time zone database"};
  }
  auto zone = std::make_shared<Zone>();
  try {
    const date::time_zone* rules = date::locate_zone(name);
    date::sys_info info = rules->get_info(kFirst);
    std::int64_t before = ms(info.offset);
    zone->offset_ = before;
    while (info.end < kEnd) {
      const std::int64_t at = ms(info.end.time_since_epoch());
      info = rules->get_info(info.end);
      const std::int64_t after = ms(info.offset);
      const auto [least, most] = std::minmax(before, after);
      zone->changes_.push_back({at + least, at + most, before, after});
      before = after;
    }
  } catch (const std::runtime_error&) {
    return Error{Errc::invalid, "there is no time zone \"" + name + "\""};
  }
  return std::shared_ptr<const Zone>(std::move(zone));
}

std::optional<Instant> Zone::instant_of(std::int64_t local, Gap gap, Overlap overlap) const {
  if (local < ms(kFirst.time_since_epoch()) || local >= ms(kEnd.time_since_epoch())) {
    return std::nullopt;
  }
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), local,
                                     [](std::int64_t t, const Change& c) { return t < c.first; });
  if (next == changes_.begin()) return Instant{local - offset_};
  const Change& change = *std::prev(next);
  if (local >= change.last) return Instant{local - change.after};
  if (change.after > change.before) {
    if (gap == Gap::reject) return std::nullopt;
    return Instant{local - change.before};
  }
  if (overlap == Overlap::reject) return std::nullopt;
  return Instant{local - (overlap == Overlap::earlier ? change.before : change.after)};
}

}  // namespace flora::adapter
