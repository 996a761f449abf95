// Where a large native message is held while it is translated: once, in memory of its own. It holds
// personal data, so it is never written to a file, and left out of core dumps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/shares.h"

namespace flora::api {

/// Bytes up to a size that is given beforehand; memory is used, and taken of the sender's share,
/// for those that have come. They never move. Not thread-safe; may move from thread to thread.
class MessageBuffer {
 public:
  enum class Append : std::uint8_t {
    done,
    too_long,  ///< Nothing is appended: it does not fit.
    no_memory  ///< Nothing is appended: the memory, or the sender's share of it, is used up.
  };

  /// For `bytes`, at least one. Nothing: the memory, or the system, has no room for the first of
  /// them. `memory` must outlive the buffer.
  static std::optional<MessageBuffer> reserve(Shares& memory, std::string sender,
                                              std::size_t bytes);
  MessageBuffer(MessageBuffer&& other) noexcept;
  MessageBuffer& operator=(MessageBuffer&&) = delete;
  ~MessageBuffer();

  [[nodiscard]] Append append(std::string_view bytes);

  /// Gives back what is not used; nothing can be appended any more.
  void trim();

  /// Valid as long as the buffer, or what it is moved to.
  std::string_view text() const { return {start_, size_}; }

 private:
  MessageBuffer(Shares& memory, std::string sender, char* start, std::size_t bytes)
      : memory_(&memory), sender_(std::move(sender)), start_(start), reserved_(bytes) {}

  bool take(std::size_t bytes);

  Shares* memory_;
  std::string sender_;
  char* start_;  // Null once it was moved from.
  std::size_t reserved_;
  std::size_t taken_ = 0;  // Of the memory; size_ at least.
  std::size_t size_ = 0;
};

}  // namespace flora::api
