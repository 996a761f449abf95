// What is unknown and what is foreign take the same time, as far as ranks can tell: the times of
// requests about the one and about the other are mixed, and so are those of requests that wait a
// little on purpose. The test must tell the last ones apart, and by far less, if at all, the first
// two. It asserts nothing about a time. FLORA_SOAK=1 asks ten thousand times and prints figures.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

constexpr int kProcedures = 12;
constexpr int kEntries = 20;  // Of each: so much reading must be done for what is unknown, too.
constexpr int kRounds = 6;

using Times = std::vector<double>;

bool is_soak() { return std::getenv("FLORA_SOAK") != nullptr; }
int samples() { return is_soak() ? 10'000 : 150; }

std::string azr_of(int number) {
  const std::string digits = std::to_string(1'000'000 + number);
  return "260815" + digits.substr(1);
}

// How far two samples can be told apart by rank: 0, not at all; 0.5, wholly (the probability that
// one of the first is smaller than one of the second, less one half; Mann and Whitney 1947).
double distance(const Times& one, const Times& other) {
  std::vector<std::pair<double, bool>> all;
  for (const double time : one) all.emplace_back(time, true);
  for (const double time : other) all.emplace_back(time, false);
  std::ranges::sort(all);
  double smaller = 0;
  double wins = 0;
  for (const auto& [time, first] : all) {
    if (first) {
      smaller += 1;
    } else {
      wins += smaller;
    }
  }
  const double pairs = static_cast<double>(one.size()) * static_cast<double>(other.size());
  return std::abs(wins / pairs - 0.5);
}

double median(Times times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

// One connection that times what it asks.
class Asker {
 public:
  Asker(Gateway& gateway, std::string authority)
      : authority_(std::move(authority)),
        client_(gateway.start({"GET", "/v1/statuses", authority_})) {
    REQUIRE(client_.read(false, 60).has_value());
  }

  /// In microseconds; `planted`: so long the gateway waits before it begins.
  double ask(const Request& request, int status, double planted) {
    std::string text = request.method + ' ' + request.path + " HTTP/1.1\r\nhost: gateway\r\n" +
                       "flora-dev-authority: " + authority_ +
                       "\r\nflora-planted: " + std::to_string(static_cast<long>(planted)) + "\r\n";
    if (!request.body.empty()) {
      text += "content-type: application/json\r\ncontent-length: " +
              std::to_string(request.body.size()) + "\r\n";
    }
    const auto begin = std::chrono::steady_clock::now();
    (void)client_.send(text + "\r\n" + request.body);
    const auto reply = client_.read(false, 120);
    const auto end = std::chrono::steady_clock::now();
    REQUIRE(reply.has_value());
    REQUIRE(reply->status == status);
    return std::chrono::duration<double, std::micro>(end - begin).count();
  }

 private:
  const std::string authority_;
  Client client_;
};

// Makes the next request about something foreign, or about something unknown.
struct Requests {
  std::string name;
  std::function<Request()> foreign;
  std::function<Request()> unknown;
  int status = 404;
};

struct Distances {
  double unplanted = 0;
  double planted = 0;
  std::string medians;  // In microseconds.
};

// Asks for all three kinds in turn, in a new order each time, so that what drifts drifts for all.
Distances measure(Asker& asker, const Requests& requests, int count) {
  Times pilot;
  for (int i = 0; i < 20; ++i) pilot.push_back(asker.ask(requests.unknown(), requests.status, 0));
  const double delay = median(pilot) / 2;
  std::array<Times, 3> times;
  std::array<std::size_t, 3> order = {0, 1, 2};
  std::minstd_rand random(20261103);
  for (int i = 0; i < count; ++i) {
    std::ranges::shuffle(order, random);
    for (const std::size_t kind : order) {
      const Request request = kind == 0 ? requests.foreign() : requests.unknown();
      times[kind].push_back(asker.ask(request, requests.status, kind == 2 ? delay : 0));
    }
  }
  std::string medians;
  for (const Times& one : times) medians += ' ' + std::to_string(static_cast<long>(median(one)));
  return {distance(times[0], times[1]), distance(times[1], times[2]), medians};
}

// Another round with twice as many where the machine was too noisy to find what was planted.
void check_alike(Asker& asker, const Requests& requests) {
  Distances found;
  int count = samples();
  for (int round = 0; round < kRounds; ++round, count *= 2) {
    found = measure(asker, requests, count);
    MESSAGE(requests.name, ": ", count, " of each kind, unplanted ", found.unplanted, ", planted ",
            found.planted, "; medians of foreign, unknown, planted:", found.medians, " us");
    if (2 * found.unplanted < found.planted) break;
  }
  CHECK(2 * found.unplanted < found.planted);
}

// Procedures of the AE of DE-NI, foreign to the one of DE-NW.
class Population {
 public:
  explicit Population(Gateway& gateway) {
    for (int i = 0; i < kProcedures; ++i) {
      Json batch = Json::array();
      for (int n = 0; n < kEntries; ++n) {
        batch.push_back(
            cloud_event(event("e-" + std::to_string(i) + '-' + std::to_string(n), azr_of(i))));
      }
      const Json items =
          gateway.post("/v1/status-events", "application/cloudevents-batch+json", batch.dump(), kAe)
              .json()["items"];
      REQUIRE(items.back()["status"] == 201);
      procedures.push_back(items.back()["submission"]["procedureId"]);
      transactions.push_back(items.back()["submission"]["transactionId"]);
    }
  }

  std::vector<std::string> procedures;
  std::vector<std::string> transactions;
};

std::string unknown_id(int number) {
  const std::string digits = std::to_string(1'000'000 + number);
  return "5f0c1f5e-8a4b-4c63-9f0e-2d1c7" + digits;
}

Request search(const std::string& azr) {
  return {"POST", "/v1/procedures/search", {}, {}, event("x", azr)["procedure"].dump()};
}

}  // namespace

TEST_CASE("reading what is foreign takes as long as reading what is unknown") {
  Gateway gateway;
  const Population population(gateway);
  Asker asker(gateway, kOtherAe);
  int next = 0;
  const auto one_of = [&next](const std::vector<std::string>& ids) {
    return ids[static_cast<std::size_t>(++next) % ids.size()];
  };
  // Identifiers that nobody has: what is unknown is asked for often, too.
  const auto nobody = [&next] { return unknown_id(++next % (4 * kProcedures)); };
  const std::vector<Requests> all = {
      {"search", [&] { return search(azr_of(++next % kProcedures)); },
       [&] { return search(azr_of(500'000 + ++next % (4 * kProcedures))); }},
      {"history",
       [&] {
         return Request{"GET", "/v1/procedures/" + one_of(population.procedures) + "/history"};
       },
       [&] {
         return Request{"GET", "/v1/procedures/" + nobody() + "/history"};
       }},
      {"receipt",
       [&] {
         return Request{"GET", "/v1/transactions/" + one_of(population.transactions) + "/receipt"};
       },
       [&] {
         return Request{"GET", "/v1/transactions/" + nobody() + "/receipt"};
       }},
  };
  for (const Requests& requests : all) check_alike(asker, requests);
}

TEST_CASE("reporting about somebody foreign takes as long as about somebody unknown") {
  Gateway gateway;
  const Population population(gateway);
  Asker asker(gateway, kOtherAe);
  int next = 0;
  const auto report = [&next](const std::string& azr) {
    const Json made =
        event_of("r-" + std::to_string(++next), azr, kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})");
    return Request{"POST", "/v1/status-events", {}, {}, made.dump()};
  };
  check_alike(asker, {"report", [&] { return report(azr_of(next % kProcedures)); },
                      [&] { return report(azr_of(500'000 + next)); }, 201});
}
