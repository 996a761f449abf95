// The keys of the mapping with the numbers by which rows name them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/model/mapping_keys.h"

namespace flora::store {

/// The number of the mapping secret, for rows of before schema version 4.
inline constexpr std::int64_t kFirstKey = 0;

/// Immutable.
struct KeysInUse {
  std::shared_ptr<const MappingKeys> keys;
  /// The number of each key, by its place in the set; nothing for an older key that no row names.
  std::vector<std::optional<std::int64_t>> lookup;
  std::vector<std::optional<std::int64_t>> wrapping;
  bool first_rows = false;  ///< Rows with the number kFirstKey are there.
  std::string named;        ///< What the database said of the keys that rows may name.

  std::int64_t current_lookup() const { return *lookup.front(); }
  std::int64_t current_wrapping() const { return *wrapping.front(); }

  /// The places of the lookup keys that rows may have been made with, the current one first.
  std::vector<std::size_t> lookup_places() const;

  /// The place of the key with this number. Rows name no key that is not in use, but a damaged file
  /// may.
  std::optional<std::size_t> lookup_place(std::int64_t number) const;
  std::optional<std::size_t> wrapping_place(std::int64_t number) const;

  /// True if rows may name other keys than the current ones.
  bool has_older() const;
};

/// Looks up the numbers, and gives the current keys theirs; durable on return. Errors: invalid
/// (rows name a key that is not there, or another one of the same id), unavailable, uncertain.
Result<std::shared_ptr<const KeysInUse>> take_into_use(sql::Database& database,
                                                       std::shared_ptr<const MappingKeys> keys);

/// The same where others may have taken keys into use or out of it since: `in_use` itself if they
/// have not. Within a transaction; take_up() is the writer's and gives the current keys their
/// numbers again, look_up() is for readers. Errors: as take_into_use().
Result<std::shared_ptr<const KeysInUse>> take_up(sql::Database& database,
                                                 std::shared_ptr<const KeysInUse> in_use);
Result<std::shared_ptr<const KeysInUse>> look_up(sql::Database& database,
                                                 std::shared_ptr<const KeysInUse> in_use);

/// The keys of this moment, for readers. Thread-safe.
class KeysInForce {
 public:
  std::shared_ptr<const KeysInUse> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  void replace(std::shared_ptr<const KeysInUse> keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeysInUse> keys_;
};

}  // namespace flora::store
