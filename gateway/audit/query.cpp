#include "gateway/audit/query.h"

#include <utility>

#include "gateway/base/json.h"

namespace flora::audit {
namespace {

void append_member(std::string& out, std::string_view name,
                   const std::optional<std::string>& value) {
  if (!value) return;
  out += out.size() > 1 ? ",\"" : "\"";
  out += name;
  out += "\":";
  json::append_string(out, *value);
}

template <typename Value>
std::optional<std::string> text_of(const std::optional<Value>& value) {
  if (!value) return std::nullopt;
  return to_string(*value);
}

bool contains(const std::vector<std::string>& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

}  // namespace

std::string Query::text() const {
  std::string out = "{";
  append_member(out, "procedure", text_of(procedure));
  append_member(out, "action", action);
  append_member(out, "client", client);
  append_member(out, "authority", authority);
  if (from != Instant{}) append_member(out, "from", to_string(from));
  append_member(out, "to", text_of(before));
  return out + '}';
}

std::string Scope::text() const {
  if (!authorities) return "all";
  std::string out;
  for (const std::string& one : *authorities) out += (out.empty() ? "" : ",") + one;
  return with_recipients ? out + " recipients" : out;
}

Filter::Filter(Query query, Scope scope) : query_(std::move(query)), scope_(std::move(scope)) {
  if (query_.procedure) procedure_ = to_string(*query_.procedure);
}

bool Filter::may_match(const AuditGroup& group) const {
  return group.at >= query_.from && (!query_.before || group.at < *query_.before) &&
         (procedure_.empty() || group.records.find(procedure_) != std::string::npos);
}

bool Filter::matches(const Record& record) const {
  return record.at >= query_.from && (!query_.before || record.at < *query_.before) &&
         (!query_.action || record.action == *query_.action) &&
         (!query_.client || record.client == *query_.client) &&
         (!query_.authority || contains(record.authorities, *query_.authority)) &&
         (!query_.procedure ||
          std::ranges::find(record.procedures, *query_.procedure) != record.procedures.end()) &&
         is_in_scope(record);
}

bool Filter::is_in_scope(const Record& record) const {
  if (!scope_.authorities) return true;
  const bool own = std::ranges::any_of(record.authorities, [this](const std::string& one) {
    return contains(*scope_.authorities, one);
  });
  return own || (scope_.with_recipients && query_.procedure && is_disclosure(record));
}

bool is_disclosure(const Record& record) {
  return record.outcome == to_string(AuditEffect::Outcome::found);
}

}  // namespace flora::audit
