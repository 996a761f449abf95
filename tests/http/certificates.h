// Certificates for tests, made when they are needed: a CA and what it signs, as PEM files.
#pragma once

#include <string>

namespace flora::http::test {

/// A folder of its own, removed at the end, with ca.pem, server.pem, server.key, client.pem,
/// client.key (signed by the CA, with SAN URI:urn:test:client) and stranger.pem, stranger.key
/// (signed by another).
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  /// Replaces server.pem and server.key by new ones of the same CA.
  void renew_server();

 private:
  struct Authority;
  std::string folder_;
  Authority* authority_;
};

}  // namespace flora::http::test
