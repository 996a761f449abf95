#include "gateway/base/log.h"

#include <unistd.h>

#include <atomic>
#include <ctime>
#include <string>

#include "gateway/base/env.h"
#include "gateway/base/json.h"

namespace flora::log {
namespace {

std::atomic<Level> minimum{Level::info};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "unknown";
}

void append_time(std::string& out, std::int64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char buffer[40];
  const std::size_t n = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(buffer, n);
  const std::string millis = std::to_string(ms % 1000);
  out += '.' + std::string(3 - millis.size(), '0') + millis + 'Z';
}

}  // namespace

void set_level(Level level) { minimum = level; }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < minimum) return;
  std::string line = "{\"time\":\"";
  append_time(line, Env::system().now_ms());
  line += "\",\"level\":\"";
  line += name_of(level);
  line += "\",\"event\":";
  json::append_string(line, event);
  for (const Field& field : fields) {
    line += ',';
    json::append_string(line, field.name);
    line += ':';
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*number);
    } else {
      json::append_string(line, std::get<std::string_view>(field.value));
    }
  }
  line += "}\n";
  // One write, so that lines of several threads do not mix. A log that cannot be written is no
  // reason to stop.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace flora::log
