// A wrapping key within a PKCS#11 token (OASIS PKCS #11 v2.40), through the C interface of the
// vendor's module. That has no bound of time: it is called on a thread of its own.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/privacy/wrapping_key.h"

namespace flora::privacy {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kKeyBytes = sizeof(Digest);
constexpr std::size_t kWrappedBytes = kNonceBytes + kKeyBytes + kTagBytes;
constexpr CK_ULONG kAesBytes = 32;
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
    CodeName{CKR_MECHANISM_INVALID, "CKM_AES_GCM is not known"},
    CodeName{CKR_KEY_FUNCTION_NOT_PERMITTED, "the key is not allowed to encrypt and decrypt"}};

std::string text_of(CK_RV code) {
  for (const CodeName& one : kCodeNames) {
    if (one.code == code) return std::string(one.name);
  }
  const auto number = static_cast<std::uint32_t>(code);
  const std::array<std::byte, 4> bytes = {std::byte(number >> 24), std::byte(number >> 16),
                                          std::byte(number >> 8), std::byte(number)};
  return "CKR 0x" + to_hex(bytes);
}

// What a new session may heal.
bool is_lost(CK_RV code) {
  constexpr std::array kLost = {
      CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,        CKR_DEVICE_REMOVED,
      CKR_TOKEN_NOT_PRESENT,      CKR_DEVICE_ERROR,          CKR_USER_NOT_LOGGED_IN,
      CKR_KEY_HANDLE_INVALID,     CKR_OBJECT_HANDLE_INVALID, CKR_CRYPTOKI_NOT_INITIALIZED};
  return std::ranges::find(kLost, code) != kLost.end();
}

bool is_forged(CK_RV code) {
  return code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE;
}

// What modules without a code for a wrong tag say, and others when they fail.
bool may_be_forged(CK_RV code) { return code == CKR_GENERAL_ERROR || code == CKR_FUNCTION_FAILED; }

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

CK_BYTE_PTR raw(std::string_view text) {
  // The C interface takes what it only reads as if it might change it.
  return reinterpret_cast<CK_BYTE_PTR>(const_cast<char*>(text.data()));
}

// Runs calls on a thread of its own, one after another, and waits for each only so long.
class BoundedThread {
 public:
  explicit BoundedThread(std::chrono::milliseconds bound)
      : bound_(bound),
        state_(std::make_shared<State>()),
        thread_([state = state_] { run(*state); }) {}
  BoundedThread(const BoundedThread&) = delete;
  BoundedThread& operator=(const BoundedThread&) = delete;

  // A call that does not return is left behind.
  ~BoundedThread() {
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

  // Nothing, if it takes too long; and, without waiting, as long as that call is under way.
  template <typename T>
  std::optional<Result<T>> run(std::function<Result<T>()> call) {
    const auto result = std::make_shared<std::optional<Result<T>>>();
    std::unique_lock lock(state_->mutex);
    if (state_->busy) return std::nullopt;
    state_->call = [result, call = std::move(call)] { result->emplace(call()); };
    state_->busy = true;
    state_->changed.notify_all();
    if (!state_->changed.wait_for(lock, bound_, [this] { return !state_->busy; })) {
      return std::nullopt;
    }
    return std::move(*result);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> call;
    bool busy = false;
    bool stopping = false;
  };

  static void run(State& state) {
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

  const std::chrono::milliseconds bound_;
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

// Used by one thread. Modules are never unloaded: they may have threads.
class Session {
 public:
  Session(Pkcs11Source source, Env& env) : source_(std::move(source)), env_(env) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  std::string place() const { return "PKCS#11 token \"" + source_.token + "\""; }

  Result<void> open() {
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

  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) {
    std::string out(kWrappedBytes, '\0');
    env_.random(std::as_writable_bytes(std::span(out.data(), kNonceBytes)));
    FLORA_TRY(run("C_Encrypt", [&] { return encrypt(out, key, context); }));
    return out;
  }

  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) {
    crypto::SecretKey key;
    if (wrapped.size() != kWrappedBytes) return forged();
    CK_RV code = CKR_OK;
    FLORA_TRY(run("C_Decrypt", [&] {
      code = decrypt(key, wrapped, context);
      return is_forged(code) || (may_be_forged(code) && works()) ? CKR_OK : code;
    }));
    if (code != CKR_OK) return forged();
    return key;
  }

 private:
  static Error forged() { return {Errc::corrupt, "a procedure's key does not open"}; }

  Error failed(std::string_view function, CK_RV code) const {
    const Errc kind = is_refused_pin(code) ? Errc::invalid : Errc::unavailable;
    return {kind, place() + ": " + std::string(function) + ": " + text_of(code)};
  }

  // Runs `call`, once more with a new session if the old one was lost.
  template <typename Call>
  Result<void> run(std::string_view function, Call call) {
    CK_RV code = is_open_ ? call() : CKR_SESSION_CLOSED;
    if (is_lost(code)) {
      close();
      const Result<void> opened = open();
      if (!opened) return Error{Errc::unavailable, opened.error().message};
      code = call();
    }
    if (code == CKR_OK) return {};
    return failed(function, code);
  }

  void close() {
    if (is_open_) functions_->C_CloseSession(session_);
    is_open_ = false;
  }

  Result<void> load() {
    if (functions_ == nullptr) {
      void* const library = ::dlopen(source_.module.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr) {
        return Error{Errc::not_found, "cannot load the PKCS#11 module " + source_.module};
      }
      const auto list =
          reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
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

  Result<CK_SLOT_ID> find_slot() {
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
  std::string label_of(CK_SLOT_ID slot) {
    CK_TOKEN_INFO info{};
    if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) return {};
    std::string label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    label.erase(label.find_last_not_of(' ') + 1);
    return label;
  }

  Result<Pin> read_pin() {
    if (!source_.pin_variable.empty()) {
      const char* const pin = std::getenv(source_.pin_variable.c_str());
      if (pin != nullptr) return Pin(pin);
      return Error{Errc::not_found, "the variable " + source_.pin_variable + " is not set"};
    }
    FLORA_ASSIGN(std::string text, env_.read_file(source_.pin_file, kMaxPinFile));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return Pin(std::move(text));
  }

  Result<void> log_in() {
    FLORA_ASSIGN(const Pin pin, read_pin());
    const CK_RV code =
        functions_->C_Login(session_, CKU_USER, raw(pin.text), CK_ULONG{pin.text.size()});
    if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
    pin_refused_ = is_refused_pin(code);
    return failed("C_Login", code);
  }

  Result<CK_OBJECT_HANDLE> find_key() {
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
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
    const std::string key = place() + ": the AES key \"" + source_.label + "\"";
    if (count == 0) return Error{Errc::not_found, key + " is not there"};
    return Error{Errc::invalid, key + " is there more than once"};
  }

  Result<void> check_key() {
    CK_ULONG bytes = 0;
    CK_ATTRIBUTE length{CKA_VALUE_LEN, &bytes, sizeof(bytes)};
    const CK_RV code = functions_->C_GetAttributeValue(session_, key_, &length, 1);
    if (code != CKR_OK) return failed("C_GetAttributeValue", code);
    if (bytes == kAesBytes) return {};
    return Error{Errc::invalid, place() + ": the key \"" + source_.label + "\" has not 256 bits"};
  }

  static CK_GCM_PARAMS parameters(std::string_view nonce, std::string_view context) {
    CK_GCM_PARAMS gcm{};
    gcm.pIv = raw(nonce);
    gcm.ulIvLen = kNonceBytes;
    gcm.ulIvBits = kNonceBytes * 8;
    gcm.pAAD = raw(context);
    gcm.ulAADLen = context.size();
    gcm.ulTagBits = kTagBytes * 8;
    return gcm;
  }

  // `out` begins with the nonce; the rest is written.
  CK_RV encrypt(std::string& out, const crypto::SecretKey& key, std::string_view context) {
    CK_GCM_PARAMS gcm = parameters(out, context);
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof(gcm)};
    CK_RV code = functions_->C_EncryptInit(session_, &mechanism, key_);
    if (code != CKR_OK) return code;
    CK_ULONG length = out.size() - kNonceBytes;
    code = functions_->C_Encrypt(session_, raw(as_text(key.bytes)), kKeyBytes,
                                 raw(out) + kNonceBytes, &length);
    return code == CKR_OK && length != out.size() - kNonceBytes ? CKR_GENERAL_ERROR : code;
  }

  CK_RV decrypt(crypto::SecretKey& key, std::string_view wrapped, std::string_view context) {
    CK_GCM_PARAMS gcm = parameters(wrapped, context);
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof(gcm)};
    CK_RV code = functions_->C_DecryptInit(session_, &mechanism, key_);
    if (code != CKR_OK) return code;
    // Some modules ask for room for the tag too.
    std::array<std::byte, kWrappedBytes> plain{};
    CK_ULONG length = plain.size();
    const std::string_view sealed = wrapped.substr(kNonceBytes);
    code = functions_->C_Decrypt(session_, raw(sealed), sealed.size(),
                                 reinterpret_cast<CK_BYTE_PTR>(plain.data()), &length);
    if (code == CKR_OK && length != kKeyBytes) code = CKR_ENCRYPTED_DATA_INVALID;
    if (code == CKR_OK) std::copy_n(plain.begin(), kKeyBytes, key.bytes.begin());
    crypto::erase(plain);
    return code;
  }

  // If the token opens what it has just made, it was the tag that was wrong. So SoftHSM.
  bool works() {
    const crypto::SecretKey probe;
    crypto::SecretKey opened;
    std::string wrapped(kWrappedBytes, '\0');
    env_.random(std::as_writable_bytes(std::span(wrapped.data(), kNonceBytes)));
    return encrypt(wrapped, probe, {}) == CKR_OK && decrypt(opened, wrapped, {}) == CKR_OK &&
           opened.bytes == probe.bytes;
  }

  const Pkcs11Source source_;
  Env& env_;
  CK_FUNCTION_LIST_PTR functions_ = nullptr;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
  bool is_open_ = false;
  bool pin_refused_ = false;
};

class Pkcs11Key final : public WrappingKey {
 public:
  Pkcs11Key(const Pkcs11Source& source, Env& env)
      : session_(std::make_shared<Session>(source, env)), thread_(source.bound) {}

  Result<void> open() {
    return run<void>([session = session_] { return session->open(); });
  }

  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) override {
    return run<std::string>([session = session_, key, context = std::string(context)] {
      return session->wrap(key, context);
    });
  }

  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) override {
    return run<crypto::SecretKey>(
        [session = session_, wrapped = std::string(wrapped), context = std::string(context)] {
          return session->unwrap(wrapped, context);
        });
  }

 private:
  template <typename T>
  Result<T> run(std::function<Result<T>()> call) {
    auto result = thread_.run<T>(std::move(call));
    if (result) return std::move(*result);
    return Error{Errc::unavailable, session_->place() + " does not answer"};
  }

  const std::shared_ptr<Session> session_;
  BoundedThread thread_;
};

}  // namespace

Result<std::unique_ptr<WrappingKey>> wrapping_key(const Pkcs11Source& source, Env& env) {
  auto key = std::make_unique<Pkcs11Key>(source, env);
  FLORA_TRY(key->open());
  return std::unique_ptr<WrappingKey>(std::move(key));
}

}  // namespace flora::privacy
