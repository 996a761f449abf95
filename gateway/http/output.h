// Bytes on their way to a client.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flora::http {

/// A queue of bytes. Small pieces are joined, large ones are kept as they are, so that nothing
/// large is copied. Holds no memory while it is empty.
class Output {
 public:
  static constexpr std::size_t kBlocks = 16;

  void append(std::string bytes);
  void append(std::string_view bytes) { append(std::string(bytes)); }
  void append(const char* bytes) = delete;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// The first bytes, in one piece. Valid until the queue changes.
  std::string_view front() const;

  /// The first pieces for writev; returns how many there are.
  std::size_t blocks(std::array<iovec, kBlocks>& out) const;

  void consume(std::size_t n);  ///< Drops the first n bytes; n <= size().
  void clear();

 private:
  std::vector<std::string> parts_;
  std::size_t first_ = 0;   // Index of the first part that is not used up.
  std::size_t offset_ = 0;  // Bytes of it that are used up.
  std::size_t size_ = 0;
};

}  // namespace flora::http
