// The keys of the mapping: what must differ differs, what is sealed opens for its place alone.
#include "gateway/privacy/keys.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/privacy/key_set.h"
#include "tests/fake_env.h"
#include "tests/temporary_folder.h"

using namespace flora;
using privacy::Keys;

namespace {

const std::string kSecret(32, 's');
const Identifier kAzr{IdentifierType::azr_nummer, "260815123456"};

crypto::SecretKey secret_of(const std::string& text) {
  crypto::SecretKey secret;
  std::ranges::copy(as_bytes(text), secret.bytes.begin());
  return secret;
}

Keys keys_of(const std::string& secret = kSecret, const std::string& environment = "test") {
  return {secret_of(secret), environment};
}

Fingerprint print_of(const std::string& text) {
  return {crypto::sha256("i" + text), crypto::sha256("c" + text), crypto::sha256("n" + text)};
}

std::string damaged(std::string text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
  return text;
}

}  // namespace

TEST_CASE("hashes of an identifier differ by type, value, environment and secret") {
  const Digest hash = keys_of().identifier_hash(kAzr);
  CHECK(keys_of().identifier_hash(kAzr) == hash);
  std::set<Digest> seen = {hash};
  for (const IdentifierType type : kIdentifierTypes) {
    seen.insert(keys_of().identifier_hash({type, kAzr.value}));
  }
  seen.insert(keys_of().identifier_hash({kAzr.type, "260815123457"}));
  seen.insert(keys_of(kSecret, "production").identifier_hash(kAzr));
  seen.insert(keys_of(std::string(32, 't')).identifier_hash(kAzr));
  CHECK(seen.size() == kIdentifierTypes.size() + 3);
}

TEST_CASE("one digest has another hash for each purpose") {
  const Keys keys = keys_of();
  const Digest plain = crypto::sha256("a");
  const Fingerprint print = keys.keyed(Fingerprint{plain, plain, plain});
  const AnswerDigests answer = keys.keyed(AnswerDigests{plain, plain});
  const std::set<Digest> seen = {plain,         print.identity, *print.content,
                                 *print.native, answer.key,     answer.request};
  CHECK(seen.size() == 6);
  CHECK_FALSE(keys.keyed(Fingerprint{plain, {}, {}}).content.has_value());
}

TEST_CASE("the parts of an identity are delimited") {
  const Keys keys = keys_of();
  std::set<Digest> seen;
  std::set<Digest> seen_first;
  const std::vector<std::array<const char*, 3>> parts = {
      {"ab", "c", ""}, {"a", "bc", ""}, {"a", "b", "c"}, {"", "abc", ""},  {"", "", "abc"},
      {"abc", "", ""}, {"", "ab", "c"}, {"", "a", "bc"}, {"1:a", "b", ""}, {"", "1:a", "b"}};
  for (const auto& [authority, source, id] : parts) {
    seen.insert(privacy::identity_digest(authority, {source, id}));
    seen_first.insert(keys.first_identity_hash(authority, {source, id}));
  }
  CHECK(seen.size() == parts.size());
  CHECK(seen_first.size() == parts.size());
  CHECK(privacy::answer_key_digest("ab", "c") != privacy::answer_key_digest("a", "bc"));
  CHECK(privacy::answer_key_digest("a", "1:b") != privacy::answer_key_digest("a1:", "b"));
}

TEST_CASE("a sealed value opens for its type, procedure and key alone") {
  FakeEnv env;
  const crypto::SecretKey key = secret_of(std::string(32, 'k'));
  const Uuid procedure = random_uuid(env);
  const std::string sealed = privacy::seal_value(key, kAzr, procedure, env);
  CHECK(sealed.find(kAzr.value) == std::string::npos);
  CHECK(privacy::seal_value(key, kAzr, procedure, env) != sealed);
  CHECK(privacy::open_value(key, kAzr.type, procedure, sealed) == kAzr.value);
  CHECK_FALSE(privacy::open_value(key, IdentifierType::d_nummer, procedure, sealed));
  CHECK_FALSE(privacy::open_value(key, kAzr.type, random_uuid(env), sealed));
  CHECK_FALSE(privacy::open_value(secret_of(kSecret), kAzr.type, procedure, sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    CHECK_FALSE(privacy::open_value(key, kAzr.type, procedure, damaged(sealed, i)));
  }
}

TEST_CASE("a sealed fingerprint opens for its transaction, environment and secret alone") {
  FakeEnv env;
  const Keys keys = keys_of();
  const Uuid transaction = random_uuid(env);
  for (Fingerprint print :
       {print_of("a"), Fingerprint{crypto::sha256("i"), crypto::sha256("c"), {}},
        Fingerprint{crypto::sha256("i"), {}, {}}}) {
    const std::string sealed = keys.seal(print, transaction, env);
    CHECK(sealed.find(as_text(print.identity)) == std::string::npos);
    CHECK(keys.open(sealed, transaction) == print);
    CHECK_FALSE(keys.open(sealed, random_uuid(env)));
    CHECK_FALSE(keys_of(kSecret, "production").open(sealed, transaction));
    CHECK_FALSE(keys_of(std::string(32, 't')).open(sealed, transaction));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      CHECK_FALSE(keys.open(damaged(sealed, i), transaction));
    }
  }
}

TEST_CASE("a wrapped key opens for its procedure, id and secret alone") {
  FakeEnv env;
  const auto set = [&env](const std::string& id, const std::string& secret) {
    std::vector<privacy::NamedLookupKey> lookup = {{id, keys_of(secret)}};
    std::vector<privacy::NamedWrappingKey> wrapping;
    wrapping.push_back({id, privacy::wrapping_key(keys_of(secret), env)});
    auto made = privacy::KeySet::make(std::move(lookup), std::move(wrapping), {}, env);
    REQUIRE(made.has_value());
    return *made;
  };
  const auto keys = set("one", kSecret);
  const Uuid procedure = random_uuid(env);
  const crypto::SecretKey key = keys->new_key();
  CHECK(keys->new_key().bytes != key.bytes);
  const auto wrapped = keys->wrap(key, procedure);
  REQUIRE(wrapped.has_value());
  CHECK(wrapped->find(as_text(key.bytes)) == std::string::npos);
  CHECK(keys->unwrap(0, *wrapped, procedure)->bytes == key.bytes);
  CHECK(keys->unwrap(0, *wrapped, random_uuid(env)).error().code == Errc::corrupt);
  CHECK(set("two", kSecret)->unwrap(0, *wrapped, procedure).error().code == Errc::corrupt);
  CHECK(set("one", std::string(32, 't'))->unwrap(0, *wrapped, procedure).error().code ==
        Errc::corrupt);
  for (std::size_t i = 0; i < wrapped->size(); ++i) {
    CHECK(keys->unwrap(0, damaged(*wrapped, i), procedure).error().code == Errc::corrupt);
  }
}

TEST_CASE("the mapping secret comes behind the keys that have names, under an id of its own") {
  FakeEnv env;
  std::vector<privacy::NamedLookupKey> lookup = {{"2026", keys_of(std::string(32, 'n'))}};
  const auto both = privacy::KeySet::make(lookup, {}, keys_of(), env);
  REQUIRE(both.has_value());
  const std::string id = keys_of().derived_id();
  CHECK(id.starts_with("mapping-"));
  CHECK(id != keys_of(std::string(32, 't')).derived_id());
  CHECK((*both)->lookup_ids() == std::vector<std::string>{"2026", id});
  CHECK((*both)->wrapping_ids() == std::vector<std::string>{id});
  CHECK((*both)->first_lookup() == 1);
  CHECK(privacy::KeySet::make(lookup, {}, {}, env).error().code == Errc::invalid);
  CHECK(privacy::KeySet::make({lookup[0], lookup[0]}, {}, keys_of(), env).error().code ==
        Errc::invalid);
}

TEST_CASE("a secret comes from the variable or the file, and must be 32 bytes in Base 64") {
  FakeEnv env;
  TemporaryFolder folder;
  const std::string file = folder.file("mapping.secret");
  const privacy::SecretSource source{"FLORA_TEST_SECRET", file};
  ::unsetenv("FLORA_TEST_SECRET");
  CHECK(privacy::read_secret(source, env).error().code == Errc::not_found);
  CHECK(privacy::read_secret({"FLORA_TEST_SECRET", ""}, env).error().code == Errc::not_found);
  const std::string good = to_base64(as_bytes(kSecret));
  for (const std::string& bad : {std::string("short"), good.substr(0, 40), good + good}) {
    REQUIRE(env.replace_file(file, bad, 0600).has_value());
    const auto secret = privacy::read_secret(source, env);
    REQUIRE_FALSE(secret.has_value());
    CHECK(secret.error().code == Errc::invalid);
    CHECK(secret.error().message.find(bad) == std::string::npos);
  }
  REQUIRE(env.replace_file(file, good + "\n", 0600).has_value());
  CHECK(as_text(privacy::read_secret(source, env)->bytes) == kSecret);

  const std::string other = to_base64(as_bytes(std::string(32, 't')));
  ::setenv("FLORA_TEST_SECRET", other.c_str(), 1);
  const auto from_variable = privacy::read_secret(source, env);
  ::unsetenv("FLORA_TEST_SECRET");
  REQUIRE(from_variable.has_value());
  CHECK(as_text(from_variable->bytes) == std::string(32, 't'));
}
