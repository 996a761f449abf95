// What the service manager is told (systemd, sd_notify(3)). Without one nothing happens.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace flora::commands::service_manager {

/// The gateway listens, or has read its configuration again. `status` is for people.
void ready(std::string_view status);
/// It reads its configuration again; ready() follows.
void reloading();
void stopping();
/// It does its work; expected at least once in each interval.
void alive();
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace flora::commands::service_manager
