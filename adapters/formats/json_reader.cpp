#include "adapters/formats/json_reader.h"

#include <array>

#include "adapters/engine/walk.h"
#include "adapters/formats/json_scanner.h"
#include "adapters/formats/path_text.h"
#include "adapters/formats/text_position.h"

namespace flora::adapter {
namespace {

// Members have no namespace; the items of an array are told apart from them by this one.
constexpr int kItemSpace = 1;
constexpr std::string_view kItem = "*";

// RFC 6901 §3: ~1 is /, ~0 is ~.
Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      out += text[i];
      continue;
    }
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (next != '0' && next != '1') {
      return Error{Errc::invalid, "\"" + std::string(text) + "\": behind ~ stands 0 or 1"};
    }
    out += next == '0' ? '~' : '/';
    ++i;
  }
  return out;
}

PathStep member(std::string name) {
  PathStep out;
  out.name = std::move(name);
  return out;
}

Result<std::vector<PathStep>> steps(std::string_view path) {
  FLORA_ASSIGN(const std::vector<StepText> texts, steps_of(path));
  std::vector<PathStep> out;
  for (const StepText& text : texts) {
    PathStep step;
    if (text.name == kItem) {
      step.spaces = std::uint64_t{1} << kItemSpace;
      step.name = kItem;
    } else {
      FLORA_ASSIGN(step.name, unescaped(text.name));
      if (step.name.empty()) {
        return Error{Errc::invalid, "\"" + std::string(path) + "\" has an empty step"};
      }
    }
    if (!text.key.empty()) {
      if (text.name != kItem) {
        return Error{Errc::invalid, "a filter chooses among the items of an array: *[key=\"…\"]"};
      }
      PathStep::Filter filter;
      filter.text = text.text;
      FLORA_ASSIGN(filter.key, steps(text.key));
      step.filter = std::make_shared<const PathStep::Filter>(std::move(filter));
    }
    out.push_back(std::move(step));
  }
  return out;
}

// Tells the walk what the scanner meets. The node of a member's value is known by its name, that of
// an array's items once for all of them.
class Narrator {
 public:
  Narrator(const JsonScanner& scanner, Walk& walk) : scanner_(scanner), walk_(walk) {}

  // False: rules read the items of an array here, and this is none.
  bool open(bool array) {
    begin_value();
    if (!array && walk_.reads_only(kItemSpace, kItem)) return false;
    walk_.no_text();
    inner_[depth_++] = array ? walk_.child(kItemSpace, kItem) : kByName;
    return true;
  }

  void close() {
    walk_.close();
    --depth_;
  }

  // False: no rule reads the member's value.
  bool name() {
    member_ = walk_.child(0, scanner_.text());
    return member_ >= 0;
  }

  // Is absent, unless it is the message: then all that could stand in it is.
  void null() {
    if (depth_ > 0) return;
    begin_value();
    walk_.close();
  }

  // False: as above.
  bool scalar() {
    begin_value();
    if (walk_.reads_only(kItemSpace, kItem)) return false;
    if (!scanner_.text().empty()) walk_.text(scanner_.text());
    walk_.close();
    return true;
  }

 private:
  static constexpr int kByName = -2;

  void begin_value() {
    if (depth_ == 0) return walk_.open(0, {}, {}, scanner_.begin_offset());
    const int items = inner_[depth_ - 1];
    walk_.open_child(items == kByName ? member_ : items, scanner_.begin_offset());
  }

  const JsonScanner& scanner_;
  Walk& walk_;
  int member_ = -1;
  std::array<int, MessageLimits::kMostDepth + 1> inner_{};
  std::size_t depth_ = 0;
};

// A sender's software that writes a list of one as the one would else lose it in silence.
Issue no_array(std::string_view message, std::size_t offset) {
  const TextPosition at = position_in(message, offset);
  return {"json-array-expected",
          "An array is expected here, also where it has one item or none.",
          {at.line, at.column, {}},
          {}};
}

}  // namespace

Result<Path> JsonReader::path(std::string_view text, std::vector<SpacePrefix>&) const {
  Path out;
  if (text == ".") return out;
  if (text.starts_with("./")) {
    text.remove_prefix(2);
  } else if (text.starts_with('/')) {
    out.from_root = true;
    text.remove_prefix(1);
  } else {
    return Error{Errc::invalid, "\"" + std::string(text) + "\": a place begins with / or ./"};
  }
  out.shown = text;
  FLORA_ASSIGN(out.steps, steps(text));
  return out;
}

Result<RootPattern> JsonReader::root(std::string_view, std::vector<SpacePrefix>&) const {
  return Error{Errc::invalid, "messages of this format have no name"};
}

std::optional<CodedParts> JsonReader::coded_parts() const {
  return CodedParts{member("code"), member("list"), member("version")};
}

std::optional<Issue> JsonReader::read(std::string_view message, const MessageLimits& limits,
                                      Walk& walk) const {
  using Token = JsonScanner::Token;
  thread_local JsonScanner scanner;
  scanner.reset(message, {.depth = static_cast<std::size_t>(limits.depth)});
  Narrator narrator(scanner, walk);
  for (;;) {
    switch (scanner.next()) {
      case Token::begin_object:
        if (!narrator.open(false)) return no_array(message, scanner.begin_offset());
        break;
      case Token::begin_array:
        narrator.open(true);
        break;
      case Token::end_object:
      case Token::end_array:
        narrator.close();
        break;
      case Token::name:
        if (!narrator.name()) scanner.skip_value();
        break;
      case Token::string:
      case Token::number:
      case Token::boolean:
        if (!narrator.scalar()) return no_array(message, scanner.begin_offset());
        break;
      case Token::null:
        narrator.null();
        break;
      case Token::done:
        return std::nullopt;
      case Token::error: {
        const TextPosition at = position_in(message, scanner.error().offset);
        return Issue{std::string(scanner.error().code),
                     std::string(scanner.error().reason),
                     {at.line, at.column, {}},
                     {}};
      }
    }
  }
}

}  // namespace flora::adapter
