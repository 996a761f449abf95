#include "gateway/model/status_event.h"

#include <algorithm>

#include "gateway/base/json.h"

namespace flora {
namespace {

void add(std::string& out, std::string_view name, std::string_view value) {
  json::append_string(out, name);
  out += ':';
  json::append_string(out, value);
  out += ',';
}

void add(std::string& out, std::string_view name, const ProcedureReference& procedure) {
  if (procedure.pseudonym) add(out, name, to_string(*procedure.pseudonym));
  // The order in which identifiers are given has no meaning.
  std::vector<Identifier> identifiers = procedure.identifiers;
  std::sort(identifiers.begin(), identifiers.end());
  for (const Identifier& identifier : identifiers) {
    add(out, name, std::string(to_string(identifier.type)) + '=' + identifier.value);
  }
}

void add(std::string& out, std::string_view name, const EventReference& reference) {
  if (const auto* id = std::get_if<Uuid>(&reference)) {
    add(out, name, to_string(*id));
  } else {
    const auto& identity = std::get<SenderIdentity>(reference);
    add(out, name, identity.source);
    add(out, name, identity.id);
  }
}

}  // namespace

std::string fingerprint_text(const StatusEvent& event) {
  std::string out = "1,";  // The version of this form.
  add(out, "authority", event.authority);
  add(out, "source", event.identity.source);
  add(out, "id", event.identity.id);
  add(out, "status", event.status);
  add(out, "regime", event.regime);
  std::visit([&out](const auto& time) { add(out, "occurred", to_string(time)); }, event.occurred);
  if (event.source_sequence) add(out, "sequence", std::to_string(*event.source_sequence));
  add(out, "procedure", event.procedure);
  add(out, "site", event.site);
  add(out, "details", event.details);
  if (event.corrects) add(out, "corrects", *event.corrects);
  if (event.revokes) add(out, "revokes", *event.revokes);
  if (event.merged_into) add(out, "mergedInto", *event.merged_into);
  return out;
}

}  // namespace flora
