#include "tests/http/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace flora::http::test {
namespace {

EVP_PKEY* make_key(const std::string& kind) {
  if (kind == "ED25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (kind.rfind("RSA", 0) == 0) return EVP_RSA_gen(std::strtoul(kind.c_str() + 3, nullptr, 10));
  return EVP_EC_gen(kind.c_str());
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!extension) std::abort();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Ed25519 has no hash of its choice.
const EVP_MD* hash_for(const EVP_PKEY* key, const std::string& hash) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_get_digestbyname(hash.c_str());
}

void set_time(ASN1_TIME* time, long seconds) { X509_gmtime_adj(time, seconds); }

}  // namespace

struct Certificates::Pair {
  explicit Pair(EVP_PKEY* made) : key(made) {
    if (!key) std::abort();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  EVP_PKEY* key;
  X509* certificate = X509_new();
};

Certificates::Certificates() {
  Wanted authority;
  authority.is_authority = true;
  issue("ca", authority);
  authority.issuer = "other-ca";
  issue("other-ca", authority);
  renew_server();
  Wanted client;
  client.san = "URI:urn:test:client,DNS:client.test";
  client.usage = "clientAuth";
  issue("client", client);
  client.issuer = "other-ca";
  issue("stranger", client);
}

Certificates::~Certificates() = default;

void Certificates::issue(const std::string& name, const Wanted& wanted) {
  auto pair = std::make_unique<Pair>(make_key(wanted.key));
  X509* certificate = pair->certificate;
  const Pair& issuer = wanted.issuer == name ? *pair : *pairs_.at(wanted.issuer);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
  set_time(X509_getm_notBefore(certificate), wanted.begin);
  set_time(X509_getm_notAfter(certificate), wanted.end);
  X509_set_pubkey(certificate, pair->key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate));
  const auto add = [&](int nid, const std::string& value) {
    add_extension(certificate, issuer.certificate, nid, value);
  };
  add(NID_basic_constraints, wanted.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
  add(NID_subject_key_identifier, "hash");
  add(NID_authority_key_identifier, "keyid");
  add(NID_subject_alt_name, wanted.san);
  add(NID_ext_key_usage, wanted.usage);
  if (X509_sign(certificate, issuer.key, hash_for(issuer.key, wanted.hash)) == 0) std::abort();
  if (FILE* file = std::fopen(path(name + ".key").c_str(), "w")) {
    PEM_write_PrivateKey(file, pair->key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  pairs_[name] = std::move(pair);
  join(name + ".pem", {name});
}

void Certificates::renew_server() {
  Wanted server;
  server.san = "DNS:localhost,IP:127.0.0.1";
  server.usage = "serverAuth";
  issue("server", server);
}

void Certificates::join(const std::string& file_name, const std::vector<std::string>& names) const {
  FILE* file = std::fopen(path(file_name).c_str(), "w");
  if (!file) std::abort();
  for (const std::string& name : names) PEM_write_X509(file, pairs_.at(name)->certificate);
  std::fclose(file);
}

void Certificates::write_crls(const std::string& file_name, const std::vector<Crl>& crls) const {
  FILE* file = std::fopen(path(file_name).c_str(), "w");
  if (!file) std::abort();
  ASN1_TIME* time = ASN1_TIME_new();
  for (const Crl& wanted : crls) {
    const Pair& issuer = *pairs_.at(wanted.issuer);
    X509_CRL* crl = X509_CRL_new();
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer.certificate));
    set_time(time, wanted.begin);
    X509_CRL_set1_lastUpdate(crl, time);
    for (const std::string& name : wanted.revoked) {
      X509_REVOKED* revoked = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(pairs_.at(name)->certificate));
      X509_REVOKED_set_revocationDate(revoked, time);
      X509_CRL_add0_revoked(crl, revoked);
    }
    set_time(time, wanted.end);
    X509_CRL_set1_nextUpdate(crl, time);
    X509_CRL_sort(crl);
    if (X509_CRL_sign(crl, issuer.key, hash_for(issuer.key, wanted.hash)) == 0) std::abort();
    PEM_write_X509_CRL(file, crl);
    X509_CRL_free(crl);
  }
  ASN1_TIME_free(time);
  std::fclose(file);
}

}  // namespace flora::http::test
