// Native messages through the adapter of Lower Saxony, with the bundle's own fixtures.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr const char* kAdapter = "/v1/adapters/de-ni-xauslaender";
constexpr const char* kXml = "application/xml";

Response send_message(Gateway& gateway, const std::string& fixture, const char* authority,
                      Headers headers = {}) {
  return gateway.post(std::string(kAdapter) + "/messages", kXml, fixture_message(fixture),
                      authority, std::move(headers));
}

Response translate(Gateway& gateway, const std::string& fixture, const char* authority) {
  return gateway.post(std::string(kAdapter) + "/translations", kXml, fixture_message(fixture),
                      authority);
}

}  // namespace

TEST_CASE("a message of two persons becomes two committed transactions") {
  Gateway gateway;
  const Response response = send_message(gateway, "accepted/111207-two-persons.xml", kAe);
  REQUIRE(response.status == 200);
  const Json items = response.json()["items"];
  REQUIRE(items.size() == 2);
  for (const Json& item : items) {
    CHECK(item["status"] == 201);
    const Json entry = Json::parse(item["submission"]["receipt"]["entry"].get<std::string>());
    CHECK(entry["status"] == "NICHT_ERSCHIENEN_AE");
    CHECK(entry["adapter"]["id"] == "de-ni-xauslaender");
    CHECK(entry["authority"] == kAe);
  }
  CHECK(items[0]["submission"]["procedureId"] != items[1]["submission"]["procedureId"]);

  const Json again = send_message(gateway, "accepted/111207-two-persons.xml", kAe).json()["items"];
  for (std::size_t i = 0; i < again.size(); ++i) {
    CHECK(again[i]["status"] == 200);
    CHECK(again[i]["submission"]["receipt"] == items[i]["submission"]["receipt"]);
  }
  CHECK(gateway.ledger_size() == 2);
}

TEST_CASE("receipts can be left out, and answers be early") {
  Gateway gateway;
  const Response minimal =
      send_message(gateway, "accepted/111207-two-persons.xml", kAe, {{"prefer", "return=minimal"}});
  CHECK(minimal.header("preference-applied") == "return=minimal");
  CHECK_FALSE(minimal.json()["items"][0]["submission"].contains("receipt"));
  const Response early =
      send_message(gateway, "accepted/111209-moved-away.xml", kAe, {{"prefer", "respond-async"}});
  CHECK(early.json()["items"][0]["status"] == 202);
}

TEST_CASE("a bad item does not hold back the others") {
  Gateway gateway;
  const Json items =
      send_message(gateway, "rejected/item-malformed-azr.xml", kBamf).json()["items"];
  REQUIRE(items.size() >= 2);
  CHECK(items[0]["status"] == 201);
  CHECK(items[1]["status"] == 422);
  CHECK(items[1]["problem"]["type"] == "/problems/message-rejected");
  CHECK(items[1]["problem"]["errors"][0]["line"] == 42);
  CHECK(items[1]["problem"]["errors"][0]["column"] == 5);
}

TEST_CASE("a message that changes no status is skipped with its reason") {
  Gateway gateway;
  const Json items =
      send_message(gateway, "skipped/110607-transfer-confirmed.xml", kBamf).json()["items"];
  REQUIRE(items.size() == 1);
  CHECK(items[0]["status"] == 200);
  CHECK(items[0]["skipped"][0]["code"] == "no-canonical-status");
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("a message with the sender's test mark is answered and never committed") {
  Gateway gateway;
  const Json items = send_message(gateway, "accepted/111211-test.xml", kAe).json()["items"];
  REQUIRE(items.size() == 1);
  CHECK(items[0]["submission"] == Json{{"committed", false}});
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("a message that cannot be read is refused with line and column") {
  Gateway gateway;
  for (const char* fixture :
       {"rejected/xml-doctype.xml", "rejected/xml-mismatched-tag.xml", "rejected/xml-too-deep.xml",
        "rejected/message-unknown-number.xml", "rejected/message-without-person.xml"}) {
    CAPTURE(fixture);
    for (const Response& response :
         {send_message(gateway, fixture, kBamf), translate(gateway, fixture, kBamf)}) {
      CHECK(response.status == 422);
      CHECK(response.problem() == "message-rejected");
      CHECK(response.json()["errors"][0]["line"].get<int>() >= 1);
    }
  }
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("each fixture is answered as the document says, committed or dry") {
  Gateway gateway;
  for (const char* kind : {"accepted", "rejected", "skipped"}) {
    for (const std::string& fixture : fixture_names(kind)) {
      CAPTURE(fixture);
      for (const char* authority : {kAe, kAbh, kBamf}) {
        const Response sent = send_message(gateway, fixture, authority);
        CHECK((sent.status == 200 || sent.status == 422));
        const Response dry = translate(gateway, fixture, authority);
        CHECK(dry.status == sent.status);
        if (sent.status != 200) continue;
        CHECK(dry.json()["items"].size() == sent.json()["items"].size());
      }
    }
  }
}

TEST_CASE("a dry run stores nothing and shows events and issues") {
  Gateway gateway;
  const Response response = translate(gateway, "rejected/item-malformed-azr.xml", kBamf);
  REQUIRE(response.status == 200);
  const Json answer = response.json();
  CHECK(answer["adapter"]["id"] == "de-ni-xauslaender");
  CHECK(answer["items"][0]["outcome"] == "EVENT");
  CHECK(answer["items"][0]["event"]["status"] == "BESCHEID_ZUGESTELLT");
  CHECK(answer["items"][1]["outcome"] == "REJECTED");
  CHECK(answer["items"][1]["issues"][0]["code"] == "value-malformed");
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("an adapter is for its own Land and the BAMF") {
  Gateway gateway;
  for (const char* authority : {kLd, kOtherAbh, kOtherAe, kAuditor}) {
    CAPTURE(authority);
    for (const Response& response :
         {send_message(gateway, "accepted/111207-two-persons.xml", authority),
          translate(gateway, "accepted/111207-two-persons.xml", authority)}) {
      CHECK(response.status == 403);
      CHECK(response.problem() == "not-permitted");
    }
  }
  // The author of a message is its reporter: another authority of the Land may not send it.
  const Json items = send_message(gateway, "accepted/111207-two-persons.xml", kAbh).json()["items"];
  CHECK(std::ranges::all_of(items, [](const Json& item) { return item["status"] == 403; }));
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("what is no adapter, and what is not its media type") {
  Gateway gateway;
  const std::string message = fixture_message("accepted/111207-two-persons.xml");
  for (const char* path :
       {"/v1/adapters/de-xx-nichts/messages", "/v1/adapters/de-xx-nichts/translations"}) {
    CHECK(gateway.post(path, kXml, message, kAe).status == 404);
  }
  const std::string messages = std::string(kAdapter) + "/messages";
  const Response json = gateway.post(messages, "application/json", "{}", kAe);
  CHECK(json.status == 415);
  CHECK(json.header("accept").find(kXml) != std::string_view::npos);
  CHECK(gateway.post(messages, "text/xml; charset=utf-8", message, kAe).status == 200);
}

TEST_CASE("adapters are listed with their bundle") {
  Gateway gateway;
  const Json list = gateway.get("/v1/adapters", kLd).json();
  REQUIRE(list["adapters"].size() == 3);
  CHECK(list["adapters"][0]["format"] == "csv");
  CHECK(list["adapters"][2]["format"] == "json");
  const Json info = list["adapters"][1];
  CHECK(info["id"] == "de-ni-xauslaender");
  CHECK(info["land"] == "DE-NI");
  CHECK(info["hash"].get<std::string>().size() == 64);
  CHECK(gateway.get(kAdapter, kAuditor).json() == info);
  CHECK(gateway.get("/v1/adapters/de-xx-nichts", kAe).status == 404);
}

TEST_CASE("two events of one message that the sender calls the same are a conflict, not a repeat") {
  Gateway gateway;
  const std::string message =
      R"({"nachricht":"statushistorie","version":"2","absender":{"behoerde":"999904"},"vorgang":)"
      R"({"nummer":"LDS-2026-17","kennungen":[{"art":"AZR","wert":"990101000111"}],"historie":[)"
      R"({"lfdNr":1,"status":"REG","am":"02.11.2026"},)"
      R"({"lfdNr":1,"status":"AVB-ANG","am":"03.11.2026","stufe":1}]}})";
  const auto send = [&] {
    return gateway.post("/v1/adapters/de-sn-assist/messages", "application/json", message, "999904")
        .json()["items"];
  };
  const Json first = send();
  CHECK(first[0]["status"] == 201);
  CHECK(first[1]["status"] == 409);
  const Json again = send();
  CHECK(again[0]["status"] == 200);
  CHECK(again[1]["status"] == 409);
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("the same record under another header is another record") {
  Gateway gateway;
  const auto send = [&](const std::string& days, const std::string& record) {
    const std::string file = "Vorgang;Aktenzeichen;AZR-Nummer;Beh\xF6rde;" + days +
                             ";Abgangsart;Ziel-Land;Ziel-Beh\xF6rde;Bemerkung\n" + record +
                             "SUMME;1;;;;;;;;\n";
    return gateway.post("/v1/adapters/de-bb-export/messages", "text/csv", file, "999906")
        .json()["items"];
  };
  const std::string record =
      "EH-2026-1;;990101000011;999906;02.11.2026;16.11.2026;unbekannt verzogen;;;\n";
  const Json first = send("Zugang am;Abgang am", record);
  REQUIRE(first.size() == 2);
  for (const Json& item : first) CHECK(item["status"] == 201);
  for (const Json& item : send("Zugang am;Abgang am", record)) CHECK(item["status"] == 200);
  for (const Json& item : send("Abgang am;Zugang am", record)) CHECK(item["status"] == 409);
}
