// When a mapping is due: the real catalogue of statuses, and histories in words.
#include "gateway/erasure/expiry.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace flora;
using namespace flora::erasure;
using view::HistoryEntry;

namespace {

const Catalogue& catalogue() {
  static const Catalogue read = [] {
    std::ifstream file(FLORA_SOURCE_DIR "/config/statuses.yaml");
    std::stringstream text;
    text << file.rdbuf();
    auto parsed = Catalogue::parse(text.str(), "statuses.yaml");
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    return std::move(*parsed);
  }();
  return read;
}

Uuid uuid(char name) {
  Uuid id;
  id.bytes[15] = std::byte(name);
  return id;
}

/// "<name> <status> <day> <day of recording> [corrects|revokes <name>] [of <procedure>] [into
/// <procedure>]"
HistoryEntry entry_of(std::uint64_t index, const std::string& line) {
  std::istringstream words(line);
  std::string name;
  std::string day;
  std::string recorded;
  HistoryEntry made;
  made.index = index;
  Transaction& t = made.transaction;
  words >> name >> t.status >> day >> recorded;
  t.id = uuid(name.front());
  t.procedure = uuid('P');
  t.role = "BAMF";
  const auto occurred = parse_day(day);
  const auto taken = parse_instant(recorded + "T10:00:00Z");
  REQUIRE(occurred.has_value());
  REQUIRE(taken.has_value());
  t.occurred = *occurred;
  t.recorded_at = *taken;
  std::string relation;
  while (words >> relation >> name) {
    if (relation == "corrects") t.corrects = uuid(name.front());
    if (relation == "revokes") t.revokes = uuid(name.front());
    if (relation == "of") t.procedure = uuid(name.front());
    if (relation == "into") t.merged_into = uuid(name.front());
  }
  return made;
}

std::vector<HistoryEntry> history(const std::vector<std::string>& lines) {
  std::vector<HistoryEntry> entries;
  for (const std::string& line : lines) entries.push_back(entry_of(entries.size(), line));
  view::settle(entries);
  return entries;
}

struct Case {
  std::string what;
  std::vector<std::string> entries;
  std::string due;  // The first day on which it is, in Berlin; empty: it is not.
};

const std::vector<Case> kCases = {
    {"nothing is known", {}, ""},
    {"it goes on", {"a AKTENANLAGE_ERFOLGT 2026-01-05 2026-01-05"}, ""},
    {"it is final",
     {"a AKTENANLAGE_ERFOLGT 2026-01-05 2026-01-05", "b RECHTSKRAFT 2026-05-06 2026-05-07"},
     "2036-05-08"},
    {"a date of long ago brings nothing forward",
     {"a RECHTSKRAFT 1999-01-01 2026-05-07"},
     "2036-05-08"},
    {"a date to come counts as it is", {"a RECHTSKRAFT 2026-12-01 2026-05-07"}, "2036-12-02"},
    {"a part is no end", {"a TEILRECHTSKRAFT 2026-05-06 2026-05-07"}, ""},
    {"neither a withdrawal nor a discontinuation is final",
     {"a RUECKNAHME 2026-05-06 2026-05-07", "b EINSTELLUNG 2026-05-06 2026-05-07"},
     ""},
    {"what follows from the end keeps it",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b AUFENTHALTSTITEL_ERTEILT 2026-06-01 2026-06-01",
      "c AUSREISE_VOLLZOGEN 2027-06-01 2027-06-01", "d FORTZUG_UNBEKANNT 2028-01-01 2028-01-01",
      "e ANKUNFT_KOMMUNE 2028-01-01 2028-01-01"},
     "2036-05-08"},
    {"so does what is said of the data",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b DATEN_BERICHTIGT 2026-06-01 2026-06-01"},
     "2036-05-08"},
    {"finality was taken back",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b RECHTSKRAFT_AUFGEHOBEN 2026-06-01 2026-06-01"},
     ""},
    {"and came again",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b RECHTSKRAFT_AUFGEHOBEN 2026-06-01 2026-06-01",
      "c RECHTSKRAFT 2027-02-03 2027-02-04"},
     "2037-02-05"},
    {"a new application",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b AKTENANLAGE_ERFOLGT 2031-01-02 2031-01-02"},
     ""},
    {"a decision to revoke what was granted",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b BESCHEID_ERLASSEN 2031-01-02 2031-01-02"},
     ""},
    {"what was before the end and comes late changes nothing",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b ANHOERUNG_ERFOLGT 2026-02-01 2026-07-01"},
     "2036-05-08"},
    {"the end was revoked",
     {"a AKTENANLAGE_ERFOLGT 2026-01-05 2026-01-05", "b RECHTSKRAFT 2026-05-06 2026-05-07",
      "r RECHTSKRAFT 2026-05-06 2026-08-01 revokes b"},
     ""},
    {"the revocation was revoked",
     {"b RECHTSKRAFT 2026-05-06 2026-05-07", "r RECHTSKRAFT 2026-05-06 2026-08-01 revokes b",
      "s RECHTSKRAFT 2026-05-06 2026-09-01 revokes r"},
     "2036-05-08"},
    {"a corrected date does not begin the period anew",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b RECHTSKRAFT 2026-05-05 2034-01-01 corrects a"},
     "2036-05-08"},
    {"and moves it if it is later",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b RECHTSKRAFT 2026-08-05 2026-09-01 corrects a"},
     "2036-08-06"},
    {"an old entry that becomes an end was recorded as one when it was corrected",
     {"a ANHOERUNG_ERFOLGT 2016-05-06 2016-05-07",
      "b RECHTSKRAFT 2016-05-06 2026-09-01 corrects a"},
     "2036-09-02"},
    {"and so it was if it was none in between",
     {"a RECHTSKRAFT 2016-05-06 2016-05-07", "b TEILRECHTSKRAFT 2016-05-06 2017-01-01 corrects a",
      "c RECHTSKRAFT 2016-05-06 2026-09-01 corrects b"},
     "2036-09-02"},
    {"an end that was corrected into none",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07", "b TEILRECHTSKRAFT 2026-05-06 2026-06-01 corrects a"},
     ""},
    {"a leap day", {"a RECHTSKRAFT 2028-02-29 2028-02-29"}, "2038-03-01"},
    {"of two that are joined, one is final",
     {"a REGISTRIERUNG_ABGESCHLOSSEN 2026-01-01 2026-01-01 of Q",
      "b RECHTSKRAFT 2026-05-06 2026-05-07",
      "m VERFAHREN_ZUSAMMENGEFUEHRT 2026-06-01 2026-06-01 of Q into P"},
     "2036-05-08"},
    {"of two that are joined, the later goes on",
     {"a RECHTSKRAFT 2026-05-06 2026-05-07 of Q", "b AKTENANLAGE_ERFOLGT 2026-08-01 2026-08-01",
      "m VERFAHREN_ZUSAMMENGEFUEHRT 2026-09-01 2026-09-01 of Q into P"},
     ""},
};

}  // namespace

TEST_CASE("a mapping is due when its procedure has ended and the period is over") {
  const Period ten_years = *parse_period("P10Y");
  for (const Case& one : kCases) {
    CAPTURE(one.what);
    const auto entries = history(one.entries);
    const auto expiry = expiry_of(entries, catalogue(), ten_years);
    CHECK(expiry.has_value() == !one.due.empty());
    if (!expiry) continue;
    CHECK(to_string(day_of(expiry->at)) == one.due);
    CHECK(start_of(day_of(expiry->at)) == expiry->at);
    CHECK(expiry->transactions.size() == entries.size());
  }
}

TEST_CASE("procedures that are joined are due together") {
  const auto entries = history({"b RECHTSKRAFT 2026-05-06 2026-05-07",
                                "m VERFAHREN_ZUSAMMENGEFUEHRT 2026-06-01 2026-06-01 of Q into P"});
  const auto expiry = expiry_of(entries, catalogue(), *parse_period("P1D"));
  REQUIRE(expiry.has_value());
  CHECK(expiry->procedures == std::vector<Uuid>{uuid('P'), uuid('Q')});
}

TEST_CASE("the catalogue knows one end") {
  CHECK(catalogue().ending() == std::vector<std::string>{"RECHTSKRAFT"});
}
