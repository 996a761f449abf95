// Keys, certificates and signatures: low s always, and what is malformed is said at once.
#include <doctest/doctest.h>

#include <fstream>

#include "gateway/base/bytes.h"
#include "ledger-client/fabric/certificate.h"
#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/signer.h"
#include "tests/fake_env.h"
#include "tests/ledger-client/fabric/organisations.h"

using namespace flora;
using namespace flora::fabric;
using test::organisations;

namespace {

std::string bytes(std::string_view hex) { return from_hex(hex).value(); }

// FIPS 186-4 §D.1.2.3: n, and n/2 rounded down.
const std::string kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const std::string kHalf = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
const std::string kOne = std::string(63, '0') + "1";

std::string from_raw(const std::string& r, const std::string& s) {
  const auto der = low_s_from_raw(bytes(r + s));
  return der ? to_hex(as_bytes(*der)) : "none";
}

// s in DER: what stands behind r.
std::string s_of(const std::string& der) {
  const auto r_length = static_cast<std::size_t>(der[3]);
  return der.substr(4 + r_length + 2);
}

bool is_high(const std::string& der) {
  const std::string s = s_of(der);
  const std::string padded = std::string(33 - s.size(), '\0') + s;
  return padded > '\0' + bytes(kHalf);
}

}  // namespace

TEST_CASE("a high s is turned into the low one, and the bounds are exact") {
  CHECK(from_raw(kOne, kOne) == "3006020101020101");
  // n - 1 becomes 1; n/2 stays; the next above it becomes n/2.
  CHECK(from_raw(kOne, kOrder.substr(0, 63) + "0") == "3006020101020101");
  CHECK(from_raw(kOne, kHalf) ==
        "3025020101"
        "0220" +
            kHalf);
  CHECK(from_raw(kOne, kHalf.substr(0, 63) + "9") ==
        "3025020101"
        "0220" +
            kHalf);
  // r is never touched, also where it is high and needs a zero in front.
  CHECK(from_raw(kOrder.substr(0, 63) + "0", kOne) ==
        "3026"
        "022100" +
            kOrder.substr(0, 63) +
            "0"
            "020101");
  for (const std::string& none : {std::string(64, '0'), kOrder, std::string(64, 'f')}) {
    CHECK(from_raw(kOne, none) == "none");
    CHECK(from_raw(none, kOne) == "none");
  }
  CHECK_FALSE(low_s_from_raw(bytes(kOne)));
}

TEST_CASE("what is not exactly the DER of a signature is none") {
  const std::string good = bytes("3006020101020101");
  CHECK(with_low_s(good) == good);
  const std::string high = "3026020101022100" + kOrder.substr(0, 63) + "0";
  CHECK(with_low_s(bytes(high)) == good);
  for (const char* const bad :
       {"", "30", "3006020101020102ff", "300702010102020001", "30060201010201", "3006020100020101",
        "3006020101020100", "30060201ff020101", "308106020101020101", "3106020101020101"}) {
    CHECK_MESSAGE(!with_low_s(bytes(bad)).has_value(), bad);
  }
}

TEST_CASE("of many signatures, of which OpenSSL makes half with a high s, none has one") {
  FakeEnv env;
  const auto certificate = Certificate::parse(organisations().certificate("bund-client"));
  REQUIRE(certificate);
  int high = 0;
  for (int i = 0; i < 24; ++i) {
    const std::string message = "message " + std::to_string(i);
    const std::string file = organisations().file("message");
    std::ofstream(file) << message;
    test::run_command("openssl dgst -sha256 -sign " + organisations().file("bund-client.key") +
                      " -out " + file + ".sig " + file);
    const std::string made = test::read_text(file + ".sig");
    high += is_high(made) ? 1 : 0;
    CHECK(certificate->verifies(message, made) != is_high(made));
    const std::string low = with_low_s(made).value();
    CHECK_FALSE(is_high(low));
    CHECK(certificate->verifies(message, low));
    CHECK_FALSE(is_high(organisations().sign("bund-client", message)));
  }
  CHECK(high > 0);
  CHECK(high < 24);
}

TEST_CASE("a signature of ours is verified by openssl") {
  const std::string file = organisations().file("ours");
  std::ofstream(file) << "what is signed";
  std::ofstream(file + ".sig", std::ios::binary)
      << organisations().sign("bund-client", "what is signed");
  test::run_command("openssl x509 -in " + organisations().file("bund-client.pem") +
                    " -noout -pubkey -out " + file + ".pub");
  test::run_command("openssl dgst -sha256 -verify " + file + ".pub -signature " + file + ".sig " +
                    file);
  const auto certificate = Certificate::parse(organisations().certificate("bund-client")).value();
  const std::string good = organisations().sign("bund-client", "what is signed");
  CHECK(certificate.verifies("what is signed", good));
  CHECK_FALSE(certificate.verifies("what is not", good));
  CHECK_FALSE(certificate.verifies("what is signed", ""));
  CHECK_FALSE(Certificate::parse(organisations().certificate("laender-client"))
                  .value()
                  .verifies("what is signed", good));
}

TEST_CASE(
    "a key that is malformed or of another certificate is an error that tells nothing of it") {
  FakeEnv env;
  const auto certificate = Certificate::parse(organisations().certificate("bund-client")).value();
  const std::string key = test::read_text(organisations().file("bund-client.key"));
  const std::string line = key.substr(key.find('\n') + 1, 40);
  const auto error_of = [&](const std::string& content) {
    const std::string file = organisations().file("some.key");
    std::ofstream(file) << content;
    const auto signer = file_signer(file, certificate, env);
    REQUIRE_FALSE(signer.has_value());
    CHECK(signer.error().message.find(line) == std::string::npos);
    CHECK(signer.error().message.starts_with(file + ": "));
    return signer.error().code;
  };
  CHECK(file_signer(organisations().file("bund-client.key"), certificate, env).has_value());
  CHECK(error_of("") == Errc::invalid);
  CHECK(error_of(key.substr(0, key.size() / 2)) == Errc::invalid);
  CHECK(error_of(organisations().certificate("bund-client")) == Errc::invalid);
  CHECK(error_of(test::read_text(organisations().file("laender-client.key"))) == Errc::invalid);
  test::run_command("openssl ec -aes256 -passout pass:secret -in " +
                    organisations().file("bund-client.key") + " -out " +
                    organisations().file("locked.key"));
  CHECK(error_of(test::read_text(organisations().file("locked.key"))) == Errc::invalid);
  CHECK(file_signer(organisations().file("nowhere.key"), certificate, env).error().code ==
        Errc::not_found);
}

TEST_CASE("a certificate is one, on P-256, and no CA's") {
  const std::string good = organisations().certificate("bund-peer");
  const auto certificate = Certificate::parse(good);
  REQUIRE(certificate);
  CHECK(certificate->common_name() == "peer0.bund");
  CHECK(certificate->units() == std::vector<std::string>{"peer"});
  CHECK_FALSE(Certificate::parse(""));
  CHECK_FALSE(Certificate::parse("no certificate"));
  CHECK_FALSE(Certificate::parse(good + good));
  CHECK_FALSE(Certificate::parse(good.substr(0, good.size() / 2)));
  CHECK_FALSE(Certificate::parse(good + std::string(20'000, ' ')));
  CHECK_FALSE(Certificate::parse(organisations().certificate("bund-ca")));
  const std::string rsa = organisations().file("rsa");
  test::run_command("openssl req -x509 -newkey rsa:2048 -nodes -keyout " + rsa + ".key -out " +
                    rsa + ".pem -subj /CN=rsa -addext basicConstraints=critical,CA:FALSE");
  CHECK_FALSE(Certificate::parse(organisations().certificate("rsa")));
}

TEST_CASE("a certificate is from its own organisation, within its time") {
  const auto peer = Certificate::parse(organisations().certificate("bund-peer")).value();
  const auto own = Authorities::parse(organisations().certificate("bund-ca")).value();
  const auto other = Authorities::parse(organisations().certificate("laender-ca")).value();
  const auto both = Authorities::parse(organisations().certificate("laender-ca") +
                                       organisations().certificate("bund-ca"))
                        .value();
  const std::int64_t now = Env::system().now_ms() / 1000 + 60;
  CHECK(peer.is_from(own, now));
  CHECK(peer.is_from(both, now));
  CHECK_FALSE(peer.is_from(other, now));
  CHECK_FALSE(peer.is_from(own, now - 86'400));
  CHECK_FALSE(peer.is_from(own, now + 86'400LL * 3650));
  CHECK_FALSE(Authorities::parse(""));
  CHECK_FALSE(Authorities::parse(organisations().certificate("bund-peer")));
}
