#include "gateway/policy/policy.h"

#include <algorithm>
#include <array>

#include "gateway/base/yaml_section.h"

namespace flora::policy {
namespace {

// In the order of Duty.
constexpr std::array<std::string_view, 3> kDuties = {"CASEWORK", "DATA_PROTECTION", "ERASURE"};
constexpr std::string_view kDevelopmentPrefix = "development-";

struct DutyRule {
  std::string_view operation;
  std::vector<Duty> duties;
};

// The operations that other duties than casework use; all others are of casework alone.
const std::vector<DutyRule>& duty_rules() {
  static const std::vector<DutyRule> rules = {
      {"listAuditRecords", {Duty::data_protection}},
      {"exportAuditRecords", {Duty::data_protection}},
      {"createSubjectReport", {Duty::data_protection}},
      {"eraseMapping", {Duty::erasure}},
      {"listStatuses", {Duty::casework, Duty::data_protection, Duty::erasure}},
  };
  return rules;
}

bool all_of(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::ranges::all_of(text, test);
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_site_character(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_authority_number(std::string_view text) {
  return text.size() == 6 && all_of(text, is_digit);
}
bool is_host_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
}
bool is_visible(char c) { return c > ' ' && c < 0x7F; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// Without patterns: a name is that of one certificate holder.
bool is_certificate_name(std::string_view text) {
  if (text.starts_with("dns:")) return all_of(text.substr(4), is_host_character);
  return text.starts_with("uri:") && all_of(text.substr(4), is_visible);
}

// No digits: a site must not be able to hold a number of a person.
bool is_site(std::string_view text) {
  return all_of(text, is_site_character) && text.front() != '_' && text.size() >= 2 &&
         text.size() <= 32;
}

Rate read_rate(yaml::Section section, const Rate& least, const Rate& otherwise) {
  Rate rate;
  rate.per_second =
      section.number_or("per_second", least.per_second, Rate::kMost, otherwise.per_second);
  rate.burst = section.number_or("burst", least.burst, Rate::kMost, otherwise.burst);
  return rate;
}

// What a mapping `rates` says of an authority; what it does not say stays.
Rates read_rates(yaml::Section& section, const Rates& otherwise) {
  constexpr Rate kLeastEvents{Rates::kLeastEventsPerSecond, Rates::kLeastEventBurst};
  Rates rates = otherwise;
  if (section.has("requests")) {
    rates.requests = read_rate(section.section("requests"), {1, 1}, otherwise.requests);
  }
  if (section.has("events")) {
    rates.events = read_rate(section.section("events"), kLeastEvents, otherwise.events);
  }
  return rates;
}

// The id is empty if it is wrong, the Land if it or the role is: nothing else is held against them.
Authority read_authority(yaml::Section section, const Rates& default_rates) {
  Authority authority;
  authority.rates = default_rates;
  authority.id = section.code("id");
  if (!authority.id.empty() && !is_authority_number(authority.id)) {
    section.error("id", "a Behördenkennzeichen has six digits");
    authority.id.clear();
  }
  authority.name = section.text("name");
  authority.land = section.text("land");
  const std::string role_name = section.text("role");
  const auto role = parse_role(role_name);
  if (!role && !role_name.empty()) section.error("role", "no such role");
  if (!authority.land.empty() && !is_land(authority.land)) {
    section.error("land", "no such Land");
    authority.land.clear();
  }
  const bool federal = role == Role::bamf || role == Role::auditor;
  if (role && !authority.land.empty() && federal != (authority.land == "DE")) {
    section.error("land", "DE is for the BAMF and auditors, and for them alone");
  }
  if (!role) authority.land.clear();
  authority.role = role.value_or(Role::ae);
  for (const yaml::Node* site : section.texts_or_none("sites")) {
    if (!is_site(site->text)) {
      section.error_at(site->at, "a site is named by 2 to 32 upper-case letters and _");
    }
    authority.sites.push_back(site->text);
  }
  if (section.has("rates")) {
    yaml::Section rates = section.section("rates");
    authority.rates = read_rates(rates, default_rates);
  }
  return authority;
}

Duty duty_named(std::string_view name) {
  const auto* const at = std::ranges::find(kDuties, name);
  return at == kDuties.end() ? Duty::casework : static_cast<Duty>(at - kDuties.begin());
}

SearchLimit read_search_limit(yaml::Section section) {
  SearchLimit limit;
  limit.identifiers =
      section.number_or("identifiers", 1, SearchLimit::kMostIdentifiers, limit.identifiers);
  limit.minutes = section.number_or("minutes", 1, SearchLimit::kMostMinutes, limit.minutes);
  return limit;
}

// A client whose authorities are all known and agree in Land and role.
Caller read_client(yaml::Section& section, const Policy& policy) {
  Caller caller;
  caller.client = section.text("name");
  if (is_authority_number(caller.client)) {
    section.error("name", "six digits are the name of an authority, not of a client");
  }
  caller.duty =
      duty_named(section.word_or("duty", {kDuties[0], kDuties[1], kDuties[2]}, "CASEWORK"));
  const std::vector<yaml::Node>& ids = section.list("authorities");
  for (const yaml::Node& item : ids) {
    if (item.kind != yaml::Kind::scalar || !item.quoted) {
      section.error_at(item.at, "a code must be quoted");
      continue;
    }
    const Authority* authority = policy.authority(item.text);
    if (authority == nullptr) {
      section.error_at(item.at, "no such authority");
      continue;
    }
    if (authority->land.empty()) continue;
    const bool first = caller.authorities.empty();
    if (!first && (authority->role != caller.role || authority->land != caller.land)) {
      section.error_at(item.at, "the authorities of one client have one Land and one role");
    }
    caller.role = authority->role;
    caller.land = authority->land;
    caller.authorities.push_back(item.text);
  }
  if (ids.empty() && section.has("authorities")) {
    section.error("authorities", "a client acts for one authority at least");
  }
  return caller;
}

}  // namespace

bool Caller::acts_for(std::string_view authority) const {
  return std::ranges::find(authorities, authority) != authorities.end();
}

Policy Policy::read(std::string_view text, const std::string& file, Findings& findings) {
  Policy policy;
  const auto document = yaml::read(text);
  if (const auto* fault = std::get_if<yaml::Fault>(&document)) {
    findings.error({file, fault->at}, fault->what);
    return policy;
  }
  yaml::Section root(std::get<yaml::Node>(document), file, findings);
  Rates default_rates;
  if (root.has("rates")) {
    yaml::Section rates = root.section("rates");
    if (rates.has("anonymous")) {
      policy.anonymous_rate_ = read_rate(rates.section("anonymous"), {1, 1}, kAnonymousRate);
    }
    default_rates = read_rates(rates, default_rates);
  }
  for (const yaml::Node& node : root.list_or_none("authorities")) {
    Authority authority = read_authority({node, file, findings}, default_rates);
    if (authority.id.empty()) continue;
    const auto same = [&](const Authority& other) { return other.id == authority.id; };
    if (std::ranges::any_of(policy.authorities_, same)) {
      root.error_at(node.at, "the authority " + authority.id + " is listed twice");
    }
    policy.ids_.insert(authority.id);
    policy.sites_.insert(authority.sites.begin(), authority.sites.end());
    policy.authorities_.push_back(std::move(authority));
  }
  std::ranges::sort(policy.authorities_, {}, &Authority::id);
  for (const yaml::Node& node : root.list_or_none("clients")) {
    policy.add_client({node, file, findings});
  }
  if (root.has("searches")) policy.search_limit_ = read_search_limit(root.section("searches"));
  for (const yaml::Node& node : root.list_or_none("reading")) policy.add_rule(node, file, findings);
  if (policy.reading_.empty()) {
    findings.warning({file, {}}, "no role reads anything: `reading` has no rule");
  }
  return policy;
}

void Policy::add_rule(const yaml::Node& node, const std::string& file, Findings& findings) {
  ReadingRule rule = read_reading_rule(node, file, findings);
  if (reading(rule.role) != nullptr) {
    findings.error({file, node.at}, "a role has one rule; this is its second");
  }
  reading_.push_back(std::move(rule));
}

void Policy::add_client(yaml::Section section) {
  Caller caller = read_client(section, *this);
  add_credentials(section, caller.client);
  if (caller.client.empty() || caller.authorities.empty()) return;
  const std::string name = caller.client;
  if (!clients_.emplace(name, std::move(caller)).second) {
    section.error("name", "two clients have the same name");
  }
}

void Policy::add_credentials(yaml::Section& section, const std::string& client) {
  if (section.has("certificate_sha256")) {
    const std::string fingerprint = section.text("certificate_sha256");
    if (fingerprint.size() != 64 || !all_of(fingerprint, is_lower_hex)) {
      section.error("certificate_sha256", "a fingerprint has 64 lower-case hexadecimal digits");
    } else if (!by_certificate_.emplace(fingerprint, client).second) {
      section.error("certificate_sha256", "two clients have the same certificate");
    }
  }
  if (section.has("certificate_san")) {
    const std::string name = section.text("certificate_san");
    if (!is_certificate_name(name)) {
      section.error("certificate_san",
                    "a whole name of the certificate is expected: dns: and lower-case letters, "
                    "digits, dots and hyphens, or uri: and a URI");
    } else if (!by_certificate_.emplace(name, client).second) {
      section.error("certificate_san", "two clients have the same certificate");
    }
  }
  if (section.has("token_client")) {
    const std::string id = section.text("token_client");
    if (!id.empty() && !by_token_.emplace(id, client).second) {
      section.error("token_client", "two clients have the same tokens");
    }
  }
}

Result<Policy> Policy::parse(std::string_view text, const std::string& file) {
  Findings findings;
  Policy policy = read(text, file, findings);
  if (findings.has_errors()) return findings.to_error();
  return policy;
}

const Authority* Policy::authority(std::string_view id) const {
  const auto at = std::ranges::lower_bound(authorities_, id, {}, &Authority::id);
  return at != authorities_.end() && at->id == id ? &*at : nullptr;
}

const ReadingRule* Policy::reading(Role role) const {
  const auto at = std::ranges::find(reading_, role, &ReadingRule::role);
  return at == reading_.end() ? nullptr : &*at;
}

void Policy::check_statuses(const Catalogue& catalogue, const std::string& file,
                            Findings& findings) const {
  for (const ReadingRule& rule : reading_) {
    for (const Withheld& withheld : rule.withheld) {
      for (const std::string& status : withheld.statuses) {
        if (catalogue.find(status) != nullptr) continue;
        findings.error({file, withheld.at}, "the catalogue has no status " + status);
      }
    }
  }
}

std::optional<Caller> Policy::authenticate(const Credentials& credentials, bool development) const {
  if (const Caller* client = client_of(credentials)) {
    Caller caller = *client;
    caller.shown = credentials;
    return caller;
  }
  const bool other = credentials.token || !clients_with(credentials).empty();
  if (other || !development || !credentials.development_header) return std::nullopt;
  return by_development_header(*credentials.development_header);
}

// Of all that is shown; several if they do not agree.
std::set<std::string_view> Policy::clients_with(const Credentials& credentials) const {
  std::set<std::string_view> found;
  const auto look_up = [&found](const Names& names, std::string_view key) {
    const auto at = names.find(key);
    if (at != names.end()) found.insert(at->second);
    return at != names.end();
  };
  if (credentials.token && !look_up(by_token_, credentials.token->client)) return {};
  if (credentials.certificate_sha256) look_up(by_certificate_, *credentials.certificate_sha256);
  for (const std::string& name : credentials.certificate_names) look_up(by_certificate_, name);
  return found;
}

// nullptr if it is nobody's, or several clients'.
const Caller* Policy::client_of(const Credentials& credentials) const {
  const auto found = clients_with(credentials);
  if (found.size() != 1) return nullptr;
  const auto at = clients_.find(*found.begin());
  return at == clients_.end() ? nullptr : &at->second;
}

std::optional<Caller> Policy::by_development_header(std::string_view name) const {
  Caller caller;
  if (const Authority* found = authority(name)) {
    caller.authorities = {found->id};
    caller.role = found->role;
    caller.land = found->land;
  } else {
    const auto at = clients_.find(name);
    if (at == clients_.end()) return std::nullopt;
    caller = at->second;
  }
  caller.client = std::string(kDevelopmentPrefix) + std::string(name);
  caller.development = true;
  return caller;
}

const Caller* Policy::find(const Caller& caller) const {
  if (!caller.development) return client_of(caller.shown);
  const auto now =
      by_development_header(std::string_view(caller.client).substr(kDevelopmentPrefix.size()));
  return now == caller ? &caller : nullptr;
}

std::string_view to_string(Duty duty) { return kDuties[static_cast<std::size_t>(duty)]; }

bool opens(Duty duty, std::string_view operation) {
  const auto rule = std::ranges::find(duty_rules(), operation, &DutyRule::operation);
  if (rule == duty_rules().end()) return duty == Duty::casework;
  return std::ranges::find(rule->duties, duty) != rule->duties.end();
}

std::optional<Denial> may_report(const Policy& policy, const Caller& caller,
                                 const ReporterClaim& claim, const Status& status) {
  const Authority* authority = policy.authority(claim.authority);
  const bool acts = caller.duty == Duty::casework && caller.acts_for(claim.authority);
  if (authority == nullptr || !acts) return Denial::not_your_authority;
  if (!claim.land.empty() && claim.land != authority->land) return Denial::wrong_land;
  if (!claim.role.empty() && claim.role != to_string(authority->role)) return Denial::wrong_role;
  if (!status.may_be_reported_by(authority->role)) return Denial::not_your_status;
  const bool known_site = claim.site.empty() ||
                          std::ranges::find(authority->sites, claim.site) != authority->sites.end();
  if (!known_site) return Denial::unknown_site;
  return std::nullopt;
}

}  // namespace flora::policy
