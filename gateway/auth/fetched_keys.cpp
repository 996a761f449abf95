#include "gateway/auth/fetched_keys.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "gateway/auth/download.h"
#include "gateway/base/crypto.h"
#include "gateway/base/log.h"

namespace flora::auth {
namespace {

constexpr const char* kNotYet = "the keys of the issuer have not been fetched yet";

}  // namespace

// The set and the thread that renews it.
class FetchedKeys::Fetcher {
 public:
  Fetcher(FetchOptions options, std::unique_ptr<Download> download, Env& env)
      : options_(std::move(options)), download_(std::move(download)), env_(env) {}

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_one();
    }
    download_->cancel();
    thread_.join();
  }

  std::shared_ptr<const KeySet> current() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  void ask() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(asked_, true)) return;
    changed_.notify_one();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using ms = FetchOptions::ms;

  void run() {
    tell(kNotYet);
    ms pause = options_.least_pause;
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (ending_) return;
        asked_ = false;  // Who asks from now on may have seen something newer.
      }
      const auto begin = Clock::now();
      const bool renewed = fetch();
      const ms next = renewed ? options_.refresh : jittered(pause);
      pause = renewed ? options_.least_pause : std::min(2 * pause, options_.longest_pause);
      if (!wait(begin + options_.least_pause, begin + std::max(next, options_.least_pause))) return;
    }
  }

  // Until it is time, or somebody asks and the least pause is over. False: it is the end.
  bool wait(Clock::time_point earliest, Clock::time_point latest) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, earliest, [this] { return ending_; });
    changed_.wait_until(lock, latest, [this] { return ending_ || asked_; });
    return !ending_;
  }

  // True if the set in use is what the issuer has now.
  bool fetch() {
    const Result<std::string> text = download_->get(options_.timeout);
    if (!text) return fail(text.error().message);
    const auto now = current();
    if (now != nullptr && now->digest() == crypto::sha256(*text)) return succeed();
    Result<KeySet> fresh = KeySet::parse(*text);
    if (!fresh) return fail(fresh.error().message);
    for (const std::string& why : fresh->skipped()) {
      log::write(log::Level::warning, "auth: a key of the issuer cannot be used",
                 {{"reason", std::string_view(why)}});
    }
    log::write(log::Level::info, "auth: the issuer has other keys",
               {{"keys", static_cast<std::int64_t>(fresh->size())}});
    auto keys = std::make_shared<const KeySet>(std::move(*fresh));
    {
      const std::lock_guard lock(mutex_);
      keys_.swap(keys);
    }
    return succeed();
  }

  bool succeed() {
    if (!std::exchange(good_, true)) tell({});
    return true;
  }

  // Told when it begins, and when the reason is another one.
  bool fail(const std::string& reason) {
    const bool same = !std::exchange(good_, false) && reason == reason_;
    if (same) return false;
    reason_ = reason;
    log::write(log::Level::warning, "auth: the keys of the issuer cannot be fetched",
               {{"reason", std::string_view(reason)}});
    tell("the keys of the issuer cannot be fetched: " + reason);
    return false;
  }

  void tell(const std::string& reason) const {
    if (options_.tell) options_.tell(reason);
  }

  // Between half and all of it, so that gateways that failed together do not come back together.
  ms jittered(ms pause) {
    std::array<std::byte, 1> random{};
    env_.random(random);
    return pause / 2 + pause * std::to_integer<int>(random[0]) / 512;
  }

  const FetchOptions options_;
  const std::unique_ptr<Download> download_;
  Env& env_;
  bool good_ = false;   // The thread's own: the last fetch brought a set that can be used.
  std::string reason_;  // The thread's own: why it did not.
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const KeySet> keys_;
  bool asked_ = false;
  bool ending_ = false;
};

FetchedKeys::FetchedKeys(std::unique_ptr<Fetcher> fetcher) : fetcher_(std::move(fetcher)) {}

FetchedKeys::~FetchedKeys() { fetcher_->end(); }

Result<std::unique_ptr<FetchedKeys>> FetchedKeys::start(FetchOptions options, Env& env) {
  auto download = Download::make({options.uri, options.ca_file, KeySet::kMostBytes});
  if (download == nullptr) return Error{Errc::unavailable, "libcurl cannot fetch " + options.uri};
  auto fetcher = std::make_unique<Fetcher>(std::move(options), std::move(download), env);
  fetcher->start();
  return std::unique_ptr<FetchedKeys>(new FetchedKeys(std::move(fetcher)));
}

std::shared_ptr<const KeySet> FetchedKeys::current() const { return fetcher_->current(); }

void FetchedKeys::ask() { fetcher_->ask(); }

}  // namespace flora::auth
