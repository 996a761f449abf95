// Structured log lines: one JSON object per line on stderr. A line holds no identifier of a person,
// no event id, no path of a request and no text of a client: callers pass names and numbers of
// ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace flora::log {

enum class Level { debug, info, warning, error };

struct Field {
  std::string_view name;
  std::variant<std::int64_t, std::string_view> value;
};

/// Thread-safe; lines do not mix. `event` is a fixed text such as "ledger opened". Blocks as long
/// as stderr does, unless a Background exists.
void write(Level level, std::string_view event, std::span<const Field> fields);
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Lines below this level are dropped. The default is info.
void set_level(Level level);

/// True if lines of this level are written.
bool is_on(Level level);

/// The level of this name (debug, info, warning, error), or nothing.
std::optional<Level> level_of(std::string_view name);

/// While it exists, lines are written by a thread of its own behind a bounded queue, and write()
/// never waits for stderr. Beyond the bound the oldest line gives way; how many did is counted, and
/// told in the log when lines flow again. One at a time: made before the threads that write lines,
/// destroyed after them. The destructor writes what is queued, but waits for a stalled stderr for
/// kLastWait at most.
class Background {
 public:
  static constexpr std::size_t kLines = 8192;
  static constexpr std::chrono::seconds kLastWait{2};

  explicit Background(std::size_t lines = kLines);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
};

/// Waits until the lines written before are out, for kLastWait at most. For a process that is about
/// to end without destructors.
void flush();

/// Lines that gave way since the Background was made; 0 without one.
std::uint64_t dropped();

}  // namespace flora::log
