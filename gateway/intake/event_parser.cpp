#include "gateway/intake/event_parser.h"

#include <algorithm>
#include <set>

namespace flora::intake {
namespace {

constexpr std::string_view kMergeStatus = "VERFAHREN_ZUSAMMENGEFUEHRT";

Problem validation_failed(const std::vector<openapi::Violation>& violations,
                          std::string_view pointer) {
  Problem problem{"validation-failed", {}, {}};
  for (const openapi::Violation& violation : violations) {
    ProblemCause cause;
    cause.code = violation.rule;
    cause.detail = violation.detail;
    cause.pointer = std::string(pointer) + violation.pointer;
    cause.has_pointer = true;
    problem.causes.push_back(std::move(cause));
  }
  return problem;
}

void add_cause(Problem& problem, std::string pointer, std::string code, std::string detail) {
  if (problem.name.empty()) problem.name = "validation-failed";
  ProblemCause cause;
  cause.code = std::move(code);
  cause.detail = std::move(detail);
  cause.pointer = std::move(pointer);
  cause.has_pointer = true;
  problem.causes.push_back(std::move(cause));
}

std::string optional_text(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? std::string(value->string()) : std::string();
}

// The schema has been checked: members have the types that it names.
ProcedureReference read_procedure(const json::Value& object, const std::string& pointer,
                                  Problem& problem) {
  ProcedureReference reference;
  if (const auto id = object.find("procedureId")) {
    reference.pseudonym = parse_uuid(id->string());
    return reference;
  }
  const json::Value list = *object.find("identifiers");
  std::size_t number = 0;
  for (json::Value item = list.first(); item.valid(); item = item.next(), ++number) {
    const auto type = parse_identifier_type(item.find("type")->string());
    const std::string_view written = item.find("value")->string();
    const std::string at = pointer + "/identifiers/" + std::to_string(number) + "/value";
    if (!type) {
      add_cause(problem, at, "type", "The gateway does not know this type.");
      continue;
    }
    Result<std::string> normal = normal_form(*type, written);
    if (!normal) {
      problem.name = "identifier-malformed";
      add_cause(problem, at, "identifier-malformed",
                "It has not the form of " + std::string(to_string(*type)) + ".");
      continue;
    }
    reference.identifiers.push_back({*type, std::move(*normal)});
    reference.written.emplace_back(written);
  }
  return reference;
}

EventReference read_reference(const json::Value& object) {
  if (const auto id = object.find("transactionId")) return *parse_uuid(id->string());
  return SenderIdentity{std::string(object.find("source")->string()),
                        std::string(object.find("id")->string())};
}

void read_time(const json::Value& data, const std::optional<Envelope>& envelope,
               const std::string& pointer, StatusEvent& event, Problem& problem) {
  if (const auto day = data.find("occurredOn")) {
    event.occurred = parse_day(day->string()).value_or(Day{});
    return;
  }
  std::optional<std::string_view> text;
  if (const auto at = data.find("occurredAt")) text = at->string();
  if (envelope) text = envelope->time;
  const auto instant = text ? parse_instant(*text) : std::nullopt;
  if (!instant) {
    add_cause(problem, pointer, "required",
              "The time is missing: occurredOn, or the envelope's time.");
    return;
  }
  event.occurred = *instant;
}

void read_references(const json::Value& data, const std::string& pointer, StatusEvent& event,
                     Problem& problem) {
  if (const auto corrects = data.find("corrects")) event.corrects = read_reference(*corrects);
  if (const auto revokes = data.find("revokes")) event.revokes = read_reference(*revokes);
  if (event.corrects && event.revokes) {
    add_cause(problem, pointer + "/revokes", "exclusive",
              "An event corrects or revokes, not both.");
  }
  const bool merges = event.status == kMergeStatus && !event.revokes;
  const auto merged_into = data.find("mergedInto");
  if (merges != merged_into.has_value()) {
    add_cause(problem, pointer + "/mergedInto", merges ? "required" : "additionalProperties",
              merges ? "VERFAHREN_ZUSAMMENGEFUEHRT names the procedure that remains."
                     : "It stands with VERFAHREN_ZUSAMMENGEFUEHRT only.");
  }
  if (merged_into) {
    event.merged_into = read_procedure(*merged_into, pointer + "/mergedInto", problem);
  }
}

std::string join(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Problem malformed_json(const json::ParseError& error) {
  Problem problem{"malformed-json", {}, {}};
  ProblemCause cause;
  cause.code = "syntax";
  cause.detail = std::string(error.reason) + ".";
  cause.detail[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(cause.detail[0])));
  cause.line = error.line;
  cause.column = error.column;
  problem.causes.push_back(std::move(cause));
  return problem;
}

Result<EventParser> EventParser::make(const openapi::Document& document,
                                      const Catalogue& catalogue) {
  EventParser parser;
  parser.catalogue_ = &catalogue;
  FLORA_ASSIGN(parser.event_, document.schema("#/components/schemas/StatusEvent"));
  FLORA_ASSIGN(parser.data_, document.schema("#/components/schemas/StatusEventData"));
  FLORA_ASSIGN(parser.cloud_event_, document.schema("#/components/schemas/CloudEvent"));
  FLORA_ASSIGN(parser.search_, document.schema("#/components/schemas/ProcedureSearch"));
  std::set<std::string> only_document;
  for (std::string& name : document.enum_values("#/components/schemas/Status")) {
    only_document.insert(std::move(name));
  }
  std::set<std::string> only_catalogue;
  for (const Status& status : catalogue.statuses()) {
    if (only_document.erase(status.name) == 0) only_catalogue.insert(status.name);
    FLORA_ASSIGN(parser.details_[status.name],
                 document.schema("#/components/schemas/" + status.details));
  }
  if (!only_document.empty() || !only_catalogue.empty()) {
    return Error{Errc::invalid,
                 "document and catalogue have different statuses; only in the document: " +
                     join(only_document) + "; only in the catalogue: " + join(only_catalogue)};
  }
  return parser;
}

ParseResult EventParser::parse(std::string_view text) const {
  thread_local json::Document document;
  if (!document.parse(text)) return malformed_json(document.error());
  std::vector<openapi::Violation> violations;
  if (!event_.validate(document.root(), violations)) return validation_failed(violations, "");
  return build(document.root(), std::nullopt, "");
}

ParseResult EventParser::parse_cloud_event(std::string_view text) const {
  thread_local json::Document document;
  if (!document.parse(text)) return malformed_json(document.error());
  return parse_cloud_event(document.root());
}

ParseResult EventParser::parse_cloud_event(const json::Value& value) const {
  std::vector<openapi::Violation> violations;
  if (!cloud_event_.validate(value, violations)) return validation_failed(violations, "");
  Envelope envelope{value.find("id")->string(), value.find("source")->string(), std::nullopt};
  if (const auto time = value.find("time")) envelope.time = time->string();
  return build(*value.find("data"), envelope, "/data");
}

ParseResult EventParser::parse_data(std::string_view text, const Envelope& envelope) const {
  thread_local json::Document document;
  if (!document.parse(text)) return malformed_json(document.error());
  std::vector<openapi::Violation> violations;
  if (!data_.validate(document.root(), violations)) return validation_failed(violations, "");
  return build(document.root(), envelope, "");
}

std::variant<std::vector<Identifier>, Problem> EventParser::parse_search(
    std::string_view text) const {
  thread_local json::Document document;
  if (!document.parse(text)) return malformed_json(document.error());
  std::vector<openapi::Violation> violations;
  if (!search_.validate(document.root(), violations)) return validation_failed(violations, "");
  Problem problem;
  ProcedureReference reference = read_procedure(document.root(), "", problem);
  if (!problem.name.empty()) return problem;
  return std::move(reference.identifiers);
}

ParseResult EventParser::build(const json::Value& data, const std::optional<Envelope>& envelope,
                               std::string_view pointer) const {
  const std::string at(pointer);
  Problem problem;
  ParsedEvent parsed;
  StatusEvent& event = parsed.event;
  event.identity.id = envelope ? std::string(envelope->id) : optional_text(data, "id");
  event.identity.source = envelope ? std::string(envelope->source) : optional_text(data, "source");
  event.status = data.find("status")->string();
  event.regime = optional_text(data, "regime");
  read_time(data, envelope, at, event, problem);
  if (const auto sequence = data.find("sourceSequence")) {
    event.source_sequence = static_cast<std::int32_t>(sequence->integer());
  }
  event.procedure = read_procedure(*data.find("procedure"), at + "/procedure", problem);
  const json::Value reporter = *data.find("reporter");
  event.authority = reporter.find("authority")->string();
  event.site = optional_text(data, "site");
  parsed.claim = {event.authority, optional_text(reporter, "land"), optional_text(reporter, "role"),
                  event.site};
  if (const auto test = data.find("test")) event.test = test->boolean();
  read_references(data, at, event, problem);
  parsed.status = catalogue_->find(event.status);
  check_details(data, at, parsed, problem);
  if (!problem.name.empty()) return problem;
  return parsed;
}

// A revocation takes a report back as a whole and has no details of its own.
void EventParser::check_details(const json::Value& data, std::string_view pointer,
                                ParsedEvent& parsed, Problem& problem) const {
  const std::string at = std::string(pointer) + "/details";
  const auto details = data.find("details");
  if (parsed.event.revokes) {
    if (details) add_cause(problem, at, "additionalProperties", "A revocation has no details.");
    return;
  }
  static const json::Document empty = [] {
    json::Document document;
    (void)document.parse("{}");
    return document;
  }();
  std::vector<openapi::Violation> violations;
  const openapi::Schema& schema = details_.find(parsed.event.status)->second;
  if (!schema.validate(details ? *details : empty.root(), violations)) {
    for (openapi::Violation& violation : violations) {
      add_cause(problem, at + violation.pointer, violation.rule, violation.detail);
    }
    return;
  }
  if (details && details->size() > 0) json::append_canonical(parsed.event.details, *details);
}

}  // namespace flora::intake
