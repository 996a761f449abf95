#include "gateway/policy/policy.h"

#include <algorithm>

#include "gateway/base/yaml.h"

namespace flora::policy {
namespace {

bool all_of(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::ranges::all_of(text, test);
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_site_character(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

class Reader {
 public:
  Reader(std::string_view file) : file_(file) {}

  Error error(yaml::Position at, const std::string& what) const {
    return {Errc::invalid, std::string(file_) + ":" + std::to_string(at.line) + ":" +
                               std::to_string(at.column) + ": " + what};
  }

  Result<void> only(const yaml::Node& node, std::initializer_list<std::string_view> keys) const {
    if (node.kind != yaml::Kind::mapping) return error(node.at, "a mapping is expected");
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (std::ranges::find(keys, node.members[i].first) == keys.end()) {
        return error(node.member_at[i], "unknown key \"" + node.members[i].first + "\"");
      }
    }
    return {};
  }

  Result<std::string> text(const yaml::Node& parent, std::string_view key) const {
    const yaml::Node* node = parent.find(key);
    if (node == nullptr || node->kind != yaml::Kind::scalar || node->text.empty()) {
      return error(node == nullptr ? parent.at : node->at,
                   "\"" + std::string(key) + "\" must be a text");
    }
    return node->text;
  }

  // A code of digits, which YAML would take for a number if it were not quoted.
  Result<std::string> quoted(const yaml::Node& node) const {
    if (node.kind != yaml::Kind::scalar || !node.quoted) {
      return error(node.at, "a code must be quoted");
    }
    return node.text;
  }

  Result<std::vector<const yaml::Node*>> list(const yaml::Node& parent,
                                              std::string_view key) const {
    std::vector<const yaml::Node*> out;
    const yaml::Node* node = parent.find(key);
    if (node == nullptr) return out;
    if (node->kind != yaml::Kind::sequence) return error(node->at, "a list is expected");
    for (const yaml::Node& item : node->items) out.push_back(&item);
    return out;
  }

  Result<Authority> authority(const yaml::Node& node) const {
    FLORA_TRY(only(node, {"id", "name", "land", "role", "sites"}));
    Authority authority;
    const yaml::Node* id = node.find("id");
    if (id == nullptr) return error(node.at, "\"id\" is missing");
    FLORA_ASSIGN(authority.id, quoted(*id));
    if (authority.id.size() != 6 || !all_of(authority.id, is_digit)) {
      return error(id->at, "a Behördenkennzeichen has six digits");
    }
    FLORA_ASSIGN(authority.name, text(node, "name"));
    FLORA_ASSIGN(authority.land, text(node, "land"));
    if (!is_land(authority.land)) return error(node.find("land")->at, "no such Land");
    FLORA_ASSIGN(const std::string role, text(node, "role"));
    const auto parsed = parse_role(role);
    if (!parsed) return error(node.find("role")->at, "no such role");
    authority.role = *parsed;
    const bool federal = *parsed == Role::bamf || *parsed == Role::auditor;
    if (federal != (authority.land == "DE")) {
      return error(node.find("land")->at, "DE is for the BAMF and auditors, and for them alone");
    }
    FLORA_ASSIGN(const auto sites, list(node, "sites"));
    for (const yaml::Node* site : sites) {
      // No digits: a site must not be able to hold a number of a person.
      const bool letters = all_of(site->text, is_site_character) && site->text.front() != '_';
      if (!letters || site->text.size() < 2 || site->text.size() > 32) {
        return error(site->at, "a site is named by 2 to 32 upper-case letters and _");
      }
      authority.sites.push_back(site->text);
    }
    return authority;
  }

 private:
  std::string_view file_;
};

// A client whose authorities are all known and agree in Land and role.
Result<Caller> read_client(const Reader& reader, const yaml::Node& node, const Policy& policy) {
  FLORA_TRY(reader.only(node, {"name", "certificate_sha256", "authorities"}));
  Caller caller;
  FLORA_ASSIGN(caller.client, reader.text(node, "name"));
  FLORA_ASSIGN(const auto ids, reader.list(node, "authorities"));
  for (const yaml::Node* item : ids) {
    FLORA_ASSIGN(const std::string id, reader.quoted(*item));
    const Authority* authority = policy.authority(id);
    if (authority == nullptr) return reader.error(item->at, "no such authority");
    const bool first = caller.authorities.empty();
    if (!first && (authority->role != caller.role || authority->land != caller.land)) {
      return reader.error(item->at, "the authorities of one client have one Land and one role");
    }
    caller.role = authority->role;
    caller.land = authority->land;
    caller.authorities.push_back(id);
  }
  if (caller.authorities.empty()) return reader.error(node.at, "\"authorities\" is missing");
  return caller;
}

}  // namespace

bool Caller::acts_for(std::string_view authority) const {
  return std::ranges::find(authorities, authority) != authorities.end();
}

Result<Policy> Policy::parse(std::string_view yaml, std::string_view file) {
  FLORA_ASSIGN(const yaml::Node root, yaml::parse(yaml, file));
  const Reader reader(file);
  FLORA_TRY(reader.only(root, {"authorities", "clients"}));
  Policy policy;
  FLORA_ASSIGN(const auto authorities, reader.list(root, "authorities"));
  for (const yaml::Node* node : authorities) {
    FLORA_ASSIGN(Authority authority, reader.authority(*node));
    const auto same = [&](const Authority& other) { return other.id == authority.id; };
    if (std::ranges::any_of(policy.authorities_, same)) {
      return reader.error(node->at, "the authority " + authority.id + " is listed twice");
    }
    policy.authorities_.push_back(std::move(authority));
  }
  std::ranges::sort(policy.authorities_, {}, &Authority::id);
  FLORA_ASSIGN(const auto clients, reader.list(root, "clients"));
  for (const yaml::Node* node : clients) {
    FLORA_ASSIGN(Caller caller, read_client(reader, *node, policy));
    FLORA_ASSIGN(const std::string fingerprint, reader.text(*node, "certificate_sha256"));
    const yaml::Position at = node->find("certificate_sha256")->at;
    if (fingerprint.size() != 64 || !all_of(fingerprint, is_lower_hex)) {
      return reader.error(at, "a fingerprint has 64 lower-case hexadecimal digits");
    }
    if (!policy.by_fingerprint_.emplace(fingerprint, std::move(caller)).second) {
      return reader.error(at, "two clients have the same certificate");
    }
  }
  return policy;
}

const Authority* Policy::authority(std::string_view id) const {
  const auto at = std::ranges::lower_bound(authorities_, id, {}, &Authority::id);
  return at != authorities_.end() && at->id == id ? &*at : nullptr;
}

std::optional<Caller> Policy::authenticate(const Credentials& credentials, bool development) const {
  if (credentials.certificate_sha256) {
    const auto at = by_fingerprint_.find(*credentials.certificate_sha256);
    if (at != by_fingerprint_.end()) return at->second;
  }
  if (!development || !credentials.development_header) return std::nullopt;
  const Authority* found = authority(*credentials.development_header);
  if (found == nullptr) return std::nullopt;
  return Caller{"development-" + found->id, {found->id}, found->role, found->land, true};
}

std::optional<Denial> may_report(const Policy& policy, const Caller& caller,
                                 const ReporterClaim& claim, const Status& status) {
  const Authority* authority = policy.authority(claim.authority);
  if (authority == nullptr || !caller.acts_for(claim.authority)) return Denial::not_your_authority;
  if (!claim.land.empty() && claim.land != authority->land) return Denial::wrong_land;
  if (!claim.role.empty() && claim.role != to_string(authority->role)) return Denial::wrong_role;
  if (!status.may_be_reported_by(authority->role)) return Denial::not_your_status;
  const bool known_site = claim.site.empty() ||
                          std::ranges::find(authority->sites, claim.site) != authority->sites.end();
  if (!known_site) return Denial::unknown_site;
  return std::nullopt;
}

}  // namespace flora::policy
