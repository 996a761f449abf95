// Which certificates, keys, CAs and CRLs a listener takes.
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/fake_env.h"
#include "tests/http/certificates.h"
#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora;
using namespace flora::http;
using namespace flora::http::test;

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

TlsOptions options_of(const Certificates& files) {
  return {files.path("server.pem"),
          files.path("server.key"),
          files.path("ca.pem"),
          ClientCertificates::required,
          {}};
}

Wanted server() {
  Wanted wanted;
  wanted.san = "DNS:localhost,IP:127.0.0.1";
  return wanted;
}

// The reason why the listener is refused; empty if it is not.
std::string refusal(const TlsOptions& options) {
  const auto checked = check_tls(options);
  if (checked) return {};
  CHECK(checked.error().code == Errc::invalid);
  return checked.error().message;
}

std::string refusal(Certificates& files, const Wanted& wanted) {
  files.issue("server", wanted);
  std::string reason = refusal(options_of(files));
  if (!reason.empty()) CHECK(reason.find(files.path("server.pem")) != std::string::npos);
  return reason;
}

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a certificate with a key of the profile is taken") {
  Certificates files;
  for (const std::string key : {"P-256", "P-384", "P-521", "RSA3072", "brainpoolP256r1",
                                "brainpoolP384r1", "brainpoolP512r1"}) {
    CAPTURE(key);
    Wanted wanted = server();
    wanted.key = key;
    CHECK(refusal(files, wanted).empty());
    ListenerOptions options;
    options.tls = options_of(files);
    options.tls->client_certificates = ClientCertificates::none;
    Running running({}, {options});
    ClientTls tls(files.path("ca.pem"), {}, {}, TLS1_2_VERSION);
    SSL_CTX_set1_groups_list(tls.context(),
                             "P-256:P-384:P-521:brainpoolP256r1:brainpoolP384r1:brainpoolP512r1");
    Client client(running.port(), &tls);
    REQUIRE(client.is_connected());
    client.send("GET /echo?k HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read()->status == 200);
  }
}

TEST_CASE("a certificate with a short key is refused") {
  Certificates files;
  for (const std::string key : {"RSA2048", "P-224"}) {
    CAPTURE(key);
    Wanted wanted = server();
    wanted.key = key;
    CHECK(contains(refusal(files, wanted), "shorter than EC 256 or RSA 3072 bits"));
  }
}

TEST_CASE("a certificate with a key on another curve is refused") {
  Certificates files;
  for (const std::string key : {"secp256k1", "ED25519"}) {
    CAPTURE(key);
    Wanted wanted = server();
    wanted.key = key;
    CHECK(contains(refusal(files, wanted), "neither RSA nor on a NIST or brainpool curve"));
  }
}

TEST_CASE("a certificate that is signed with a weak hash is refused") {
  Certificates files;
  for (const std::string hash : {"SHA1", "SHA224"}) {
    CAPTURE(hash);
    Wanted wanted = server();
    wanted.hash = hash;
    CHECK(contains(refusal(files, wanted), "weaker than SHA-256"));
  }
}

TEST_CASE("a certificate that is not in force is refused") {
  Certificates files;
  Wanted wanted = server();
  wanted.end = -60;
  CHECK(contains(refusal(files, wanted), "has expired"));
  wanted.begin = 60;
  wanted.end = 3600;
  CHECK(contains(refusal(files, wanted), "is not valid yet"));
}

TEST_CASE("a chain with an expired certificate is refused") {
  Certificates files;
  Wanted authority;
  authority.is_authority = true;
  authority.end = -60;
  files.issue("sub-ca", authority);
  Wanted wanted = server();
  wanted.issuer = "sub-ca";
  files.issue("server", wanted);
  files.join("server.pem", {"server", "sub-ca"});
  CHECK(contains(refusal(options_of(files)), "has expired"));
}

TEST_CASE("a certificate that is not for servers is refused") {
  Certificates files;
  Wanted wanted = server();
  wanted.usage = "clientAuth";
  CHECK(contains(refusal(files, wanted), "key usage"));
}

TEST_CASE("a key under a password is refused without asking") {
  Certificates files;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  FILE* file = std::fopen(files.path("server.key").c_str(), "w");
  REQUIRE(file);
  PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(), nullptr, 0, nullptr,
                       const_cast<char*>("secret"));
  std::fclose(file);
  EVP_PKEY_free(key);
  CHECK(contains(refusal(options_of(files)), "server.key (PEM, without a password)"));
}

TEST_CASE("files that are missing or hold something else are named") {
  Certificates files;
  TlsOptions options = options_of(files);
  options.certificate_file = files.path("nowhere.pem");
  CHECK(contains(refusal(options), "cannot read the certificate " + options.certificate_file));
  options = options_of(files);
  options.client_ca_file = files.path("server.key");
  CHECK(contains(refusal(options), "cannot read the client CA " + options.client_ca_file));
  options = options_of(files);
  options.key_file = files.path("client.key");
  CHECK(contains(refusal(options), "does not belong to the certificate"));
}

TEST_CASE("a client CA with a short key is refused") {
  Certificates files;
  Wanted authority;
  authority.is_authority = true;
  authority.key = "RSA2048";
  authority.issuer = "old-ca";
  files.issue("old-ca", authority);
  TlsOptions options = options_of(files);
  options.client_ca_file = files.path("old-ca.pem");
  CHECK(contains(refusal(options), "old-ca.pem is refused"));
}

TEST_CASE("a CRL that cannot be read to its end is refused") {
  Certificates files;
  TlsOptions options = options_of(files);
  options.crl_file = files.path("crl.pem");
  CHECK(contains(refusal(options), "cannot read the CRL " + options.crl_file));
  files.write_crls("crl.pem", {});
  CHECK(contains(refusal(options), "cannot read the CRL"));
  files.write_crls("crl.pem", {{}, {"other-ca", {}}});
  CHECK(refusal(options).empty());
  std::filesystem::resize_file(options.crl_file, std::filesystem::file_size(options.crl_file) - 40);
  CHECK(contains(refusal(options), "cannot read the CRL"));
  files.write_crls("crl.pem", {{"ca", {}, -3600, 3600, "SHA1"}});
  CHECK(contains(refusal(options), "weaker than SHA-256"));
}

TEST_CASE("a CRL without client certificates is not read") {
  Certificates files;
  TlsOptions options = options_of(files);
  options.client_certificates = ClientCertificates::none;
  options.crl_file = files.path("nowhere.pem");
  CHECK(refusal(options).empty());
}

TEST_CASE("a certificate that expired is refused at reload, and the one before stays") {
  Certificates files;
  FakeEnv env(Env::system().now_ms());
  ServerOptions server_options;
  server_options.env = &env;
  ListenerOptions options;
  options.tls = options_of(files);
  options.tls->client_certificates = ClientCertificates::none;
  Running running(std::move(server_options), {options});
  env.advance_ms(kDayMs);
  const auto reloaded = running.server->reload_tls();
  REQUIRE(!reloaded);
  CHECK(contains(reloaded.error().message, "has expired"));
  env.advance_ms(-kDayMs);
  CHECK(running.server->reload_tls());
}

TEST_CASE("the ends of certificates and CRLs are counted down") {
  Certificates files;
  Wanted wanted = server();
  wanted.end = 1800;
  files.issue("server", wanted);
  files.write_crls("crl.pem", {{"ca", {}, -60, 900}, {"other-ca", {}, -60, 600}});
  ListenerOptions options;
  options.tls = options_of(files);
  options.tls->crl_file = files.path("crl.pem");
  const std::int64_t now = Env::system().now_ms() / 1000;
  Running running({}, {options, {}});
  const Counters counters = running.server->counters();
  REQUIRE(counters.certificate_end);
  REQUIRE(counters.crl_end);
  CHECK(std::abs(*counters.certificate_end - now - 1800) < 60);
  CHECK(std::abs(*counters.crl_end - now - 600) < 60);
  Running plain;
  CHECK(!plain.server->counters().certificate_end);
}
