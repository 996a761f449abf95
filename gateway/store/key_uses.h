// Which keys the rows of a store name, for who wants to take one away. Beside a running gateway.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/mapping_keys.h"

namespace flora::store {

/// A key that is in use, and the rows that name it.
struct KeyUse {
  enum class Kind : std::uint8_t { lookup, wrapping, first };
  Kind kind = Kind::lookup;
  std::string id;  ///< Empty for `first`: the mapping secret, of rows of before schema version 4.
  std::int64_t procedures = 0;
  std::int64_t identifiers = 0;
  std::int64_t submissions = 0;
  std::int64_t answers = 0;
};

/// All that are in use, each kind in the order in which they came: a key that is not among them is
/// named by no row. Counts every row: takes seconds for millions. Blocks. Errors: not_found (also:
/// the file is of a version before 4), unavailable, corrupt.
Result<std::vector<KeyUse>> key_uses(const sql::Place& place);

/// What the store would refuse to open with these keys, a sentence each: rows name a key that is
/// not among them, or that is another one. Nothing for a file that is not there, or of a version
/// before 4. Blocks, perhaps on a token. Errors: unavailable, corrupt.
Result<std::vector<std::string>> key_mistakes(const sql::Place& place,
                                              std::shared_ptr<const MappingKeys> keys);

}  // namespace flora::store
