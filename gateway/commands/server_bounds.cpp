#include "gateway/commands/server_bounds.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace flora::commands {
namespace {

constexpr std::size_t kOwn = 128;       // Databases and their logs, checkpoint, reloads, exporters.
constexpr std::size_t kPerWorker = 16;  // Listening sockets, event loop, what is being accepted.
constexpr std::size_t kLeastConnections = 32;
constexpr std::size_t kLargestBody = 8u << 20;  // That is collected: a batch.

std::size_t reserve(const settings::Settings& settings) {
  return kOwn + kPerWorker * settings.workers + kOperatorConnections;
}

}  // namespace

std::size_t raise_descriptor_limit(const settings::Settings& settings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t needed = settings.limits.connections + reserve(settings);
  const rlim_t wanted = std::min(limit.rlim_max, std::max(limit.rlim_cur, needed));
  if (wanted > limit.rlim_cur) {
    rlimit raised = limit;
    raised.rlim_cur = wanted;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

Result<std::size_t> connections_within(const settings::Settings& settings,
                                       std::size_t descriptors) {
  const std::size_t kept = reserve(settings);
  if (descriptors < kept + kLeastConnections) {
    return Error{Errc::invalid, "the limit of open descriptors (RLIMIT_NOFILE) is " +
                                    std::to_string(descriptors) + ", at least " +
                                    std::to_string(kept + kLeastConnections) + " are needed"};
  }
  return std::min(settings.limits.connections, descriptors - kept);
}

http::Limits limits_of(const settings::Limits& limits) {
  http::Limits out;
  out.connections = limits.connections;
  out.connections_per_address = limits.connections_per_address;
  out.request_line = limits.request_line_bytes;
  out.head = limits.head_bytes;
  out.fields = limits.fields;
  out.buffered_bodies = limits.body_memory_mib << 20;
  out.buffered_bodies_of_one = std::max(out.buffered_bodies / 4, kLargestBody);
  out.buffered_answers = limits.answer_memory_mib << 20;
  return out;
}

http::Deadlines deadlines_of(const settings::Limits& limits) {
  http::Deadlines out;
  const auto seconds = [](std::size_t n) { return std::chrono::seconds(n); };
  out.handshake = seconds(limits.handshake_seconds);
  out.head = seconds(limits.head_seconds);
  out.body = seconds(limits.body_seconds);
  out.stream = seconds(limits.stream_seconds);
  out.handling = seconds(limits.handling_seconds);
  out.write = seconds(limits.write_seconds);
  out.idle = seconds(limits.idle_seconds);
  return out;
}

}  // namespace flora::commands
