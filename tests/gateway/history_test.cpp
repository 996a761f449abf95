// What a procedure's entries amount to: which are in effect, their order, what they join.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gateway/view/history.h"

using namespace flora;
using namespace flora::view;

namespace {

Uuid uuid(std::uint32_t n) {
  Uuid id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[12 + i] = std::byte(n >> (24 - 8 * i) & 0xFF);
  return id;
}

Uuid uuid(char name) { return uuid(static_cast<std::uint32_t>(name)); }

HistoryEntry entry(std::uint64_t index, const Uuid& id) {
  HistoryEntry made;
  made.index = index;
  made.transaction.id = id;
  made.transaction.status = "AKTENANLAGE_ERFOLGT";
  made.transaction.occurred = Day{20'000};
  made.transaction.authority = "000250";
  made.transaction.land = "DE-NI";
  made.transaction.role = "AE";
  // As in a log, where it never goes back.
  made.transaction.recorded_at = Instant{static_cast<std::int64_t>(index)};
  return made;
}

/// A ledger in words, one entry each: "b corrects a", "r revokes b".
std::vector<HistoryEntry> ledger_of(const std::vector<std::string>& lines) {
  std::vector<HistoryEntry> entries;
  for (const std::string& line : lines) {
    HistoryEntry made = entry(entries.size(), uuid(line.front()));
    if (line.find("corrects") != line.npos) made.transaction.corrects = uuid(line.back());
    if (line.find("revokes") != line.npos) made.transaction.revokes = uuid(line.back());
    entries.push_back(std::move(made));
  }
  return entries;
}

/// The same of merges: "m: a into b", "r revokes m", "n corrects m: a into c".
std::vector<HistoryEntry> merges_of(const std::vector<std::string>& lines) {
  std::vector<HistoryEntry> entries;
  for (const std::string& line : lines) {
    HistoryEntry made = entry(entries.size(), uuid(line.front()));
    Transaction& t = made.transaction;
    t.status = kMergeStatus;
    t.role = "BAMF";
    const auto after = [&line](std::string_view word) {
      const auto at = line.find(word);
      return at == line.npos ? std::optional<Uuid>() : uuid(line[at + word.size()]);
    };
    t.corrects = after("corrects ");
    t.revokes = after("revokes ");
    t.merged_into = after(" into ");
    if (t.merged_into) t.procedure = *after(": ");
    entries.push_back(std::move(made));
  }
  return entries;
}

/// Each procedure with the one that remains of it: "ac bc cc".
std::string joined(std::vector<HistoryEntry> entries) {
  settle(entries);
  std::string text;
  for (const auto& [procedure, remains] : remaining(merges_in_effect(entries))) {
    text += text.empty() ? "" : " ";
    text += static_cast<char>(procedure.bytes[15]);
    text += static_cast<char>(remains.bytes[15]);
  }
  return text;
}

const Catalogue& catalogue() {
  static const Catalogue read = [] {
    auto parsed = Catalogue::parse(
        "version: 2026-11\nstatuses:\n"
        "  - name: AKTENANLAGE_ERFOLGT\n    label: { de: a, en: a }\n    subprocess: I\n"
        "    reporters: [BAMF]\n    details: DetailsNone\n"
        "  - name: DATEN_BERICHTIGT\n    label: { de: b, en: b }\n    subprocess: ALL\n"
        "    reporters: [BAMF]\n    details: DetailsNone\n",
        "statuses.yaml");
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    return std::move(*parsed);
  }();
  return read;
}

std::string effective(const std::vector<HistoryEntry>& entries) {
  std::string names;
  for (const HistoryEntry& one : entries) {
    if (one.effective) names += static_cast<char>(one.transaction.id.bytes[15]);
  }
  std::ranges::sort(names);
  return names;
}

const HistoryEntry& find(const std::vector<HistoryEntry>& entries, char name) {
  return *std::ranges::find(entries, uuid(name), [](const auto& e) { return e.transaction.id; });
}

struct EffectCase {
  std::vector<std::string> ledger;
  std::string effective;
};

std::vector<std::uint64_t> order_of(std::vector<HistoryEntry> entries) {
  settle(entries);
  std::vector<std::uint64_t> order;
  for (const HistoryEntry& one : entries) order.push_back(one.index);
  return order;
}

HistoryEntry at(std::uint64_t index, std::variant<Instant, Day> time,
                std::optional<std::int32_t> sequence = std::nullopt) {
  HistoryEntry made = entry(index, uuid(static_cast<std::uint32_t>(index)));
  made.transaction.occurred = time;
  made.transaction.source_sequence = sequence;
  return made;
}

}  // namespace

TEST_CASE("corrections and revocations decide what is in effect") {
  const std::vector<EffectCase> cases = {
      {{"a"}, "a"},
      {{"a", "b corrects a"}, "b"},
      {{"a", "b corrects a", "c corrects b"}, "c"},
      {{"a", "b corrects a", "r revokes b"}, "a"},
      {{"a", "b corrects a", "c corrects b", "r revokes c"}, "b"},
      {{"a", "b corrects a", "c corrects b", "r revokes b"}, "a"},
      {{"a", "b corrects a", "r revokes b", "s revokes r"}, "b"},
      {{"a", "b corrects a", "r revokes b", "c corrects a"}, "c"},
      {{"a", "b corrects a", "c corrects a"}, "c"},
      {{"a", "b corrects a", "c corrects a", "r revokes c"}, "b"},
      {{"a", "b corrects a", "c corrects a", "d corrects b"}, "c"},
      {{"a", "b corrects a", "c corrects a", "d corrects b", "r revokes c"}, "d"},
      {{"a", "r revokes a"}, ""},
      {{"a", "r revokes a", "s revokes r"}, "a"},
      {{"a", "r revokes a", "s revokes r", "t revokes s"}, ""},
      {{"a", "r revokes a", "s revokes a", "t revokes s"}, ""},
      {{"a", "b corrects a", "r revokes a"}, ""},
      {{"a", "b corrects a", "r revokes a", "s revokes r"}, "b"},
      {{"a", "r revokes a", "b corrects r"}, "ab"},
      {{"b corrects a", "a"}, "b"},
      {{"c corrects b", "b corrects a", "a"}, "c"},
      {{"r revokes a", "a"}, ""},
      {{"b corrects a"}, "b"},
      {{"r revokes a"}, ""},
      {{"a", "b", "c corrects a"}, "bc"},
  };
  for (const EffectCase& one : cases) {
    std::string ledger;
    for (const std::string& line : one.ledger) ledger += line + "; ";
    CAPTURE(ledger);
    std::vector<HistoryEntry> entries = ledger_of(one.ledger);
    settle(entries);
    CHECK(effective(entries) == one.effective);
    settle(entries);
    CHECK(effective(entries) == one.effective);
  }
}

TEST_CASE("an entry names the correction or revocation that took its place") {
  std::vector<HistoryEntry> entries =
      ledger_of({"a", "b corrects a", "c corrects b", "d", "r revokes d", "e", "f corrects e",
                 "g corrects e", "h corrects f", "i", "j corrects i", "s revokes j"});
  settle(entries);
  CHECK(find(entries, 'a').replaced_by == uuid('b'));
  CHECK(find(entries, 'b').replaced_by == uuid('c'));
  CHECK_FALSE(find(entries, 'c').replaced_by);
  CHECK(find(entries, 'd').revoked_by == uuid('r'));
  CHECK(find(entries, 'e').replaced_by == uuid('g'));
  CHECK(find(entries, 'f').replaced_by == uuid('g'));
  CHECK(find(entries, 'h').replaced_by == uuid('g'));
  CHECK_FALSE(find(entries, 'i').replaced_by);
  CHECK(find(entries, 'j').revoked_by == uuid('s'));
  CHECK_FALSE(find(entries, 'j').replaced_by);
}

TEST_CASE("of one event at most one form is in effect, and the others say why they are not") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<HistoryEntry> entries;
    std::map<Uuid, Uuid> event_of;  // The first form of each event that is not a revocation.
    for (std::uint32_t n = 0; n < 12; ++n) {
      HistoryEntry made = entry(n, uuid(n));
      const Uuid target = uuid(n == 0 ? 0 : static_cast<std::uint32_t>(random() % n));
      const unsigned kind = n == 0 ? 0 : static_cast<unsigned>(random() % 4);
      if (kind == 1 || kind == 2) made.transaction.corrects = target;
      if (kind == 3) made.transaction.revokes = target;
      event_of[uuid(n)] = kind == 1 || kind == 2 ? event_of[target] : uuid(n);
      entries.push_back(std::move(made));
    }
    settle(entries);
    std::map<Uuid, int> forms;
    for (const HistoryEntry& one : entries) {
      if (one.effective) ++forms[event_of[one.transaction.id]];
      const bool explained = one.replaced_by || one.revoked_by || one.transaction.revokes;
      REQUIRE(one.effective == !explained);
    }
    for (const auto& [event, count] : forms) REQUIRE(count == 1);
  }
}

TEST_CASE("long chains are settled") {
  constexpr std::uint32_t kLength = 20'001;
  for (const bool revocations : {false, true}) {
    std::vector<HistoryEntry> entries;
    for (std::uint32_t n = 0; n < kLength; ++n) {
      entries.push_back(entry(n, uuid(n)));
      if (n == 0) continue;
      Transaction& t = entries.back().transaction;
      (revocations ? t.revokes : t.corrects) = uuid(n - 1);
    }
    settle(entries);
    // The last correction stands; an even number of revocations leaves the first entry standing.
    const HistoryEntry* newest = current(entries, catalogue());
    REQUIRE(newest != nullptr);
    CHECK(newest->index == (revocations ? 0 : kLength - 1));
  }
}

TEST_CASE("entries are ordered by time, then sequence, then place in the ledger") {
  const Instant noon{1'793'700'000'000};
  CHECK(order_of({at(0, noon), at(1, Instant{noon.ms - 1}), at(2, Instant{noon.ms + 1})}) ==
        std::vector<std::uint64_t>{1, 0, 2});
  CHECK(order_of({at(0, noon, 5), at(1, noon, 0), at(2, noon), at(3, noon, 5), at(4, noon)}) ==
        std::vector<std::uint64_t>{2, 4, 1, 0, 3});
}

TEST_CASE("a day sorts as its first instant in Berlin, also where the clocks change") {
  const std::vector<std::pair<const char*, const char*>> days = {
      {"2026-01-01", "2025-12-31T23:00:00.000Z"}, {"2026-03-28", "2026-03-27T23:00:00.000Z"},
      {"2026-03-29", "2026-03-28T23:00:00.000Z"}, {"2026-03-30", "2026-03-29T22:00:00.000Z"},
      {"2026-07-15", "2026-07-14T22:00:00.000Z"}, {"2026-10-25", "2026-10-24T22:00:00.000Z"},
      {"2026-10-26", "2026-10-25T23:00:00.000Z"}, {"2027-03-28", "2027-03-27T23:00:00.000Z"},
      {"2027-03-29", "2027-03-28T22:00:00.000Z"}, {"2027-11-01", "2027-10-31T23:00:00.000Z"},
  };
  for (const auto& one : days) {
    CAPTURE(one.first);
    const Instant start = *parse_instant(one.second);
    CHECK(order_of({at(0, start), at(1, *parse_day(one.first)), at(2, start),
                    at(3, Instant{start.ms - 1}), at(4, Instant{start.ms + 1})}) ==
          std::vector<std::uint64_t>{3, 0, 1, 2, 4});
  }
}

TEST_CASE("the current entry is the newest in effect by time, not by place") {
  std::vector<HistoryEntry> entries = {at(0, Instant{300}), at(1, Instant{200}),
                                       at(2, Instant{400})};
  entries[2].transaction.revokes = uuid(std::uint32_t{99});
  settle(entries);
  REQUIRE(current(entries, catalogue()) != nullptr);
  CHECK(current(entries, catalogue())->index == 0);
  std::vector<HistoryEntry> none;
  settle(none);
  CHECK(current(none, catalogue()) == nullptr);
}

TEST_CASE("what says something about the data only is not the current state") {
  std::vector<HistoryEntry> entries = {at(0, Instant{100}), at(1, Instant{200}),
                                       at(2, Instant{300}), at(3, Instant{400})};
  for (const std::size_t i : {1U, 2U, 3U}) entries[i].transaction.status = "DATEN_BERICHTIGT";
  entries[3].transaction.revokes = entries[2].transaction.id;
  settle(entries);
  REQUIRE(current(entries, catalogue()) != nullptr);
  CHECK(current(entries, catalogue())->index == 0);
  REQUIRE(newest(entries, "DATEN_BERICHTIGT") != nullptr);
  CHECK(newest(entries, "DATEN_BERICHTIGT")->index == 1);
  CHECK(newest(entries, "AKTENANLAGE_TERMIN_GEPLANT") == nullptr);
}

TEST_CASE(
    "of several corrections of one event the BAMF's, the later number, the later place holds") {
  struct Rival {
    const char* role;
    std::optional<std::int32_t> sequence;
  };
  struct RivalCase {
    Rival winner;
    Rival loser;
  };
  // In both orders of arrival, unless the two are equal.
  const std::vector<RivalCase> cases = {
      {{"AE", 2}, {"AE", 1}},
      {{"AE", 0}, {"AE", std::nullopt}},
      {{"BAMF", std::nullopt}, {"AE", 9}},
      {{"BAMF", 1}, {"BAMF", 0}},
  };
  for (const RivalCase& one : cases) {
    for (const bool winner_first : {true, false}) {
      for (const bool revocations : {true, false}) {
        const std::string word = revocations ? " revokes a" : " corrects a";
        std::vector<HistoryEntry> entries = ledger_of({"a", "b" + word, "c" + word});
        for (const std::size_t place : {1U, 2U}) {
          const Rival& rival = (place == 1) == winner_first ? one.winner : one.loser;
          entries[place].transaction.role = rival.role;
          entries[place].transaction.source_sequence = rival.sequence;
        }
        settle(entries);
        const HistoryEntry& first = find(entries, 'a');
        CHECK((revocations ? first.revoked_by : first.replaced_by) ==
              uuid(winner_first ? 'b' : 'c'));
      }
    }
  }
}

TEST_CASE("long chains are settled in whatever order they came") {
  constexpr std::uint32_t kLength = 20'001;
  for (const bool revocations : {false, true}) {
    std::vector<HistoryEntry> entries;
    for (std::uint32_t n = 0; n < kLength; ++n) {
      entries.push_back(entry(kLength - n, uuid(n)));
      if (n == 0) continue;
      Transaction& t = entries.back().transaction;
      (revocations ? t.revokes : t.corrects) = uuid(n - 1);
    }
    settle(entries);
    const HistoryEntry* newest_one = current(entries, catalogue());
    REQUIRE(newest_one != nullptr);
    CHECK(newest_one->transaction.id == uuid(revocations ? 0 : kLength - 1));
  }
}

TEST_CASE("entries that refer to each other in a circle are of no effect") {
  std::vector<HistoryEntry> entries = ledger_of({"a corrects b", "b corrects a", "c corrects c"});
  settle(entries);
  CHECK(effective(entries).empty());
}

TEST_CASE("merges in effect decide which procedures are one, and which of them remains") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, ""},
      {{"m: a into b"}, "ab bb"},
      {{"m: a into b", "n: b into c"}, "ac bc cc"},
      {{"m: b into c", "n: a into b"}, "ac bc cc"},
      {{"m: a into b", "n: a into c"}, "ac bc cc"},
      {{"m: a into c", "n: b into c"}, "ac bc cc"},
      {{"m: a into b", "n: c into a"}, "ab bb cb"},
      {{"m: a into b", "n: b into a"}, "ab bb"},
      {{"m: a into b", "n: b into c", "o: c into a"}, "ac bc cc"},
      {{"m: a into b", "n: c into d"}, "ab bb cd dd"},
      {{"m: a into b", "n: c into d", "o: b into d"}, "ad bd cd dd"},
      {{"m: a into b", "r revokes m"}, ""},
      {{"m: a into b", "r revokes m", "s revokes r"}, "ab bb"},
      {{"m: a into b", "n corrects m: a into c"}, "ac cc"},
      {{"m: a into b", "n corrects m: a into c", "r revokes n"}, "ab bb"},
      {{"m: a into b", "n: b into a", "r revokes m"}, "aa ba"},
      {{"m: a into b", "n: a into c", "r revokes m"}, "ac cc"},
      {{"m: a into b", "n: b into c", "r revokes m"}, "bc cc"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.second);
    CHECK(joined(merges_of(one.first)) == one.second);
  }
}

TEST_CASE("merges are applied in the order of their time, not of their arrival") {
  std::vector<HistoryEntry> entries = merges_of({"m: a into b", "n: a into c"});
  entries[0].transaction.occurred = Day{20'001};
  CHECK(joined(entries) == "ab bb cb");
  entries[0].transaction.occurred = entries[1].transaction.occurred;
  entries[0].transaction.source_sequence = 7;
  CHECK(joined(entries) == "ab bb cb");
}

TEST_CASE("copies that number entries differently show the same order and the same state") {
  std::vector<HistoryEntry> entries = ledger_of({"a", "b corrects a", "c corrects a", "d", "e"});
  for (HistoryEntry& one : entries) one.is_ordered = false;
  // Recorded in one millisecond: the id says which came first.
  entries[4].transaction.recorded_at = entries[3].transaction.recorded_at;
  std::vector<std::uint64_t> places = {0, 1, 2, 3, 4};
  std::vector<Uuid> expected;
  do {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto at = std::ranges::find(entries, uuid(static_cast<char>('a' + i)),
                                        [](const auto& one) { return one.transaction.id; });
      at->index = places[i];
    }
    settle(entries);
    std::vector<Uuid> order;
    for (const HistoryEntry& one : entries) order.push_back(one.transaction.id);
    if (expected.empty()) expected = order;
    CHECK(order == expected);
    CHECK(entries[0].replaced_by == uuid('c'));
    CHECK(entries[2].effective);
  } while (std::ranges::next_permutation(places).found);
  CHECK(expected == std::vector<Uuid>{uuid('a'), uuid('b'), uuid('c'), uuid('d'), uuid('e')});
}

TEST_CASE("in one log its order decides, whatever was recorded first") {
  std::vector<HistoryEntry> entries = ledger_of({"a", "b corrects a", "c corrects a"});
  std::swap(entries[1].index, entries[2].index);
  settle(entries);
  CHECK(entries[0].replaced_by == uuid('b'));
}
