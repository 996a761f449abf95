// Any JSON against the schemas of all requests and of all that goes on the ledger, and any text
// against every parameter: no crash; a refusal has its reasons, an acceptance none; order and white
// space decide nothing; what the ledger may hold is bounded.
#include "openapi/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/bytes.h"
#include "openapi/document.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using fuzz::require;
using fuzz::required;

constexpr std::size_t kMost = 32;

struct Named {
  std::string name;
  openapi::Schema schema;
};

struct Subject {
  const openapi::Document document = required(openapi::Document::load());
  const std::vector<Named> schemas = [this] {
    std::vector<Named> all;
    const auto json = nlohmann::json::parse(document.json());
    for (const auto& [name, ignored] : json["components"]["schemas"].items()) {
      if (!name.starts_with("Details") && name != "TransactionV1" && name != "TombstoneV1")
        continue;
      all.push_back({name, required(document.schema("#/components/schemas/" + name))});
    }
    for (const openapi::Operation& operation : document.operations()) {
      for (const openapi::MediaType& body : operation.bodies) {
        all.push_back({operation.id, body.schema});
        all.push_back({operation.id, body.item_schema});
      }
    }
    return all;
  }();
};

const Subject& subject() {
  static const Subject one;
  return one;
}

bool accepted(const openapi::Schema& schema, const json::Value& value) {
  std::vector<openapi::Violation> violations;
  const bool accepted = schema.validate(value, violations, kMost);
  require(accepted == violations.empty() && violations.size() <= kMost);
  for (const openapi::Violation& one : violations) {
    require(!one.rule.empty() && one.detail.size() < 400 && is_utf8(one.pointer));
  }
  return accepted;
}

// See openapi/guard.h.
void check_bounds(const json::Value& value) {
  if (value.is(json::Kind::integer)) require(value.integer() >= 0 && value.integer() <= 9999);
  require(!value.is(json::Kind::number));
  if (!value.is(json::Kind::object) && !value.is(json::Kind::array)) return;
  for (json::Value one = value.first(); one.valid(); one = one.next()) check_bounds(one);
}

void check_json(std::string_view text) {
  json::Document document;
  if (!document.parse(text)) return;
  std::string canonical;
  json::append_canonical(canonical, document.root());
  json::Document again;
  require(again.parse(canonical, {canonical.size() + 1, 32}));
  for (const Named& one : subject().schemas) {
    if (!accepted(one.schema, document.root())) continue;
    require(accepted(one.schema, again.root()));
    if (one.name.starts_with("Details")) check_bounds(document.root());
  }
}

void check_text(std::string_view text) {
  require(openapi::shape_of(openapi::shape_of(text)).size() <= 40 * 4);
  if (!is_utf8(text)) return;
  for (const openapi::Operation& operation : subject().document.operations()) {
    for (const openapi::Parameter& parameter : operation.parameters) {
      std::vector<openapi::Violation> violations;
      require(parameter.schema.validate_text(text, violations) == violations.empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_json(fuzz::text_of(data, size));
  check_text(fuzz::text_of(data, size));
  return 0;
}
