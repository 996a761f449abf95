// Structured log lines: one JSON object per line on stderr. A line holds no identifier of a person,
// no event id, no path of a request and no text of a client: callers pass names and numbers of
// ours.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace flora::log {

enum class Level { debug, info, warning, error };

struct Field {
  std::string_view name;
  std::variant<std::int64_t, std::string_view> value;
};

/// Thread-safe; one write per line. `event` is a fixed text such as "ledger opened".
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Lines below this level are dropped. The default is info.
void set_level(Level level);

}  // namespace flora::log
