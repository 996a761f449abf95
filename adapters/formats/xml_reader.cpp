#include "adapters/formats/xml_reader.h"

#include <algorithm>

#include "adapters/engine/walk.h"
#include "adapters/formats/path_text.h"
#include "adapters/formats/text_position.h"
#include "adapters/formats/xml_scanner.h"

namespace flora::adapter {
namespace {

bool is_ncname(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  if (text.empty() || !letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// Splits `prefix:name` and finds the namespaces of the prefix.
Result<std::uint64_t> spaces_of(std::string_view& name, std::vector<SpacePrefix>& prefixes) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return std::uint64_t{1};
  const std::string_view prefix = name.substr(0, colon);
  name.remove_prefix(colon + 1);
  for (SpacePrefix& known : prefixes) {
    if (known.prefix != prefix) continue;
    known.used = true;
    return known.spaces;
  }
  return Error{Errc::not_found, "the prefix \"" + std::string(prefix) + "\" is not declared"};
}

Result<std::vector<PathStep>> steps(std::string_view path, std::vector<SpacePrefix>& prefixes);

Result<PathStep> step(const StepText& text, std::vector<SpacePrefix>& prefixes) {
  PathStep out;
  if (text.name == "local-name()") {
    out.kind = PathStep::Kind::local_name;
    return out;
  }
  if (text.name == "namespace-uri()") {
    out.kind = PathStep::Kind::space_name;
    return out;
  }
  std::string_view name = text.name;
  if (name.starts_with('@')) {
    out.kind = PathStep::Kind::attribute;
    name.remove_prefix(1);
  }
  FLORA_ASSIGN(out.spaces, spaces_of(name, prefixes));
  if (!is_ncname(name)) {
    return Error{Errc::invalid, "\"" + std::string(text.name) + "\" is no step of a path"};
  }
  out.name = name;
  if (text.key.empty()) return out;
  PathStep::Filter filter;
  filter.text = text.text;
  FLORA_ASSIGN(filter.key, steps(text.key, prefixes));
  out.filter = std::make_shared<const PathStep::Filter>(std::move(filter));
  return out;
}

Result<std::vector<PathStep>> steps(std::string_view path, std::vector<SpacePrefix>& prefixes) {
  FLORA_ASSIGN(const std::vector<StepText> texts, steps_of(path));
  std::vector<PathStep> out;
  for (const StepText& text : texts) {
    if (!out.empty() && out.back().kind != PathStep::Kind::child) {
      return Error{Errc::invalid, "a path ends with an attribute or function"};
    }
    FLORA_ASSIGN(PathStep next, step(text, prefixes));
    out.push_back(std::move(next));
  }
  return out;
}

PathStep unqualified(PathStep::Kind kind, std::string name) {
  PathStep out;
  out.kind = kind;
  out.name = std::move(name);
  return out;
}

}  // namespace

Issue issue_of(const XmlScanner::Error& error, std::string_view message) {
  Issue issue;
  issue.code = error.code;
  issue.detail = error.reason;
  const TextPosition position = position_in(message, error.offset);
  issue.at.line = position.line;
  issue.at.column = position.column;
  return issue;
}

Result<Path> XmlReader::path(std::string_view text, std::vector<SpacePrefix>& prefixes) const {
  Path out;
  if (text == ".") return out;
  if (text == "/*") {
    out.from_root = true;
    return out;
  }
  if (text.starts_with("/*/")) {
    out.from_root = true;
    text.remove_prefix(3);
  } else if (text.starts_with("./")) {
    text.remove_prefix(2);
  }
  out.shown = text;
  FLORA_ASSIGN(out.steps, steps(text, prefixes));
  return out;
}

Result<RootPattern> XmlReader::root(std::string_view text,
                                    std::vector<SpacePrefix>& prefixes) const {
  RootPattern out;
  if (text == "*") {
    out.spaces = ~std::uint64_t{0};
    out.any = true;
    return out;
  }
  FLORA_ASSIGN(out.spaces, spaces_of(text, prefixes));
  const std::size_t star = text.find('*');
  out.any = star != std::string_view::npos;
  out.prefix = text.substr(0, star);
  if (out.any) out.suffix = text.substr(star + 1);
  const std::string probe = out.prefix + (out.any ? "x" : "") + out.suffix;
  if (!is_ncname(probe)) {
    return Error{Errc::invalid, "\"" + std::string(text) + "\" is no name of a root element"};
  }
  return out;
}

std::optional<CodedParts> XmlReader::coded_parts() const {
  return CodedParts{unqualified(PathStep::Kind::child, "code"),
                    unqualified(PathStep::Kind::attribute, "listURI"),
                    unqualified(PathStep::Kind::attribute, "listVersionID")};
}

std::optional<Issue> XmlReader::read(std::string_view message, const MessageLimits& limits,
                                     Walk& walk) const {
  thread_local XmlScanner scanner;
  scanner.reset(message, spaces_, {.depth = limits.depth, .attributes = limits.attributes});
  for (;;) {
    switch (scanner.next()) {
      case XmlScanner::Token::start:
        walk.open(scanner.space(), scanner.uri(), scanner.local(), scanner.begin_offset());
        for (const XmlScanner::Attribute& attribute : scanner.attributes()) {
          walk.attribute(attribute.space, attribute.local, attribute.value, attribute.offset);
        }
        break;
      case XmlScanner::Token::end:
        walk.close();
        break;
      case XmlScanner::Token::text:
        walk.text(scanner.text());
        break;
      case XmlScanner::Token::done:
        return std::nullopt;
      case XmlScanner::Token::error:
        return issue_of(scanner.error(), message);
    }
  }
}

}  // namespace flora::adapter
