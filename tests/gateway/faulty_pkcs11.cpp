// A PKCS#11 module that has SoftHSM do the work, and fails where a test wants it to.
#include "tests/gateway/faulty_pkcs11.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <condition_variable>
#include <mutex>

namespace {

flora::test::TokenFaults faults;
std::mutex mutex;
std::condition_variable changed;
bool hangs = false;
CK_FUNCTION_LIST_PTR real = nullptr;
CK_FUNCTION_LIST list;

CK_RV next(flora::test::TokenFault& fault) {
  if (fault.times <= 0) return CKR_OK;
  --fault.times;
  return fault.code;
}

void hang(bool does) {
  const std::lock_guard lock(mutex);
  hangs = does;
  changed.notify_all();
}

void wait_while_it_hangs() {
  std::unique_lock lock(mutex);
  ++faults.hanging;
  changed.wait(lock, [] { return !hangs; });
  --faults.hanging;
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE* session) {
  const CK_RV code = next(faults.open_session);
  return code == CKR_OK ? real->C_OpenSession(slot, flags, application, notify, session) : code;
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG length) {
  ++faults.logins;
  return real->C_Login(session, user, pin, length);
}

CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  wait_while_it_hangs();
  const CK_RV code = next(faults.use);
  return code == CKR_OK ? real->C_EncryptInit(session, mechanism, key) : code;
}

CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV code = next(faults.use);
  return code == CKR_OK ? real->C_DecryptInit(session, mechanism, key) : code;
}

CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE* sealed, CK_ULONG sealed_length, CK_BYTE* plain,
              CK_ULONG* plain_length) {
  const CK_RV code = real->C_Decrypt(session, sealed, sealed_length, plain, plain_length);
  const CK_RV fault = next(faults.decrypt);
  return fault == CKR_OK ? code : fault;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR* out) {
  void* const library = ::dlopen(FLORA_SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  list = *real;
  list.C_OpenSession = open_session;
  list.C_Login = login;
  list.C_EncryptInit = encrypt_init;
  list.C_DecryptInit = decrypt_init;
  list.C_Decrypt = decrypt;
  *out = &list;
  return CKR_OK;
}

__attribute__((visibility("default"))) flora::test::TokenFaults* flora_token_faults() {
  faults.hang = hang;
  return &faults;
}

}  // extern "C"
