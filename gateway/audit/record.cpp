#include "gateway/audit/record.h"

#include "gateway/base/json.h"

namespace flora::audit {
namespace {

using Outcome = AuditEffect::Outcome;

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  json::append_string(out, value);
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(value);
}

// Nothing for an empty list.
template <typename List, typename ToText>
void append_list(std::string& out, std::string_view name, const List& list, ToText to_text) {
  if (list.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  char before = '[';
  for (const auto& one : list) {
    out += before;
    json::append_string(out, to_text(one));
    before = ',';
  }
  out += ']';
}

std::string begin(Action action) {
  std::string out = "\"action\":\"";
  out += to_string(action);
  out += '"';
  return out;
}

std::string text_of(const json::Value& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is(json::Kind::string) ? std::string(member->string()) : std::string();
}

std::int64_t number_of(const json::Value& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is(json::Kind::integer) ? member->integer() : 0;
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::report:
      return "REPORT";
    case Action::correct:
      return "CORRECT";
    case Action::revoke:
      return "REVOKE";
    case Action::merge:
      return "MERGE";
    case Action::search:
      return "SEARCH";
    case Action::read_procedure:
      return "READ_PROCEDURE";
    case Action::read_history:
      return "READ_HISTORY";
    case Action::read_transaction:
      return "READ_TRANSACTION";
    case Action::retry:
      return "RETRY";
    case Action::read_receipt:
      return "READ_RECEIPT";
    case Action::read_entries:
      return "READ_ENTRIES";
    case Action::read_answer:
      return "READ_ANSWER";
    case Action::read_audit:
      return "READ_AUDIT";
    case Action::export_audit:
      return "EXPORT_AUDIT";
    case Action::subject_report:
      return "SUBJECT_REPORT";
    case Action::erase:
      return "ERASE";
    case Action::expire:
      return "EXPIRE";
    case Action::erased:
      return "ERASED";
    case Action::segment_deleted:
      return "SEGMENT_DELETED";
    case Action::continued:
      return "CONTINUED";
  }
  return {};
}

std::string_view to_string(AuditEffect::Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted:
      return "ACCEPTED";
    case Outcome::repeat:
      return "REPEAT";
    case Outcome::found:
      return "FOUND";
    case Outcome::not_found:
      return "NOT_FOUND";
    case Outcome::hidden:
      return "HIDDEN";
    case Outcome::refused:
      return "REFUSED";
    case Outcome::done:
      return "DONE";
  }
  return {};
}

std::string opening(const Actor& actor, Action action) {
  std::string out = begin(action);
  append_text(out, "client", actor.client);
  append_list(out, "authorities", actor.authorities,
              [](const std::string& id) { return std::string_view(id); });
  append_text(out, "role", actor.role);
  return out;
}

std::string own_opening(Action action) { return begin(action); }

std::string body(std::string_view opening, const AuditEffect& effect) {
  std::string out(opening);
  append_text(out, "outcome", to_string(effect.outcome));
  if (!effect.problem.empty()) append_text(out, "problem", effect.problem);
  append_list(out, "procedures", effect.procedures, [](const Uuid& id) { return to_string(id); });
  if (effect.transaction) append_text(out, "transaction", to_string(*effect.transaction));
  append_list(out, "types", effect.types, [](IdentifierType type) { return to_string(type); });
  if (effect.entries) {
    append_number(out, "first", effect.entries->first);
    append_number(out, "count", effect.entries->count);
  }
  return out;
}

std::string body_of_erasure(const std::vector<Uuid>& procedures) {
  AuditEffect effect;
  effect.outcome = Outcome::done;
  effect.procedures = procedures;
  return body(begin(Action::erased), effect);
}

std::string body_of_deletion(std::int64_t segment) {
  std::string out = begin(Action::segment_deleted);
  append_text(out, "outcome", to_string(Outcome::done));
  append_number(out, "segment", static_cast<std::uint64_t>(segment));
  return out;
}

std::string body_of_continuation(std::int64_t after, const std::optional<AuditHead>& known) {
  std::string out = begin(Action::continued);
  append_text(out, "outcome", to_string(Outcome::done));
  append_number(out, "after", static_cast<std::uint64_t>(after));
  if (known) {
    append_number(out, "known", static_cast<std::uint64_t>(known->number));
    append_text(out, "knownHash", to_hex(known->hash));
  }
  return out;
}

std::string line(std::int64_t number, Instant at, std::string_view body) {
  std::string out = "{\"n\":";
  out += std::to_string(number);
  out += ",\"at\":\"";
  append(out, at);
  out += "\",";
  out += body;
  out += '}';
  return out;
}

Result<Record> parse_record(std::string_view line) {
  const Error error{Errc::invalid, "not a record of the audit trail"};
  thread_local json::Document document;
  if (!document.parse(line) || !document.root().is(json::Kind::object)) return error;
  const json::Value root = document.root();
  const auto at = parse_instant(text_of(root, "at"));
  Record record;
  record.number = number_of(root, "n");
  record.action = text_of(root, "action");
  if (!at || record.number < 1 || record.action.empty()) return error;
  record.at = *at;
  record.client = text_of(root, "client");
  record.outcome = text_of(root, "outcome");
  if (const auto authorities = root.find("authorities")) {
    if (!authorities->is(json::Kind::array)) return error;
    for (json::Value one = authorities->first(); one.valid(); one = one.next()) {
      if (!one.is(json::Kind::string)) return error;
      record.authorities.emplace_back(one.string());
    }
  }
  record.segment = number_of(root, "segment");
  record.after = number_of(root, "after");
  const auto procedures = root.find("procedures");
  if (!procedures) return record;
  if (!procedures->is(json::Kind::array)) return error;
  for (json::Value one = procedures->first(); one.valid(); one = one.next()) {
    const auto id = one.is(json::Kind::string) ? parse_uuid(one.string()) : std::nullopt;
    if (!id) return error;
    record.procedures.push_back(*id);
  }
  return record;
}

}  // namespace flora::audit
