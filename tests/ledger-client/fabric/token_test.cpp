// Keys of identities within a PKCS#11 token, with SoftHSM and a token of the test's own.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <future>

#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/signer.h"
#include "tests/fake_env.h"
#include "tests/ledger-client/fabric/organisations.h"

using namespace flora;
using namespace flora::fabric;
using test::organisations;

namespace {

void import_key(const std::string& label, const std::string& id, const std::string& key_file) {
  test::run_command("softhsm2-util --import " + key_file + " --token flora --label " + label +
                    " --id " + id + " --pin 12345678");
}

// The module reads its configuration once: one token for all tests of this program.
Pkcs11Source source(const std::string& label) {
  static const bool is_made = [] {
    const std::string folder = organisations().file("token");
    test::run_command("mkdir " + folder);
    std::ofstream(folder + "/softhsm2.conf")
        << "directories.tokendir = " << folder << "\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (folder + "/softhsm2.conf").c_str(), 1);
    test::run_command(
        "softhsm2-util --init-token --free --label flora --so-pin 87654321 --pin 12345678");
    import_key("client", "01", organisations().file("bund-client.key"));
    import_key("other", "02", organisations().file("laender-client.key"));
    test::run_command("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out " +
                      folder + "/p384.key");
    import_key("p384", "03", folder + "/p384.key");
    std::ofstream(folder + "/pin") << "12345678\n";
    std::ofstream(folder + "/wrong-pin") << "11111111\n";
    return true;
  }();
  CHECK(is_made);
  return {FLORA_SOFTHSM_MODULE, "flora", label, organisations().file("token/pin"), ""};
}

Certificate client() {
  return Certificate::parse(organisations().certificate("bund-client")).value();
}

}  // namespace

TEST_CASE("a token signs for its certificate, always with a low s") {
  FakeEnv env;
  const auto signer = token_signer(source("client"), client(), env);
  REQUIRE_MESSAGE(signer.has_value(), signer.error().message);
  std::vector<std::promise<Result<std::string>>> made(24);
  for (std::size_t i = 0; i < made.size(); ++i) {
    (*signer)->sign("message " + std::to_string(i),
                    [&made, i](Result<std::string> one) { made[i].set_value(std::move(one)); });
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Result<std::string> signature = made[i].get_future().get();
    REQUIRE(signature.has_value());
    CHECK(with_low_s(*signature) == *signature);
    CHECK(client().verifies("message " + std::to_string(i), *signature));
  }
}

TEST_CASE("what is wrong with a token's key is said when it is opened, and the PIN is not") {
  FakeEnv env;
  const auto error_of = [&env](const Pkcs11Source& wrong) {
    const auto signer = token_signer(wrong, client(), env);
    REQUIRE_FALSE(signer.has_value());
    CHECK(signer.error().message.find("1111") == std::string::npos);
    return signer.error();
  };
  CHECK(error_of(source("other")).message ==
        "PKCS#11 token \"flora\": the key \"other\" is not that of the certificate");
  CHECK(error_of(source("p384")).message ==
        "PKCS#11 token \"flora\": the key \"p384\" is not on P-256");
  CHECK(error_of(source("unknown")).code == Errc::not_found);
  Pkcs11Source wrong = source("client");
  wrong.pin_file = organisations().file("token/wrong-pin");
  CHECK(error_of(wrong).message == "PKCS#11 token \"flora\": C_Login: the PIN is wrong");
  wrong = source("client");
  wrong.token = "another";
  CHECK(error_of(wrong).code == Errc::not_found);
}
