#include "gateway/api/message_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace flora::api {
namespace {

constexpr std::size_t kStep = 1u << 20;  // Memory is taken in pieces of this size.

std::size_t whole_pages(std::size_t bytes) {
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

std::optional<MessageBuffer> MessageBuffer::reserve(Shares& memory, std::string sender,
                                                    std::size_t bytes) {
  void* const start = ::mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return std::nullopt;
  MessageBuffer buffer(memory, std::move(sender), static_cast<char*>(start), bytes);
  if (::madvise(start, whole_pages(bytes), MADV_DONTDUMP) != 0) return std::nullopt;
  if (!buffer.take(1)) return std::nullopt;
  return buffer;
}

MessageBuffer::MessageBuffer(MessageBuffer&& other) noexcept
    : memory_(other.memory_),
      sender_(std::move(other.sender_)),
      start_(std::exchange(other.start_, nullptr)),
      reserved_(other.reserved_),
      taken_(other.taken_),
      size_(other.size_) {}

MessageBuffer::~MessageBuffer() {
  if (start_ == nullptr) return;
  ::munmap(start_, whole_pages(reserved_));
  memory_->give_back(sender_, taken_);
}

// Makes sure that so many bytes are taken.
bool MessageBuffer::take(std::size_t bytes) {
  if (bytes <= taken_) return true;
  const std::size_t steps = (bytes + kStep - 1) / kStep * kStep;
  const std::size_t wanted = std::min(steps, reserved_) - taken_;
  if (!memory_->take(sender_, wanted)) return false;
  taken_ += wanted;
  return true;
}

MessageBuffer::Append MessageBuffer::append(std::string_view bytes) {
  if (bytes.size() > reserved_ - size_) return Append::too_long;
  if (!take(size_ + bytes.size())) return Append::no_memory;
  if (!bytes.empty()) std::memcpy(start_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return Append::done;
}

void MessageBuffer::trim() {
  if (size_ == 0) return;
  const std::size_t used = whole_pages(size_);
  const std::size_t mapped = whole_pages(reserved_);
  if (used < mapped) ::munmap(start_ + used, mapped - used);
  memory_->give_back(sender_, taken_ - size_);
  taken_ = reserved_ = size_;
}

}  // namespace flora::api
