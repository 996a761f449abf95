#include "gateway/model/period.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

namespace flora {
namespace {

namespace chrono = std::chrono;
using Unit = Period::Unit;

constexpr std::int32_t kMost = 9999;

struct PeriodForm {
  Unit unit;
  std::string_view before;
  char after;
};
constexpr std::array<PeriodForm, 4> kPeriodForms = {{{Unit::years, "P", 'Y'},
                                                     {Unit::months, "P", 'M'},
                                                     {Unit::days, "P", 'D'},
                                                     {Unit::seconds, "PT", 'S'}}};

chrono::sys_days plus_months(chrono::sys_days from, std::int32_t months) {
  const chrono::year_month_day date(from);
  const auto month = date.year() / date.month() + chrono::months(months);
  const chrono::year_month_day same = month / date.day();
  return same.ok() ? chrono::sys_days(same) : chrono::sys_days(month / chrono::last);
}

}  // namespace

std::optional<Period> parse_period(std::string_view text) {
  for (const PeriodForm& form : kPeriodForms) {
    if (!text.starts_with(form.before) || !text.ends_with(form.after)) continue;
    const std::string_view digits =
        text.substr(form.before.size(), text.size() - form.before.size() - 1);
    std::int32_t count = 0;
    const char* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, count);
    const bool good = parsed.ec == std::errc() && parsed.ptr == end && digits.front() != '0';
    if (good && count > 0 && count <= kMost) return Period{form.unit, count};
  }
  return std::nullopt;
}

std::string to_string(const Period& period) {
  const auto* const form = std::ranges::find(kPeriodForms, period.unit, &PeriodForm::unit);
  return std::string(form->before) + std::to_string(period.count) + form->after;
}

Instant end_of(Instant begin, const Period& period) {
  if (period.unit == Unit::seconds) return {begin.ms + std::int64_t{period.count} * 1000};
  chrono::sys_days last{chrono::days(day_of(begin).days)};
  if (period.unit == Unit::days) {
    last += chrono::days(period.count);
  } else {
    last = plus_months(last, period.unit == Unit::years ? 12 * period.count : period.count);
  }
  return start_of(Day{static_cast<std::int32_t>(last.time_since_epoch().count()) + 1});
}

}  // namespace flora
