#include "gateway/auth/key_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/auth/base64url.h"
#include "gateway/base/crypto.h"
#include "gateway/base/json.h"

namespace flora::auth {
namespace {

constexpr std::size_t kMostKeyId = 255;
constexpr int kDepth = 8;

// Of RSA and EC, and of symmetric keys: who publishes them has no secret any more.
constexpr std::array<std::string_view, 3> kPrivate = {"d", "p", "k"};

Error invalid(std::string message) { return {Errc::invalid, std::move(message)}; }

// The text of a member; empty if there is none, or if it is no string.
std::string_view text_of(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(json::Kind::string) ? value->string() : std::string_view();
}

// A member in Base 64; empty if it is none, which no key takes.
std::string bytes(const json::Value& object, std::string_view name) {
  return from_base64url(text_of(object, name)).value_or(std::string());
}

bool lists(const json::Value& array, std::string_view word) {
  if (!array.is(json::Kind::array)) return false;
  for (json::Value item = array.first(); item.valid(); item = item.next()) {
    if (item.is(json::Kind::string) && item.string() == word) return true;
  }
  return false;
}

// RFC 7517 §4.2, §4.3: both may be missing.
bool is_for_signatures(const json::Value& key) {
  const auto operations = key.find("key_ops");
  return (!key.find("use") || text_of(key, "use") == "sig") &&
         (!operations || lists(*operations, "verify"));
}

// The algorithm that the key is bound to; empty: it says none, and its type has several.
std::string_view algorithm_of(const json::Value& key) {
  if (key.find("alg")) return text_of(key, "alg");
  if (text_of(key, "kty") == "EC") return "ES256";
  return text_of(key, "kty") == "OKP" ? "EdDSA" : "";
}

Result<PublicKey> read_key(const json::Value& key, std::string_view algorithm) {
  const std::string_view type = text_of(key, "kty");
  const std::string_view curve = text_of(key, "crv");
  if (type == "EC" && algorithm == "ES256") {
    if (curve != "P-256") return invalid("the curve is not P-256");
    return PublicKey::es256(bytes(key, "x"), bytes(key, "y"));
  }
  if (type == "RSA" && algorithm == "PS256") {
    return PublicKey::ps256(bytes(key, "n"), bytes(key, "e"));
  }
  if (type == "RSA" && algorithm == "RS256") {
    return PublicKey::rs256(bytes(key, "n"), bytes(key, "e"));
  }
  if (type == "OKP" && (algorithm == "EdDSA" || algorithm == "Ed25519")) {
    if (curve != "Ed25519") return invalid("the curve is not Ed25519");
    return PublicKey::ed25519(bytes(key, "x"));
  }
  if (algorithm.empty()) return invalid("the key does not name its algorithm");
  return invalid("type and algorithm are none that verify tokens here");
}

}  // namespace

bool is_known_algorithm(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kKnown = {"ES256", "PS256", "RS256", "EdDSA",
                                                             "Ed25519"};
  return std::ranges::find(kKnown, name) != kKnown.end();
}

Result<KeySet> KeySet::parse(std::string_view json) {
  json::Document document;
  if (!document.parse(json, {kMostBytes, kDepth})) return invalid("the keys are not strict JSON");
  if (!document.root().is(json::Kind::object)) return invalid("the keys are no key set");
  const auto keys = document.root().find("keys");
  if (!keys || !keys->is(json::Kind::array)) return invalid("the key set has no list of keys");
  if (keys->size() > kMostKeys) return invalid("the key set has too many keys");
  KeySet set;
  set.digest_ = crypto::sha256(json);
  std::size_t place = 0;
  for (json::Value key = keys->first(); key.valid(); key = key.next()) {
    ++place;
    if (!key.is(json::Kind::object)) {
      set.skip(place, "it is no object");
      continue;
    }
    const std::string_view id = text_of(key, "kid");
    const bool is_private = std::ranges::any_of(
        kPrivate, [&](std::string_view name) { return key.find(name).has_value(); });
    if (id.empty() || id.size() > kMostKeyId) {
      set.skip(place, "it has no id of 1 to 255 bytes");
    } else if (is_private) {
      set.skip(place, "its secret part is public");
    } else if (!is_for_signatures(key)) {
      set.skip(place, "it is not for signatures");
    } else if (auto good = read_key(key, algorithm_of(key))) {
      set.add(place, {std::string(id), std::string(algorithm_of(key)), std::move(*good)});
    } else {
      set.skip(place, good.error().message);
    }
  }
  if (set.size() == 0) return invalid("the key set has no key that can be used");
  return set;
}

void KeySet::skip(std::size_t place, std::string_view why) {
  skipped_.push_back("key " + std::to_string(place) + ": " + std::string(why));
}

// Which of two is meant cannot be known: neither is used.
void KeySet::add(std::size_t place, Entry entry) {
  const auto same = std::ranges::find_if(entries_, [&](const Entry& other) {
    return other.id == entry.id && other.algorithm == entry.algorithm;
  });
  if (same == entries_.end()) return entries_.push_back(std::move(entry));
  same->key.reset();
  skip(place, "its id and algorithm are those of another key");
}

const PublicKey* KeySet::find(std::string_view id, std::string_view algorithm) const {
  const auto at = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.id == id && entry.algorithm == algorithm; });
  return at != entries_.end() && at->key ? &*at->key : nullptr;
}

std::size_t KeySet::size() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.key.has_value(); }));
}

}  // namespace flora::auth
