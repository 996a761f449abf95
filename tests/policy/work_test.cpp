// What is unknown costs the same work as what is foreign: the statements that a request puts to the
// databases are counted, which no load of the machine can blur. timing_test.cpp looks at the times.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr int kProcedures = 5;
constexpr int kEntries = 4;  // Of each: so much is read, whichever is read in place of the unknown.
constexpr int kUnknown = 40;

// How often each statement that reads was run, by its text. SQLite hands no context to what it
// calls for each new connection, so there is one for all.
struct Count {
  std::mutex mutex;
  std::map<std::string, int> statements;
};

Count& count() {
  static Count one;
  return one;
}

extern "C" int count_statement(unsigned /*event*/, void* /*context*/, void* statement, void*) {
  const char* const sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
  const std::string_view text = sql == nullptr ? "" : sql;
  if (!text.starts_with("SELECT") && !text.starts_with("WITH")) return 0;
  if (text.find("sqlite_schema") != text.npos) return 0;  // A connection that is new in its pool.
  const std::lock_guard lock(count().mutex);
  ++count().statements[std::string(text)];
  return 0;
}

extern "C" int trace(sqlite3* connection, char** /*error*/, const void* /*api*/) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, count_statement, nullptr);
}

// Every connection that is opened while it lives is counted.
class Counting {
 public:
  Counting() { REQUIRE(sqlite3_auto_extension(entry()) == SQLITE_OK); }
  ~Counting() { sqlite3_cancel_auto_extension(entry()); }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  static void (*entry())() { return reinterpret_cast<void (*)()>(trace); }
};

// The statements of one request, a line each.
std::string work_of(Gateway& gateway, const Request& request, int status) {
  {
    const std::lock_guard lock(count().mutex);
    count().statements.clear();
  }
  const Response response = gateway.send(request);
  CHECK(response.status == status);
  const std::lock_guard lock(count().mutex);
  std::string work;
  for (const auto& [text, times] : count().statements) {
    work += std::to_string(times) + ' ' + text + '\n';
  }
  return work;
}

std::string azr_of(int number) { return "260815" + std::to_string(100'000 + number); }

// Procedures of the AE of DE-NI, all of the same size.
struct Population {
  explicit Population(Gateway& gateway) {
    for (int i = 0; i < kProcedures; ++i) {
      Json last;
      for (int n = 0; n < kEntries; ++n) {
        last =
            gateway.report(event("e-secret-" + std::to_string(kEntries * i + n), azr_of(i))).json();
      }
      procedures.push_back("/v1/procedures/" + last["procedureId"].get<std::string>());
      transactions.push_back("/v1/transactions/" + last["transactionId"].get<std::string>());
    }
  }

  std::vector<std::string> procedures;
  std::vector<std::string> transactions;
};

Request search(const std::string& azr) {
  return {"POST",
          "/v1/procedures/search",
          kOtherAe,
          {{"content-type", "application/json"}},
          event("x", azr)["procedure"].dump()};
}

Request reading(const std::string& path) { return {"GET", path, kOtherAe}; }

std::string unknown_id(int number) {
  return "5f0c1f5e-8a4b-4c63-9f0e-2d1c7" + std::to_string(1'000'000 + number);
}

}  // namespace

TEST_CASE("what is unknown costs the same statements as what is foreign") {
  const Counting counting;
  Gateway gateway;
  const Population population(gateway);
  const auto check_alike = [&gateway](const std::vector<Request>& foreign, const auto& unknown) {
    const std::string expected = work_of(gateway, foreign.front(), 404);
    CHECK_FALSE(expected.empty());
    for (const Request& request : foreign) CHECK(work_of(gateway, request, 404) == expected);
    for (int i = 0; i < kUnknown; ++i) CHECK(work_of(gateway, unknown(i), 404) == expected);
  };
  std::vector<Request> searches;
  for (int i = 0; i < kProcedures; ++i) searches.push_back(search(azr_of(i)));
  check_alike(searches, [](int i) { return search(azr_of(500'000 + i)); });
  for (const std::string rest : {"", "/history"}) {
    std::vector<Request> foreign;
    for (const std::string& path : population.procedures) foreign.push_back(reading(path + rest));
    check_alike(foreign,
                [&rest](int i) { return reading("/v1/procedures/" + unknown_id(i) + rest); });
  }
  for (const std::string rest : {"", "/receipt"}) {
    std::vector<Request> foreign;
    for (const std::string& path : population.transactions) foreign.push_back(reading(path + rest));
    check_alike(foreign,
                [&rest](int i) { return reading("/v1/transactions/" + unknown_id(i) + rest); });
  }
}

TEST_CASE("one entry more is told by the statements") {
  const Counting counting;
  Gateway gateway;
  const Population population(gateway);
  const std::string before = work_of(gateway, search(azr_of(0)), 404);
  CHECK(gateway.report(event("e-secret-more", azr_of(0))).status == 201);
  CHECK_FALSE(work_of(gateway, search(azr_of(0)), 404) == before);
  CHECK(work_of(gateway, search(azr_of(1)), 404) == before);
}
