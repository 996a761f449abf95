// Memory for the texts that a translation makes, freed all at once and used again.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace flora::adapter {

/// Not thread-safe. Views stay valid until clear().
class Arena {
 public:
  std::string_view store(std::string_view text) {
    if (text.empty()) return {};
    while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < text.size()) {
      ++chunk_;
      used_ = 0;
    }
    if (chunk_ == chunks_.size()) {
      const std::size_t size = text.size() > kChunk ? text.size() : kChunk;
      chunks_.push_back({std::make_unique<char[]>(size), size});
    }
    char* out = chunks_[chunk_].bytes.get() + used_;
    std::memcpy(out, text.data(), text.size());
    used_ += text.size();
    return {out, text.size()};
  }

  /// Keeps the memory of a few chunks.
  void clear() {
    if (chunks_.size() > kKept) chunks_.resize(kKept);
    chunk_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kChunk = 32768;
  static constexpr std::size_t kKept = 8;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
};

}  // namespace flora::adapter
