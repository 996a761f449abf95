// What tests can do to the token behind faulty_pkcs11.cpp.
#pragma once

#include <atomic>

namespace flora::test {

/// A code that a function returns instead of doing its work.
struct TokenFault {
  std::atomic<unsigned long> code = 0;
  std::atomic<int> times = 0;  ///< So often.

  void set(unsigned long new_code, int so_often) {
    code = new_code;
    times = so_often;
  }
};

struct TokenFaults {
  TokenFault open_session;
  TokenFault use;            ///< Where encryption or decryption begins.
  TokenFault decrypt;        ///< Where it ends.
  std::atomic<int> logins;   ///< Tried so far.
  void (*hang)(bool);        ///< From true on, encryption does not return until false.
  std::atomic<int> hanging;  ///< Calls that do not return.
};

/// Exported by the module under the name flora_token_faults.
using TokenFaultsFunction = TokenFaults* (*)();

}  // namespace flora::test
