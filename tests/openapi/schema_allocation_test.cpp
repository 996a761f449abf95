// Validating a good event allocates nothing: it is done for each event of every intake form.
#include <doctest/doctest.h>

#include "openapi/document.h"
#include "tests/counted_allocations.h"

namespace flora::openapi {

TEST_CASE("validating a good event allocates nothing, whatever branches it takes") {
  const auto document = Document::load();
  REQUIRE(document.has_value());
  const auto schema = document->schema("#/components/schemas/StatusEvent");
  REQUIRE(schema.has_value());
  const std::string_view text =
      R"({"id":"e-1","source":"s","status":"RECHTSKRAFT","occurredOn":"2026-11-02",)"
      R"("procedure":{"identifiers":[{"type":"AZR_NUMMER","value":"991231000011"}]},)"
      R"("reporter":{"authority":"000250"},"details":{"bescheidVom":"2026-10-01","sachverhalte":[)"
      R"({"list":"urn:xoev-de:xauslaender:codeliste:geas.asylabschlusssachverhalt",)"
      R"("version":"1","code":"54"}]}})";
  json::Document parsed;
  REQUIRE(parsed.parse(text));
  std::vector<Violation> out;
  REQUIRE(schema->validate(parsed.root(), out));
  const std::size_t before = test::allocations();
  for (int i = 0; i < 1000; ++i) {
    if (!schema->validate(parsed.root(), out)) break;
  }
  const std::size_t after = test::allocations();
  CHECK(after == before);
  CHECK(out.empty());
}

}  // namespace flora::openapi
