// A translation that is warm allocates nothing for an event: neither while the message is read, nor
// while its items are made. The program counts allocations.

#include "tests/adapters/installed_bundles.h"
#include "tests/adapters/many_events.h"
#include "tests/counted_allocations.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

// A cursor has memory of its own; all else is used again.
constexpr std::size_t kPerMessage = 1;

// What one translation cost, item by item.
struct Cost {
  std::size_t events = 0;
  std::size_t others = 0;      // Items that are no events: their issues are texts.
  std::size_t of_opening = 0;  // Allocations.
  std::size_t of_events = 0;   // Allocations.
};

Cost translate(const Adapter& adapter, std::string_view message, Item& item) {
  Cost cost;
  const std::size_t before = test::allocations();
  Cursor cursor = adapter.open(message);
  cost.of_opening = test::allocations() - before;
  for (;;) {
    const std::size_t before_item = test::allocations();
    if (!cursor.next(item)) break;
    const bool event = item.outcome == Item::Outcome::event;
    if (event) cost.of_events += test::allocations() - before_item;
    ++(event ? cost.events : cost.others);
  }
  return cost;
}

Cost translate_when_warm(const Adapter& adapter, std::string_view message) {
  Item item;
  translate(adapter, message, item);
  translate(adapter, message, item);
  return translate(adapter, message, item);
}

void expect_none_per_event(const Adapter& adapter, std::string (*message_with)(int events)) {
  const std::string once = message_with(2000);
  const std::string twice = message_with(4000);
  const Cost larger = translate_when_warm(adapter, twice);
  const Cost smaller = translate_when_warm(adapter, once);
  CHECK(smaller.events == 2000);
  CHECK(larger.events == 4000);
  CHECK(smaller.others + larger.others == 0);
  CHECK(larger.of_events == 0);
  CHECK(smaller.of_events == 0);
  CHECK(larger.of_opening == smaller.of_opening);
  CHECK(larger.of_opening <= kPerMessage);
}

std::unique_ptr<Adapter> bundle_of(const std::string& id) {
  return load_bundle(std::string(FLORA_SOURCE_DIR) + "/adapters/" + id);
}

}  // namespace

TEST_CASE("no event of any bundle's fixtures allocates") {
  std::size_t events = 0;
  for (const std::string& folder : bundle_folders()) {
    const std::unique_ptr<Adapter> adapter = load_bundle(folder);
    for (const Fixture& fixture : find_fixtures(folder).fixtures) {
      if (fixture.kind != "accepted") continue;
      CAPTURE(fixture.message);
      const Cost cost = translate_when_warm(*adapter, read_whole(fixture.message));
      events += cost.events;
      CHECK(cost.of_events == 0);
      if (cost.others == 0) CHECK(cost.of_opening <= kPerMessage);
    }
  }
  CHECK(events > 0);
}

TEST_CASE("a CSV file with quotes and letters of ISO-8859-1 allocates nothing per event") {
  expect_none_per_event(*bundle_of("de-bb-export"), many::csv_file);
}

TEST_CASE("a JSON message with a history of thousands of entries allocates nothing per event") {
  expect_none_per_event(*bundle_of("de-sn-assist"), many::json_message);
}

TEST_CASE("an XML message with thousands of persons allocates nothing per event") {
  expect_none_per_event(*bundle_of("de-ni-xauslaender"), many::xml_message);
}

TEST_CASE("a file of fixed records allocates nothing per event") {
  const TemporaryFolder folder;
  many::write_fixed_bundle(folder.path());
  expect_none_per_event(*load_bundle(folder.path()), many::fixed_file);
}

}  // namespace flora::adapter
