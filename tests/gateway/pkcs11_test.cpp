// Wrapping keys within a PKCS#11 token, with SoftHSM and a token of the test's own.
#include <doctest/doctest.h>

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "gateway/base/crypto.h"
#include "gateway/privacy/key_set.h"
#include "tests/fake_env.h"
#include "tests/gateway/faulty_pkcs11.h"
#include "tests/temporary_folder.h"

using namespace flora;
using privacy::Pkcs11Source;

namespace {

constexpr const char* kModule = FLORA_SOFTHSM_MODULE;

// The result of a shell command that must succeed.
void run(const std::string& command) {
  CAPTURE(command);
  REQUIRE(std::system((command + " >/dev/null").c_str()) == 0);
}

// One token for all tests of this program: the module reads its configuration once.
class Token {
 public:
  Token() {
    std::ofstream(folder_.file("softhsm2.conf"))
        << "directories.tokendir = " << folder_.path() << "\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", folder_.file("softhsm2.conf").c_str(), 1);
    run("softhsm2-util --init-token --free --label flora --so-pin 87654321 --pin 12345678");
    import_key("current", 32, "01");
    import_key("short", 16, "02");
    import_key("twice", 32, "03");
    import_key("twice", 32, "04");
    std::ofstream(folder_.file("pin")) << "12345678\n";
    std::ofstream(folder_.file("wrong-pin")) << "11111111\n";
  }

  Pkcs11Source source(const std::string& label = "current") const {
    return {kModule, "flora", label, folder_.file("pin"), ""};
  }
  // Behind the module that can fail.
  Pkcs11Source faulty(const std::string& pin_file = "pin") const {
    return {FLORA_FAULTY_MODULE, "flora", "current", folder_.file(pin_file), ""};
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  void import_key(const std::string& label, std::size_t bytes, const std::string& id) {
    std::ofstream(folder_.file("key.bin"), std::ios::binary) << std::string(bytes, id.back());
    run("softhsm2-util --import " + folder_.file("key.bin") + " --aes --token flora --label " +
        label + " --id " + id + " --pin 12345678");
  }

  TemporaryFolder folder_;
};

Token& token() {
  static Token only;
  return only;
}

test::TokenFaults& faults() {
  void* const module = ::dlopen(FLORA_FAULTY_MODULE, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(module != nullptr);
  const auto get =
      reinterpret_cast<test::TokenFaultsFunction>(::dlsym(module, "flora_token_faults"));
  const bool found = get != nullptr;
  REQUIRE(found);
  return *get();
}

crypto::SecretKey key_of(std::string_view text) {
  crypto::SecretKey key;
  key.bytes = crypto::sha256(text);
  return key;
}

std::unique_ptr<privacy::WrappingKey> opened(const Pkcs11Source& source, Env& env) {
  auto key = privacy::wrapping_key(source, env);
  REQUIRE_MESSAGE(key.has_value(), key.error().message);
  return std::move(*key);
}

}  // namespace

TEST_CASE("a token wraps a key, and unwraps it for its context alone") {
  FakeEnv env;
  const auto key = opened(token().source(), env);
  const crypto::SecretKey plain = key_of("plain");
  const auto wrapped = key->wrap(plain, "context");
  REQUIRE_MESSAGE(wrapped.has_value(), wrapped.error().message);
  CHECK(wrapped->find(as_text(plain.bytes)) == std::string::npos);
  CHECK(*key->wrap(plain, "context") != *wrapped);
  CHECK(key->unwrap(*wrapped, "context")->bytes == plain.bytes);
  CHECK(key->unwrap(*wrapped, "another").error().code == Errc::corrupt);
  CHECK(key->unwrap("", "context").error().code == Errc::corrupt);
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, wrapped->size() - 1}) {
    std::string damaged = *wrapped;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK(key->unwrap(damaged, "context").error().code == Errc::corrupt);
  }
  // A failure leaves the session usable, and another session finds the same key.
  CHECK(key->unwrap(*wrapped, "context")->bytes == plain.bytes);
  CHECK(opened(token().source(), env)->unwrap(*wrapped, "context")->bytes == plain.bytes);
}

TEST_CASE("what is wrong with a token is said, and the PIN is not") {
  FakeEnv env;
  const auto error_of = [&env](const Pkcs11Source& source) {
    const auto key = privacy::wrapping_key(source, env);
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().message.find("1111") == std::string::npos);
    return key.error();
  };
  Pkcs11Source source = token().source();
  source.module = token().file("nowhere.so");
  CHECK(error_of(source).code == Errc::not_found);
  source.module = "libc.so.6";
  CHECK(error_of(source).code == Errc::invalid);
  source = token().source();
  source.token = "another";
  CHECK(error_of(source).message == "PKCS#11 token \"another\" is not there");
  CHECK(error_of(token().source("unknown")).code == Errc::not_found);
  CHECK(error_of(token().source("twice")).code == Errc::invalid);
  CHECK(error_of(token().source("short")).code == Errc::invalid);
  source = token().source();
  source.pin_file = token().file("wrong-pin");
  CHECK(error_of(source).message == "PKCS#11 token \"flora\": C_Login: the PIN is wrong");
  source.pin_file = token().file("no-pin");
  CHECK(error_of(source).code == Errc::not_found);
  source.pin_variable = "FLORA_TEST_PIN";
  CHECK(error_of(source).message == "the variable FLORA_TEST_PIN is not set");
  ::setenv("FLORA_TEST_PIN", "12345678", 1);
  CHECK(privacy::wrapping_key(source, env).has_value());
  ::unsetenv("FLORA_TEST_PIN");
}

TEST_CASE("a session that was lost is opened again") {
  FakeEnv env;
  const auto key = opened(token().faulty(), env);
  const auto wrapped = key->wrap(key_of("plain"), "context");
  REQUIRE(wrapped.has_value());
  for (const unsigned long code : {CKR_SESSION_HANDLE_INVALID, CKR_DEVICE_REMOVED,
                                   CKR_USER_NOT_LOGGED_IN, CKR_KEY_HANDLE_INVALID}) {
    CAPTURE(code);
    faults().use.set(code, 1);
    const auto plain = key->unwrap(*wrapped, "context");
    REQUIRE_MESSAGE(plain.has_value(), plain.error().message);
    CHECK(plain->bytes == key_of("plain").bytes);
    faults().use.set(code, 1);
    CHECK(key->wrap(key_of("plain"), "context").has_value());
  }
}

TEST_CASE("a token that was removed is told, and used again when it is back") {
  FakeEnv env;
  const auto key = opened(token().faulty(), env);
  const auto wrapped = key->wrap(key_of("plain"), "context");
  REQUIRE(wrapped.has_value());
  faults().use.set(CKR_DEVICE_REMOVED, 1000);
  faults().open_session.set(CKR_TOKEN_NOT_PRESENT, 1000);
  for (int i = 0; i < 3; ++i) {
    const auto plain = key->unwrap(*wrapped, "context");
    REQUIRE_FALSE(plain.has_value());
    CHECK(plain.error().code == Errc::unavailable);
    CHECK(plain.error().message ==
          "PKCS#11 token \"flora\": C_OpenSession: the token is not present");
  }
  faults().use.set(CKR_OK, 0);
  faults().open_session.set(CKR_OK, 0);
  CHECK(key->unwrap(*wrapped, "context")->bytes == key_of("plain").bytes);
}

TEST_CASE("a failure of the token is told from a key that was tampered with") {
  FakeEnv env;
  const auto key = opened(token().faulty(), env);
  const auto wrapped = key->wrap(key_of("plain"), "context");
  REQUIRE(wrapped.has_value());
  faults().decrypt.set(CKR_GENERAL_ERROR, 1000);
  CHECK(key->unwrap(*wrapped, "context").error().code == Errc::unavailable);
  faults().decrypt.set(CKR_OK, 0);
  CHECK(key->unwrap(*wrapped, "another").error().code == Errc::corrupt);
  faults().use.set(CKR_DEVICE_MEMORY, 1);
  CHECK(key->unwrap(*wrapped, "context").error().message ==
        "PKCS#11 token \"flora\": C_Decrypt: CKR 0x00000031");
  CHECK(key->unwrap(*wrapped, "context").has_value());
}

TEST_CASE("a PIN that is refused is not tried again, which might lock the token") {
  FakeEnv env;
  const std::string pin = token().file("changing-pin");
  REQUIRE(env.replace_file(pin, "12345678\n", 0600).has_value());
  const auto key = opened(token().faulty("changing-pin"), env);
  REQUIRE(env.replace_file(pin, "11111111\n", 0600).has_value());
  const int before = faults().logins;
  faults().use.set(CKR_SESSION_HANDLE_INVALID, 1);
  CHECK(key->wrap(key_of("plain"), "context").error().message ==
        "PKCS#11 token \"flora\": C_Login: the PIN is wrong");
  for (int i = 0; i < 3; ++i) {
    CHECK(key->wrap(key_of("plain"), "context").error().message ==
          "PKCS#11 token \"flora\": the PIN was refused");
  }
  CHECK(faults().logins == before + 1);
}

namespace {

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

}  // namespace

TEST_CASE("a token that does not answer is not waited for for ever, and used when it answers") {
  FakeEnv env;
  const std::ptrdiff_t before = threads();
  const auto wait_for_hanging = [](int count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (faults().hanging != count) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  };
  Pkcs11Source source = token().faulty();
  source.bound = std::chrono::seconds(1);
  auto key = opened(source, env);
  faults().hang(true);
  for (int i = 0; i < 3; ++i) {
    const auto wrapped = key->wrap(key_of("plain"), "context");
    REQUIRE_FALSE(wrapped.has_value());
    CHECK(wrapped.error().code == Errc::unavailable);
    CHECK(wrapped.error().message == "PKCS#11 token \"flora\" does not answer");
  }
  wait_for_hanging(1);
  faults().hang(false);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!key->wrap(key_of("plain"), "context")) {
    REQUIRE(std::chrono::steady_clock::now() < end);
  }
  // Nor when it ends.
  faults().hang(true);
  CHECK_FALSE(key->wrap(key_of("plain"), "context").has_value());
  key.reset();
  wait_for_hanging(1);
  faults().hang(false);
  wait_for_hanging(0);
  // The call that was left behind is in the module still, and must not be when the process ends.
  while (threads() != before) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::yield();
  }
}
