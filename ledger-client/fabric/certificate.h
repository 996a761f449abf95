// X.509 certificates of Fabric's identities, and the organisations' CAs that issue them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

struct x509_st;
struct x509_store_st;
struct evp_pkey_st;

namespace flora::fabric {

class Authorities;

/// Of an identity: it has a key on P-256 and is no CA's. Thread-safe, movable.
class Certificate {
 public:
  /// From PEM with exactly one certificate, of at most 16 KiB. Errors: invalid.
  static Result<Certificate> parse(std::string_view pem);

  /// Of its subject; empty if it has none.
  const std::string& common_name() const { return common_name_; }

  /// The organisational units of its subject, which Fabric's NodeOUs read roles from.
  const std::vector<std::string>& units() const { return units_; }

  /// True if `signature` (DER, low s) is its key's, over SHA-256 of `message`.
  bool verifies(std::string_view message, std::string_view signature) const;

  /// True if one of `authorities` issued it, or issued who did, and all were valid at `seconds`
  /// since the epoch. Revocations are not looked at.
  bool is_from(const Authorities& authorities, std::int64_t seconds) const;

  /// True if `key` is its private key.
  bool belongs_to(const evp_pkey_st* key) const;

 private:
  struct Free {
    void operator()(x509_st* certificate) const;
  };
  using Owner = std::unique_ptr<x509_st, Free>;
  explicit Certificate(Owner certificate);

  Owner certificate_;
  std::string common_name_;
  std::vector<std::string> units_;
};

/// The CA certificates of one organisation. Thread-safe, movable.
class Authorities {
 public:
  /// From PEM with one certificate or several: roots, and intermediates that are trusted as such.
  /// Errors: invalid.
  static Result<Authorities> parse(std::string_view pem);

 private:
  friend class Certificate;
  struct Free {
    void operator()(x509_store_st* store) const;
  };
  using Owner = std::unique_ptr<x509_store_st, Free>;
  explicit Authorities(Owner store) : store_(std::move(store)) {}
  Owner store_;
};

}  // namespace flora::fabric
