#include "gateway/model/transaction.h"

#include <doctest/doctest.h>

#include "gateway/base/json.h"

namespace flora {
namespace {

std::string golden(const std::string& name) {
  auto text = Env::system().read_file(FLORA_SOURCE_DIR "/tests/model/golden/" + name, 1 << 16);
  REQUIRE(text);
  if (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

Transaction full() {
  Transaction t;
  t.id = *parse_uuid("019a4d3c-5d2b-7abc-8def-0123456789ab");
  t.procedure = *parse_uuid("6f1c1b2e-93c5-4d0f-9b52-2f6d7f1a0c11");
  t.status = "BESCHEID_ERLASSEN";
  t.regime = "ALT";
  t.occurred = *parse_day("2026-11-30");
  t.source_sequence = 17;
  t.recorded_at = *parse_instant("2026-12-01T08:00:00.5+01:00");
  t.authority = "999901";
  t.role = "BAMF";
  t.land = "DE";
  t.site = "MUSTERSTADT";
  t.channel = "default";
  t.catalogue = "2026-11";
  t.details =
      R"({"entscheidung":{"code":"03","list":"urn:xoev-de:xauslaender:codeliste:asyl.entscheidungssachverhalt","version":"1"}})";
  t.corrects = *parse_uuid("019a4d3c-0000-7abc-8def-0123456789ab");
  t.adapter = AdapterMark{"de-ni-xauslaender", "1.0.0", std::string(64, 'a')};
  for (std::size_t i = 0; i < t.salt.size(); ++i) t.salt[i] = std::byte(i);
  return t;
}

Tombstone tombstone() {
  const Transaction from = full();
  return {from.id, from.procedure, from.recorded_at, "999901", "default", from.salt};
}

TEST_CASE("version 1 is written as the golden files say") {
  CHECK(to_canonical(full()) == golden("v1-full.json"));
  Transaction t = full();
  t.regime.clear();
  t.site.clear();
  t.details.clear();
  t.source_sequence.reset();
  t.corrects.reset();
  t.adapter.reset();
  t.occurred = *parse_instant("2026-11-30T10:00:00Z");
  CHECK(to_canonical(t) == golden("v1-minimal.json"));
  t.revokes = t.id;
  t.merged_into = t.procedure;
  CHECK(to_canonical(t) == golden("v1-references.json"));
}

TEST_CASE("every golden file is read back, is canonical, and is written again byte for byte") {
  for (const char* name : {"v1-full.json", "v1-minimal.json", "v1-references.json"}) {
    const std::string text = golden(name);
    const auto transaction = parse_transaction(text);
    REQUIRE(transaction);
    CHECK(to_canonical(*transaction) == text);
    json::Document document;
    REQUIRE(document.parse(text));
    std::string canonical;
    json::append_canonical(canonical, document.root());
    CHECK(canonical == text);
  }
}

TEST_CASE("a tombstone is written as the golden file says, and read back") {
  const std::string text = golden("tombstone-v1.json");
  CHECK(to_canonical(tombstone()) == text);
  const auto content = parse_entry(text);
  REQUIRE(content);
  REQUIRE(std::holds_alternative<Tombstone>(*content));
  CHECK(to_canonical(std::get<Tombstone>(*content)) == text);
  CHECK_FALSE(parse_transaction(text));
  json::Document document;
  REQUIRE(document.parse(text));
  std::string canonical;
  json::append_canonical(canonical, document.root());
  CHECK(canonical == text);
}

TEST_CASE("what is neither transaction nor tombstone is corrupt") {
  const std::string good = golden("tombstone-v1.json");
  for (const auto& [from, to] :
       {std::pair{"\"v\":1", "\"v\":2"}, std::pair{"ERASURE", "ERASED"},
        std::pair{"\"salt\"", "\"status\":\"RECHTSKRAFT\",\"salt\""}, std::pair{"000102", "00010"},
        std::pair{"\"kind\":\"ERASURE\",", ""}}) {
    std::string bad = good;
    bad.replace(bad.find(from), std::string_view(from).size(), to);
    CAPTURE(bad);
    CHECK_FALSE(parse_entry(bad));
  }
}

TEST_CASE("a text that could not have been written is corrupt") {
  const std::string good = golden("v1-full.json");
  REQUIRE(parse_transaction(good));
  CHECK_FALSE(parse_transaction(good + " "));
  CHECK_FALSE(parse_transaction(""));
  CHECK_FALSE(parse_transaction("{\"v\":1}"));
  for (const auto& [from, to] :
       {std::pair{"\"v\":1", "\"v\":2"}, std::pair{"\"site\":", "\"sitf\":"},
        std::pair{"2026-11-30", "2026-11-31"}, std::pair{"\"status\":", "\"extra\":1,\"status\":"},
        std::pair{"000102", "00010"}, std::pair{"019a4d3c-5d2b", "019A4D3C-5D2B"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), std::string_view(from).size(), to);
    CAPTURE(bad);
    CHECK_FALSE(parse_transaction(bad));
  }
}

}  // namespace
}  // namespace flora
