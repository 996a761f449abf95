// The schema validator: what it tells, and that it tells no value.
#include "openapi/schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "openapi/document.h"
#include "openapi/formats.h"

namespace flora::openapi {
namespace {

Schema compile(std::string_view text) {
  const auto root = yaml::parse(text, "s.yaml");
  REQUIRE_MESSAGE(root.has_value(), root.error().message);
  const auto schema = Schema::compile(*root, "#", "s.yaml");
  REQUIRE_MESSAGE(schema.has_value(), schema.error().message);
  return *schema;
}

std::string compile_error(std::string_view text) {
  const auto root = yaml::parse(text, "s.yaml");
  REQUIRE(root.has_value());
  const auto schema = Schema::compile(*root, "#", "s.yaml");
  return schema ? "compiled" : schema.error().message;
}

std::vector<Violation> check(const Schema& schema, std::string_view text) {
  json::Document document;
  REQUIRE(document.parse(text));
  std::vector<Violation> out;
  const bool good = schema.validate(document.root(), out);
  CHECK(good == out.empty());
  return out;
}

Schema status_event() {
  static const auto document = Document::load();
  REQUIRE(document.has_value());
  return document->schema("#/components/schemas/StatusEvent").value();
}

const std::string kEvent =
    R"({"id":"e-1","source":"s","status":"BESCHEID_ERLASSEN","occurredOn":"2026-11-02",)"
    R"("procedure":{"identifiers":[{"type":"AZR_NUMMER","value":"991231000011"}]},)"
    R"("reporter":{"authority":"000250"},"details":{"entscheidung":{"list":)"
    R"("urn:xoev-de:xauslaender:codeliste:asyl.entscheidungssachverhalt","version":"1","code":"05"}}})";

std::string with(std::string_view from, std::string_view to) {
  std::string text = kEvent;
  text.replace(text.find(from), from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("a good event passes") { CHECK(check(status_event(), kEvent).empty()); }

TEST_CASE("a violation names its place and rule") {
  const auto missing = check(status_event(), with("\"source\":\"s\",", ""));
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].pointer.empty());
  CHECK(missing[0].rule == "required");
  CHECK(missing[0].detail == "The member `source` is missing.");
  const auto unknown = check(status_event(), with("\"id\":\"e-1\"", "\"id\":\"e-1\",\"name\":1"));
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].rule == "additionalProperties");
  CHECK(unknown[0].detail == "The member `name` is not known here.");
  const auto authority = check(status_event(), with("000250", "25"));
  REQUIRE(authority.size() == 1);
  CHECK(authority[0].pointer == "/reporter/authority");
  CHECK(authority[0].rule == "pattern");
}

TEST_CASE("exactly one of instant and day is there") {
  const auto both =
      check(status_event(),
            with("\"occurredOn\"", "\"occurredAt\":\"2026-11-02T10:00:00Z\",\"occurredOn\""));
  REQUIRE(both.size() == 1);
  CHECK(both[0].rule == "oneOf");
  CHECK(check(status_event(), with("\"occurredOn\":\"2026-11-02\",", "")).size() >= 1);
}

TEST_CASE("a code of another list is refused, and the nearest form explains why") {
  const auto violations = check(status_event(), with("\"code\":\"05\"", "\"code\":\"14\""));
  REQUIRE_FALSE(violations.empty());
  CHECK(violations[0].rule == "anyOf");
  const bool named = std::ranges::any_of(violations, [](const Violation& v) {
    return v.pointer == "/details/entscheidung/code" && v.rule == "enum";
  });
  CHECK(named);
}

TEST_CASE("no violation holds a value") {
  const auto violations = check(status_event(), with("2026-11-02", "2.1.26 Mü"));
  REQUIRE(violations.size() == 1);
  CHECK(violations[0].detail.find("`9.9.99 Aa`") != std::string::npos);
  CHECK(violations[0].detail.find("26") == std::string::npos);
  const auto member =
      check(status_event(), with("\"id\":\"e-1\"", "\"id\":\"e-1\",\"991231000011\":1"));
  CHECK(member[0].detail.find("991231000011") == std::string::npos);
}

TEST_CASE("a shape shows kinds of characters only") {
  CHECK(shape_of("DE1 2ab-Ü") == "AA9 9aa-a");
  CHECK(shape_of("\x01`") == "??");
  CHECK(shape_of(std::string(41, '1')).empty());
}

TEST_CASE("the number of violations is bounded") {
  const Schema schema = compile("{type: array, items: {type: string}}");
  std::string text = "[0";
  for (int i = 0; i < 100; ++i) text += ",0";
  json::Document document;
  REQUIRE(document.parse(text + "]"));
  std::vector<Violation> out;
  CHECK_FALSE(schema.validate(document.root(), out, 5));
  CHECK(out.size() == 5);
}

TEST_CASE("the text of a parameter is read as the type that the schema names") {
  const auto good = [](const Schema& schema, std::string_view text) {
    std::vector<Violation> out;
    return schema.validate_text(text, out);
  };
  const Schema number = compile("{type: integer, minimum: 0, maximum: 63}");
  for (const char* text : {"0", "63", "7"}) CHECK(good(number, text));
  for (const char* text :
       {"", "64", "-1", "07", "+7", "7 ", "7.0", "1e1", "0x7", "99999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(good(number, text));
  }
  const Schema flag = compile("{type: boolean}");
  CHECK(good(flag, "true"));
  CHECK_FALSE(good(flag, "True"));
  const Schema text = compile("{type: string, enum: ['1.0', a\"b]}");
  CHECK(good(text, "1.0"));
  CHECK(good(text, "a\"b"));
  CHECK_FALSE(good(text, "\"1.0\""));
  CHECK_FALSE(good(compile("{type: string}"), "\xff"));
}

TEST_CASE("what the subset does not know refuses to compile, with its place") {
  for (const char* keyword :
       {"not: {}", "if: {}", "patternProperties: {}", "minProperties: 1", "multipleOf: 2",
        "exclusiveMinimum: 1", "contains: {}", "prefixItems: []", "$dynamicRef: '#a'", "typo: 1"}) {
    const std::string message = compile_error(std::string("type: object\n") + keyword + "\n");
    INFO(message);
    CHECK(message.starts_with("s.yaml:2:1: the schema keyword `"));
  }
}

TEST_CASE("contradictions refuse to compile") {
  for (const char* text : {"{type: string, minLength: 3, maxLength: 2}",
                           "{minItems: 2, maxItems: 1}",
                           "{minimum: 2, maximum: 1}",
                           "{type: object, additionalProperties: false, required: [a]}",
                           "{required: [a, a]}",
                           "{enum: []}",
                           "{enum: [{a: 1}]}",
                           "{const: 1, enum: [1]}",
                           "{pattern: '('}",
                           "{pattern: '(?=a)'}",
                           "{type: thing}",
                           "{type: [string, integer]}",
                           "{type: ['null', string]}",
                           "{minLength: -1}",
                           "{minLength: x}",
                           "{maximum: x}",
                           "{additionalProperties: {}}",
                           "{uniqueItems: true}",
                           "{items: 3}",
                           "{oneOf: []}",
                           "{$ref: '#'}",
                           "{$ref: '#/nowhere'}",
                           "{properties: {a: {$ref: '#'}}}",
                           "{$ref: '#/a', type: string}",
                           "[]"}) {
    INFO(text);
    const std::string message = compile_error(text);
    CHECK(message.starts_with("s.yaml:"));
  }
}

TEST_CASE("formats are strict") {
  for (const char* day : {"2024-02-29", "0000-01-01", "9999-12-31", "2000-02-29"})
    CHECK(is_date(day));
  for (const char* day : {"2023-02-29", "1900-02-29", "2024-00-01", "2024-13-01", "2024-01-00",
                          "2024-04-31", "2024-1-1", "20240101", "2024-01-01 ", "", "２024-01-01"}) {
    CHECK_FALSE(is_date(day));
  }
  for (const char* instant : {"2026-11-03T08:15:30Z", "2026-11-03T08:15:30.1Z",
                              "2026-11-03T08:15:30.123456789+01:00", "2026-11-03T23:59:59-23:59"}) {
    CHECK(is_date_time(instant));
  }
  for (const char* instant :
       {"2026-11-03T08:15:30", "2026-11-03 08:15:30Z", "2026-11-03t08:15:30z",
        "2026-11-03T24:00:00Z", "2026-11-03T08:60:00Z", "2026-11-03T08:15:60Z",
        "2026-11-03T08:15:30.Z", "2026-11-03T08:15Z", "2026-11-03T08:15:30.1234567890Z",
        "2026-11-03T08:15:30+0100", "2026-11-03T08:15:30+24:00", "2026-11-03T08:15:30Zx",
        "2026-02-29T08:15:30Z"}) {
    INFO(instant);
    CHECK_FALSE(is_date_time(instant));
  }
  CHECK(is_uuid("019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"));
  CHECK(is_uuid("019A4F5E-7C2B-7A31-8F00-1D2C3B4A5968"));
  for (const char* id :
       {"", "019a4f5e7c2b7a318f001d2c3b4a5968", "019a4f5e-7c2b-7a31-8f00-1d2c3b4a596g",
        "{019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968}", "019a4f5e-7c2b-7a31-8f001-d2c3b4a5968"}) {
    CHECK_FALSE(is_uuid(id));
  }
}

}  // namespace flora::openapi
