#include "gateway/api/message_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace flora::api {
namespace {

std::size_t whole_pages(std::size_t bytes) {
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

bool MemoryBudget::take(std::size_t bytes) {
  std::size_t left = left_;
  while (left >= bytes) {
    if (left_.compare_exchange_weak(left, left - bytes)) return true;
  }
  return false;
}

std::optional<MessageBuffer> MessageBuffer::reserve(MemoryBudget& budget, std::size_t bytes) {
  if (!budget.take(bytes)) return std::nullopt;
  void* const start = ::mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    budget.give_back(bytes);
    return std::nullopt;
  }
  MessageBuffer buffer(budget, static_cast<char*>(start), bytes);
  if (::madvise(start, whole_pages(bytes), MADV_DONTDUMP) != 0) return std::nullopt;
  return buffer;
}

MessageBuffer::MessageBuffer(MessageBuffer&& other) noexcept
    : budget_(other.budget_),
      start_(std::exchange(other.start_, nullptr)),
      reserved_(other.reserved_),
      size_(other.size_) {}

MessageBuffer::~MessageBuffer() {
  if (start_ == nullptr) return;
  ::munmap(start_, whole_pages(reserved_));
  budget_->give_back(reserved_);
}

bool MessageBuffer::append(std::string_view bytes) {
  if (bytes.size() > reserved_ - size_) return false;
  if (!bytes.empty()) std::memcpy(start_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

void MessageBuffer::trim() {
  if (size_ == 0) return;
  const std::size_t used = whole_pages(size_);
  const std::size_t mapped = whole_pages(reserved_);
  if (used < mapped) ::munmap(start_ + used, mapped - used);
  budget_->give_back(reserved_ - size_);
  reserved_ = size_;
}

}  // namespace flora::api
