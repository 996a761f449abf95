// A session with a PKCS#11 token (OASIS PKCS #11 v2.40) and one key in it, through the C interface
// of the vendor's module. That has no bound of time: it is called on a thread of its own.
#pragma once

#include <p11-kit/pkcs11.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "gateway/base/env.h"
#include "gateway/base/pkcs11_source.h"
#include "gateway/base/result.h"

namespace flora::pkcs11 {

/// The C interface takes what it only reads as if it might change it.
CK_BYTE_PTR raw(std::string_view text);

/// Runs calls on a thread of its own, one after another, and waits for each only so long.
class BoundedThread {
 public:
  explicit BoundedThread(std::chrono::milliseconds bound)
      : bound_(bound),
        state_(std::make_shared<State>()),
        thread_([state = state_] { run(*state); }) {}
  BoundedThread(const BoundedThread&) = delete;
  BoundedThread& operator=(const BoundedThread&) = delete;

  /// A call that does not return is left behind.
  ~BoundedThread();

  /// Nothing, if it takes too long; and, without waiting, as long as that call is under way.
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

  static void run(State& state);

  const std::chrono::milliseconds bound_;
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

/// The kind of key that is looked for.
struct KeyKind {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE type;
  std::string_view name;  ///< For errors, such as "AES key".
};

/// Used by one thread. A session that was lost is opened again when it is needed, unless the PIN
/// was refused: another try might lock the token. Modules are never unloaded: they may have
/// threads.
class Session {
 public:
  Session(Pkcs11Source source, KeyKind kind, Env& env)
      : source_(std::move(source)), kind_(kind), env_(env) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() { close(); }

  /// For errors: names the token.
  std::string place() const { return "PKCS#11 token \"" + source_.token + "\""; }
  const std::string& label() const { return source_.label; }

  /// Errors: not_found (module, token or key), invalid (several of that name, the key is not fit
  /// for it, or the PIN is refused), unavailable (the token's own code is named).
  Result<void> open();

 protected:
  /// Whether the key that was found is fit for its use.
  virtual Result<void> check_key() = 0;

  /// Runs `call`, which returns a CK_RV, once more with a new session if the old one was lost.
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

  Error failed(std::string_view function, CK_RV code) const;
  CK_FUNCTION_LIST& functions() { return *functions_; }
  CK_SESSION_HANDLE handle() const { return session_; }
  CK_OBJECT_HANDLE key_handle() const { return key_; }
  Env& env() { return env_; }

 private:
  static bool is_lost(CK_RV code);
  void close();
  Result<void> load();
  Result<CK_SLOT_ID> find_slot();
  std::string label_of(CK_SLOT_ID slot);
  Result<void> log_in();
  Result<CK_OBJECT_HANDLE> find_key();

  const Pkcs11Source source_;
  const KeyKind kind_;
  Env& env_;
  CK_FUNCTION_LIST_PTR functions_ = nullptr;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
  bool is_open_ = false;
  bool pin_refused_ = false;
};

}  // namespace flora::pkcs11
