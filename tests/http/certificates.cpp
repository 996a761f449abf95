#include "tests/http/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace flora::http::test {
namespace {

constexpr long kHour = 3600;

struct Pair {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  Pair() = default;
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void sign(Pair& subject, const char* name, const Pair& issuer, const char* san) {
  static long serial = 1;
  X509* certificate = subject.certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kHour);
  X509_set_pubkey(certificate, subject.key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate));
  add_extension(certificate, NID_basic_constraints, san ? "CA:FALSE" : "critical,CA:TRUE");
  if (san) add_extension(certificate, NID_subject_alt_name, san);
  X509_sign(certificate, issuer.key, EVP_sha256());
}

void save(const Pair& pair, const std::string& stem) {
  if (FILE* file = std::fopen((stem + ".pem").c_str(), "w")) {
    PEM_write_X509(file, pair.certificate);
    std::fclose(file);
  }
  if (FILE* file = std::fopen((stem + ".key").c_str(), "w")) {
    PEM_write_PrivateKey(file, pair.key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
}

}  // namespace

struct Certificates::Authority {
  Pair pair;
};

Certificates::Certificates() : authority_(new Authority) {
  char folder[] = "/tmp/flora-certificates-XXXXXX";
  if (!::mkdtemp(folder)) std::abort();
  folder_ = folder;
  sign(authority_->pair, "Test CA", authority_->pair, nullptr);
  save(authority_->pair, path("ca"));
  renew_server();
  Pair client;
  sign(client, "client one", authority_->pair, "URI:urn:test:client,DNS:client.test");
  save(client, path("client"));
  Pair other_authority;
  sign(other_authority, "Other CA", other_authority, nullptr);
  Pair stranger;
  sign(stranger, "stranger", other_authority, "URI:urn:test:stranger");
  save(stranger, path("stranger"));
}

Certificates::~Certificates() {
  delete authority_;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Certificates::renew_server() {
  Pair server;
  sign(server, "localhost", authority_->pair, "DNS:localhost,IP:127.0.0.1");
  save(server, path("server"));
}

}  // namespace flora::http::test
