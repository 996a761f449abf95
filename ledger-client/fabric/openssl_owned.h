// Ownership of OpenSSL's objects. Included by the sources of certificates and keys only.
#pragma once

#include <memory>

namespace flora::fabric {

template <auto free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};

/// Frees with `free`, such as Owned<X509, X509_free>.
template <typename T, auto free>
using Owned = std::unique_ptr<T, OpensslDeleter<free>>;

}  // namespace flora::fabric
