// Compiles a bundle as a whole: identity, input, declarations; each kind of message is compiled by
// MessageCompiler.
#include <algorithm>

#include "adapters/engine/bundle_files.h"
#include "adapters/engine/function_kinds.h"
#include "adapters/engine/input_compiler.h"
#include "adapters/engine/map_file.h"
#include "adapters/engine/message_compiler.h"
#include "gateway/base/bytes.h"
#include "gateway/model/catalogue.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kMostSpaces = 60;
constexpr std::size_t kMostMessages = 500;

// Texts of messages are compared in normal form C: one of the bundle in another could not be equal.
void check_normal_form(std::string_view text, std::string_view file, Diagnostics& errors) {
  Scratch scratch;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::string_view normal = line;
    if (texts::nfc({}, normal, scratch) == Trouble::none && normal != line) {
      errors.error({number, 1}, Mistake::not_normalised,
                   "the line is not in the Unicode normal form C", file);
    }
  }
}

class BundleCompiler {
 public:
  BundleCompiler(const BundleFiles& files, Plan& plan, const CanonicalTypes* types)
      : files_(files), plan_(plan), bundle_(plan, types) {}

  void compile(const yaml::Node& root);
  std::vector<Finding> findings() const { return bundle_.errors.all(); }

 private:
  void identity(const yaml::Node& node);
  void namespaces(const yaml::Node& node);
  void maps(const yaml::Node& node);
  void map(const std::string& name, const yaml::Node& node);
  void map_file(const yaml::Node& where, const std::string& file, Map& out);
  void lists(const yaml::Node& node);
  void list(const std::string& name, const yaml::Node& node);
  void list_version(const std::string& name, const yaml::Node& node, CodeList& out);
  void named_messages(const yaml::Node& root, const CommonRules& common);
  void only_message(const yaml::Node& root, const CommonRules& common);
  void messages(const yaml::Node& node, const CommonRules& common, const yaml::Node* templates);
  void message(const yaml::Node& node, const CommonRules& common, const yaml::Node* templates);
  void roots(const yaml::Node& node, MessagePlan& out);
  const yaml::Node* expand(const yaml::Node& node, const yaml::Node* templates);
  void hash();

  const BundleFiles& files_;
  Plan& plan_;
  Bundle bundle_;
  std::unique_ptr<Format> format_;
  std::vector<std::unique_ptr<yaml::Node>> expanded_;  // Outlive the compilation.
  std::set<std::string> used_files_;
};

void BundleCompiler::compile(const yaml::Node& root) {
  if (!bundle_.mapping(
          root, {"adapter", "input", "namespaces", "maps", "lists", "templates", "let", "require",
                 "reject", "skip", "event", "messages", "events", "on_no_event", "errors"})) {
    return;
  }
  if (const yaml::Node* node = bundle_.member(root, "adapter", "a bundle")) identity(*node);
  if (const yaml::Node* node = root.find("namespaces")) namespaces(*node);
  InputCompiler input(bundle_);
  if (const yaml::Node* node = bundle_.member(root, "input", "a bundle")) {
    format_ = input.input(*node);
    bundle_.format = format_.get();
  }
  if (const yaml::Node* node = root.find("errors")) input.errors(*node);
  if (const yaml::Node* node = root.find("maps")) maps(*node);
  if (const yaml::Node* node = root.find("lists")) lists(*node);
  CommonRules common{root.find("let"), root.find("require"), root.find("reject"), root.find("skip"),
                     root.find("event")};
  if (common.event != nullptr)
    bundle_.mapping(*common.event, {"for_each", "let", "reject", "skip", "set"});
  if (format_ != nullptr && format_->names_messages()) {
    named_messages(root, common);
  } else if (format_ != nullptr) {
    only_message(root, common);
  }
  for (const auto& [name, text] : files_.code_lists) {
    if (!used_files_.contains(name))
      bundle_.errors.error({1, 1}, Mistake::unread_file, "no map reads this file", name);
  }
  bundle_.report_unused();
  check_normal_form(files_.adapter_yaml, "adapter.yaml", bundle_.errors);
  for (const auto& [name, text] : files_.code_lists) check_normal_form(text, name, bundle_.errors);
  hash();
}

void BundleCompiler::identity(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"id", "version", "land", "title", "simulation"})) return;
  BundleInfo& info = plan_.info;
  if (const yaml::Node* id = bundle_.member(node, "id", "an adapter")) {
    info.id = bundle_.word(*id);
    plan_.id_at = id->at;
    if (info.id.size() > 64 ||
        info.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
      bundle_.error(*id, Mistake::id_malformed,
                    "an id has at most 64 lower-case letters, digits and hyphens");
    }
  }
  if (const yaml::Node* version = bundle_.member(node, "version", "an adapter")) {
    info.version = bundle_.literal(*version);
    static const re2::RE2 kVersion("[0-9]{1,4}\\.[0-9]{1,4}\\.[0-9]{1,4}");
    if (!re2::RE2::FullMatch(info.version, kVersion))
      bundle_.error(*version, Mistake::version_malformed, "a version is like \"1.0.0\"");
  }
  if (const yaml::Node* land = bundle_.member(node, "land", "an adapter")) {
    info.land = bundle_.word(*land);
    if (!is_land(info.land)) bundle_.error(*land, Mistake::unknown_land, "a Land is like DE-NI");
  }
  if (const yaml::Node* title = bundle_.member(node, "title", "an adapter"))
    info.title = bundle_.literal(*title);
  if (const yaml::Node* flag = node.find("simulation")) info.simulation = bundle_.boolean(*flag);
}

void BundleCompiler::namespaces(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    bundle_.error(node, Mistake::mapping_expected, "a mapping is expected here");
    return;
  }
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const auto& [prefix, uris] = node.members[i];
    if (!bundle_.sequence(uris)) continue;
    SpacePrefix known{prefix, 0, false, node.member_at[i]};
    for (const yaml::Node& uri : uris.items) {
      const std::string text = bundle_.literal(uri);
      auto found = std::find(plan_.spaces.begin(), plan_.spaces.end(), text);
      if (found == plan_.spaces.end()) found = plan_.spaces.insert(found, text);
      known.spaces |= std::uint64_t{1} << (found - plan_.spaces.begin() + 1);
      if (plan_.spaces.size() > kMostSpaces) {
        bundle_.error(uri, Mistake::too_many_namespaces, "there are too many namespaces");
        plan_.spaces.pop_back();
      }
    }
    bundle_.prefixes.push_back(known);
  }
}

void BundleCompiler::maps(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    bundle_.error(node, Mistake::mapping_expected, "a mapping is expected here");
    return;
  }
  for (const auto& [name, value] : node.members) map(name, value);
}

void BundleCompiler::map(const std::string& name, const yaml::Node& node) {
  if (!bundle_.mapping(node, {"file", "to", "on_unmapped"})) return;
  Map out;
  out.name = name;
  bundle_.map_places[name] = node.at;
  bundle_.declare(node.at, "map \"" + name + "\"");
  if (const yaml::Node* to = node.find("to")) {
    const std::string word = bundle_.word(*to);
    if (word != "status" && word != "text")
      bundle_.error(*to, Mistake::unknown_word, "a map goes to status or to text");
    out.to_status = word == "status";
  }
  if (const yaml::Node* rule = node.find("on_unmapped")) {
    const std::string word = bundle_.word(*rule);
    if (word != "reject" && word != "absent")
      bundle_.error(*rule, Mistake::unknown_word, "on_unmapped is reject or absent");
    out.on_unmapped = word == "absent" ? Map::Unmapped::absent : Map::Unmapped::reject;
  }
  if (const yaml::Node* file = bundle_.member(node, "file", "a map"))
    map_file(*file, bundle_.word(*file), out);
  plan_.maps.push_back(std::move(out));
}

void BundleCompiler::map_file(const yaml::Node& where, const std::string& file, Map& out) {
  const auto found = files_.code_lists.find(file);
  if (found == files_.code_lists.end()) {
    bundle_.error(where, Mistake::map_file_missing,
                  "the bundle has no file \"" + file + "\" (it must end in .map.csv)");
    return;
  }
  used_files_.insert(file);
  read_map(found->second, file, bundle_, out);
}

void BundleCompiler::lists(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    bundle_.error(node, Mistake::mapping_expected, "a mapping is expected here");
    return;
  }
  for (const auto& [name, value] : node.members) list(name, value);
}

void BundleCompiler::list(const std::string& name, const yaml::Node& node) {
  if (!bundle_.mapping(node, {"kind", "uri", "versions"})) return;
  CodeList out;
  out.name = name;
  bundle_.list_places[name] = node.at;
  bundle_.declare(node.at, "code list \"" + name + "\"");
  if (const yaml::Node* kind = bundle_.member(node, "kind", "a code list")) {
    out.kind = static_cast<int>(bundle_.number(*kind));
    if (out.kind != 1 && out.kind != 3 && out.kind != 4)
      bundle_.error(*kind, Mistake::list_kind, "the kind is 1, 3 or 4");
  }
  if (const yaml::Node* uri = bundle_.member(node, "uri", "a code list"))
    out.uri = bundle_.literal(*uri);
  const yaml::Node* versions = bundle_.member(node, "versions", "a code list");
  if (versions != nullptr && versions->kind == yaml::Kind::mapping) {
    for (const auto& [version, codes] : versions->members) list_version(version, codes, out);
  } else if (versions != nullptr) {
    bundle_.error(*versions, Mistake::mapping_expected,
                  "a mapping from version to codes is expected here");
  }
  if (out.versions.empty() || (out.kind == 1 && out.versions.size() != 1)) {
    bundle_.error(node, Mistake::list_versions,
                  "a code list has versions; one of kind 1 has exactly one");
  }
  plan_.lists.push_back(std::move(out));
}

void BundleCompiler::list_version(const std::string& name, const yaml::Node& node, CodeList& out) {
  CodeList::Version version;
  version.name = name;
  if (node.kind == yaml::Kind::mapping) {
    if (!bundle_.mapping(node, {"pattern"})) return;
    const yaml::Node* pattern = bundle_.member(node, "pattern", "a version without codes");
    if (pattern == nullptr) return;
    version.pattern = std::make_shared<re2::RE2>(bundle_.literal(*pattern), re2::RE2::Quiet);
    if (!version.pattern->ok())
      bundle_.error(*pattern, Mistake::pattern_malformed, "the pattern is malformed");
  } else if (bundle_.sequence(node)) {
    for (const yaml::Node& code : node.items) version.codes.push_back(bundle_.literal(code));
    std::sort(version.codes.begin(), version.codes.end());
    if (std::adjacent_find(version.codes.begin(), version.codes.end()) != version.codes.end()) {
      bundle_.error(node, Mistake::code_twice, "a code occurs twice");
    }
  }
  plan_.info.code_lists.push_back(out.uri + " " + name);
  out.versions.push_back(std::move(version));
}

void BundleCompiler::named_messages(const yaml::Node& root, const CommonRules& common) {
  for (const char* key : {"events", "on_no_event"}) {
    if (const yaml::Node* node = root.find(key)) {
      bundle_.error(*node, Mistake::message_form,
                    std::string("`") + key + "` belongs to one of `messages` in this format");
    }
  }
  const yaml::Node* list = bundle_.member(root, "messages", "a bundle");
  if (list != nullptr) messages(*list, common, root.find("templates"));
}

// All messages are of one kind: its rules stand at the top of the bundle.
void BundleCompiler::only_message(const yaml::Node& root, const CommonRules& common) {
  for (const char* key : {"messages", "templates", "namespaces"}) {
    if (const yaml::Node* node = root.find(key)) {
      bundle_.error(*node, Mistake::message_form,
                    std::string("messages of this format have no names, so there is no `") + key +
                        "`: `events` stands at the top");
    }
  }
  yaml::Node rules;
  rules.kind = yaml::Kind::mapping;
  rules.at = root.at;
  for (std::size_t i = 0; i < root.members.size(); ++i) {
    if (root.members[i].first != "events" && root.members[i].first != "on_no_event") continue;
    rules.members.push_back(root.members[i]);
    rules.member_at.push_back(root.member_at[i]);
  }
  MessagePlan& out = plan_.messages.emplace_back();
  RootPattern any;
  any.any = true;
  out.roots.push_back(any);
  MessageCompiler(bundle_, out).compile(rules, common);
}

void BundleCompiler::messages(const yaml::Node& node, const CommonRules& common,
                              const yaml::Node* templates) {
  if (!bundle_.sequence(node)) return;
  if (node.items.empty() || node.items.size() > kMostMessages) {
    bundle_.error(node, Mistake::message_count,
                  "1 to " + std::to_string(kMostMessages) + " messages are expected here");
    return;
  }
  if (templates != nullptr && templates->kind != yaml::Kind::mapping) {
    bundle_.error(*templates, Mistake::mapping_expected, "a mapping is expected here");
    templates = nullptr;
  }
  if (templates != nullptr) {
    for (const auto& [name, value] : templates->members)
      bundle_.declare(value.at, "template \"" + name + "\"");
  }
  for (const yaml::Node& item : node.items) message(item, common, templates);
}

void BundleCompiler::message(const yaml::Node& node, const CommonRules& common,
                             const yaml::Node* templates) {
  const bool uses = node.find("use") != nullptr;
  const bool good = uses ? bundle_.mapping(node, {"root", "roots", "use", "with"})
                         : bundle_.mapping(node, {"root", "roots", "let", "require", "reject",
                                                  "skip", "events", "on_no_event"});
  if (!good) return;
  MessagePlan& out = plan_.messages.emplace_back();
  roots(node, out);
  const yaml::Node* rules = uses ? expand(node, templates) : &node;
  if (rules != nullptr) MessageCompiler(bundle_, out).compile(*rules, common);
}

void BundleCompiler::roots(const yaml::Node& node, MessagePlan& out) {
  std::vector<const yaml::Node*> names;
  if (const yaml::Node* one = node.find("root")) names.push_back(one);
  if (const yaml::Node* many = node.find("roots"); many != nullptr && bundle_.sequence(*many)) {
    for (const yaml::Node& item : many->items) names.push_back(&item);
  }
  if (names.empty())
    bundle_.error(node, Mistake::message_without_root, "a message needs `root` or `roots`");
  for (const yaml::Node* name : names) {
    Result<RootPattern> pattern = format_->root(bundle_.word(*name), bundle_.prefixes);
    if (!pattern) {
      bundle_.place_error(*name, pattern.error());
      continue;
    }
    const auto same = [&](const RootPattern& other) {
      return other.prefix == pattern->prefix && other.suffix == pattern->suffix &&
             other.any == pattern->any && (other.spaces & pattern->spaces) != 0;
    };
    for (const MessagePlan& message : plan_.messages) {
      if (std::any_of(message.roots.begin(), message.roots.end(), same)) {
        bundle_.error(*name, Mistake::root_twice, "another message has the same root");
      }
    }
    out.roots.push_back(*pattern);
  }
}

// The rules of the template that a message uses, with its parameters filled in.
const yaml::Node* BundleCompiler::expand(const yaml::Node& node, const yaml::Node* templates) {
  const yaml::Node& use = *node.find("use");
  const std::string name = bundle_.word(use);
  const yaml::Node* source = templates == nullptr ? nullptr : templates->find(name);
  if (source == nullptr) {
    bundle_.error(use, Mistake::unknown_template, "there is no template \"" + name + "\"");
    return nullptr;
  }
  bundle_.use(source->at);
  if (!bundle_.mapping(*source, {"let", "require", "reject", "skip", "events", "on_no_event"}))
    return nullptr;
  std::map<std::string, std::string> values;
  if (const yaml::Node* with = node.find("with")) {
    if (with->kind != yaml::Kind::mapping)
      bundle_.error(*with, Mistake::mapping_expected, "a mapping is expected here");
    for (const auto& [key, value] : with->members) values[key] = bundle_.word(value);
  }
  std::set<std::string> used;
  expanded_.push_back(std::make_unique<yaml::Node>(substitute(*source, values, used, bundle_)));
  for (const auto& [key, value] : values) {
    if (!used.contains(key))
      bundle_.error(node, Mistake::unused_parameter,
                    "the template \"" + name + "\" does not use \"" + key + "\"");
  }
  return expanded_.back().get();
}

void BundleCompiler::hash() {
  plan_.info.hash = hash_of(texts_of(files_));
  std::sort(plan_.info.code_lists.begin(), plan_.info.code_lists.end());
}

}  // namespace

Compilation examine(const BundleFiles& files, const CanonicalTypes* types) {
  Compilation out;
  out.plan = std::make_unique<Plan>();
  const std::variant<yaml::Node, yaml::Fault> read = yaml::read(files.adapter_yaml);
  if (const auto* fault = std::get_if<yaml::Fault>(&read)) {
    Diagnostics errors;
    errors.error(fault->at, Mistake::yaml_malformed, fault->what);
    out.findings = errors.all();
    return out;
  }
  BundleCompiler compiler(files, *out.plan, types);
  compiler.compile(std::get<yaml::Node>(read));
  out.findings = compiler.findings();
  return out;
}

Result<std::unique_ptr<Plan>> compile(const BundleFiles& files, const CanonicalTypes* types) {
  Compilation compilation = examine(files, types);
  if (compilation.findings.empty()) return std::move(compilation.plan);
  std::string text;
  for (const Finding& finding : compilation.findings) {
    text += (text.empty() ? "" : "\n") + to_string(finding);
  }
  return Error{Errc::invalid, text};
}

}  // namespace flora::adapter
