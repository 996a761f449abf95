// The one seam to the outside world: clock, randomness and files. Disk faults of SQLite are
// injected below it, by a VFS (see sqlite.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace flora {

/// Thread-safe. Lives as long as the process; objects keep a reference to it.
class Env {
 public:
  virtual ~Env() = default;

  /// Milliseconds since the Unix epoch, UTC. May jump in both directions.
  virtual std::int64_t now_ms() = 0;

  /// Nanoseconds on a clock that never goes backwards, and goes on while the machine is suspended;
  /// its zero has no meaning.
  virtual std::int64_t steady_ns() = 0;

  /// Fills `out` from the system's cryptographic generator. Aborts if there is none.
  virtual void random(std::span<std::byte> out) = 0;

  /// Reads a whole file. Errors: not_found; invalid (larger than `max_bytes`); unavailable.
  virtual Result<std::string> read_file(const std::string& path, std::size_t max_bytes) = 0;

  /// Replaces a file as a whole (temporary file, fsync, rename, fsync of the folder). Durable on
  /// return. `mode` is the permission of a new file, such as 0600. Errors: unavailable; nothing is
  /// changed then.
  virtual Result<void> replace_file(const std::string& path, std::string_view bytes,
                                    unsigned mode) = 0;

  /// The environment of this machine.
  static Env& system();
};

}  // namespace flora
