#include "gateway/model/receiver.h"

#include "gateway/base/json.h"

namespace flora {
namespace {

std::string text_member(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(json::Kind::string) ? std::string(value->string()) : std::string();
}

}  // namespace

Receiver receiver_of(const Transaction& transaction) {
  json::Document document;
  if (transaction.details.empty() || !document.parse(transaction.details)) return {};
  if (!document.root().is(json::Kind::object)) return {};
  return {text_member(document.root(), "empfaengerLand"),
          text_member(document.root(), "empfaengerBehoerde")};
}

}  // namespace flora
