// Where a large native message is held while it is translated: once, in memory of its own. It holds
// personal data, so it is never written to a file, and left out of core dumps.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string_view>

namespace flora::api {

/// How much memory all buffers together may reserve. Thread-safe; must outlive them.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : left_(bytes) {}

  /// False, and nothing is taken, if less is left.
  [[nodiscard]] bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::size_t> left_;
};

/// Bytes up to a size that is reserved beforehand; memory is used for those that have come. They
/// never move. Not thread-safe; may move from thread to thread.
class MessageBuffer {
 public:
  /// Room for `bytes`, at least one. Nothing: the budget, or the system, has no room.
  static std::optional<MessageBuffer> reserve(MemoryBudget& budget, std::size_t bytes);
  MessageBuffer(MessageBuffer&& other) noexcept;
  MessageBuffer& operator=(MessageBuffer&&) = delete;
  ~MessageBuffer();

  /// False, and nothing is appended, if it does not fit.
  [[nodiscard]] bool append(std::string_view bytes);

  /// Gives back what is reserved and not used.
  void trim();

  /// Valid as long as the buffer, or what it is moved to.
  std::string_view text() const { return {start_, size_}; }

 private:
  MessageBuffer(MemoryBudget& budget, char* start, std::size_t bytes)
      : budget_(&budget), start_(start), reserved_(bytes) {}

  MemoryBudget* budget_;
  char* start_;  // Null once it was moved from.
  std::size_t reserved_;
  std::size_t size_ = 0;
};

}  // namespace flora::api
