#include "gateway/telemetry/collector.h"

#include <curl/curl.h>

#include <algorithm>

namespace flora::telemetry {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kAnswerBytes = 64u << 10;

std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  body.append(bytes, std::min(size * count, kAnswerBytes - std::min(kAnswerBytes, body.size())));
  return size * count;
}

}  // namespace

struct Collector::Handles {
  CURL* easy = ::curl_easy_init();
  CURLM* multi = ::curl_multi_init();
  curl_slist* fields = nullptr;
  std::string answer;

  Handles() {
    for (const char* field : {"Content-Type: application/json", "Expect:"}) {
      curl_slist* const longer = ::curl_slist_append(fields, field);
      if (longer != nullptr) fields = longer;
    }
  }
  ~Handles() {
    if (easy != nullptr) ::curl_easy_cleanup(easy);
    if (multi != nullptr) ::curl_multi_cleanup(multi);
    ::curl_slist_free_all(fields);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  bool set_up(const std::string& endpoint) const {
    if (easy == nullptr || multi == nullptr) return false;
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                       1L);  // Does not wait for a name server at the end.
    ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    return ::curl_easy_setopt(easy, CURLOPT_URL, endpoint.c_str()) == CURLE_OK;
  }
};

Collector::Collector(std::unique_ptr<Handles> handles)
    : handles_(std::move(handles)), last_end_(Clock::time_point::max()) {}

Collector::~Collector() = default;

std::unique_ptr<Collector> Collector::make(const std::string& endpoint) {
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
  auto handles = std::make_unique<Handles>();
  if (!handles->set_up(endpoint)) return nullptr;
  return std::unique_ptr<Collector>(new Collector(std::move(handles)));
}

Attempt Collector::post(const std::string& body, milliseconds timeout) {
  Handles& h = *handles_;
  h.answer.clear();
  ::curl_easy_setopt(h.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  ::curl_easy_setopt(h.easy, CURLOPT_POSTFIELDS, body.c_str());
  Attempt attempt;
  attempt.reason = "timeout";
  if (::curl_multi_add_handle(h.multi, h.easy) != CURLM_OK) return attempt;
  if (wait(Clock::now() + timeout)) {
    int left = 0;
    const CURLMsg* const message = ::curl_multi_info_read(h.multi, &left);
    const CURLcode code = message == nullptr ? CURLE_FAILED_INIT : message->data.result;
    attempt.reason = ::curl_easy_strerror(code);
    if (code == CURLE_OK) {
      long status = 0;
      curl_off_t seconds = 0;
      ::curl_easy_getinfo(h.easy, CURLINFO_RESPONSE_CODE, &status);
      ::curl_easy_getinfo(h.easy, CURLINFO_RETRY_AFTER, &seconds);
      attempt.status = static_cast<int>(status);
      // More than a day is as good as a day; what follows is in milliseconds.
      if (seconds > 0)
        attempt.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, 86400));
    }
  }
  ::curl_multi_remove_handle(h.multi, h.easy);
  attempt.body = std::move(h.answer);
  return attempt;
}

// True when the transfer has come to its end.
bool Collector::wait(Clock::time_point end) {
  while (true) {
    int running = 0;
    if (::curl_multi_perform(handles_->multi, &running) != CURLM_OK) return false;
    if (running == 0) return true;
    const auto left = std::min(end, last_end_.load()) - Clock::now();
    if (left <= left.zero()) return false;
    const auto ms = std::chrono::ceil<milliseconds>(left).count();
    ::curl_multi_poll(handles_->multi, nullptr, 0, static_cast<int>(ms), nullptr);
  }
}

void Collector::hurry(milliseconds most) {
  last_end_ = Clock::now() + most;
  ::curl_multi_wakeup(handles_->multi);
}

}  // namespace flora::telemetry
