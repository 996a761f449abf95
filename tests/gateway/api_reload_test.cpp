// Bundles that change while the gateway runs, and what remains of the versions before.
#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "adapters/adapter.h"
#include "tests/gateway/api_fixture.h"
#include "tests/gateway/test_bundle.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

constexpr const char* kAdapter = "/v1/adapters/de-ni-export";
constexpr const char* kMessages = "/v1/adapters/de-ni-export/messages";
constexpr const char* kCsv = "text/csv";

std::string one_record(const std::string& id, const std::string& number) {
  return std::string(kExportHead) + id + ";" + number + ";R;02.11.2026;\nSUMME;1;;;\n";
}

struct Fixture {
  Fixture() : gateway({{bundle.folder()}, 0}) {}

  Json info() { return gateway.get(kAdapter, kAuditor).json(); }
  Json state() {
    const Response ready = gateway.send({"GET", "/health/ready", {}, {}, {}, true});
    REQUIRE(ready.status == 200);
    REQUIRE(ready.json()["adapters"].size() == 1);
    return ready.json()["adapters"][0];
  }
  std::string metric() { return gateway.send({"GET", "/metrics", {}, {}, {}, true}).body; }

  /// The adapter's mark on the transaction that the message becomes.
  Json mark_of(const std::string& message) {
    const Response sent = gateway.post(kMessages, kCsv, message, kAe);
    REQUIRE(sent.status == 200);
    return mark_in(sent.json()["items"][0]);
  }
  static Json mark_in(const Json& item) {
    return Json::parse(item["submission"]["receipt"]["entry"].get<std::string>())["adapter"];
  }

  TestBundle bundle;
  Gateway gateway;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a new version comes into use at once, and transactions name it") {
  const Json before = info();
  CHECK(before["version"] == "1.0.0");
  CHECK(before["conformance"] == Json{{"fixtures", 4}, {"passed", 4}});
  CHECK(mark_of(one_record("F-1", "DN1"))["hash"] == before["hash"]);

  bundle.edit("1.0.0", "1.1.0");
  CHECK(info() == before);
  gateway.reload_adapters();
  const Json after = info();
  CHECK(after["version"] == "1.1.0");
  CHECK(after["hash"] != before["hash"]);
  CHECK(state()["state"] == "CURRENT");
  CHECK(state()["hash"] == after["hash"]);
  const Json mark = mark_of(one_record("F-2", "DN2"));
  CHECK(mark["version"] == "1.1.0");
  CHECK(mark["hash"] == after["hash"]);
  // The same record is the same event, whichever version reads it.
  const Response again = gateway.post(kMessages, kCsv, one_record("F-1", "DN1"), kAe);
  CHECK(again.json()["items"][0]["status"] == 200);
}

TEST_CASE_FIXTURE(Fixture, "what cannot be used leaves the old version, and readiness says why") {
  const Json before = info();
  SUBCASE("a mistake of the author") {
    bundle.edit("map: status", "map: wrods");
    gateway.reload_adapters();
    const std::string reasons = state()["reasons"].dump();
    CHECK(reasons.find("\"de-ni-export/adapter.yaml:") != std::string::npos);
    CHECK(reasons.find("wrods") != std::string::npos);
  }
  SUBCASE("a fixture that has another result") {
    bundle.edit("dd.MM.yyyy", "d.M.yyyy");
    gateway.reload_adapters();
    CHECK(state()["reasons"][0].get<std::string>().starts_with(
        "de-ni-export/fixtures/rejected/day-malformed.csv: "));
  }
  SUBCASE("no text at all") {
    std::filesystem::remove(bundle.folder() + "/adapter.yaml");
    gateway.reload_adapters();
  }
  SUBCASE("a text that cannot be shown to anyone") {
    bundle.edit("# A file", "# \xff A file");
    gateway.reload_adapters();
  }
  SUBCASE("another adapter") {
    bundle.edit("id: de-ni-export", "id: de-ni-another");
    gateway.reload_adapters();
    CHECK(state()["reasons"][0].get<std::string>().find("restart") != std::string::npos);
  }
  CHECK(state()["state"] == "STALE");
  CHECK(state()["hash"] == before["hash"]);
  CHECK(metric().find("flora_adapters_stale 1\n") != std::string::npos);
  CHECK(info() == before);
  CHECK(mark_of(one_record("F-1", "DN1"))["hash"] == before["hash"]);
  CHECK(gateway.get(std::string(kAdapter) + "/versions", kAe).json()["versions"].size() == 1);

  std::filesystem::copy(
      std::string(FLORA_SOURCE_DIR) + "/tests/bundles/de-ni-export", bundle.folder(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  gateway.reload_adapters();
  CHECK(state()["state"] == "CURRENT");
  CHECK(state()["reasons"].empty());
  CHECK(metric().find("flora_adapters_stale 0\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "each version that was in use can be read by its hash") {
  const std::string first = info()["hash"];
  const std::string text = bundle.read("adapter.yaml");
  gateway.env.advance_ms(1000);
  bundle.edit("1.0.0", "2.0.0");
  gateway.reload_adapters();
  const std::string second = info()["hash"];
  gateway.reload_adapters();

  const Response list = gateway.get(std::string(kAdapter) + "/versions", kOtherAbh);
  REQUIRE(list.status == 200);
  const Json versions = list.json()["versions"];
  REQUIRE(versions.size() == 2);
  CHECK(versions[0]["hash"] == first);
  CHECK(versions[1]["hash"] == second);
  CHECK(versions[1]["version"] == "2.0.0");
  CHECK(versions[0]["firstUsed"] < versions[1]["firstUsed"]);

  const std::string path = std::string(kAdapter) + "/versions/" + first;
  const Response kept = gateway.get(path, kAuditor);
  REQUIRE(kept.status == 200);
  const Json files = kept.json()["files"];
  REQUIRE(files.size() == 2);
  CHECK(files[0] == Json{{"name", "adapter.yaml"}, {"text", text}});
  adapter::BundleTexts texts;
  for (const Json& file : files) texts[file["name"]] = file["text"];
  CHECK(adapter::hash_of(texts) == first);
  const Headers known = {{"if-none-match", std::string(kept.header("etag"))}};
  CHECK(gateway.get(path, kAuditor, known).status == 304);

  CHECK(gateway.get(path).status == 401);
  CHECK(gateway.get(std::string(kAdapter) + "/versions/" + std::string(64, 'a'), kAe).status ==
        404);
  CHECK(gateway.get(std::string(kAdapter) + "/versions/x", kAe).status == 404);
  CHECK(gateway.get("/v1/adapters/de-ni-another/versions/" + first, kAe).status == 404);
  CHECK(gateway.get("/v1/adapters/de-ni-another/versions", kAe).status == 404);
}

TEST_CASE_FIXTURE(Fixture,
                  "a message that is being answered keeps the version that it began with") {
  const std::string before = info()["hash"];
  gateway.hold_writer();
  const Request request{"POST", kMessages, kAe, {{"content-type", kCsv}}, export_file(3000)};
  Client client = gateway.start(request);
  // The writer is at an event of the second pass; most of the file is still to be translated.
  gateway.wait_for_writer();
  bundle.edit("1.0.0", "1.1.0");
  // The archive is written by the thread that is held: the reload waits for it.
  std::thread reload([this] { gateway.reload_adapters(); });
  gateway.release_writer();
  reload.join();
  CHECK(info()["version"] == "1.1.0");
  const std::vector<Json> lines = gateway.finish(client, request).lines();
  REQUIRE(lines.size() == 3000);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (export_status(i) == 201) CHECK(mark_in(lines[i])["hash"] == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "versions change under load without a request that fails") {
  std::set<std::string> hashes = {info()["hash"]};
  std::atomic<bool> stop = false;
  std::atomic<int> sent = 0;
  std::set<std::string> seen;
  std::mutex mutex;
  const auto work = [&](int worker) {
    for (int i = 0; !stop; ++i) {
      const std::string name = std::to_string(worker) + "-" + std::to_string(i);
      const Response response =
          gateway.post(kMessages, kCsv, one_record("F-" + name, "L" + name), kAe);
      CHECK(response.status == 200);
      const Json item = response.json()["items"][0];
      CHECK(item["status"] == 201);
      const std::lock_guard lock(mutex);
      seen.insert(mark_in(item)["hash"].get<std::string>());
      ++sent;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back(work, i);
  for (int version = 1; version <= 8; ++version) {
    bundle.edit("version: \"1." + std::to_string(version - 1),
                "version: \"1." + std::to_string(version));
    gateway.reload_adapters();
    hashes.insert(info()["hash"].get<std::string>());
    const int before = sent;
    while (sent < before + 6) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  CHECK(hashes.size() == 9);
  CHECK(seen.size() > 2);
  for (const std::string& hash : seen) CHECK(hashes.contains(hash));
}
