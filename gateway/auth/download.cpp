#include "gateway/auth/download.h"

#include <curl/curl.h>

#include <utility>

namespace flora::auth {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr long kOk = 200;

Error unavailable(std::string message) { return {Errc::unavailable, std::move(message)}; }

}  // namespace

struct Download::Handles {
  const Source source;
  CURL* const easy = ::curl_easy_init();
  CURLM* const multi = ::curl_multi_init();
  std::string body;

  explicit Handles(Source from) : source(std::move(from)) {}
  ~Handles() {
    if (easy != nullptr) ::curl_easy_cleanup(easy);
    if (multi != nullptr) ::curl_multi_cleanup(multi);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  // Less than was offered ends the transfer.
  static std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* target) {
    auto& self = *static_cast<Handles*>(target);
    if (self.body.size() + size * count > self.source.most_bytes) return 0;
    self.body.append(bytes, size * count);
    return size * count;
  }

  bool set_up() {
    if (easy == nullptr || multi == nullptr) return false;
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    ::curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    ::curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);  // The next one is minutes away.
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    if (!source.ca_file.empty()) {
      // The folder of the system's would go on being trusted beside the file.
      ::curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
      ::curl_easy_setopt(easy, CURLOPT_CAINFO, source.ca_file.c_str());
      // Else a file that has changed would be read after a day only.
      ::curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    }
    return ::curl_easy_setopt(easy, CURLOPT_URL, source.uri.c_str()) == CURLE_OK;
  }

  Result<std::string> outcome() {
    int left = 0;
    const CURLMsg* const message = ::curl_multi_info_read(multi, &left);
    const CURLcode code = message == nullptr ? CURLE_FAILED_INIT : message->data.result;
    if (code == CURLE_WRITE_ERROR) return unavailable("the answer is too long");
    if (code != CURLE_OK) return unavailable(::curl_easy_strerror(code));
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != kOk) return unavailable("the answer has the status " + std::to_string(status));
    return std::move(body);
  }
};

Download::Download(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
Download::~Download() = default;

std::unique_ptr<Download> Download::make(Source source) {
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
  auto handles = std::make_unique<Handles>(std::move(source));
  if (!handles->set_up()) return nullptr;
  return std::unique_ptr<Download>(new Download(std::move(handles)));
}

Result<std::string> Download::get(milliseconds timeout) {
  Handles& h = *handles_;
  h.body.clear();
  if (::curl_multi_add_handle(h.multi, h.easy) != CURLM_OK) return unavailable("libcurl refuses");
  const bool ended = wait(Clock::now() + timeout);
  Result<std::string> result = ended ? h.outcome() : unavailable("there was no answer in time");
  ::curl_multi_remove_handle(h.multi, h.easy);
  return result;
}

// True when the transfer has come to its end.
bool Download::wait(Clock::time_point end) {
  while (!cancelled_) {
    int running = 0;
    if (::curl_multi_perform(handles_->multi, &running) != CURLM_OK) return false;
    if (running == 0) return true;
    const auto left = end - Clock::now();
    if (left <= left.zero()) return false;
    const auto ms = std::chrono::ceil<milliseconds>(left).count();
    ::curl_multi_poll(handles_->multi, nullptr, 0, static_cast<int>(ms), nullptr);
  }
  return false;
}

void Download::cancel() {
  cancelled_ = true;
  ::curl_multi_wakeup(handles_->multi);
}

}  // namespace flora::auth
