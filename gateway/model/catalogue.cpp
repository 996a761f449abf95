#include "gateway/model/catalogue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/yaml_section.h"

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

std::vector<Role> read_reporters(yaml::Section& section) {
  std::vector<Role> roles;
  for (const yaml::Node* name : section.texts("reporters")) {
    const auto role = parse_role(name->text);
    if (role && *role != Role::auditor) {
      roles.push_back(*role);
    } else {
      section.error_at(name->at, '"' + name->text + "\" is no reporting role");
    }
  }
  if (section.has("reporters") && section.list("reporters").empty()) {
    section.error("reporters", "no role may report it");
  }
  return roles;
}

Conclusion read_conclusion(yaml::Section& section) {
  const std::string word = section.word_or("conclusion", {"ENDS", "KEEPS"}, "");
  if (word.empty()) return Conclusion::goes_on;
  return word == "ENDS" ? Conclusion::ends : Conclusion::keeps;
}

Status read_status(yaml::Section section) {
  Status status;
  status.name = section.text("name");
  status.details = section.text("details");
  {
    yaml::Section label = section.section("label");
    status.label_de = label.text("de");
    status.label_en = label.text("en");
  }
  status.subprocess = section.text("subprocess");
  for (const yaml::Node* number : section.texts_or_none("xauslaender")) {
    status.messages.push_back(number->text);
  }
  status.reporters = read_reporters(section);
  status.hands_over = section.flag_or("hands_over", false);
  status.conclusion = read_conclusion(section);
  return status;
}

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

std::vector<std::string_view> all_lands() {
  std::vector<std::string_view> lands;
  for (const auto& [code, key] : kLands) {
    if (!key.empty()) lands.push_back(code);
  }
  return lands;
}

std::string_view land_key(std::string_view code) {
  const auto* land = find_land(code);
  return land == nullptr ? std::string_view() : land->second;
}

bool Status::may_be_reported_by(Role role) const {
  return std::ranges::find(reporters, role) != reporters.end();
}

Catalogue Catalogue::read(std::string_view text, const std::string& file, Findings& findings) {
  Catalogue catalogue;
  const auto document = yaml::read(text);
  if (const auto* fault = std::get_if<yaml::Fault>(&document)) {
    findings.error({file, fault->at}, fault->what);
    return catalogue;
  }
  yaml::Section root(std::get<yaml::Node>(document), file, findings);
  catalogue.version_ = root.text("version");
  const std::vector<yaml::Node>& list = root.list("statuses");
  if (list.empty() && root.has("statuses")) root.error("statuses", "there is no status");
  for (const yaml::Node& item : list) {
    Status status = read_status({item, file, findings});
    const auto same = [&](const Status& other) { return other.name == status.name; };
    if (!status.name.empty() && std::ranges::any_of(catalogue.statuses_, same)) {
      root.error_at(item.at, "the status " + status.name + " is listed twice");
    }
    catalogue.statuses_.push_back(std::move(status));
  }
  std::ranges::sort(catalogue.statuses_, {}, &Status::name);
  return catalogue;
}

Result<Catalogue> Catalogue::parse(std::string_view text, const std::string& file) {
  Findings findings;
  Catalogue catalogue = read(text, file, findings);
  if (findings.has_errors()) return findings.to_error();
  return catalogue;
}

std::vector<std::string> Catalogue::ending() const {
  std::vector<std::string> names;
  for (const Status& status : statuses_) {
    if (status.conclusion == Conclusion::ends) names.push_back(status.name);
  }
  return names;
}

const Status* Catalogue::find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(statuses_, name, {}, &Status::name);
  return at != statuses_.end() && at->name == name ? &*at : nullptr;
}

}  // namespace flora
