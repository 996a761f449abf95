// The functions of `do`, each with good, malformed and boundary values, and what the compiler says
// of wrong arguments. The program counts allocations: a call makes none once its buffers have
// grown.
#include "adapters/engine/functions.h"

#include <doctest/doctest.h>

#include <set>

#include "adapters/engine/time_zone.h"
#include "tests/counted_allocations.h"

namespace flora::adapter {
namespace {

// A bundle whose let is made by `calls`, which begin in line 4, column 30.
BundleFiles bundle_with(const std::string& calls) {
  BundleFiles files;
  files.adapter_yaml =
      R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
maps: { words: { file: words.map.csv } }
let: { x: { from: "@x", do: [)yaml" +
      calls + R"yaml(] } }
event:
  set:
    id: { concat: "${x}:${word}" }
    source: { const: "test" }
    status: { const: "ANKUNFT_AE" }
    occurredOn: { from: "@day", do: [ date ] }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { from: "@azr" } } ]
    reporter.authority: { const: "000250" }
messages:
  - root: "m"
    let: { word: { from: "@word", do: [ { map: words } ] } }
    events: [ { set: { test: { from: "@test", do: [ boolean ] } } } ]
)yaml";
  files.code_lists["words.map.csv"] = "source;target;comment\nA;1;\n";
  return files;
}

std::unique_ptr<Plan> plan_with(const std::string& calls) {
  auto plan = compile(bundle_with(calls), nullptr);
  REQUIRE_MESSAGE(plan, calls << "\n" << (plan ? "" : plan.error().message));
  return std::move(*plan);
}

const std::vector<Call>& calls_of(const Plan& plan) {
  const MessagePlan& message = plan.messages.front();
  for (const Let& let : message.lets) {
    if (let.name == "x") return message.expressions[static_cast<std::size_t>(let.expression)].calls;
  }
  std::abort();
}

// What the calls make of `text`, by way of one scratch.
Trouble run(const Plan& plan, std::string_view& text, Scratch& scratch) {
  for (const Call& call : calls_of(plan)) {
    const Trouble trouble = call.function == Function::map
                                ? look_up(plan.maps[call.number], {}, text)
                                : apply(call, text, scratch);
    if (trouble != Trouble::none) return trouble;
  }
  return Trouble::none;
}

std::string made(const std::string& calls, std::string_view text) {
  const std::unique_ptr<Plan> plan = plan_with(calls);
  Scratch scratch;
  switch (run(*plan, text, scratch)) {
    case Trouble::none:
      return std::string(text);
    case Trouble::absent:
      return "(absent)";
    case Trouble::malformed:
      return "(malformed)";
    default:
      return "(unmapped)";
  }
}

constexpr const char* kMalformed = "(malformed)";

struct Case {
  std::string calls;
  std::string text;
  std::string result;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.calls);
    CAPTURE(c.text);
    CHECK(made(c.calls, c.text) == c.result);
  }
}

std::string local(const std::string& zone, const std::string& policies, const std::string& text) {
  return made(
      "{ local: { pattern: \"dd.MM.yyyy HH:mm:ss\", zone: \"" + zone + "\"" + policies + " } }",
      text);
}

std::string berlin(const std::string& policies, const std::string& text) {
  return local("Europe/Berlin", policies, text);
}

// The errors of the bundle whose let is made by `calls`.
std::string errors(const std::string& calls) {
  std::string out;
  for (const Finding& finding : examine(bundle_with(calls), nullptr).findings) {
    out += to_string(finding) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("texts are trimmed, cased and joined") {
  check({
      {"trim", " \t\r\n x  y \n", "x  y"},
      {"trim", "  ", ""},
      {"collapse_space", "  a \n\t b  c ", "a b c"},
      {"collapse_space", "a", "a"},
      {"collapse_space", " \n ", ""},
      {"upper", "a\u00E4z9", "A\u00E4Z9"},
      {"lower", "A\u00C4Z9", "a\u00C4z9"},
      {"{ prefix: \"p-\" }", "x", "p-x"},
      {"{ suffix: \"-s\" }", "x", "x-s"},
      {"{ prefix: \"p-\" }, { suffix: \"-s\" }, upper, { prefix: \"q-\" }", "x", "q-P-X-S"},
      {"{ strip_prefix: \"p-\" }", "p-p-x", "p-x"},
      {"{ strip_prefix: \"p-\" }", "P-x", kMalformed},
      {"{ strip_suffix: \"-s\" }", "x-s-s", "x-s"},
      {"{ strip_suffix: \"-s\" }", "x-s ", kMalformed},
      {"{ strip_suffix: \"-s\" }", "s", kMalformed},
      {"{ remove: \" -/\" }", "1-2/3 4", "1234"},
      {"{ remove: \"\u00E4\" }", "\u00E4\u00F6\u00E4", "\u00F6"},
      {"{ remove: \"a\" }", "aaa", ""},
      {"strip_country_suffix", "1234567-475", "1234567"},
      {"strip_country_suffix", "1234567-12", "1234567-12"},
      {"strip_country_suffix", "-475", "-475"},
  });
}

TEST_CASE("texts are cut by separators, and malformed without them") {
  check({
      {"{ before: \":\" }", "a:b:c", "a"},
      {"{ before: \":\" }", "abc", kMalformed},
      {"{ after: \":\" }", "a:b:c", "b:c"},
      {"{ after_last: \":\" }", "a:b:c", "c"},
      {"{ after_last: \":\" }", "abc", kMalformed},
      {"{ part: { by: \";\", number: 1 } }", "a;b;c", "a"},
      {"{ part: { by: \";\", number: 2 } }", "a;b;c", "b"},
      {"{ part: { by: \";\", number: 3 } }", "a;b;c", "c"},
      {"{ part: { by: \";\", number: 4 } }", "a;b;c", kMalformed},
      {"{ part: { by: \";\", number: -1 } }", "a;b;c", "c"},
      {"{ part: { by: \";\", number: -3 } }", "a;b;c", "a"},
      {"{ part: { by: \";\", number: -4 } }", "a;b;c", kMalformed},
      {"{ part: { by: \";\", number: 1 } }", "abc", "abc"},
      {"{ part: { by: \";\", number: -1 } }", "abc", "abc"},
      {"{ part: { by: \";\", number: 2 } }", "a;", ""},
      {"{ part: { by: \"--\", number: 2 } }", "a--b-c", "b-c"},
  });
}

TEST_CASE("lengths and places are counted in characters") {
  check({
      {"{ truncate: 2 }", "\u00E4\u00F6\u00FC", "\u00E4\u00F6"},
      {"{ truncate: 3 }", "\u00E4\u00F6\u00FC", "\u00E4\u00F6\u00FC"},
      {"{ truncate: 4 }", "\u00E4\u00F6\u00FC", "\u00E4\u00F6\u00FC"},
      {"{ max_length: 3 }", "\u00E4\u00F6\u00FC", "\u00E4\u00F6\u00FC"},
      {"{ max_length: 2 }", "\u00E4\u00F6\u00FC", kMalformed},
      {"{ substr: { at: 2, length: 2 } }", "a\u00F6\u00FCd", "\u00F6\u00FC"},
      {"{ substr: { at: 2 } }", "a\u00F6\u00FCd", "\u00F6\u00FCd"},
      {"{ substr: { at: 4, length: 9 } }", "a\u00F6\u00FCd", "d"},
      {"{ substr: { at: 5 } }", "a\u00F6\u00FCd", kMalformed},
      {"{ substr: { at: 1 } }", "", kMalformed},
      {"{ digits: 3 }", "007", "007"},
      {"{ digits: 3 }", "07", kMalformed},
      {"{ digits: 3 }", "0007", kMalformed},
      {"{ digits: 3 }", "0a7", kMalformed},
      {"{ digits: 3 }", "\u0661\u0662\u0663", kMalformed},
      {"{ digits: { from: 2, to: 3 } }", "12", "12"},
      {"{ digits: { from: 2, to: 3 } }", "123", "123"},
      {"{ digits: { from: 2, to: 3 } }", "1", kMalformed},
      {"{ digits: { from: 2, to: 3 } }", "1234", kMalformed},
  });
}

TEST_CASE("patterns match the whole text, replace in all places and capture one group") {
  check({
      {"{ matches: \"[0-9]+\" }", "12", "12"},
      {"{ matches: \"[0-9]+\" }", "12a", kMalformed},
      {"{ capture: \"AZ-([0-9]+)(?:/x)?\" }", "AZ-12/x", "12"},
      {"{ capture: \"AZ-([0-9]+)(?:/x)?\" }", " AZ-12", kMalformed},
      {"{ capture: \".*-([0-9]+)\" }", "a-1-2", "2"},
      {"{ capture: \"a(b)?\" }", "a", kMalformed},
      {"{ replace: { pattern: \"[ ]+\", with: \"_\" } }", " a  b ", "_a_b_"},
      {"{ replace: { pattern: \"x\", with: \"\" } }", "axbxx", "ab"},
      {"{ replace: { pattern: \"x\", with: \"y\" } }", "abc", "abc"},
      {"{ replace: { pattern: \"([a-z])([0-9])\", with: \"\\\\2\\\\1\" } }", "a1 b2", "1a 2b"},
      {"{ replace: { pattern: \"\\\\b([a-z])\", with: \"<\\\\1>\" } }", "ab cd", "<a>b <c>d"},
      {"{ replace: { pattern: \"b*\", with: \"-\" } }", "a\u00F6bb", "-a-\u00F6-"},
      {"{ replace: { pattern: \"^a\", with: \"b\" } }", "aaa", "baa"},
      {"{ replace: { pattern: \"$\", with: \"!\" } }", "a", "a!"},
      {"{ replace: { pattern: \"x*\", with: \"-\" } }", "", "-"},
  });
  const std::string rule = "{ replace: { pattern: \"a\", with: \"bbbb\" } }";
  CHECK(made(rule, std::string(1024, 'a')).size() == 4096);
  CHECK(made(rule, std::string(1025, 'a')) == kMalformed);
}

TEST_CASE("values of a list, and values that stand for none") {
  const std::string words = "[\"B\", \"A\", \"\"]";
  check({
      {"{ one_of: " + words + " }", "A", "A"},
      {"{ one_of: " + words + " }", "B", "B"},
      {"{ one_of: " + words + " }", "a", kMalformed},
      {"{ absent_if: [\"-\", \"entf\u00E4llt\"] }", "-", "(absent)"},
      {"{ absent_if: [\"-\", \"entf\u00E4llt\"] }", "entf\u00E4llt", "(absent)"},
      {"{ absent_if: [\"-\", \"entf\u00E4llt\"] }", "--", "--"},
      {"trim, { absent_if: [\"\"] }, date", "  ", "(absent)"},
      {"{ map: words }", "A", "1"},
      {"{ map: words }", "B", "(unmapped)"},
  });
}

TEST_CASE("identifiers have their exact form; a damaged key is refused, not mended") {
  check({
      {"uuid", " 9E8D7C6B-5A49-4001-8ABC-000000111207\n", "9e8d7c6b-5a49-4001-8abc-000000111207"},
      {"uuid", "9e8d7c6b-5a49-4001-8abc-00000011120", kMalformed},
      {"uuid", "9e8d7c6b-5a49-4001-8abc-00000011120g", kMalformed},
      {"uuid", "9e8d7c6b5a49-4001-8abc--000000111207", kMalformed},
      // RFC 9562, appendix A.4: the name in the namespace of DNS.
      {"{ uuid5: \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" }", "www.example.com",
       "2ed6657d-e927-568b-95e1-2665a8aea6a2"},
      {"{ uuid5: \"6BA7B810-9DAD-11D1-80B4-00C04FD430C8\" }", "www.example.com",
       "2ed6657d-e927-568b-95e1-2665a8aea6a2"},
      {"{ ags: DE-TH }", "16051000", "16051000"},
      {"{ ags: DE-TH }", " 16051000\n", "16051000"},
      {"{ ags: DE-TH }", "16", "16"},
      {"{ ags: DE-TH }", "160", "160"},
      {"{ ags: DE-TH }", "16051", "16051"},
      {"{ ags: DE-TH }", "1605", kMalformed},
      {"{ ags: DE-TH }", "1605100", kMalformed},
      {"{ ags: DE-TH }", "160510000", kMalformed},
      {"{ ags: DE-TH }", "15051000", kMalformed},
      {"{ ags: DE-TH }", "1605100a", kMalformed},
      {"{ ags: DE-TH }", "", kMalformed},
      {"{ ags: DE-SH }", "01001000", "01001000"},
      {"{ ags: DE-SH }", "1001000", kMalformed},
  });
}

TEST_CASE("numbers and truth values") {
  check({
      {"boolean", " true ", "true"},
      {"boolean", "0", "false"},
      {"boolean", "TRUE", kMalformed},
      {"integer", " +007 ", "7"},
      {"integer", "-2147483648", "-2147483648"},
      {"integer", "2147483647", "2147483647"},
      {"integer", "2147483648", kMalformed},
      {"integer", "1.0", kMalformed},
      {"integer", "+-5", kMalformed},
      {"integer", "", kMalformed},
      {"integer_de", "1.234", "1234"},
      {"integer_de", "-1.234.567", "-1234567"},
      {"integer_de", "+12.345", "12345"},
      {"integer_de", "1234567", "1234567"},
      {"integer_de", "2.147.483.647", "2147483647"},
      {"integer_de", "2.147.483.648", kMalformed},
      {"integer_de", "12.34", kMalformed},
      {"integer_de", "1234.567", kMalformed},
      {"integer_de", "1.234567", kMalformed},
      {"integer_de", "1.234.", kMalformed},
      {"integer_de", "1..234", kMalformed},
      {"integer_de", ".234", kMalformed},
      {"integer_de", "0.123", kMalformed},
      {"integer_de", "1,234", kMalformed},
      {"integer_de", "1.234,00", kMalformed},
      {"integer_de", "-", kMalformed},
      {"integer_de", "", kMalformed},
      {"integer_de", "111.111.111.111.111.111.111", kMalformed},
      {"integer_en", "1,234", "1234"},
      {"integer_en", "1.234", kMalformed},
      {"integer, { between: { least: 0, most: 9999 } }", "0", "0"},
      {"integer, { between: { least: 0, most: 9999 } }", "9999", "9999"},
      {"integer, { between: { least: 0, most: 9999 } }", "-1", kMalformed},
      {"integer, { between: { least: 0, most: 9999 } }", "10000", kMalformed},
      {"integer, { between: { least: -5 } }", "2147483647", "2147483647"},
      {"integer, { between: { least: -5 } }", "-6", kMalformed},
      {"integer, { between: { most: -5 } }", "-2147483648", "-2147483648"},
  });
}

TEST_CASE("days exist in the calendar") {
  const std::string german = "{ date: \"dd.MM.yyyy\" }";
  check({
      {"date", " 2026-11-09\n", "2026-11-09"},
      {"date", "2026-11-09Z", kMalformed},
      {german, "29.02.2024", "2024-02-29"},
      {german, "29.02.2000", "2000-02-29"},
      {german, "29.02.2023", kMalformed},
      {german, "29.02.1900", kMalformed},
      {german, "30.02.2024", kMalformed},
      {german, "31.04.2026", kMalformed},
      {german, "30.04.2026", "2026-04-30"},
      {german, "31.12.2026", "2026-12-31"},
      {german, "00.12.2026", kMalformed},
      {german, "01.13.2026", kMalformed},
      {german, "1.12.2026", kMalformed},
      {german, "01.12.26", kMalformed},
      {german, "01.12.2026 ", "2026-12-01"},
      {german, "01.12.20266", kMalformed},
      {"{ date: \"d.M.yyyy\" }", "9.1.2026", "2026-01-09"},
      {"{ date: \"d.M.yyyy\" }", "09.01.2026", "2026-01-09"},
      {"{ date: \"d.M.yyyy\" }", "009.01.2026", kMalformed},
      {"{ date: \"yyyyMMdd\" }", "20260109", "2026-01-09"},
      {"{ date: \"'am' d. M yyyy\" }", "am 9. 1 2026", "2026-01-09"},
      {"{ date: \"yyyy''MM'-''d'dd\" }", "2026'01-'d09", "2026-01-09"},
  });
}

TEST_CASE("a year of two digits is in the century that the pivot says") {
  const auto by = [](int pivot) {
    return "{ date: { pattern: \"dd.MM.yy\", pivot: " + std::to_string(pivot) + " } }";
  };
  check({
      {by(50), "01.02.49", "2049-02-01"},
      {by(50), "01.02.50", "1950-02-01"},
      {by(50), "01.02.00", "2000-02-01"},
      {by(50), "01.02.99", "1999-02-01"},
      {by(0), "01.02.00", "1900-02-01"},
      {by(100), "01.02.99", "2099-02-01"},
      {by(50), "29.02.00", "2000-02-29"},
      {by(0), "29.02.00", kMalformed},
      {by(50), "01.02.2049", kMalformed},
  });
}

TEST_CASE("times of day") {
  check({
      {"time", "14:05:59", "14:05"},
      {"time", " 14:05:00.25 ", "14:05"},
      {"time", "24:00:00", kMalformed},
      {"time", "14:05", kMalformed},
      {"time", "14:05:00Z", kMalformed},
      {"{ time: \"HH:mm\" }", "00:00", "00:00"},
      {"{ time: \"HH:mm\" }", "23:59", "23:59"},
      {"{ time: \"HH:mm\" }", "24:00", kMalformed},
      {"{ time: \"HH:mm\" }", "23:60", kMalformed},
      {"{ time: \"HH:mm\" }", "9:05", kMalformed},
      {"{ time: \"H:mm 'Uhr'\" }", "9:05 Uhr", "09:05"},
      {"{ time: \"HHmm\" }", "0905", "09:05"},
      {"{ time: \"HH:mm:ss\" }", "09:05:59", "09:05"},
      {"{ time: \"HH:mm:ss\" }", "09:05:60", kMalformed},
      {"{ time: \"HH:mm:ss.SSS\" }", "09:05:59.123", "09:05"},
      {"{ time: \"HH:mm:ss.SSS\" }", "09:05:59.12", kMalformed},
      {"instant", "2026-11-09T00:30:00.5+01:00", "2026-11-08T23:30:00.500Z"},
      {"instant", "2026-11-09T23:59:59", kMalformed},
  });
}

TEST_CASE("the clocks of Berlin go forward: an hour is missing") {
  CHECK(berlin("", "29.03.2026 01:59:59") == "2026-03-29T00:59:59.000Z");
  CHECK(berlin("", "29.03.2026 03:00:00") == "2026-03-29T01:00:00.000Z");
  for (const char* missing :
       {"29.03.2026 02:00:00", "29.03.2026 02:30:00", "29.03.2026 02:59:59"}) {
    CHECK(berlin("", missing) == kMalformed);
    CHECK(berlin(", gap: reject, overlap: earlier", missing) == kMalformed);
  }
  CHECK(berlin(", gap: shift", "29.03.2026 02:00:00") == "2026-03-29T01:00:00.000Z");
  CHECK(berlin(", gap: shift", "29.03.2026 02:59:59") == "2026-03-29T01:59:59.000Z");
}

TEST_CASE("the clocks of Berlin go back: an hour comes twice") {
  CHECK(berlin("", "25.10.2026 01:59:59") == "2026-10-24T23:59:59.000Z");
  CHECK(berlin("", "25.10.2026 03:00:00") == "2026-10-25T02:00:00.000Z");
  for (const char* twice : {"25.10.2026 02:00:00", "25.10.2026 02:59:59"}) {
    CHECK(berlin("", twice) == kMalformed);
    CHECK(berlin(", gap: shift, overlap: reject", twice) == kMalformed);
  }
  CHECK(berlin(", overlap: earlier", "25.10.2026 02:00:00") == "2026-10-25T00:00:00.000Z");
  CHECK(berlin(", overlap: earlier", "25.10.2026 02:59:59") == "2026-10-25T00:59:59.000Z");
  CHECK(berlin(", overlap: later", "25.10.2026 02:00:00") == "2026-10-25T01:00:00.000Z");
  CHECK(berlin(", overlap: later", "25.10.2026 02:59:59") == "2026-10-25T01:59:59.000Z");
}

TEST_CASE("local times of other years, zones and patterns") {
  // Until 1995 summer time ended in September; before 1980 there was none.
  CHECK(berlin("", "24.09.1995 02:30:00") == kMalformed);
  CHECK(berlin("", "29.10.1995 02:30:00") == "1995-10-29T01:30:00.000Z");
  CHECK(berlin("", "01.07.1979 12:00:00") == "1979-07-01T11:00:00.000Z");
  CHECK(berlin("", "01.07.1980 12:00:00") == "1980-07-01T10:00:00.000Z");
  CHECK(berlin("", "29.02.2024 12:00:00") == "2024-02-29T11:00:00.000Z");
  CHECK(berlin("", "29.02.2026 12:00:00") == kMalformed);
  CHECK(berlin("", "31.04.2026 12:00:00") == kMalformed);
  CHECK(berlin("", "01.01.1970 00:00:00") == "1969-12-31T23:00:00.000Z");
  CHECK(berlin("", "31.12.1969 23:59:59") == kMalformed);
  CHECK(berlin("", "31.12.2037 23:59:59") == "2037-12-31T22:59:59.000Z");
  CHECK(berlin("", "01.01.2038 00:00:00") == kMalformed);
  CHECK(local("Etc/UTC", "", "29.03.2026 02:30:00") == "2026-03-29T02:30:00.000Z");
  // Half an hour is skipped here.
  CHECK(local("Australia/Lord_Howe", ", gap: shift", "04.10.2026 02:15:00") ==
        "2026-10-03T15:45:00.000Z");
  CHECK(local("Australia/Lord_Howe", "", "04.10.2026 02:30:00") == "2026-10-03T15:30:00.000Z");
  check({
      {"{ local: { pattern: \"yyyyMMddHHmm\", zone: Europe/Berlin } }", "202607011200",
       "2026-07-01T10:00:00.000Z"},
      {"{ local: { pattern: \"yyyy-MM-dd'T'HH:mm:ss.SSS\", zone: Europe/Berlin } }",
       "2026-07-01T12:00:00.045", "2026-07-01T10:00:00.045Z"},
      {"{ local: { pattern: \"dd.MM.yy HH:mm\", pivot: 70, zone: Europe/Berlin } }",
       "01.07.26 12:00", "2026-07-01T10:00:00.000Z"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm:ss\", zone: Europe/Berlin } }", "01.07.2026 12:00",
       kMalformed},
  });
}

// Directive 2000/84/EC: from the last Sunday of March to that of October, each at 01:00 UTC.
TEST_CASE("every hour since 1996 in Berlin is that of the European rule") {
  constexpr std::int64_t kHour = 3'600'000;
  const auto change = [](int year, const char* month_and_last_day) {
    std::int32_t day = parse_day(std::to_string(year) + month_and_last_day)->days;
    while ((day + 4) % 7 != 0) --day;  // 1970-01-01 was a Thursday.
    return day * 24 * kHour + kHour;
  };
  const auto zone = Zone::find("Europe/Berlin");
  REQUIRE(zone);
  int wrong = 0;
  for (int year = 1996; year <= 2037; ++year) {
    const std::int64_t spring = change(year, "-03-31");
    const std::int64_t autumn = change(year, "-10-31");
    const std::int64_t begin = parse_day(std::to_string(year) + "-01-01")->days * 24 * kHour;
    const std::int64_t end = parse_day(std::to_string(year) + "-12-31")->days * 24 * kHour;
    for (std::int64_t t = begin; t < end; t += kHour) {
      const std::int64_t shown = t + (t >= spring && t < autumn ? 2 * kHour : kHour);
      const bool first = t == autumn - kHour;
      const bool second = t == autumn;
      const auto found =
          (*zone)->instant_of(shown, Gap::reject, second ? Overlap::later : Overlap::earlier);
      const auto strict = (*zone)->instant_of(shown, Gap::reject, Overlap::reject);
      wrong += found != Instant{t};
      wrong += strict.has_value() == (first || second);
    }
    wrong += (*zone)->instant_of(spring + kHour, Gap::reject, Overlap::earlier).has_value();
  }
  CHECK(wrong == 0);
}

TEST_CASE("texts of DIN 91379 are brought to NFC") {
  check({
      {"nfc", "plain", "plain"},
      {"nfc", "a\u0308", "\u00E4"},
      {"nfc", "Mu\u0308ller-\u0160imi\u0107", "M\u00FCller-\u0160imi\u0107"},
      {"nfc", "\u212B", "\u00C5"},
      // Marks in another order than the canonical one.
      {"nfc", "a\u0301\u0323", "\u1EA1\u0301"},
      // Sequences of the standard without a precomposed form stay as they are.
      {"nfc", "C\u0306", "C\u0306"},
      {"nfc", "k\u0331h", "\u1E35h"},
      {"nfc", "M\u0302m\u0302", "M\u0302m\u0302"},
      {"nfc", "Z\u030Cz\u0304", "\u017Dz\u0304"},
      {"nfc", "\u1E9E\u02BE\u00B7", "\u1E9E\u02BE\u00B7"},
      {"nfc", "\xC3", kMalformed},
      {"nfc", "a\xCC\x88\xFF", kMalformed},
  });
  const std::unique_ptr<Plan> plan = plan_with("nfc");
  Scratch scratch;
  const std::string normal = "J\u00F6rg C\u0306";
  std::string_view value = normal;
  CHECK(run(*plan, value, scratch) == Trouble::none);
  CHECK(value.data() == normal.data());  // Not even copied.
}

TEST_CASE("no function allocates once its buffers have grown") {
  const std::string kLong = "a text that is longer than what a string holds without memory";
  const std::vector<Case> samples = {
      {"trim", " " + kLong + " ", ""},
      {"collapse_space", kLong + "  x", ""},
      {"nfc", kLong + " a\u0308 C\u0306 a\u0301\u0323", ""},
      {"upper", kLong, ""},
      {"lower", kLong, ""},
      {"{ remove: \" -/\u00E4\" }", kLong, ""},
      {"{ prefix: \"p-\" }", kLong, ""},
      {"{ suffix: \"-s\" }", kLong, ""},
      {"{ strip_prefix: \"a \" }", kLong, ""},
      {"{ strip_suffix: \"memory\" }", kLong, ""},
      {"{ before: \"than\" }", kLong, ""},
      {"{ after: \"than\" }", kLong, ""},
      {"{ after_last: \"than\" }", kLong, ""},
      {"{ part: { by: \" \", number: -3 } }", kLong, ""},
      {"{ substr: { at: 3, length: 40 } }", kLong, ""},
      {"{ truncate: 40 }", kLong, ""},
      {"{ replace: { pattern: \"[aeiou]+\", with: \"--\" } }", kLong, ""},
      {"{ replace: { pattern: \"([a-z]+) ([a-z])\", with: \"\\\\2 \\\\1\" } }", kLong, ""},
      {"{ capture: \"a text ([a-z ]+)\" }", kLong, ""},
      {"strip_country_suffix", "1234567-475", ""},
      {"{ matches: \"[a-z ]+\" }", kLong, ""},
      {"{ max_length: 100 }", kLong, ""},
      {"{ digits: { from: 3, to: 40 } }", "12345678901234567890", ""},
      {"{ one_of: [\"x\", \"" + kLong + "\"] }", kLong, ""},
      {"{ absent_if: [\"x\", \"y\"] }", kLong, ""},
      {"uuid", "9E8D7C6B-5A49-4001-8ABC-000000111207", ""},
      {"{ uuid5: \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" }", kLong, ""},
      {"{ ags: DE-TH }", "16051000", ""},
      {"boolean", "true", ""},
      {"integer", "-2147483648", ""},
      {"integer_de", "-2.147.483.648", ""},
      {"integer_en", "-2,147,483,648", ""},
      {"integer, { between: { least: 1 } }", "2147483647", ""},
      {"{ date: \"d.M.yyyy\" }", "9.11.2026", ""},
      {"{ time: \"HH:mm:ss.SSS\" }", "09:05:59.123", ""},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm:ss\", zone: Europe/Berlin } }",
       "09.11.2026 12:00:00", ""},
      {"instant", "2026-11-09T00:30:00.5+01:00", ""},
      {"{ map: words }", "A", ""},
  };
  std::set<std::string_view> left;
  for (const Signature& function : functions()) left.insert(function.name);
  Scratch scratch;
  for (const Case& sample : samples) {
    CAPTURE(sample.calls);
    const std::unique_ptr<Plan> plan = plan_with(sample.calls);
    for (const Call& call : calls_of(*plan)) left.erase(signature(call.function).name);
    std::size_t before = 0;
    for (int i = 0; i < 50; ++i) {
      if (i == 4) before = test::allocations();
      std::string_view value = sample.text;
      const bool good = run(*plan, value, scratch) == Trouble::none;
      if (!good) FAIL_CHECK("the sample is refused");
    }
    const std::size_t made_here = test::allocations() - before;
    CHECK(made_here == 0);
  }
  CHECK(left.empty());
}

TEST_CASE("each wrong argument is named at its own place") {
  struct Wrong {
    std::string calls;  // Begin in line 4, column 30.
    std::string error;
  };
  const std::vector<Wrong> all = {
      {"{ suffix: \"\" }", "4:40: the argument is empty [A014]"},
      {"{ suffix: x }", "4:40: a text must be quoted: \"x\" [A007]"},
      {"{ truncate: 0 }", "4:42: a number from 1 is expected here [A407]"},
      {"{ truncate: \"3\" }", "4:42: a number without quotes is expected here [A008]"},
      {"{ max_length: -1 }", "4:44: a number without quotes is expected here [A008]"},
      {"{ substr: 3 }", "4:40: a mapping is expected here [A003]"},
      {"{ substr: { length: 3 } }", "4:40: the argument needs `at` [A011]"},
      {"{ substr: { at: 0 } }", "4:46: a number from 1 is expected here [A407]"},
      {"{ substr: { at: 1, size: 2 } }", "4:49: the key \"size\" is unknown here [A010]"},
      {"{ part: { by: \";\" } }", "4:38: the argument needs `number` [A011]"},
      {"{ part: { by: \";\", number: 0 } }", "4:57: a part has a number from 1, or from -1"},
      {"{ part: { by: \"\", number: 1 } }", "4:44: the argument is empty [A014]"},
      {"{ part: { by: \";\", number: x } }", "4:57: an integer of 32 bits without quotes"},
      {"{ replace: { pattern: \"[\", with: \"\" } }", "4:52: the pattern is malformed"},
      {"{ replace: { pattern: \"a\" } }", "4:41: the argument needs `with` [A011]"},
      {"{ replace: { pattern: \"a\", with: \"\\\\1\" } }", "4:63: the replacement is malformed"},
      {"{ capture: \"a\" }", "4:41: the pattern must have exactly one group [A407]"},
      {"{ capture: \"(a)(b)\" }", "4:41: the pattern must have exactly one group [A407]"},
      {"{ capture: \"(a\" }", "4:41: the pattern is malformed"},
      {"{ absent_if: \"-\" }", "4:43: a list is expected here [A004]"},
      {"{ absent_if: [] }", "4:43: the list is empty [A013]"},
      {"{ one_of: [\"A\", B] }", "4:46: a text must be quoted: \"B\" [A007]"},
      {"{ one_of: [\"A\", \"A\"] }", "4:40: a text occurs twice [A407]"},
      {"{ digits: { from: 3, to: 2 } }", "4:55: `to` is less than `from` [A407]"},
      {"{ digits: { from: 3 } }", "4:40: the argument needs `to` [A011]"},
      {"{ ags: DE-XX }", "4:37: a municipality key (AGS) belongs to a Land such as DE-NI [A103]"},
      {"{ ags: DE }", "4:37: a municipality key (AGS) belongs to a Land such as DE-NI [A103]"},
      {"{ uuid5: \"6ba7b8109dad11d180b400c04fd430c8\" }", "4:39: the namespace is a UUID [A407]"},
      {"{ between: { least: 1 } }", "4:30: `between` does not take a value of type text [A404]"},
      {"integer, { between: { } }", "4:50: `between` needs `least` or `most` [A011]"},
      {"integer, { between: { least: 2, most: 1 } }", "4:68: `most` is less than `least` [A407]"},
      {"integer, { between: { most: 2147483648 } }", "4:58: an integer of 32 bits"},
      {"integer, integer_de, date", ""},
      {"{ date: \"dd.MM.yy\" }", "4:38: yy needs a pivot"},
      {"{ date: { pattern: \"dd.MM.yy\" } }", "4:49: yy needs a `pivot` [A406]"},
      {"{ date: { pattern: \"dd.MM.yyyy\", pivot: 50 } }", "4:70: a pivot belongs to yy"},
      {"{ date: { pattern: \"dd.MM.yy\", pivot: 101 } }", "4:68: a pivot is 0 to 100 [A407]"},
      {"{ date: { pivot: 50 } }", "4:38: the argument needs `pattern` [A011]"},
      {"{ date: \"dd.MM.yyyy HH:mm\" }", "4:38: a date pattern has yyyy or yy"},
      {"{ date: \"dd.MM.yyy\" }", "4:38: a date pattern has yyyy or yy"},
      {"{ date: \"dd.MM.yyyy dd\" }", "4:38: a date pattern has yyyy or yy"},
      {"{ date: \"Tag dd.MM.yyyy\" }", "4:38: a date pattern has yyyy or yy"},
      {"{ date: \"'Tag dd.MM.yyyy\" }", "4:38: a quoted text in the pattern has no end [A406]"},
      {"{ date: \"dMyyyy\" }", "4:38: behind a field of one letter stands a text"},
      {"{ time: \"HH\" }", "4:38: a time pattern has H or HH"},
      {"{ time: \"HH:mm.SSS\" }", "4:38: a time pattern has H or HH"},
      {"{ time: \"hh:mm\" }", "4:38: a time pattern has H or HH"},
      {"local", "4:30: `local` needs an argument [A402]"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm\" } }", "4:39: the argument needs `zone` [A011]"},
      {"{ local: { zone: Europe/Berlin } }", "4:39: the argument needs `pattern` [A011]"},
      {"{ local: { pattern: \"dd.MM.yyyy\", zone: Europe/Berlin } }",
       "4:50: a pattern of a local time has yyyy or yy"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm\", zone: Europe/Nowhere } }",
       "4:76: there is no time zone \"Europe/Nowhere\" [A408]"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm\", zone: ../Berlin } }",
       "4:76: there is no time zone \"../Berlin\" [A408]"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm\", zone: Europe/Berlin, gap: later } }",
       "4:96: `gap` is one of reject, shift [A012]"},
      {"{ local: { pattern: \"dd.MM.yyyy HH:mm\", zone: Europe/Berlin, overlap: shift } }",
       "4:100: `overlap` is one of reject, earlier, later [A012]"},
  };
  for (const Wrong& wrong : all) {
    const std::string found = errors(wrong.calls);
    CAPTURE(wrong.calls);
    CAPTURE(found);
    if (wrong.error.empty()) {
      CHECK(found.empty());
    } else {
      CHECK(found.find("adapter.yaml:" + wrong.error) == 0);
    }
  }
}

}  // namespace flora::adapter
