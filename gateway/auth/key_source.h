// Where the keys come from that tokens are verified with.
#pragma once

#include <memory>

#include "gateway/auth/key_set.h"

namespace flora::auth {

/// Thread-safe; no call waits.
class KeySource {
 public:
  virtual ~KeySource() = default;

  /// Null while there are none.
  virtual std::shared_ptr<const KeySet> current() const = 0;

  /// A token names a key that is not among them: there may be a newer set.
  virtual void ask() = 0;
};

}  // namespace flora::auth
