#include "gateway/model/catalogue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/yaml.h"

namespace flora {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles = {{{Role::ae, "AE"},
                                                                      {Role::ld, "LD"},
                                                                      {Role::abh, "ABH"},
                                                                      {Role::bamf, "BAMF"},
                                                                      {Role::auditor, "AUDITOR"}}};

// ISO 3166-2 code and key of each Land (domain.md §4).
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kLands = {
    {{"DE", ""},
     {"DE-SH", "01"},
     {"DE-HH", "02"},
     {"DE-NI", "03"},
     {"DE-HB", "04"},
     {"DE-NW", "05"},
     {"DE-HE", "06"},
     {"DE-RP", "07"},
     {"DE-BW", "08"},
     {"DE-BY", "09"},
     {"DE-SL", "10"},
     {"DE-BE", "11"},
     {"DE-BB", "12"},
     {"DE-MV", "13"},
     {"DE-SN", "14"},
     {"DE-ST", "15"},
     {"DE-TH", "16"}}};

const std::pair<std::string_view, std::string_view>* find_land(std::string_view code) {
  const auto found =
      std::ranges::find(kLands, code, &std::pair<std::string_view, std::string_view>::first);
  return found == kLands.end() ? nullptr : &*found;
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Error error(const yaml::Node& at, const std::string& what) const {
    return {Errc::invalid, std::string(file_) + ":" + std::to_string(at.at.line) + ":" +
                               std::to_string(at.at.column) + ": " + what};
  }

  Result<std::string> text(const yaml::Node& parent, std::string_view key) const {
    const yaml::Node* node = parent.find(key);
    if (node == nullptr || node->kind != yaml::Kind::scalar || node->text.empty()) {
      return error(node == nullptr ? parent : *node, "\"" + std::string(key) + "\" must be a text");
    }
    return node->text;
  }

  Result<void> only(const yaml::Node& node, std::initializer_list<std::string_view> keys) const {
    if (node.kind != yaml::Kind::mapping) return error(node, "a mapping is expected");
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (std::ranges::find(keys, node.members[i].first) == keys.end()) {
        yaml::Node at;
        at.at = node.member_at[i];
        return error(at, "unknown key \"" + node.members[i].first + "\"");
      }
    }
    return {};
  }

  Result<std::vector<std::string>> texts(const yaml::Node& parent, std::string_view key) const {
    std::vector<std::string> out;
    const yaml::Node* node = parent.find(key);
    if (node == nullptr) return out;
    if (node->kind != yaml::Kind::sequence) return error(*node, "a list is expected");
    for (const yaml::Node& item : node->items) {
      if (item.kind != yaml::Kind::scalar) return error(item, "a text is expected");
      out.push_back(item.text);
    }
    return out;
  }

  Result<Status> status(const yaml::Node& node) const {
    FLORA_TRY(only(node, {"name", "label", "subprocess", "reporters", "details", "hands_over",
                          "xauslaender"}));
    Status status;
    FLORA_ASSIGN(status.name, text(node, "name"));
    FLORA_ASSIGN(status.details, text(node, "details"));
    const yaml::Node* label = node.find("label");
    if (label == nullptr) return error(node, "\"label\" is missing");
    FLORA_TRY(only(*label, {"de", "en"}));
    FLORA_ASSIGN(status.label_de, text(*label, "de"));
    FLORA_ASSIGN(status.label_en, text(*label, "en"));
    FLORA_ASSIGN(status.subprocess, text(node, "subprocess"));
    FLORA_ASSIGN(status.messages, texts(node, "xauslaender"));
    FLORA_TRY(read_reporters(node, status));
    if (const yaml::Node* hands_over = node.find("hands_over")) {
      if (hands_over->text != "true" && hands_over->text != "false") {
        return error(*hands_over, "true or false is expected");
      }
      status.hands_over = hands_over->text == "true";
    }
    return status;
  }

 private:
  Result<void> read_reporters(const yaml::Node& node, Status& status) const {
    FLORA_ASSIGN(const std::vector<std::string> names, texts(node, "reporters"));
    for (const std::string& name : names) {
      const auto role = parse_role(name);
      if (!role || *role == Role::auditor) {
        return error(*node.find("reporters"), "\"" + name + "\" is no reporting role");
      }
      status.reporters.push_back(*role);
    }
    if (status.reporters.empty()) return error(node, "\"reporters\" is missing");
    return {};
  }

  std::string_view file_;
};

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
  }
  return std::nullopt;
}

bool is_land(std::string_view code) { return find_land(code) != nullptr; }

std::string_view land_key(std::string_view code) {
  const auto* land = find_land(code);
  return land == nullptr ? std::string_view() : land->second;
}

bool Status::may_be_reported_by(Role role) const {
  return std::ranges::find(reporters, role) != reporters.end();
}

Result<Catalogue> Catalogue::parse(std::string_view yaml, std::string_view file) {
  FLORA_ASSIGN(const yaml::Node root, yaml::parse(yaml, file));
  const Reader reader(file);
  FLORA_TRY(reader.only(root, {"version", "statuses"}));
  Catalogue catalogue;
  FLORA_ASSIGN(catalogue.version_, reader.text(root, "version"));
  const yaml::Node* list = root.find("statuses");
  if (list == nullptr || list->kind != yaml::Kind::sequence || list->items.empty()) {
    return reader.error(root, "\"statuses\" must be a list");
  }
  for (const yaml::Node& item : list->items) {
    FLORA_ASSIGN(Status status, reader.status(item));
    const auto same = [&](const Status& other) { return other.name == status.name; };
    if (std::ranges::any_of(catalogue.statuses_, same)) {
      return reader.error(item, "the status " + status.name + " is listed twice");
    }
    catalogue.statuses_.push_back(std::move(status));
  }
  std::ranges::sort(catalogue.statuses_, {}, &Status::name);
  return catalogue;
}

const Status* Catalogue::find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(statuses_, name, {}, &Status::name);
  return at != statuses_.end() && at->name == name ? &*at : nullptr;
}

}  // namespace flora
