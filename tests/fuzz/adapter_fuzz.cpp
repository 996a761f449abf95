// Any bytes as a message to the bundle FLORA_FUZZ_BUNDLE (of adapters/, or `soap` or `fixed`): no
// crash, every event is a canonical status event, the answer is the same twice and item by item,
// and no issue shows a long text of the message.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "adapters/fixtures.h"
#include "gateway/commands/definitions.h"
#include "tests/adapters/many_events.h"
#include "tests/adapters/small_bundle.h"
#include "tests/temporary_folder.h"

namespace {

using namespace flora::adapter;

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename T>
T required(flora::Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
  require(result.has_value());
  return std::move(*result);
}

flora::Result<std::unique_ptr<Adapter>> load(const std::string& name, const CanonicalTypes& types) {
  const flora::TemporaryFolder folder;
  if (name == "fixed") {
    many::write_fixed_bundle(folder.path());
    return Adapter::load(folder.path(), &types);
  }
  if (name == "soap") {
    std::string rules = kSmallBundle;
    rules.replace(rules.find("format: xml"), 11, "format: soap");
    std::ofstream(folder.path() + "/adapter.yaml") << rules;
    return Adapter::load(folder.path(), &types);
  }
  return Adapter::load(std::string(FLORA_SOURCE_DIR) + "/adapters/" + name, &types);
}

// The bundle, and what an event must be. The later members refer to the earlier ones.
struct Subject {
  const flora::commands::Canonical canonical = required(flora::commands::load_canonical(
      std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml", flora::Env::system()));
  const flora::intake::EventParser parser =
      required(flora::intake::EventParser::make(canonical.document, canonical.catalogue));
  const EventCheck is_wrong = flora::commands::canonical_check(parser);
  const CanonicalTypes types =
      flora::commands::canonical_types(canonical.document, canonical.catalogue);
  const std::unique_ptr<Adapter> bundle = required(load(FLORA_FUZZ_BUNDLE, types));

  Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
};

const Subject& subject() {
  static const Subject made;
  return made;
}

void check(const std::vector<Issue>& issues) {
  for (const Issue& issue : issues) {
    require(!issue.code.empty() && !issue.detail.empty() && !issue.rule.empty());
    require(issue.detail.size() < 250);
  }
}

void check(const Item& item, std::string_view message) {
  require((item.outcome == Item::Outcome::event) == item.issues.empty());
  require((item.outcome == Item::Outcome::event) != item.event.empty());
  if (!item.event.empty()) {
    const std::string why = subject().is_wrong(item.event);
    if (!why.empty()) std::fprintf(stderr, "%s\n%s\n", item.event.c_str(), why.c_str());
    require(why.empty());
  }
  const std::less_equal<const char*> before;
  const std::string_view native = item.native_record;
  require(before(message.data(), native.data()) &&
          before(native.data() + native.size(), message.data() + message.size()));
  check(item.issues);
}

// As a stream the message gives the same items; only that too many are rejected is not known.
void check_item_by_item(std::string_view message, const Translation& translation) {
  Translation streamed;
  Cursor cursor = subject().bundle->open(message);
  for (Item item; cursor.next(item);) streamed.items.push_back(item);
  streamed.rejection = cursor.rejection();
  if (!translation.rejection.empty()) {
    const bool too_many = translation.rejection.front().code == "too-many-rejected";
    require(streamed.rejection.empty() == too_many);
    if (too_many) return;
    streamed.items.clear();
  }
  require(render(streamed) == render(translation));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const Translation translation = subject().bundle->translate(message);
  // Only a file whose last record counts none has neither.
  require(translation.rejection.empty() || translation.items.empty());
  check(translation.rejection);
  require(render(subject().bundle->translate(message)) == render(translation));
  for (std::size_t i = 0; i < translation.items.size(); ++i) {
    require(translation.items[i].number == i);
    check(translation.items[i], message);
  }
  check_item_by_item(message, translation);
  return 0;
}
