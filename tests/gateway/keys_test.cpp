// The keyed forms of identifiers and identities: what must differ differs, what is sealed opens.
#include "gateway/privacy/keys.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "gateway/base/bytes.h"
#include "tests/fake_env.h"
#include "tests/temporary_folder.h"

using namespace flora;
using privacy::Keys;

namespace {

const std::string kSecret(32, 's');

Keys keys_of(const std::string& secret = kSecret, const std::string& environment = "test") {
  auto keys = Keys::from_secret(secret, environment);
  REQUIRE(keys.has_value());
  return std::move(*keys);
}

}  // namespace

TEST_CASE("hashes of an identifier differ by type, value, environment and secret") {
  const Identifier azr{IdentifierType::azr_nummer, "260815123456"};
  const Digest hash = keys_of().identifier_hash(azr);
  CHECK(keys_of().identifier_hash(azr) == hash);
  std::set<Digest> seen = {hash};
  for (const IdentifierType type : kIdentifierTypes) {
    seen.insert(keys_of().identifier_hash({type, azr.value}));
  }
  seen.insert(keys_of().identifier_hash({azr.type, "260815123457"}));
  seen.insert(keys_of(kSecret, "production").identifier_hash(azr));
  seen.insert(keys_of(std::string(32, 't')).identifier_hash(azr));
  CHECK(seen.size() == kIdentifierTypes.size() + 3);
}

TEST_CASE("the same text has another hash for each purpose") {
  const Keys keys = keys_of();
  const std::set<Digest> seen = {keys.content_hash("a"), keys.idempotency_hash("", "a"),
                                 keys.identity_hash("", {"", "a"}),
                                 keys.identifier_hash({IdentifierType::d_nummer, "a"})};
  CHECK(seen.size() == 4);
}

TEST_CASE("the parts of an identity are delimited") {
  const Keys keys = keys_of();
  std::set<Digest> seen;
  const std::vector<std::array<const char*, 3>> parts = {
      {"ab", "c", ""}, {"a", "bc", ""}, {"a", "b", "c"}, {"", "abc", ""},  {"", "", "abc"},
      {"abc", "", ""}, {"", "ab", "c"}, {"", "a", "bc"}, {"1:a", "b", ""}, {"", "1:a", "b"}};
  for (const auto& [authority, source, id] : parts) {
    seen.insert(keys.identity_hash(authority, {source, id}));
  }
  CHECK(seen.size() == parts.size());
  CHECK(keys.idempotency_hash("ab", "c") != keys.idempotency_hash("a", "bc"));
  CHECK(keys.idempotency_hash("a", "1:b") != keys.idempotency_hash("a1:", "b"));
}

TEST_CASE("a sealed value opens for its type, procedure, environment and secret alone") {
  FakeEnv env;
  const Keys keys = keys_of();
  const Identifier azr{IdentifierType::azr_nummer, "260815123456"};
  const Uuid procedure = random_uuid(env);
  const std::string sealed = keys.seal(azr, procedure, env);
  CHECK(sealed.find(azr.value) == std::string::npos);
  CHECK(keys.seal(azr, procedure, env) != sealed);
  CHECK(keys.open(azr.type, procedure, sealed) == azr.value);
  CHECK_FALSE(keys.open(IdentifierType::d_nummer, procedure, sealed));
  CHECK_FALSE(keys.open(azr.type, random_uuid(env), sealed));
  CHECK_FALSE(keys_of(kSecret, "production").open(azr.type, procedure, sealed));
  CHECK_FALSE(keys_of(std::string(32, 't')).open(azr.type, procedure, sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_FALSE(keys.open(azr.type, procedure, damaged));
  }
}

TEST_CASE("the secret comes from the variable or the file, and must be 32 bytes in Base 64") {
  FakeEnv env;
  TemporaryFolder folder;
  const std::string file = folder.file("mapping.secret");
  ::unsetenv("FLORA_MAPPING_SECRET");
  CHECK(Keys::load(file, "test", env).error().code == Errc::not_found);
  const std::string good = to_base64(as_bytes(kSecret));
  for (const std::string& bad : {std::string("short"), good.substr(0, 40), good + good}) {
    REQUIRE(env.replace_file(file, bad, 0600).has_value());
    const auto keys = Keys::load(file, "test", env);
    REQUIRE_FALSE(keys.has_value());
    CHECK(keys.error().code == Errc::invalid);
    CHECK(keys.error().message.find(bad) == std::string::npos);
  }
  REQUIRE(env.replace_file(file, good + "\n", 0600).has_value());
  const auto from_file = Keys::load(file, "test", env);
  REQUIRE(from_file.has_value());
  CHECK(from_file->content_hash("a") == keys_of().content_hash("a"));

  const std::string other = to_base64(as_bytes(std::string(32, 't')));
  ::setenv("FLORA_MAPPING_SECRET", other.c_str(), 1);
  const auto from_variable = Keys::load(file, "test", env);
  ::unsetenv("FLORA_MAPPING_SECRET");
  REQUIRE(from_variable.has_value());
  CHECK(from_variable->content_hash("a") == keys_of(std::string(32, 't')).content_hash("a"));
}
