// Each event that the fixtures of de-ni-xauslaender give is taken by the gateway's own event
// parser, with the details that the document asks of its status.
#include <doctest/doctest.h>

#include "adapters/adapter.h"
#include "gateway/commands/definitions.h"
#include "gateway/intake/event_parser.h"
#include "tests/adapters/golden.h"

namespace flora::adapter {

TEST_CASE("every translated event is a canonical status event") {
  Result<openapi::Document> document = openapi::Document::load();
  REQUIRE_MESSAGE(document, (document ? "" : document.error().message));
  const std::string path = std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml";
  Result<Catalogue> catalogue = Catalogue::parse(read_whole(path), path);
  REQUIRE_MESSAGE(catalogue, (catalogue ? "" : catalogue.error().message));
  Result<intake::EventParser> parser = intake::EventParser::make(*document, *catalogue);
  REQUIRE_MESSAGE(parser, (parser ? "" : parser.error().message));
  Result<std::unique_ptr<Adapter>> bundle = Adapter::load(bundle_folder());
  REQUIRE_MESSAGE(bundle, (bundle ? "" : bundle.error().message));

  int events = 0;
  for (const auto& fixture : all_fixtures()) {
    const Translation translation = (*bundle)->translate(read_whole(fixture));
    for (const Item& item : translation.items) {
      if (item.outcome != Item::Outcome::event) continue;
      const intake::ParseResult parsed = parser->parse(item.event);
      const auto* problem = std::get_if<Problem>(&parsed);
      std::string why;
      if (problem != nullptr) {
        why = problem->detail;
        for (const ProblemCause& cause : problem->causes)
          why += "\n" + cause.pointer + " " + cause.detail;
      }
      CHECK_MESSAGE(problem == nullptr, fixture << ": " << why << "\n" << item.event);
      ++events;
    }
  }
  CHECK(events > 60);
}

TEST_CASE("its statuses and details are those of catalogue and document") {
  Result<openapi::Document> document = openapi::Document::load();
  REQUIRE(document);
  const std::string path = std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml";
  Result<Catalogue> catalogue = Catalogue::parse(read_whole(path), path);
  REQUIRE(catalogue);
  CanonicalTypes types = commands::canonical_types(*document, *catalogue);
  Result<std::unique_ptr<Adapter>> bundle = Adapter::load(bundle_folder(), &types);
  CHECK_MESSAGE(bundle, (bundle ? "" : bundle.error().message));

  const auto status = std::find_if(types.statuses.begin(), types.statuses.end(),
                                   [](const auto& s) { return s.name == "DUBLIN_EINGELEITET"; });
  REQUIRE(status != types.statuses.end());
  REQUIRE(status->details.size() == 1);
  CHECK(status->details[0].name == "mitgliedstaat");
  CHECK(status->details[0].required);
  CHECK(status->details[0].kind == CanonicalTypes::Kind::code);
  status->details[0].name = "anderes";
  CHECK(!Adapter::load(bundle_folder(), &types));
}

TEST_CASE("the bundle reports what the catalogue says of each message") {
  const std::string path = std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml";
  Result<Catalogue> catalogue = Catalogue::parse(read_whole(path), path);
  REQUIRE(catalogue);
  Result<std::unique_ptr<Adapter>> bundle = Adapter::load(bundle_folder());
  REQUIRE(bundle);
  for (const auto& fixture : fixtures("accepted")) {
    const std::string number = fixture.filename().string().substr(0, 6);
    const Translation translation = (*bundle)->translate(read_whole(fixture));
    for (const Item& item : translation.items) {
      if (item.outcome != Item::Outcome::event) continue;
      json::Document event;
      REQUIRE(event.parse(item.event));
      const Status* status = catalogue->find(event.root().find("status")->string());
      REQUIRE(status != nullptr);
      const auto& messages = status->messages;
      CHECK_MESSAGE(std::find(messages.begin(), messages.end(), number) != messages.end(),
                    number << " for " << status->name);
    }
  }
}

}  // namespace flora::adapter
