#include "gateway/privacy/wrapping_key.h"

#include <utility>

namespace flora::privacy {
namespace {

class SecretWrappingKey final : public WrappingKey {
 public:
  SecretWrappingKey(Keys keys, Env& env) : keys_(std::move(keys)), env_(env) {}

  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) override {
    return keys_.wrap(key, context, env_);
  }

  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) override {
    if (const auto key = keys_.unwrap(wrapped, context)) return *key;
    return Error{Errc::corrupt, "a procedure's key does not open"};
  }

 private:
  const Keys keys_;
  Env& env_;
};

}  // namespace

std::unique_ptr<WrappingKey> wrapping_key(Keys keys, Env& env) {
  return std::make_unique<SecretWrappingKey>(std::move(keys), env);
}

}  // namespace flora::privacy
