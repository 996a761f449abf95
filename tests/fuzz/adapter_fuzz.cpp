// Any bytes as a message to the bundle de-ni-xauslaender: no crash, every event is JSON, the answer
// is the same twice, and no issue shows a long text of the message.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "gateway/base/json.h"

namespace {

using namespace flora::adapter;

const Adapter& bundle() {
  static const std::unique_ptr<Adapter> loaded = [] {
    auto result = Adapter::load(std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender");
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const Translation translation = bundle().translate(message);
  require(translation.rejection.empty() != translation.items.empty());
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
  return 0;
}
