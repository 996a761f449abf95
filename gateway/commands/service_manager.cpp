#include "gateway/commands/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace flora::commands::service_manager {

void ready(std::string_view status) {
  ::sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str());
}

// The time is that of CLOCK_MONOTONIC, by which the manager tells this reload from an earlier one.
void reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) +
                  "\nSTATUS=Reading the configuration again.")
                     .c_str());
}

void stopping() { ::sd_notify(0, "STOPPING=1\nSTATUS=Finishing requests."); }

void alive() { ::sd_notify(0, "WATCHDOG=1"); }

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

}  // namespace flora::commands::service_manager
