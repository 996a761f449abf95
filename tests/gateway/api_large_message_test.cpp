// Native messages of many items or bytes: two passes, answers line by line, bounded memory.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/gateway/api_fixture.h"
#include "tests/gateway/test_bundle.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

constexpr const char* kMessages = "/v1/adapters/de-ni-export/messages";
constexpr const char* kTranslations = "/v1/adapters/de-ni-export/translations";
constexpr const char* kCsv = "text/csv";
constexpr std::size_t kMany = 3000;  // Several windows of groups.

struct Fixture {
  Fixture() : gateway({{bundle.folder()}, 0}) {}

  Response send(const std::string& file, Headers headers = {}, const char* path = kMessages) {
    return gateway.post(path, kCsv, file, kAe, std::move(headers));
  }

  TestBundle bundle;
  Gateway gateway;
};

std::string chunked(const std::string& body) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += 10'000) {
    const std::string part = body.substr(at, 10'000);
    std::stringstream size;
    size << std::hex << part.size();
    out += size.str() + "\r\n" + part + "\r\n";
  }
  return out + "0\r\n\r\n";
}

std::string head_of(const std::string& fields) {
  return std::string("POST ") + kMessages +
         " HTTP/1.1\r\nhost: gateway\r\ncontent-type: text/csv\r\n" +
         "flora-dev-authority: " + kAe + "\r\n" + fields + "\r\n\r\n";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "up to 1000 items are answered as JSON, more line by line in order") {
  const Response few = send(export_file(1000));
  CHECK(few.status == 200);
  CHECK(few.header("content-type") == "application/json");
  CHECK(few.json()["items"].size() == 1000);

  const Response many = send(export_file(kMany));
  CHECK(many.status == 200);
  CHECK(many.header("content-type") == "application/x-ndjson");
  const std::vector<Json> lines = many.lines();
  REQUIRE(lines.size() == kMany);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    CHECK(lines[i]["item"] == i);
    const bool repeat = i < 1000 && export_status(i) == 201;
    CHECK(lines[i]["status"] == (repeat ? 200 : export_status(i)));
    CHECK(lines[i].contains("skipped") == (i % 10 == 7));
    if (i % 10 == 3) CHECK(lines[i]["problem"]["errors"][0]["line"] == i + 2);
  }
  CHECK(gateway.ledger_size() == kMany * 8 / 10);
}

TEST_CASE_FIXTURE(Fixture, "a resend gets the same receipts, line for line") {
  const std::vector<Json> first = send(export_file(kMany)).lines();
  const std::vector<Json> second = send(export_file(kMany)).lines();
  REQUIRE(first.size() == kMany);
  REQUIRE(second.size() == kMany);
  for (std::size_t i = 0; i < kMany; ++i) {
    if (export_status(i) != 201) continue;
    CHECK(second[i]["status"] == 200);
    CHECK(second[i]["submission"] == first[i]["submission"]);
  }
  CHECK(gateway.ledger_size() == kMany * 8 / 10);
}

TEST_CASE_FIXTURE(Fixture, "what the first pass rejects commits nothing, however long it is") {
  std::string cut_off = export_file(kMany);
  cut_off.resize(cut_off.rfind("SUMME"));
  const Response without_end = send(cut_off);
  CHECK(without_end.status == 422);
  CHECK(without_end.problem() == "message-rejected");
  CHECK(without_end.json()["errors"][0]["line"] == kMany + 1);

  std::string mostly_bad = kExportHead;
  for (std::size_t i = 0; i < kMany; ++i) mostly_bad += export_record(i % 5 < 3 ? 3 : i);
  CHECK(send(mostly_bad + "SUMME;" + std::to_string(kMany) + ";;;\n").status == 422);
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a translation is a dry run in the same forms") {
  const Response few = send(export_file(20), {}, kTranslations);
  CHECK(few.json()["items"][3]["outcome"] == "REJECTED");
  const Response many = send(export_file(kMany), {}, kTranslations);
  CHECK(many.header("content-type") == "application/x-ndjson");
  const std::vector<Json> lines = many.lines();
  REQUIRE(lines.size() == kMany);
  for (std::size_t i = 0; i < kMany; ++i) {
    CHECK(lines[i]["item"] == i);
    const char* const outcome = i % 10 == 3 ? "REJECTED" : i % 10 == 7 ? "SKIPPED" : "EVENT";
    CHECK(lines[i]["outcome"] == outcome);
  }
  CHECK(lines[0] == few.json()["items"][0]);
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "the form of the answer follows Accept, and 406 commits nothing") {
  const std::string few = export_file(20);
  const std::string many = export_file(kMany);
  for (const char* path : {kMessages, kTranslations}) {
    const Response refused = send(many, {{"accept", "application/json"}}, path);
    CHECK(refused.status == 406);
    CHECK(refused.json()["detail"].get<std::string>().find("1000 items") != std::string::npos);
    CHECK(send(few, {{"accept", "text/html"}}, path).status == 406);
  }
  CHECK(gateway.ledger_size() == 0);
  const Response lines = send(few, {{"accept", "application/x-ndjson"}});
  CHECK(lines.status == 200);
  CHECK(lines.lines().size() == 20);
  CHECK(send(many, {{"accept", "application/json;q=0.1, */*"}}).status == 200);
  CHECK(send(few, {{"accept", "application/json"}}).json()["items"].size() == 20);
}

TEST_CASE_FIXTURE(Fixture, "a message may come in chunks") {
  const std::string file = export_file(kMany);
  const Request request{"POST",
                        kMessages,
                        kAe,
                        {{"content-type", kCsv}, {"transfer-encoding", "chunked"}},
                        chunked(file)};
  CHECK(gateway.send(request).lines().size() == kMany);
  Request empty = request;
  empty.body = chunked("");
  CHECK(gateway.send(empty).status == 422);
}

TEST_CASE_FIXTURE(Fixture, "preferences hold for lines too") {
  const Response response = send(export_file(kMany), {{"prefer", "return=minimal, respond-async"}});
  CHECK(response.header("preference-applied") == "respond-async, return=minimal");
  const std::vector<Json> lines = response.lines();
  REQUIRE(lines.size() == kMany);
  CHECK(lines[0]["status"] == 202);
  CHECK_FALSE(lines[0]["submission"].contains("receipt"));
}

TEST_CASE("a message beyond what the adapter takes is refused as soon as that is known") {
  const TestBundle bundle;
  bundle.edit("bytes: 67108864", "bytes: 100000");
  Gateway gateway({{bundle.folder()}, 0});
  const std::string file = export_file(5000);
  REQUIRE(file.size() > 100'000);
  CHECK(gateway.get("/v1/adapters/de-ni-export", kAe).json()["maxBytes"] == 100'000);
  for (const char* path : {kMessages, kTranslations}) {
    const Response response = gateway.post(path, kCsv, file, kAe);
    CHECK(response.status == 413);
    CHECK(response.problem() == "content-too-large");
  }
  // By the head alone, and in chunks as soon as too much has come.
  Client by_head = gateway.start({"HEAD", "/health/live"});
  REQUIRE(by_head.read(true).has_value());
  REQUIRE(by_head.send(head_of("content-length: 100001")));
  CHECK(by_head.read()->status == 413);
  Client by_chunks = gateway.start({"HEAD", "/health/live"});
  REQUIRE(by_chunks.read(true).has_value());
  REQUIRE(by_chunks.send(head_of("transfer-encoding: chunked") + "186a1\r\n" +
                         std::string(100'001, 'x')));
  CHECK(by_chunks.read()->status == 413);
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("while the memory is used up large messages are refused, and all others go on") {
  const TestBundle bundle;
  Gateway gateway({{bundle.folder()}, 1'000'000});
  const std::string file = export_file(kMany);
  REQUIRE(file.size() > 64 << 10);
  REQUIRE(file.size() < 1'000'000);
  // Someone has announced as much as there is, and sends it slowly.
  Client slow = gateway.start({"HEAD", "/health/live"});
  REQUIRE(slow.read(true).has_value());
  REQUIRE(slow.send(head_of("content-length: 1000000\r\nexpect: 100-continue")));
  REQUIRE(slow.receive(25).starts_with("HTTP/1.1 100"));

  const Response refused = gateway.post(kMessages, kCsv, file, kAe);
  CHECK(refused.status == 503);
  CHECK(refused.problem() == "temporary-reduced-capacity");
  CHECK_FALSE(refused.header("retry-after").empty());
  CHECK(gateway.ledger_size() == 0);
  CHECK(gateway.post(kMessages, kCsv, export_file(20), kAe).status == 200);
  CHECK(gateway.report(event("e-1")).status == 201);

  // What cannot fit is refused before any of it is read.
  Client larger = gateway.start({"HEAD", "/health/live"});
  REQUIRE(larger.read(true).has_value());
  REQUIRE(larger.send(head_of("content-length: 1000001")));
  CHECK(larger.read()->status == 503);

  slow.reset();
  // The memory is free when the gateway has seen the end of the connection.
  Response later = gateway.post(kMessages, kCsv, file, kAe);
  while (later.status == 503) later = gateway.post(kMessages, kCsv, file, kAe);
  CHECK(later.lines().size() == kMany);
}

TEST_CASE_FIXTURE(Fixture, "a message that comes too slowly gives its memory back") {
  Client slow = gateway.start({"HEAD", "/health/live"});
  REQUIRE(slow.read(true).has_value());
  REQUIRE(slow.send(head_of("content-length: 1000000\r\nexpect: 100-continue")));
  REQUIRE(slow.receive(25).starts_with("HTTP/1.1 100"));
  gateway.env.advance_ms(61'000);
  REQUIRE(slow.send(std::string(100'000, 'x')));
  const auto reply = slow.read();
  REQUIRE(reply.has_value());
  CHECK(reply->status == 408);
}

TEST_CASE_FIXTURE(Fixture, "a client that goes away ends the second pass, and the resend goes on") {
  constexpr std::size_t kUnread = 10'000;  // Megabytes of answers: more than the connection holds.
  const std::string file = export_file(kUnread);
  {
    Client client = gateway.start({"POST", kMessages, kAe, {{"content-type", kCsv}}, file});
    client.shrink_receive_buffer();
    REQUIRE(client.receive(2000).starts_with("HTTP/1.1 200"));
    client.reset();
  }
  const Response resent = send(file);
  const std::vector<Json> lines = resent.lines();
  REQUIRE(lines.size() == kUnread);
  CHECK(lines[0]["status"] == 200);
  CHECK(std::ranges::count_if(lines, [](const Json& line) { return line["status"] == 422; }) ==
        kUnread / 10);
  CHECK(gateway.ledger_size() == kUnread * 8 / 10);
}

TEST_CASE_FIXTURE(Fixture,
                  "the character set of the request is that of the adapter, or not named") {
  const std::string file = export_file(5);
  for (const char* good : {"text/csv", "text/csv; charset=ISO-8859-1",
                           "text/csv;header=present;Charset=\"iso-8859-1\""}) {
    CAPTURE(good);
    CHECK(gateway.post(kTranslations, good, file, kAe).status == 200);
  }
  for (const char* bad : {"text/csv; charset=utf-8", "text/csv;charset=\"windows-1252\"",
                          "text/csv; charset=iso-8859-1; charset=utf-8", "text/csv; charset="}) {
    CAPTURE(bad);
    const Response response = gateway.post(kTranslations, bad, file, kAe);
    CHECK(response.status == 415);
    CHECK(response.header("accept") == kCsv);
    CHECK(response.json()["detail"].get<std::string>().find("iso-8859-1") != std::string::npos);
  }
  CHECK(gateway.post(kTranslations, "application/json", "{}", kAe).status == 415);
}

TEST_CASE_FIXTURE(Fixture, "what the head refuses is refused before the message is read") {
  const std::string file = export_file(kMany);
  CHECK(gateway.post(kMessages, kCsv, file, kLd).status == 403);
  CHECK(gateway.post("/v1/adapters/de-xx-nichts/messages", kCsv, file, kAe).status == 404);
  CHECK(gateway.post(kMessages, "application/xml", file, kAe).status == 415);
  CHECK(send(file, {{"idempotency-key", "\"k\""}}).status == 400);
  CHECK(gateway.ledger_size() == 0);
}
