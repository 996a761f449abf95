#include "adapters/engine/argument_compiler.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "gateway/base/bytes.h"
#include "gateway/model/catalogue.h"

namespace flora::adapter {
namespace {

class ArgumentCompiler {
 public:
  ArgumentCompiler(Bundle& bundle, Call& call) : bundle_(bundle), call_(call) {}

  void compile(const yaml::Node& node, Argument kind);

 private:
  const yaml::Node* member(const yaml::Node& node, std::string_view key);
  std::string text(const yaml::Node& node);
  std::size_t length(const yaml::Node& node);
  std::int32_t integer(const yaml::Node& node);
  void texts(const yaml::Node& node);
  bool pattern(const yaml::Node& node);
  void capture(const yaml::Node& node);
  void replacement(const yaml::Node& node);
  void part(const yaml::Node& node);
  void substring(const yaml::Node& node);
  void digits(const yaml::Node& node);
  void range(const yaml::Node& node);
  void land(const yaml::Node& node);
  void uuid(const yaml::Node& node);
  void date(const yaml::Node& node);
  void local(const yaml::Node& node);
  void time_pattern(const yaml::Node& node, Fields fields);
  void pivot(const yaml::Node& node, const yaml::Node& pattern);
  void zone(const yaml::Node& node);
  template <typename Policy>
  void policy(const yaml::Node& node, std::string_view key,
              std::initializer_list<std::pair<std::string_view, Policy>> words, Policy& out);

  Bundle& bundle_;
  Call& call_;
};

void ArgumentCompiler::compile(const yaml::Node& node, Argument kind) {
  switch (kind) {
    case Argument::none:
    case Argument::map:
      return;
    case Argument::text:
      call_.argument = text(node);
      return;
    case Argument::length:
      call_.number = length(node);
      return;
    case Argument::texts:
      return texts(node);
    case Argument::pattern:
      pattern(node);
      return;
    case Argument::capture:
      return capture(node);
    case Argument::replacement:
      return replacement(node);
    case Argument::part:
      return part(node);
    case Argument::substring:
      return substring(node);
    case Argument::digits:
      return digits(node);
    case Argument::range:
      return range(node);
    case Argument::land:
      return land(node);
    case Argument::uuid:
      return uuid(node);
    case Argument::date:
      return date(node);
    case Argument::time:
      return time_pattern(node, Fields::time);
    case Argument::local:
      return local(node);
  }
}

const yaml::Node* ArgumentCompiler::member(const yaml::Node& node, std::string_view key) {
  const yaml::Node* found = node.find(key);
  if (found == nullptr)
    bundle_.error(node, Mistake::missing_key, "the argument needs `" + std::string(key) + "`");
  return found;
}

std::string ArgumentCompiler::text(const yaml::Node& node) {
  std::string out = bundle_.literal(node);
  if (node.kind == yaml::Kind::scalar && out.empty())
    bundle_.error(node, Mistake::empty_text, "the argument is empty");
  return out;
}

// At least 1, also after an error.
std::size_t ArgumentCompiler::length(const yaml::Node& node) {
  const long number = bundle_.number(node);
  if (number == 0) bundle_.error(node, Mistake::argument_value, "a number from 1 is expected here");
  return static_cast<std::size_t>(std::max(1L, number));
}

std::int32_t ArgumentCompiler::integer(const yaml::Node& node) {
  std::int32_t out = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto read = std::from_chars(node.text.data(), end, out);
  const bool good =
      node.kind == yaml::Kind::scalar && !node.quoted && read.ec == std::errc() && read.ptr == end;
  if (!good)
    bundle_.error(node, Mistake::number_expected,
                  "an integer of 32 bits without quotes is expected here");
  return good ? out : 0;
}

void ArgumentCompiler::texts(const yaml::Node& node) {
  if (!bundle_.sequence(node)) return;
  for (const yaml::Node& item : node.items) call_.words.push_back(bundle_.literal(item));
  std::sort(call_.words.begin(), call_.words.end());
  if (call_.words.empty()) bundle_.error(node, Mistake::empty_list, "the list is empty");
  if (std::adjacent_find(call_.words.begin(), call_.words.end()) != call_.words.end())
    bundle_.error(node, Mistake::argument_value, "a text occurs twice");
}

bool ArgumentCompiler::pattern(const yaml::Node& node) {
  call_.pattern = std::make_shared<re2::RE2>(bundle_.literal(node), re2::RE2::Quiet);
  if (!call_.pattern->ok())
    bundle_.error(node, Mistake::pattern_malformed,
                  "the pattern is malformed: " + call_.pattern->error());
  return call_.pattern->ok();
}

void ArgumentCompiler::capture(const yaml::Node& node) {
  if (pattern(node) && call_.pattern->NumberOfCapturingGroups() != 1)
    bundle_.error(node, Mistake::argument_value, "the pattern must have exactly one group");
}

void ArgumentCompiler::replacement(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"pattern", "with"})) return;
  const yaml::Node* what = member(node, "pattern");
  const yaml::Node* with = member(node, "with");
  if (what == nullptr || with == nullptr || !pattern(*what)) return;
  call_.argument = bundle_.literal(*with);
  std::string reason;
  if (!call_.pattern->CheckRewriteString(call_.argument, &reason)) {
    bundle_.error(*with, Mistake::argument_value, "the replacement is malformed: " + reason);
  }
  call_.number = static_cast<std::size_t>(re2::RE2::MaxSubmatch(call_.argument)) + 1;
}

void ArgumentCompiler::part(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"by", "number"})) return;
  if (const yaml::Node* by = member(node, "by")) call_.argument = text(*by);
  if (const yaml::Node* number = member(node, "number")) {
    call_.position = integer(*number);
    if (call_.position == 0)
      bundle_.error(*number, Mistake::argument_value,
                    "a part has a number from 1, or from -1 when counted from the end");
  }
}

void ArgumentCompiler::substring(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"at", "length"})) return;
  if (const yaml::Node* at = member(node, "at")) call_.number = length(*at);
  if (const yaml::Node* size = node.find("length"))
    call_.most = static_cast<std::int64_t>(length(*size));
}

void ArgumentCompiler::digits(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    call_.least = call_.most = static_cast<std::int64_t>(length(node));
    return;
  }
  if (!bundle_.mapping(node, {"from", "to"})) return;
  if (const yaml::Node* from = member(node, "from"))
    call_.least = static_cast<std::int64_t>(length(*from));
  const yaml::Node* to = member(node, "to");
  if (to == nullptr) return;
  call_.most = static_cast<std::int64_t>(length(*to));
  if (call_.most < call_.least)
    bundle_.error(*to, Mistake::argument_value, "`to` is less than `from`");
}

void ArgumentCompiler::range(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"least", "most"})) return;
  const yaml::Node* least = node.find("least");
  const yaml::Node* most = node.find("most");
  if (least == nullptr && most == nullptr)
    bundle_.error(node, Mistake::missing_key, "`between` needs `least` or `most`");
  call_.least = least == nullptr ? std::numeric_limits<std::int32_t>::min() : integer(*least);
  call_.most = most == nullptr ? std::numeric_limits<std::int32_t>::max() : integer(*most);
  if (most != nullptr && call_.most < call_.least)
    bundle_.error(*most, Mistake::argument_value, "`most` is less than `least`");
}

void ArgumentCompiler::land(const yaml::Node& node) {
  const std::string word = bundle_.word(node);
  call_.argument = land_key(word);
  if (!word.empty() && call_.argument.empty())
    bundle_.error(node, Mistake::unknown_land,
                  "a municipality key (AGS) belongs to a Land such as DE-NI");
}

void ArgumentCompiler::uuid(const yaml::Node& node) {
  std::string digits = bundle_.literal(node);
  const bool dashes = digits.size() == 36 && digits[8] == '-' && digits[13] == '-' &&
                      digits[18] == '-' && digits[23] == '-';
  std::erase(digits, '-');
  const std::optional<std::string> bytes = from_hex(digits);
  if (dashes && digits.size() == 32 && bytes) {
    call_.argument = *bytes;
  } else {
    bundle_.error(node, Mistake::argument_value, "the namespace is a UUID");
  }
}

void ArgumentCompiler::date(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    time_pattern(node, Fields::day);
    if (call_.time.has_short_year())
      bundle_.error(node, Mistake::date_pattern, "yy needs a pivot: { pattern: \"…\", pivot: 50 }");
    return;
  }
  if (!bundle_.mapping(node, {"pattern", "pivot"})) return;
  const yaml::Node* pattern = member(node, "pattern");
  if (pattern == nullptr) return;
  time_pattern(*pattern, Fields::day);
  pivot(node, *pattern);
}

void ArgumentCompiler::local(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"pattern", "pivot", "zone", "gap", "overlap"})) return;
  if (const yaml::Node* pattern = member(node, "pattern")) {
    time_pattern(*pattern, Fields::day_and_time);
    pivot(node, *pattern);
  }
  if (const yaml::Node* name = member(node, "zone")) zone(*name);
  policy(node, "gap", {{"reject", Gap::reject}, {"shift", Gap::shift}}, call_.gap);
  policy(node, "overlap",
         {{"reject", Overlap::reject}, {"earlier", Overlap::earlier}, {"later", Overlap::later}},
         call_.overlap);
}

void ArgumentCompiler::time_pattern(const yaml::Node& node, Fields fields) {
  Result<TimePattern> parsed = parse_time_pattern(bundle_.literal(node), fields);
  if (parsed) {
    call_.time = std::move(*parsed);
  } else {
    bundle_.error(node, Mistake::date_pattern, parsed.error().message);
  }
}

// `pivot` and yy go together.
void ArgumentCompiler::pivot(const yaml::Node& node, const yaml::Node& pattern) {
  const yaml::Node* given = node.find("pivot");
  const bool needed = call_.time.has_short_year();
  if (given == nullptr) {
    if (needed) bundle_.error(pattern, Mistake::date_pattern, "yy needs a `pivot`");
    return;
  }
  const long year = bundle_.number(*given);
  if (year > 100) bundle_.error(*given, Mistake::argument_value, "a pivot is 0 to 100");
  if (!needed && !call_.time.parts.empty())
    bundle_.error(*given, Mistake::date_pattern,
                  "a pivot belongs to yy, which the pattern does not have");
  call_.time.pivot = static_cast<int>(year);
}

void ArgumentCompiler::zone(const yaml::Node& node) {
  const std::string name = bundle_.word(node);
  if (name.empty()) return;
  Result<std::shared_ptr<const Zone>> found = Zone::find(name);
  if (found) {
    call_.zone = std::move(*found);
  } else {
    bundle_.error(node, Mistake::time_zone, found.error().message);
  }
}

template <typename Policy>
void ArgumentCompiler::policy(const yaml::Node& node, std::string_view key,
                              std::initializer_list<std::pair<std::string_view, Policy>> words,
                              Policy& out) {
  const yaml::Node* given = node.find(key);
  if (given == nullptr) return;
  const std::string word = bundle_.word(*given);
  std::string known;
  for (const auto& [name, value] : words) {
    if (name == word) {
      out = value;
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  if (!word.empty())
    bundle_.error(*given, Mistake::unknown_word, "`" + std::string(key) + "` is one of " + known);
}

}  // namespace

void compile_argument(const yaml::Node& node, Argument kind, Bundle& bundle, Call& call) {
  ArgumentCompiler(bundle, call).compile(node, kind);
}

void default_argument(Argument kind, Call& call) {
  if (kind == Argument::date) call.time = *parse_time_pattern("yyyy-MM-dd", Fields::day);
}

}  // namespace flora::adapter
