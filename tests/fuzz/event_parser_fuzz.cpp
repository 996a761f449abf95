// Any bytes as a status event in each of its forms: no crash; a refusal is a problem of the list
// that is itself JSON; what is taken is the same event in every other form.
#include "gateway/intake/event_parser.h"

#include <nlohmann/json.hpp>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/problem.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using namespace flora::intake;
using fuzz::require;
using fuzz::required;

struct Subject {
  const Catalogue catalogue = required(Catalogue::parse(
      required(Env::system().read_file(FLORA_SOURCE_DIR "/config/statuses.yaml", 1 << 20)),
      "statuses.yaml"));
  const openapi::Document document = required(openapi::Document::load());
  const EventParser parser = required(EventParser::make(document, catalogue));
};

const EventParser& parser() {
  static const Subject subject;
  return subject.parser;
}

void check(const Problem& problem) {
  require(problem.status() >= 400 && problem.status() < 500);
  std::string text;
  append_json(text, problem);
  require(json::Document().parse(text, {text.size() + 1, 32}));
  for (const ProblemCause& cause : problem.causes) require(cause.detail.size() < 400);
}

// Nothing unless the result is an event.
std::optional<std::string> fingerprint(const ParseResult& result) {
  if (const auto* problem = std::get_if<Problem>(&result)) {
    check(*problem);
    return std::nullopt;
  }
  const auto& parsed = std::get<ParsedEvent>(result);
  require(parsed.status && parsed.status->name == parsed.event.status);
  require(is_utf8(parsed.event.identity.id) && is_utf8(parsed.event.identity.source));
  return fingerprint_text(parsed.event);
}

// A plain event as the data and the envelope of a CloudEvent.
void check_cloud_forms(std::string_view text, const std::string& expected) {
  nlohmann::json data = nlohmann::json::parse(text);
  nlohmann::json cloud = {{"specversion", "1.0"}, {"type", "de.bamf.flora.status-event.v1"}};
  cloud["id"] = data["id"];
  cloud["source"] = data["source"];
  if (data.contains("occurredAt")) cloud["time"] = data["occurredAt"];
  for (const char* name : {"id", "source", "occurredAt"}) data.erase(name);
  const auto id = cloud["id"].get<std::string>();
  const auto source = cloud["source"].get<std::string>();
  const auto time = cloud.value("time", std::string());
  Envelope envelope{id, source, std::nullopt};
  if (!time.empty()) envelope.time = time;
  require(fingerprint(parser().parse_data(data.dump(), envelope)) == expected);
  cloud["data"] = std::move(data);
  require(fingerprint(parser().parse_cloud_event(cloud.dump())) == expected);
}

void check_plain(std::string_view text) {
  const auto expected = fingerprint(parser().parse(text));
  if (!expected) return;
  require(fingerprint(parser().parse(text)) == expected);
  require(fingerprint(parser().parse(nlohmann::json::parse(text).dump(2))) == expected);
  check_cloud_forms(text, *expected);
}

// As a batch is read: each element, wherever it stands.
void check_batch(std::string_view text) {
  json::Document document;
  if (!document.parse(text) || !document.root().is(json::Kind::array)) return;
  for (json::Value item = document.root().first(); item.valid(); item = item.next()) {
    const auto expected = fingerprint(parser().parse_cloud_event(item));
    require(fingerprint(parser().parse_cloud_event(item.raw())) == expected);
  }
}

void check_search(std::string_view text) {
  const auto result = parser().parse_search(text);
  if (const auto* problem = std::get_if<Problem>(&result)) return check(*problem);
  for (const Identifier& one : std::get<std::vector<Identifier>>(result)) {
    const auto again = normal_form(one.type, one.value);
    require(again.has_value() && *again == one.value);
  }
}

// The fields of a CloudEvent in binary mode may hold anything.
void check_binary(std::string_view text) {
  const std::size_t first = text.find('\n');
  const std::size_t second = first == text.npos ? text.npos : text.find('\n', first + 1);
  if (second == text.npos) return;
  Envelope envelope{text.substr(0, first), "urn:flora:fuzz", std::nullopt};
  envelope.time = text.substr(first + 1, second - first - 1);
  const auto result = parser().parse_data(text.substr(second + 1), envelope);
  if (const auto* problem = std::get_if<Problem>(&result)) check(*problem);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_plain(text);
  (void)fingerprint(parser().parse_cloud_event(text));
  check_batch(text);
  check_search(text);
  check_binary(text);
  return 0;
}
