// Any bytes as a message to the bundle FLORA_FUZZ_BUNDLE (of adapters/, or `soap` or `fixed`): no
// crash, every event is JSON, the answer is the same twice and item by item, and no issue shows a
// long text of the message.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "gateway/base/json.h"
#include "tests/adapters/many_events.h"
#include "tests/adapters/small_bundle.h"
#include "tests/temporary_folder.h"

namespace {

using namespace flora::adapter;

flora::Result<std::unique_ptr<Adapter>> load(const std::string& name) {
  const flora::TemporaryFolder folder;
  if (name == "fixed") {
    many::write_fixed_bundle(folder.path());
    return Adapter::load(folder.path());
  }
  if (name == "soap") {
    std::string rules = kSmallBundle;
    rules.replace(rules.find("format: xml"), 11, "format: soap");
    std::ofstream(folder.path() + "/adapter.yaml") << rules;
    return Adapter::load(folder.path());
  }
  return Adapter::load(std::string(FLORA_SOURCE_DIR) + "/adapters/" + name);
}

const Adapter& bundle() {
  static const std::unique_ptr<Adapter> loaded = [] {
    auto result = load(FLORA_FUZZ_BUNDLE);
    if (!result) {
      std::fprintf(stderr, "%s\n", result.error().message.c_str());
      std::abort();
    }
    return std::move(result).value();
  }();
  return *loaded;
}

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const std::vector<Issue>& issues) {
  for (const Issue& issue : issues) {
    require(!issue.code.empty() && !issue.detail.empty() && !issue.rule.empty());
    require(issue.detail.size() < 250);
  }
}

void check_item_by_item(std::string_view message, const Translation& translation) {
  Cursor cursor = bundle().open(message);
  Item item;
  std::size_t number = 0;
  for (; cursor.next(item); ++number) {
    require(number < translation.items.size() && item.event == translation.items[number].event);
  }
  require(number == translation.items.size() && cursor.rejection().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const Translation translation = bundle().translate(message);
  // Only a file whose last record counts none has neither.
  require(translation.rejection.empty() || translation.items.empty());
  check(translation.rejection);
  const Translation again = bundle().translate(message);
  require(again.items.size() == translation.items.size());
  flora::json::Document document;
  for (std::size_t i = 0; i < translation.items.size(); ++i) {
    const Item& item = translation.items[i];
    require(item.number == i && item.event == again.items[i].event);
    require((item.outcome == Item::Outcome::event) == item.issues.empty());
    require(item.event.empty() || document.parse(item.event));
    check(item.issues);
  }
  if (translation.rejection.empty()) check_item_by_item(message, translation);
  return 0;
}
