// Certificates and CRLs for tests, made when they are needed, as PEM files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace flora::http::test {

/// What a certificate shall be like. Times are in seconds from now.
struct Wanted {
  std::string issuer = "ca";  ///< A name that was issued before; its own name: self-signed.
  std::string key = "P-256";  ///< A curve, "RSA" with its bits such as "RSA3072", or "ED25519".
  std::string hash = "SHA256";
  std::string san;    ///< As X509V3_EXT_conf takes it.
  std::string usage;  ///< Extended key usage, such as "clientAuth". Empty: none stands there.
  bool is_authority = false;
  long begin = -3600;
  long end = 3600;
};

/// A folder of its own, removed at the end, with ca.pem, server.pem, server.key, client.pem,
/// client.key (signed by the CA, with SAN URI:urn:test:client) and stranger.pem, stranger.key
/// (signed by another). Not thread-safe.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string path(const std::string& name) const { return folder_.file(name); }

  /// Writes `name`.pem and `name`.key; what had the name before is gone.
  void issue(const std::string& name, const Wanted& wanted);

  /// Replaces server.pem and server.key by new ones of the same CA.
  void renew_server();

  /// What a CRL shall be like; an end in the past makes an expired one.
  struct Crl {
    std::string issuer = "ca";
    std::vector<std::string> revoked;  ///< Names that were issued.
    long begin = -3600;
    long end = 3600;
    std::string hash = "SHA256";
  };

  /// Writes the CRLs one after the other.
  void write_crls(const std::string& file_name, const std::vector<Crl>& crls) const;

  /// Writes the certificates of these names one after the other.
  void join(const std::string& file_name, const std::vector<std::string>& names) const;

 private:
  struct Pair;
  TemporaryFolder folder_;
  std::map<std::string, std::unique_ptr<Pair>> pairs_;
  long serial_ = 0;
};

}  // namespace flora::http::test
