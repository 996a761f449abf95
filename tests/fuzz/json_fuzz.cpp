// Any bytes as JSON: what our strict reader takes, nlohmann/json takes and reads the same; the
// canonical form is one that is canonical already.
#include "gateway/base/json.h"

#include <nlohmann/json.hpp>

#include "gateway/base/bytes.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using fuzz::require;

std::string canonical(const json::Value& value) {
  std::string out;
  json::append_canonical(out, value);
  return out;
}

bool same(const json::Value& ours, const nlohmann::json& theirs);

bool same_members(const json::Value& ours, const nlohmann::json& theirs) {
  if (!theirs.is_object() || theirs.size() != ours.size()) return false;
  for (json::Value member = ours.first(); member.valid(); member = member.next()) {
    const auto found = theirs.find(std::string(member.name()));
    if (found == theirs.end() || !same(member, *found)) return false;
    const auto again = ours.find(member.name());
    if (!again || again->offset() != member.offset()) return false;
  }
  return true;
}

bool same_items(const json::Value& ours, const nlohmann::json& theirs) {
  if (!theirs.is_array() || theirs.size() != ours.size()) return false;
  std::size_t i = 0;
  for (json::Value item = ours.first(); item.valid(); item = item.next()) {
    if (!same(item, theirs[i++])) return false;
  }
  return i == theirs.size();
}

bool same(const json::Value& ours, const nlohmann::json& theirs) {
  switch (ours.kind()) {
    case json::Kind::null:
      return theirs.is_null();
    case json::Kind::boolean:
      return theirs.is_boolean() && theirs.get<bool>() == ours.boolean();
    case json::Kind::integer:
      return theirs.is_number() && theirs.get<std::int64_t>() == ours.integer();
    case json::Kind::number:
      return theirs.is_number() && theirs.get<double>() == ours.number();
    case json::Kind::string:
      return theirs.is_string() && theirs.get_ref<const std::string&>() == ours.string();
    case json::Kind::array:
      return same_items(ours, theirs);
    case json::Kind::object:
      return same_members(ours, theirs);
  }
  return false;
}

void check_error(const json::ParseError& error, std::string_view text) {
  require(!error.reason.empty() && error.offset <= text.size());
  require(error.line >= 1 && error.column >= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  static json::Document document;
  if (!document.parse(text)) {
    check_error(document.error(), text);
    return 0;
  }
  const nlohmann::json theirs = nlohmann::json::parse(text, nullptr, false);
  require(!theirs.is_discarded() && is_utf8(text));
  require(same(document.root(), theirs));

  const std::string first = canonical(document.root());
  json::Document again;
  require(again.parse(first, {first.size() + 1, 32}));
  require(canonical(again.root()) == first);

  std::string quoted;
  json::append_string(quoted, text);
  require(again.parse(quoted, {quoted.size() + 1, 32}) && again.root().string() == text);
  return 0;
}
