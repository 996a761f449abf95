// Wall-clock time of a named zone. The rules come from the system's time zone database when a
// bundle is compiled; from then on a zone is a table of ours.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/time.h"

namespace flora::adapter {

/// What is done with a time that the clocks skip.
enum class Gap : std::uint8_t {
  reject,
  shift,  ///< As much later as the clocks are put forward: 02:30 is 03:30.
};

/// What is done with a time that the clocks show twice.
enum class Overlap : std::uint8_t { reject, earlier, later };

/// The rules of one IANA zone from 1970 to 2037. Before 1970 the database promises nothing, and for
/// years after 2037 the library that reads it knows no daylight saving time. Immutable and
/// thread-safe.
class Zone {
 public:
  /// Blocks. Errors: invalid (there is no zone of this name), unavailable (there is no time zone
  /// database, or it does not list the changes until 2037).
  static Result<std::shared_ptr<const Zone>> find(const std::string& name);

  /// The instant at which the zone's clocks show `local`, which is milliseconds since 1970-01-01 as
  /// those clocks count. Nothing outside 1970 to 2037, and where `gap` or `overlap` rejects.
  std::optional<Instant> instant_of(std::int64_t local, Gap gap, Overlap overlap) const;

 private:
  /// A change of the clocks. By the clocks themselves, the time that they skip or show twice goes
  /// from `first` to `last`. All in milliseconds; offsets are east of UTC.
  struct Change {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t before = 0;
    std::int64_t after = 0;
  };

  std::int64_t offset_ = 0;  // Before the first change.
  std::vector<Change> changes_;
};

}  // namespace flora::adapter
