#include "gateway/http/output.h"

#include <utility>

namespace flora::http {
namespace {

constexpr std::size_t kJoin = 16u << 10;  // A part is filled up to this size; a TLS record's size.

}  // namespace

void Output::append(std::string bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  if (!parts_.empty() && parts_.back().size() + bytes.size() <= kJoin) {
    parts_.back() += bytes;
  } else {
    parts_.push_back(std::move(bytes));
  }
}

std::string_view Output::front() const {
  return empty() ? std::string_view() : std::string_view(parts_[first_]).substr(offset_);
}

std::size_t Output::blocks(std::array<iovec, kBlocks>& out) const {
  std::size_t count = 0;
  std::size_t skip = offset_;
  for (std::size_t i = first_; i < parts_.size() && count < kBlocks; ++i) {
    const std::string& part = parts_[i];
    out[count++] = {const_cast<char*>(part.data()) + skip, part.size() - skip};
    skip = 0;
  }
  return count;
}

void Output::consume(std::size_t n) {
  size_ -= n;
  if (size_ == 0) return clear();
  offset_ += n;
  while (offset_ >= parts_[first_].size()) {
    offset_ -= parts_[first_].size();
    parts_[first_++] = std::string();
  }
  if (first_ >= kBlocks * 4) {
    parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void Output::clear() {
  std::vector<std::string>().swap(parts_);
  first_ = offset_ = size_ = 0;
}

}  // namespace flora::http
