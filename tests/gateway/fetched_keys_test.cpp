// The issuer's keys, fetched from one that is well, says nonsense, is silent, or is somebody else.
#include "gateway/auth/fetched_keys.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/log.h"
#include "gateway/http/server.h"
#include "tests/fake_env.h"
#include "tests/gateway/test_issuer.h"
#include "tests/http/certificates.h"

using namespace flora;
using namespace flora::auth;
using namespace flora::test;

namespace {

using Clock = std::chrono::steady_clock;
using ms = std::chrono::milliseconds;

std::string set_of(const std::string& id) {
  return nlohmann::json{{"keys", {jwk_of(key_of('k'), id)}}}.dump();
}

// Answers each request alike, until it is told otherwise. Thread-safe.
class Server final : public http::Handler {
 public:
  explicit Server(std::optional<http::TlsOptions> tls = {}, std::string address = "127.0.0.1")
      : address_(std::move(address)) {
    http::ListenerOptions options;
    options.address = address_;
    options.tls = std::move(tls);
    auto server = http::Server::start({}, {{options, this}});
    REQUIRE(server.has_value());
    server_ = std::move(*server);
  }

  http::Admission admit(const http::RequestHead&) override { return http::Admission::whole(0); }
  void handle_stream(http::RequestHead, http::BodyReader, http::Responder) override {}
  void handle(http::Request, http::Responder responder) override {
    const std::lock_guard lock(mutex_);
    ++requests_;
    changed_.notify_all();
    if (answer_.status == 0) return unanswered_.push_back(std::move(responder));
    responder.respond(answer_);
  }

  /// A status of 0 is silence.
  void answer(http::Response answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void publish(const std::string& id) { answer({200, {}, set_of(id)}); }

  std::size_t requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return requests_ >= count; }));
  }

  std::string uri(const std::string& scheme) const {
    return scheme + "://" + address_ + ':' + std::to_string(server_->ports().front()) + "/keys";
  }

 private:
  const std::string address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  http::Response answer_{503, {}, {}};
  std::size_t requests_ = 0;
  std::vector<http::Responder> unanswered_;
  std::unique_ptr<http::Server> server_;
};

// Keys under way, and what is told of them.
class Fetching {
 public:
  explicit Fetching(FetchOptions options) {
    log::set_level(log::Level::error);
    options.tell = [this](const std::string& reason) {
      const std::lock_guard lock(mutex_);
      told_.push_back(reason);
      changed_.notify_all();
    };
    auto started = FetchedKeys::start(std::move(options), env_);
    REQUIRE(started.has_value());
    keys = std::move(*started);
  }

  /// Waits until the last that was told is this (or holds it), asking meanwhile.
  void wait_until_told(const std::string& reason) {
    std::unique_lock lock(mutex_);
    const auto end = Clock::now() + std::chrono::seconds(60);
    const auto is_told = [&] {
      return !told_.empty() && (reason.empty() ? told_.back().empty()
                                               : told_.back().find(reason) != std::string::npos);
    };
    while (!is_told()) {
      REQUIRE_MESSAGE(Clock::now() < end, reason);
      keys->ask();
      changed_.wait_for(lock, ms(1));
    }
  }

  bool has(const std::string& id) const {
    const auto set = keys->current();
    return set != nullptr && set->find(id, "EdDSA") != nullptr;
  }

 private:
  FakeEnv env_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;

 public:
  std::unique_ptr<FetchedKeys> keys;  // Ends first.
};

FetchOptions quick(std::string uri) {
  FetchOptions options;
  options.uri = std::move(uri);
  options.least_pause = ms(1);
  options.longest_pause = ms(4);
  options.timeout = ms(30'000);
  return options;
}

http::TlsOptions tls_of(const http::test::Certificates& certificates) {
  http::TlsOptions tls;
  tls.certificate_file = certificates.path("server.pem");
  tls.key_file = certificates.path("server.key");
  return tls;
}

}  // namespace

TEST_CASE("a set that cannot be used leaves the last good one in force, and why is told") {
  Server server;
  Fetching fetching(quick(server.uri("http")));
  fetching.wait_until_told("the answer has the status 503");
  CHECK(fetching.keys->current() == nullptr);
  server.publish("k1");
  fetching.wait_until_told("");
  CHECK(fetching.has("k1"));

  const std::string long_set = set_of("k2") + std::string(KeySet::kMostBytes, ' ');
  struct Fault {
    http::Response answer;
    std::string reason;
  };
  const std::vector<Fault> faults = {
      {{500, {}, set_of("k2")}, "the answer has the status 500"},
      {{404, {}, {}}, "the answer has the status 404"},
      {{302, {{"location", server.uri("http")}}, {}}, "the answer has the status 302"},
      {{200, {}, long_set}, "the answer is too long"},
      {{200, {}, {}}, "not strict JSON"},
      {{200, {}, set_of("k2").substr(1)}, "not strict JSON"},
      {{200, {}, R"({"keys":[]})"}, "no key that can be used"},
      {{200, {}, R"({"error":"no"})"}, "no list of keys"},
  };
  for (const Fault& fault : faults) {
    CAPTURE(fault.reason);
    server.answer(fault.answer);
    fetching.wait_until_told(fault.reason);
    CHECK(fetching.has("k1"));
    CHECK_FALSE(fetching.has("k2"));
  }
  server.publish("k3");
  fetching.wait_until_told("");
  CHECK(fetching.has("k3"));
  CHECK_FALSE(fetching.has("k1"));
}

TEST_CASE("whoever asks, there is a pause between two fetches") {
  Server server;
  server.publish("k1");
  FetchOptions options = quick(server.uri("http"));
  options.least_pause = ms(200);
  const auto begin = Clock::now();
  Fetching fetching(std::move(options));
  while (server.requests() < 4) fetching.keys->ask();
  const auto fetches = server.requests();
  const auto passed = std::chrono::duration_cast<ms>(Clock::now() - begin);
  CHECK(static_cast<std::int64_t>(fetches) <= 1 + passed.count() / 200);
}

TEST_CASE("a set that has not changed stays the one that it is") {
  Server server;
  server.publish("k1");
  FetchOptions options = quick(server.uri("http"));
  options.refresh = ms(1);
  Fetching fetching(std::move(options));
  server.wait_for_requests(3);
  const auto set = fetching.keys->current();
  REQUIRE(set != nullptr);
  server.wait_for_requests(server.requests() + 2);
  CHECK(fetching.keys->current() == set);
}

TEST_CASE("the issuer is believed by its certificate alone") {
  const http::test::Certificates certificates;
  Server server(tls_of(certificates));
  server.publish("k1");
  FetchOptions options = quick(server.uri("https"));
  SUBCASE("of the CA that the settings name") {
    options.ca_file = certificates.path("ca.pem");
    const Fetching fetching(std::move(options));
    server.wait_for_requests(1);
    while (fetching.keys->current() == nullptr) std::this_thread::yield();
    CHECK(fetching.has("k1"));
  }
  SUBCASE("of another CA") {
    options.ca_file = certificates.path("stranger.pem");
    Fetching fetching(std::move(options));
    fetching.wait_until_told("SSL");
    CHECK(fetching.keys->current() == nullptr);
    CHECK(server.requests() == 0);
  }
  SUBCASE("of none that the system knows") {
    Fetching fetching(std::move(options));
    fetching.wait_until_told("SSL");
    CHECK(server.requests() == 0);
  }
  SUBCASE("with the name that the URI has") {
    Server elsewhere(tls_of(certificates), "127.0.0.2");
    options.ca_file = certificates.path("ca.pem");
    options.uri = elsewhere.uri("https");
    Fetching fetching(std::move(options));
    fetching.wait_until_told("SSL");
    CHECK(elsewhere.requests() == 0);
  }
}

TEST_CASE("the end does not wait for an issuer that is silent") {
  Server server;
  server.answer({0, {}, {}});
  FetchOptions options = quick(server.uri("http"));
  options.timeout = std::chrono::hours(1);
  const Fetching fetching(std::move(options));
  server.wait_for_requests(1);
}
