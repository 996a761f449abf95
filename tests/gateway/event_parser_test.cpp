// The one parser of status events: all forms give the same event, and every rule its refusal.
#include "gateway/intake/event_parser.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/gateway/details_examples.h"

using namespace flora;
using namespace flora::intake;
using Json = nlohmann::json;

namespace {

Catalogue read_catalogue() {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = Catalogue::parse(text.str(), "statuses.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return std::move(*parsed);
}

struct Fixture {
  Fixture() : catalogue(read_catalogue()), document(load()), parser(make()) {}

  static openapi::Document load() {
    auto loaded = openapi::Document::load();
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    return std::move(*loaded);
  }

  EventParser make() const {
    auto made = EventParser::make(document, catalogue);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return std::move(*made);
  }

  ParsedEvent parsed(const Json& event) const { return expect(parser.parse(event.dump())); }

  Problem refused(const Json& event) const {
    const std::string text = event.dump();
    const ParseResult result = parser.parse(text);
    CAPTURE(text);
    REQUIRE(std::holds_alternative<Problem>(result));
    return std::get<Problem>(result);
  }

  static ParsedEvent expect(const ParseResult& result) {
    if (const auto* problem = std::get_if<Problem>(&result)) {
      std::string text;
      append_json(text, *problem);
      FAIL(text);
    }
    return std::get<ParsedEvent>(result);
  }

  Catalogue catalogue;
  openapi::Document document;
  EventParser parser;
};

/// An event with every member but references.
Json full() {
  return Json::parse(R"({
    "id": "e-4711", "source": "urn:example:land-system", "status": "AVB_TERMIN_GEPLANT",
    "regime": "GEAS", "occurredAt": "2026-11-03T09:15:30.123+01:00", "sourceSequence": 7,
    "procedure": {"identifiers": [{"type": "AZR_NUMMER", "value": "2608 1512 3456"},
                                  {"type": "BAMF_AKTENZEICHEN", "value": "1234567-475"}]},
    "reporter": {"authority": "000250", "land": "DE-NI", "role": "AE"}, "site": "MUSTERSTADT",
    "details": {"terminUm": "2026-11-20T09:30:00.000Z", "stufe": 2}})");
}

/// The same event as a CloudEvent in structured mode.
Json cloud_event(Json event) {
  Json envelope = {{"specversion", "1.0"}, {"type", "de.bamf.flora.status-event.v1"},
                   {"id", event["id"]},    {"source", event["source"]},
                   {"subject", "ignored"}, {"partitionkey", "an attribute that is not known"}};
  if (event.contains("occurredAt")) envelope["time"] = event["occurredAt"];
  for (const char* name : {"id", "source", "occurredAt"}) event.erase(name);
  envelope["data"] = std::move(event);
  return envelope;
}

const ProblemCause& only_cause(const Problem& problem) {
  REQUIRE(problem.causes.size() == 1);
  return problem.causes.front();
}

struct Refusal {
  const char* what;
  Json change;  // A merge patch of the full event (RFC 7396).
  const char* problem;
  const char* pointer;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "every form of an event gives the same fingerprint") {
  for (const bool day : {false, true}) {
    Json event = full();
    if (day) {
      event.erase("occurredAt");
      event["occurredOn"] = "2026-11-03";
    }
    const std::string expected = fingerprint_text(parsed(event).event);
    const Json structured = cloud_event(event);
    CHECK(fingerprint_text(expect(parser.parse_cloud_event(structured.dump())).event) == expected);

    const std::string batch = Json::array({structured, structured}).dump();
    flora::json::Document parsed_batch;
    REQUIRE(parsed_batch.parse(batch));
    for (auto one = parsed_batch.root().first(); one.valid(); one = one.next()) {
      CHECK(fingerprint_text(expect(parser.parse_cloud_event(one)).event) == expected);
    }

    Envelope envelope{"e-4711", "urn:example:land-system", std::nullopt};
    if (!day) envelope.time = "2026-11-03T08:15:30.123Z";
    const std::string data = structured["data"].dump();
    CHECK(fingerprint_text(expect(parser.parse_data(data, envelope)).event) == expected);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "order, white space and the writing of identifiers change no fingerprint") {
  const std::string expected = fingerprint_text(parsed(full()).event);
  CHECK(fingerprint_text(expect(parser.parse(full().dump(3))).event) == expected);
  Json event = full();
  event["procedure"] = Json::parse(
      R"({"identifiers": [{"value": "1234567", "type": "BAMF_AKTENZEICHEN"},
                          {"value": "260815123456", "type": "AZR_NUMMER"}]})");
  CHECK(fingerprint_text(parsed(event).event) == expected);
  event["reporter"].erase("role");
  CHECK(fingerprint_text(parsed(event).event) == expected);
}

TEST_CASE_FIXTURE(Fixture, "each member that is recorded changes the fingerprint") {
  const std::string expected = fingerprint_text(parsed(full()).event);
  const Json changes = Json::parse(R"([
    {"id": "e-4712"}, {"source": "urn:example:other"},
    {"status": "AVB_ABGESCHLOSSEN", "details": {"terminUm": null}}, {"regime": "ALT"},
    {"regime": null}, {"occurredAt": "2026-11-03T09:15:30.124+01:00"},
    {"occurredAt": null, "occurredOn": "2026-11-03"}, {"sourceSequence": 8},
    {"sourceSequence": null},
    {"procedure": {"identifiers": [{"type": "AZR_NUMMER", "value": "260815123456"}]}},
    {"procedure": {"identifiers": null, "procedureId": "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"}},
    {"reporter": {"authority": "000160"}}, {"site": null}, {"details": {"stufe": 1}},
    {"corrects": {"transactionId": "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"}},
    {"corrects": {"source": "urn:example:land-system", "id": "e-1"}},
    {"revokes": {"source": "urn:example:land-system", "id": "e-1"}, "details": null},
    {"status": "VERFAHREN_ZUSAMMENGEFUEHRT", "details": null,
     "mergedInto": {"procedureId": "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"}}])");
  std::set<std::string> seen = {expected};
  for (const Json& change : changes) {
    Json event = full();
    event.merge_patch(change);
    seen.insert(fingerprint_text(parsed(event).event));
  }
  CHECK(seen.size() == changes.size() + 1);
}

TEST_CASE_FIXTURE(Fixture, "a parsed event holds what was sent") {
  const ParsedEvent one = parsed(full());
  CHECK(one.event.identity.id == "e-4711");
  CHECK(one.event.identity.source == "urn:example:land-system");
  CHECK(one.status == catalogue.find("AVB_TERMIN_GEPLANT"));
  CHECK(std::get<Instant>(one.event.occurred) == *parse_instant("2026-11-03T08:15:30.123Z"));
  CHECK(one.event.source_sequence == 7);
  CHECK(one.event.procedure.identifiers ==
        std::vector<Identifier>{{IdentifierType::azr_nummer, "260815123456"},
                                {IdentifierType::bamf_aktenzeichen, "1234567"}});
  CHECK(one.event.procedure.written == std::vector<std::string>{"2608 1512 3456", "1234567-475"});
  CHECK(one.event.details == R"({"stufe":2,"terminUm":"2026-11-20T09:30:00.000Z"})");
  CHECK(one.claim.authority == "000250");
  CHECK(one.claim.land == "DE-NI");
  CHECK(one.claim.role == "AE");
  CHECK(one.claim.site == "MUSTERSTADT");
  CHECK_FALSE(one.event.test);
}

TEST_CASE_FIXTURE(Fixture, "a broken rule is named with its place") {
  const Json by_id = {{"procedureId", "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"}};
  const Json reference = {{"source", "urn:example:land-system"}, {"id", "e-1"}};
  const std::vector<Refusal> cases = {
      {"no time", {{"occurredAt", nullptr}}, "validation-failed", ""},
      {"two times", {{"occurredOn", "2026-11-03"}}, "validation-failed", ""},
      {"no offset", {{"occurredAt", "2026-11-03T08:15:30"}}, "validation-failed", "/occurredAt"},
      {"no such day",
       {{"occurredAt", nullptr}, {"occurredOn", "2026-02-30"}},
       "validation-failed",
       "/occurredOn"},
      {"a leap second",
       {{"occurredAt", "2026-12-31T23:59:60Z"}},
       "validation-failed",
       "/occurredAt"},
      {"corrects and revokes",
       {{"corrects", reference}, {"revokes", reference}, {"details", nullptr}},
       "validation-failed",
       "/revokes"},
      {"a merge without target",
       {{"status", "VERFAHREN_ZUSAMMENGEFUEHRT"}, {"details", nullptr}},
       "validation-failed",
       "/mergedInto"},
      {"a target without merge", {{"mergedInto", by_id}}, "validation-failed", "/mergedInto"},
      {"a revoked merge with target",
       {{"status", "VERFAHREN_ZUSAMMENGEFUEHRT"},
        {"details", nullptr},
        {"revokes", reference},
        {"mergedInto", by_id}},
       "validation-failed",
       "/mergedInto"},
      {"a revocation with details", {{"revokes", reference}}, "validation-failed", "/details"},
      {"no details where some are needed", {{"details", nullptr}}, "validation-failed", "/details"},
      {"details of another status",
       {{"status", "ANHOERUNG_ERFOLGT"}},
       "validation-failed",
       "/details"},
      {"an unknown status", {{"status", "ERFUNDEN"}}, "validation-failed", "/status"},
      {"an unknown member", {{"geheim", "Mustermann"}}, "validation-failed", ""},
      {"a sequence out of bounds",
       {{"sourceSequence", 10000}},
       "validation-failed",
       "/sourceSequence"},
      {"an empty id", {{"id", ""}}, "validation-failed", "/id"},
      {"a control character", {{"id", "e\u0007"}}, "validation-failed", "/id"},
      {"an authority of five digits",
       {{"reporter", {{"authority", "00025"}}}},
       "validation-failed",
       "/reporter/authority"},
      {"a malformed identifier", Json::parse(R"({"procedure":{"identifiers":[{"type":"AZR_NUMMER",
                       "value":"12-Mustermann"}]}})"),
       "identifier-malformed", "/procedure/identifiers/0/value"},
      {"a malformed identifier of the target",
       Json::parse(R"({"status":"VERFAHREN_ZUSAMMENGEFUEHRT","details":null,"mergedInto":
                       {"identifiers":[{"type":"AZR_NUMMER","value":"260815123456"},
                                       {"type":"EURODAC_NUMMER","value":"Mustermann"}]}})"),
       "identifier-malformed", "/mergedInto/identifiers/1/value"},
  };
  for (const Refusal& one : cases) {
    CAPTURE(one.what);
    Json event = full();
    event.merge_patch(one.change);
    const Problem problem = refused(event);
    CHECK(problem.name == one.problem);
    const bool named = std::ranges::any_of(problem.causes, [&](const ProblemCause& cause) {
      return cause.has_pointer && cause.pointer.starts_with(one.pointer) && !cause.detail.empty();
    });
    std::string text;
    append_json(text, problem);
    CHECK_MESSAGE(named, text);
    for (const char* value : {"Mustermann", "ERFUNDEN", "e-4711", "land-system", "260815123456",
                              "2608 1512", "1234567", "00025", "2026-02-30", "23:59:60"}) {
      CHECK_MESSAGE(text.find(value) == std::string::npos, text);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "in a CloudEvent places are told from its own root") {
  Json event = full();
  event["details"] = {{"stufe", 3}};
  const ParseResult result = parser.parse_cloud_event(cloud_event(event).dump());
  REQUIRE(std::holds_alternative<Problem>(result));
  for (const ProblemCause& cause : std::get<Problem>(result).causes) {
    CHECK(cause.pointer.starts_with("/data/details"));
  }
  Json envelope = cloud_event(full());
  envelope.erase("time");
  const ParseResult without_time = parser.parse_cloud_event(envelope.dump());
  REQUIRE(std::holds_alternative<Problem>(without_time));
  CHECK(only_cause(std::get<Problem>(without_time)).pointer == "/data");
}

TEST_CASE_FIXTURE(Fixture, "what the envelope says may not be repeated in the data") {
  for (const char* name : {"id", "source", "occurredAt"}) {
    CAPTURE(name);
    Json envelope = cloud_event(full());
    envelope["data"][name] = full()[name];
    CHECK(std::holds_alternative<Problem>(parser.parse_cloud_event(envelope.dump())));
    const Envelope binary{"e-4711", "urn:example:land-system", "2026-11-03T08:15:30.123Z"};
    CHECK(std::holds_alternative<Problem>(parser.parse_data(envelope["data"].dump(), binary)));
  }
}

TEST_CASE_FIXTURE(Fixture, "a CloudEvent of another version or type is refused") {
  for (const char* name : {"specversion", "type", "id", "source", "data"}) {
    CAPTURE(name);
    Json envelope = cloud_event(full());
    envelope.erase(name);
    CHECK(std::holds_alternative<Problem>(parser.parse_cloud_event(envelope.dump())));
    envelope[name] = "0.3";
    const bool free = std::string_view(name) == "id" || std::string_view(name) == "source";
    CHECK(std::holds_alternative<Problem>(parser.parse_cloud_event(envelope.dump())) != free);
  }
}

TEST_CASE_FIXTURE(Fixture, "a day in the data counts, not the envelope's time") {
  Json envelope = cloud_event(full());
  envelope["data"]["occurredOn"] = "2026-11-02";
  const ParsedEvent one = expect(parser.parse_cloud_event(envelope.dump()));
  CHECK(std::get<Day>(one.event.occurred) == *parse_day("2026-11-02"));
}

TEST_CASE_FIXTURE(Fixture, "the details of each status are held to its own schema") {
  for (const auto& [name, examples] : details_examples()) {
    const std::string& status = name;
    CAPTURE(status);
    for (const std::string& details : examples) {
      Json event = full();
      event["status"] = status;
      event.erase("details");
      if (!details.empty()) event["details"] = Json::parse(details);
      if (status == "VERFAHREN_ZUSAMMENGEFUEHRT") event["mergedInto"] = event["procedure"];
      CHECK(parsed(event).event.details == details);
      event["details"]["text"] = "Mustermann";
      CHECK(refused(event).name == "validation-failed");
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "references, revocations and merges are read") {
  Json event = full();
  event["corrects"] = {{"transactionId", "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"}};
  CHECK(std::get<Uuid>(*parsed(event).event.corrects) ==
        *parse_uuid("019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"));
  event.erase("corrects");
  event.erase("details");
  event["revokes"] = {{"source", "s"}, {"id", "e-1"}};
  CHECK(std::get<SenderIdentity>(*parsed(event).event.revokes).id == "e-1");
  event["status"] = "VERFAHREN_ZUSAMMENGEFUEHRT";
  CHECK_FALSE(parsed(event).event.merged_into);
  event.erase("revokes");
  event["mergedInto"] = {{"procedureId", "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"}};
  CHECK(parsed(event).event.merged_into->pseudonym ==
        *parse_uuid("5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"));
  event["test"] = true;
  CHECK(parsed(event).event.test);
}

TEST_CASE_FIXTURE(Fixture, "a text that is no JSON is refused with line and column") {
  for (const auto& [sent, line, column] : std::vector<std::tuple<const char*, int, int>>{
           {"{\n  \"id\": }", 2, 9}, {"", 1, 1}, {"{} x", 1, 4}}) {
    const std::string text = sent;
    CAPTURE(text);
    const ParseResult result = parser.parse(text);
    REQUIRE(std::holds_alternative<Problem>(result));
    const Problem& problem = std::get<Problem>(result);
    CHECK(problem.name == "malformed-json");
    CHECK(only_cause(problem).line == line);
    CHECK(only_cause(problem).column == column);
  }
}

TEST_CASE_FIXTURE(Fixture, "a search holds identifiers in normal form") {
  const auto good =
      parser.parse_search(R"({"identifiers":[{"type":"ANKUNFTSNACHWEIS","value":"a1234567"}]})");
  REQUIRE(std::holds_alternative<std::vector<Identifier>>(good));
  CHECK(std::get<std::vector<Identifier>>(good).front().value == "A 1234567");
  const auto bad =
      parser.parse_search(R"({"identifiers":[{"type":"AZR_NUMMER","value":"Mustermann"}]})");
  REQUIRE(std::holds_alternative<Problem>(bad));
  CHECK(std::get<Problem>(bad).name == "identifier-malformed");
  CHECK(only_cause(std::get<Problem>(bad)).pointer == "/identifiers/0/value");
  CHECK(std::holds_alternative<Problem>(parser.parse_search(R"({"identifiers":[]})")));
  CHECK(std::holds_alternative<Problem>(parser.parse_search("{")));
}

TEST_CASE_FIXTURE(Fixture, "a catalogue with other statuses than the document is refused by name") {
  const auto other = Catalogue::parse(
      "version: 2026-11\nstatuses:\n  - {name: ERFUNDEN, label: {de: a, en: a}, subprocess: I, "
      "reporters: [AE], details: DetailsNone}\n",
      "x.yaml");
  REQUIRE(other.has_value());
  const auto made = EventParser::make(document, *other);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message.find("ERFUNDEN") != std::string::npos);
  CHECK(made.error().message.find("ANHOERUNG_ERFOLGT") != std::string::npos);
}
