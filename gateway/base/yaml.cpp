#include "gateway/base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

namespace flora::yaml {
namespace {

constexpr std::size_t kMaxDepth = 64;

// yaml-cpp counts bytes: Columns makes characters of them.
Position position_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

class Columns {
 public:
  explicit Columns(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // yaml-cpp passes it over.
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      if (end != std::string_view::npos) text.remove_prefix(end + 1);
    }
  }

  void convert(Position& at) const {
    if (at.line < 1 || at.column < 1 || static_cast<std::size_t>(at.line) > lines_.size()) return;
    const std::string_view before = lines_[static_cast<std::size_t>(at.line) - 1].substr(
        0, static_cast<std::size_t>(at.column) - 1);
    at.column -= static_cast<int>(std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    }));
  }

  void convert(Node& node) const {
    convert(node.at);
    for (Position& at : node.member_at) convert(at);
    for (Node& item : node.items) convert(item);
    for (Member& member : node.members) convert(member.second);
  }

 private:
  std::vector<std::string_view> lines_;
};

// Builds the tree from the parser's events. Throws Fault where our rules are violated; yaml-cpp's
// own errors are YAML::ParserException. read() catches both.
class Builder final : public YAML::EventHandler {
 public:
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.at = position_of(mark);
    check(mark, "?", anchor);
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Fault{position_of(mark), "aliases are not allowed"};
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    Node node;
    node.kind = Kind::scalar;
    node.text = value;
    node.quoted = tag == "!";
    node.at = position_of(mark);
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::mapping);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    std::string key;
    Position key_at;
  };

  static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) throw Fault{position_of(mark), "anchors are not allowed"};
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Fault{position_of(mark), "tags are not allowed"};
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    check(mark, tag, anchor);
    if (frames_.size() >= kMaxDepth) throw Fault{position_of(mark), "nested too deeply"};
    if (!frames_.empty() && frames_.back().node.kind == Kind::mapping && !frames_.back().has_key) {
      throw Fault{position_of(mark), "a key must be a plain or quoted text"};
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.at = position_of(mark);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Kind::sequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      set_key(frame, node);
    } else {
      frame.node.members.push_back({std::move(frame.key), std::move(node)});
      frame.node.member_at.push_back(frame.key_at);
      frame.has_key = false;
    }
  }

  static void set_key(Frame& frame, const Node& node) {
    if (node.kind != Kind::scalar) {
      throw Fault{node.at, "a key must be a plain or quoted text"};
    }
    if (frame.node.find(node.text) != nullptr) {
      throw Fault{node.at, "duplicate key \"" + node.text + "\""};
    }
    frame.has_key = true;
    frame.key = node.text;
    frame.key_at = node.at;
  }

  std::vector<Frame> frames_;
  Node root_;
};

Error error_at(std::string_view file, Position at, const std::string& what) {
  return {Errc::invalid, std::string(file) + ":" + std::to_string(at.line) + ":" +
                             std::to_string(at.column) + ": " + what};
}

// The YAML 1.2 core schema, §10.3.2: a plain scalar's type.
nlohmann::json plain_to_json(const std::string& text) {
  if (text.empty() || text == "null" || text == "~" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* const end = text.data() + text.size();
  const char* const digits = text[0] == '+' ? text.data() + 1 : text.data();
  std::int64_t integer = 0;
  const auto as_integer = std::from_chars(digits, end, integer);
  if (as_integer.ec == std::errc() && as_integer.ptr == end) return integer;
  const bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  double number = 0;
  const auto as_number = std::from_chars(digits, end, number);
  if (numeric && as_number.ec == std::errc() && as_number.ptr == end) return number;
  return text;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, node] : members) {
    if (name == key) return &node;
  }
  return nullptr;
}

std::variant<Node, Fault> read(std::string_view text) {
  const Columns columns(text);
  Fault fault;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    if (!parser.HandleNextDocument(builder)) {
      return Fault{{1, 1}, "the document is empty"};
    }
    Builder second;
    if (parser.HandleNextDocument(second)) {
      return Fault{{1, 1}, "more than one document"};
    }
    Node root = builder.take();
    columns.convert(root);
    return root;
  } catch (const Fault& violation) {
    fault = violation;
  } catch (const YAML::Exception& exception) {
    fault = {position_of(exception.mark), exception.msg};
  }
  columns.convert(fault.at);
  return fault;
}

Result<Node> parse(std::string_view text, std::string_view file) {
  std::variant<Node, Fault> found = read(text);
  if (auto* node = std::get_if<Node>(&found)) return std::move(*node);
  const Fault& fault = std::get<Fault>(found);
  return error_at(file, fault.at, fault.what);
}

nlohmann::json to_json(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return nullptr;
    case Kind::scalar:
      return node.quoted ? nlohmann::json(node.text) : plain_to_json(node.text);
    case Kind::sequence: {
      nlohmann::json out = nlohmann::json::array();
      for (const Node& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case Kind::mapping: {
      nlohmann::json out = nlohmann::json::object();
      for (const auto& [name, member] : node.members) out[name] = to_json(member);
      return out;
    }
  }
  return nullptr;
}

}  // namespace flora::yaml
