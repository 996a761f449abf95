// Counters of the gateway and their OpenMetrics text. Labels are names of ours: operation ids,
// statuses and kinds of outcome, never anything of a client.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/server.h"
#include "openapi/document.h"

namespace flora::api {

/// What is read at the moment of the scrape.
struct Gauges {
  http::Counters http;
  std::uint64_t ledger_entries = 0;
  std::int64_t outbox = 0;
  std::uint64_t view_position = 0;
  std::uint64_t adapters_stale = 0;
  std::uint64_t configuration_stale = 0;
};

/// Thread-safe.
class Metrics {
 public:
  explicit Metrics(const openapi::Document& document);

  /// An operation was answered; an id that the document does not have counts as "none".
  void count_response(std::string_view operation, int status);
  /// An item of intake was answered with this status.
  void count_item(int status);

  /// OpenMetrics 1.0 text, `# EOF` included.
  std::string text(const Gauges& gauges) const;

 private:
  // 1xx to 5xx.
  using ByClass = std::array<std::atomic<std::uint64_t>, 5>;
  std::map<std::string, ByClass, std::less<>> responses_;
  std::array<std::atomic<std::uint64_t>, 600> items_{};
};

}  // namespace flora::api
