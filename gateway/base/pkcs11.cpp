#include "gateway/base/pkcs11.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "gateway/base/crypto.h"

namespace flora::pkcs11 {
namespace {

constexpr std::size_t kMaxPinFile = 1024;

struct CodeName {
  CK_RV code;
  std::string_view name;
};
constexpr std::array kCodeNames = {
    CodeName{CKR_PIN_INCORRECT, "the PIN is wrong"},
    CodeName{CKR_PIN_LOCKED, "the PIN is locked"},
    CodeName{CKR_USER_PIN_NOT_INITIALIZED, "no PIN is set"},
    CodeName{CKR_TOKEN_NOT_PRESENT, "the token is not present"},
    CodeName{CKR_DEVICE_REMOVED, "the token was removed"},
    CodeName{CKR_DEVICE_ERROR, "the token has failed"},
    CodeName{CKR_MECHANISM_INVALID, "the mechanism is not known"},
    CodeName{CKR_KEY_FUNCTION_NOT_PERMITTED, "the key is not allowed to be used so"}};

std::string text_of(CK_RV code) {
  for (const CodeName& one : kCodeNames) {
    if (one.code == code) return std::string(one.name);
  }
  const auto number = static_cast<std::uint32_t>(code);
  const std::array<std::byte, 4> bytes = {std::byte(number >> 24), std::byte(number >> 16),
                                          std::byte(number >> 8), std::byte(number)};
  return "CKR 0x" + to_hex(bytes);
}

// Another try may lock the token.
bool is_refused_pin(CK_RV code) {
  constexpr std::array kRefused = {CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_EXPIRED,
                                   CKR_PIN_INVALID, CKR_PIN_LEN_RANGE};
  return std::ranges::find(kRefused, code) != kRefused.end();
}

// Overwrites what it holds when it goes.
struct Pin {
  std::string text;
  explicit Pin(std::string pin) : text(std::move(pin)) {}
  Pin(Pin&&) = default;
  ~Pin() { crypto::erase(std::as_writable_bytes(std::span(text.data(), text.size()))); }
};

Result<Pin> read_pin(const Pkcs11Source& source, Env& env) {
  if (!source.pin_variable.empty()) {
    const char* const pin = std::getenv(source.pin_variable.c_str());
    if (pin != nullptr) return Pin(pin);
    return Error{Errc::not_found, "the variable " + source.pin_variable + " is not set"};
  }
  FLORA_ASSIGN(std::string text, env.read_file(source.pin_file, kMaxPinFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return Pin(std::move(text));
}

}  // namespace

CK_BYTE_PTR raw(std::string_view text) {
  return reinterpret_cast<CK_BYTE_PTR>(const_cast<char*>(text.data()));
}

BoundedThread::~BoundedThread() {
  bool busy = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    busy = state_->busy;
  }
  state_->changed.notify_all();
  if (busy) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void BoundedThread::run(State& state) {
  std::unique_lock lock(state.mutex);
  while (true) {
    state.changed.wait(lock, [&state] { return state.busy || state.stopping; });
    if (!state.busy) return;
    std::function<void()> call = std::exchange(state.call, nullptr);
    lock.unlock();
    call();
    call = nullptr;
    lock.lock();
    state.busy = false;
    state.changed.notify_all();
  }
}

Result<void> Session::open() {
  if (pin_refused_) return Error{Errc::invalid, place() + ": the PIN was refused"};
  FLORA_TRY(load());
  FLORA_ASSIGN(const CK_SLOT_ID slot, find_slot());
  const CK_RV opened =
      functions_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_);
  if (opened != CKR_OK) return failed("C_OpenSession", opened);
  is_open_ = true;
  FLORA_TRY(log_in());
  FLORA_ASSIGN(key_, find_key());
  return check_key();
}

Error Session::failed(std::string_view function, CK_RV code) const {
  const Errc kind = is_refused_pin(code) ? Errc::invalid : Errc::unavailable;
  return {kind, place() + ": " + std::string(function) + ": " + text_of(code)};
}

// What a new session may heal.
bool Session::is_lost(CK_RV code) {
  constexpr std::array kLost = {
      CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,        CKR_DEVICE_REMOVED,
      CKR_TOKEN_NOT_PRESENT,      CKR_DEVICE_ERROR,          CKR_USER_NOT_LOGGED_IN,
      CKR_KEY_HANDLE_INVALID,     CKR_OBJECT_HANDLE_INVALID, CKR_CRYPTOKI_NOT_INITIALIZED};
  return std::ranges::find(kLost, code) != kLost.end();
}

void Session::close() {
  if (is_open_) functions_->C_CloseSession(session_);
  is_open_ = false;
}

Result<void> Session::load() {
  if (functions_ == nullptr) {
    void* const library = ::dlopen(source_.module.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return Error{Errc::not_found, "cannot load the PKCS#11 module " + source_.module};
    }
    const auto list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    if (list == nullptr || list(&functions_) != CKR_OK) {
      functions_ = nullptr;
      return Error{Errc::invalid, source_.module + " is no PKCS#11 module"};
    }
  }
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV code = functions_->C_Initialize(&arguments);
  if (code == CKR_OK || code == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
  return failed("C_Initialize", code);
}

Result<CK_SLOT_ID> Session::find_slot() {
  CK_ULONG count = 0;
  CK_RV code = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  std::vector<CK_SLOT_ID> slots(count);
  if (code == CKR_OK) code = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (code != CKR_OK) return failed("C_GetSlotList", code);
  slots.resize(count);
  std::erase_if(slots, [this](CK_SLOT_ID slot) { return label_of(slot) != source_.token; });
  if (slots.size() == 1) return slots.front();
  if (slots.empty()) return Error{Errc::not_found, place() + " is not there"};
  return Error{Errc::invalid, place() + ": there are several of that label"};
}

// Blanks fill it up.
std::string Session::label_of(CK_SLOT_ID slot) {
  CK_TOKEN_INFO info{};
  if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) return {};
  std::string label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

Result<void> Session::log_in() {
  FLORA_ASSIGN(const Pin pin, read_pin(source_, env_));
  const CK_RV code =
      functions_->C_Login(session_, CKU_USER, raw(pin.text), CK_ULONG{pin.text.size()});
  if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
  pin_refused_ = is_refused_pin(code);
  return failed("C_Login", code);
}

Result<CK_OBJECT_HANDLE> Session::find_key() {
  CK_OBJECT_CLASS object_class = kind_.object_class;
  CK_KEY_TYPE type = kind_.type;
  std::array<CK_ATTRIBUTE, 3> wanted = {
      {{CKA_CLASS, &object_class, sizeof(object_class)},
       {CKA_KEY_TYPE, &type, sizeof(type)},
       {CKA_LABEL, raw(source_.label), CK_ULONG{source_.label.size()}}}};
  std::array<CK_OBJECT_HANDLE, 2> found{};
  CK_ULONG count = 0;
  CK_RV code = functions_->C_FindObjectsInit(session_, wanted.data(), wanted.size());
  if (code == CKR_OK) {
    code = functions_->C_FindObjects(session_, found.data(), found.size(), &count);
    functions_->C_FindObjectsFinal(session_);
  }
  if (code != CKR_OK) return failed("C_FindObjects", code);
  if (count == 1) return found.front();
  const std::string key =
      place() + ": the " + std::string(kind_.name) + " \"" + source_.label + "\"";
  if (count == 0) return Error{Errc::not_found, key + " is not there"};
  return Error{Errc::invalid, key + " is there more than once"};
}

}  // namespace flora::pkcs11
