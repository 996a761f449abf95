// A ledger in memory, which can lose its end.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ledger-client/ledger.h"

namespace flora::test {

/// Thread-safe. Takes entries by append() alone.
class MemoryLedger final : public Ledger {
 public:
  void append(const Uuid& id, std::string body) {
    const std::lock_guard lock(mutex_);
    by_id_[id] = entries_.size();
    entries_.push_back({entries_.size(), id, std::move(body)});
  }

  /// Keeps the first `size` entries.
  void cut(std::size_t size) {
    const std::lock_guard lock(mutex_);
    entries_.resize(size);
    std::erase_if(by_id_, [size](const auto& one) { return one.second >= size; });
  }

  /// Another order of the same entries, as another copy has it.
  void reorder(const std::vector<std::size_t>& order, std::string numbering) {
    const std::lock_guard lock(mutex_);
    std::vector<CommittedEntry> entries;
    for (const std::size_t i : order) {
      by_id_[entries_[i].id] = entries.size();
      entries.push_back({entries.size(), entries_[i].id, entries_[i].body});
    }
    entries_ = std::move(entries);
    numbering_ = std::move(numbering);
  }

  /// What is from there on cannot be read.
  void fail_from(std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    readable_ = index;
  }

  std::string numbering() override {
    const std::lock_guard lock(mutex_);
    return numbering_;
  }

  void submit(std::vector<LedgerEntry>, Done) override {}
  Result<Receipt> receipt(const Uuid&) override { return Error{Errc::not_found, "not used"}; }
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return std::optional<std::uint64_t>();
    return std::optional(found->second);
  }
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<CommittedEntry> out;
    if (first >= readable_) return Error{Errc::unavailable, "as the test says"};
    for (std::uint64_t i = first; i < entries_.size() && out.size() < limit; ++i) {
      out.push_back(entries_[i]);
    }
    return out;
  }
  std::uint64_t size() override {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  const std::vector<std::string>& vkeys() const override { return vkeys_; }

 private:
  const std::vector<std::string> vkeys_ = {};
  std::mutex mutex_;
  std::vector<CommittedEntry> entries_;
  std::uint64_t readable_ = std::numeric_limits<std::uint64_t>::max();
  std::string numbering_;
  std::map<Uuid, std::uint64_t> by_id_;
};

}  // namespace flora::test
