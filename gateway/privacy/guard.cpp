#include "gateway/privacy/guard.h"

#include <algorithm>

#include "gateway/base/json.h"

namespace flora::privacy {
namespace {

// An identifier that is shorter, or has fewer digits, may equal part of an official code by chance.
constexpr std::size_t kMinLength = 7;
constexpr std::ptrdiff_t kMinDigits = 5;

// The one member of details whose list the configuration closes: any six digits fit its schema.
constexpr std::string_view kReceiver = "empfaengerBehoerde";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string without_separators(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) out += c;
  }
  return out;
}

bool worth_searching(std::string_view text) {
  return text.size() >= kMinLength && std::ranges::count_if(text, is_digit) >= kMinDigits;
}

bool contains(std::string_view members, std::string_view text) {
  if (worth_searching(text) && members.find(text) != members.npos) return true;
  const std::string bare = without_separators(text);
  return bare.size() != text.size() && worth_searching(bare) && members.find(bare) != members.npos;
}

bool is_time(std::string_view text) {
  return parse_day(text).has_value() || parse_instant(text).has_value();
}

// Every member that the event determines, one per line. What the gateway generates is left out.
std::string members_of(const Transaction& t) {
  std::string out = t.status + '\n' + t.regime + '\n' + t.authority + '\n' + t.role + '\n' +
                    t.land + '\n' + t.site + '\n' + t.details + '\n';
  out += std::visit([](const auto& time) { return to_string(time); }, t.occurred);
  return out;
}

bool leaks(const ProcedureReference& procedure, std::string_view members) {
  return std::ranges::any_of(procedure.identifiers,
                             [&](const Identifier& i) { return contains(members, i.value); }) ||
         std::ranges::any_of(procedure.written,
                             [&](const std::string& text) { return contains(members, text); });
}

Error refused(std::string_view member) {
  return {Errc::invalid, "the guard refuses the member " + std::string(member)};
}

}  // namespace

Result<Guard> Guard::make(const openapi::Document& document, const Catalogue& catalogue,
                          ClosedLists lists) {
  Guard guard;
  FLORA_ASSIGN(guard.transaction_, document.schema("#/components/schemas/TransactionV1"));
  FLORA_ASSIGN(guard.tombstone_, document.schema("#/components/schemas/TombstoneV1"));
  for (const Status& status : catalogue.statuses()) {
    FLORA_ASSIGN(guard.details_[status.name],
                 document.schema("#/components/schemas/" + status.details));
  }
  guard.lists_ = std::move(lists);
  return guard;
}

Result<void> Guard::check(const Transaction& t, const StatusEvent& event,
                          const PolicyLists& policy) const {
  thread_local json::Document document;
  thread_local std::vector<openapi::Violation> violations;
  violations.clear();
  const std::string text = to_canonical(t);
  if (!document.parse(text)) return refused("(the text is not JSON)");
  if (!transaction_.validate(document.root(), violations, 1)) return refused(violations[0].pointer);
  const auto details_schema = details_.find(t.status);
  if (details_schema == details_.end()) return refused("/status");
  if (const auto details = document.root().find("details")) {
    if (!details_schema->second.validate(*details, violations, 1)) return refused("/details");
    const auto receiver = details->find(kReceiver);
    if (receiver && !policy.authorities.contains(receiver->string())) return refused("/details");
  }
  if (!policy.authorities.contains(t.authority)) return refused("/authority");
  if (!t.site.empty() && !policy.sites.contains(t.site)) return refused("/site");
  if (!lists_.channels.contains(t.channel)) return refused("/channel");
  if (!lists_.catalogues.contains(t.catalogue)) return refused("/catalogue");
  if (t.adapter && (lists_.adapters == nullptr || !lists_.adapters->contains(*t.adapter))) {
    return refused("/adapter");
  }
  const std::string members = members_of(t);
  const bool of_person =
      leaks(event.procedure, members) || (event.merged_into && leaks(*event.merged_into, members));
  if (of_person) return refused("(one that holds an identifier of the person)");
  // Senders name events by days too; a day in the details is no trace of that name.
  for (const std::string* name : {&event.identity.id, &event.identity.source}) {
    if (!is_time(*name) && contains(t.details + '\n' + t.site, *name)) {
      return refused("(one that holds the sender's identity of the event)");
    }
  }
  return {};
}

Result<void> Guard::check(const Tombstone& tombstone, const PolicyLists& policy) const {
  json::Document document;
  std::vector<openapi::Violation> violations;
  const std::string text = to_canonical(tombstone);  // The document is a view of it.
  if (!document.parse(text)) return refused("(the text is not JSON)");
  if (!tombstone_.validate(document.root(), violations, 1)) return refused(violations[0].pointer);
  if (!policy.authorities.contains(tombstone.authority)) return refused("/authority");
  return lists_.channels.contains(tombstone.channel) ? Result<void>() : refused("/channel");
}

}  // namespace flora::privacy
