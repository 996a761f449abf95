// One try to give a batch to a collector, by HTTP.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flora::telemetry {

/// What became of a try.
struct Attempt {
  int status = 0;      ///< Of the answer; 0: there is none.
  std::string body;    ///< Of the answer, its first 64 KiB.
  std::string reason;  ///< Without an answer: why, in words of the library.
  std::optional<std::chrono::milliseconds> retry_after;

  bool taken() const { return status >= 200 && status <= 299; }
  /// True if the same batch may be taken another time.
  bool may_repeat() const {
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
  }
};

/// post() is for one thread, hurry() for any.
class Collector {
 public:
  /// Null if the library gives none.
  static std::unique_ptr<Collector> make(const std::string& endpoint);
  ~Collector();

  /// Blocks for `timeout` at most.
  Attempt post(const std::string& body, std::chrono::milliseconds timeout);

  /// A post() under way ends within this time too.
  void hurry(std::chrono::milliseconds most);

 private:
  struct Handles;
  explicit Collector(std::unique_ptr<Handles> handles);
  bool wait(std::chrono::steady_clock::time_point end);

  std::unique_ptr<Handles> handles_;
  std::atomic<std::chrono::steady_clock::time_point> last_end_;
};

}  // namespace flora::telemetry
