// Differential test: JsonScanner against two other readers, nlohmann and json::Document. What it
// takes, both take, with the same content; what it refuses, both refuse, but for what is listed in
// `compare`.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/formats/json_scanner.h"
#include "gateway/base/json.h"
#include "tests/slow_build.h"

namespace flora::adapter {
namespace {

using Token = JsonScanner::Token;

// What a reader saw, one line for each token; of numbers only that they are there.
struct Trace {
  bool accepted = false;
  bool duplicate = false;
  std::string tokens;
  std::string numbers;
  std::string refusal;  // By us: the code and reason; by json::Document: the reason.

  void add(char kind, std::string_view text = {}) {
    tokens += kind;
    tokens += text;
    tokens += '\n';
  }
};

Trace by_scanner(std::string_view text) {
  static JsonScanner scanner;
  Trace trace;
  scanner.reset(text, {.depth = 32, .members = 1024});
  std::size_t behind = 0;
  for (;;) {
    const Token token = scanner.next();
    if (scanner.begin_offset() < behind && token != Token::error) FAIL_CHECK("tokens overlap");
    behind = scanner.end_offset();
    switch (token) {
      case Token::begin_object:
        trace.add('{');
        break;
      case Token::end_object:
        trace.add('}');
        break;
      case Token::begin_array:
        trace.add('[');
        break;
      case Token::end_array:
        trace.add(']');
        break;
      case Token::name:
        trace.add('N', scanner.text());
        break;
      case Token::string:
        trace.add('S', scanner.text());
        break;
      case Token::number:
        trace.add('#');
        (trace.numbers += scanner.text()) += ' ';
        break;
      case Token::boolean:
      case Token::null:
        trace.add(scanner.text()[0]);
        break;
      case Token::done:
        trace.accepted = true;
        return trace;
      case Token::error:
        trace.refusal =
            std::string(scanner.error().code) + ": " + std::string(scanner.error().reason);
        trace.duplicate = scanner.error().code == "json-duplicate-name";
        if (scanner.error().offset > text.size()) FAIL_CHECK("an error outside the text");
        return trace;
    }
  }
}

void add_value(Trace& trace, const json::Value& value) {
  switch (value.kind()) {
    case json::Kind::object:
    case json::Kind::array: {
      const bool object = value.is(json::Kind::object);
      trace.add(object ? '{' : '[');
      for (json::Value item = value.first(); item.valid(); item = item.next()) {
        if (object) trace.add('N', item.name());
        add_value(trace, item);
      }
      trace.add(object ? '}' : ']');
      break;
    }
    case json::Kind::string:
      trace.add('S', value.string());
      break;
    case json::Kind::integer:
    case json::Kind::number:
      trace.add('#');
      (trace.numbers += value.raw()) += ' ';
      break;
    case json::Kind::boolean:
    case json::Kind::null:
      trace.add(value.raw()[0]);
      break;
  }
}

Trace by_document(std::string_view text) {
  static json::Document document;
  Trace trace;
  trace.accepted = document.parse(text);
  if (trace.accepted) {
    add_value(trace, document.root());
  } else {
    trace.refusal = document.error().reason;
  }
  return trace;
}

// nlohmann takes the last of two equal names; this finds them.
class NlohmannHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  Trace trace;

  bool null() override { return add('n'); }
  bool boolean(bool value) override { return add(value ? 't' : 'f'); }
  bool number_integer(number_integer_t) override { return add('#'); }
  bool number_unsigned(number_unsigned_t) override { return add('#'); }
  bool number_float(number_float_t, const string_t&) override { return add('#'); }
  bool string(string_t& value) override { return add('S', value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    names_.emplace_back();
    return add('{');
  }
  bool key(string_t& value) override {
    if (!names_.back().insert(value).second) trace.duplicate = true;
    return add('N', value);
  }
  bool end_object() override {
    names_.pop_back();
    return add('}');
  }
  bool start_array(std::size_t) override { return add('['); }
  bool end_array() override { return add(']'); }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& fault) override {
    trace.refusal = fault.what();
    return false;
  }

 private:
  bool add(char kind, std::string_view text = {}) {
    trace.add(kind, text);
    return true;
  }
  std::vector<std::set<std::string>> names_;
};

Trace by_nlohmann(std::string_view text) {
  NlohmannHandler handler;
  handler.trace.accepted = nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  return handler.trace;
}

struct Tally {
  int compared = 0;
  int accepted = 0;
  int duplicates = 0;
  int stricter = 0;
  int number_too_large = 0;

  void compare(const std::string& text) {
    const Trace ours = by_scanner(text);
    const Trace document =
        by_document(text.starts_with("\xEF\xBB\xBF") ? std::string_view(text).substr(3) : text);
    const Trace theirs = by_nlohmann(text);
    ++compared;
    accepted += ours.accepted;
    duplicates += ours.duplicate;
    if (skipped(text) != ours.refusal) FAIL_CHECK("passed over otherwise: " << text);

    // Both others compute numbers and refuse those that do not fit a double; the scanner gives
    // their text.
    const bool too_large = document.refusal == "the number does not fit" ||
                           theirs.refusal.find("out_of_range.406") != std::string::npos;
    number_too_large += too_large;
    if (ours.accepted && !too_large) {
      if (!document.accepted || document.tokens != ours.tokens ||
          document.numbers != ours.numbers) {
        FAIL_CHECK("json::Document disagrees about: " << text);
      }
      if (!theirs.accepted || theirs.duplicate || theirs.tokens != ours.tokens) {
        FAIL_CHECK("nlohmann disagrees about: " << text);
      }
    }
    if (ours.accepted) return;
    // U+0000 in a text breaks whoever ends texts at it, and no name or identifier has one; depth is
    // bounded so that the stack of open brackets is, members so that the names of an object are.
    const bool own_rule = ours.refusal == "json-encoding: The character U+0000 is not accepted." ||
                          ours.refusal.starts_with("json-too-deep") ||
                          ours.refusal.starts_with("json-limit");
    stricter += own_rule;
    if (own_rule) return;
    if (document.accepted) FAIL_CHECK("json::Document takes: " << text);
    // nlohmann takes a NUL for the end of the text.
    const bool cut_short = text.find('\0') != std::string::npos;
    if (theirs.accepted && !theirs.duplicate && !cut_short) FAIL_CHECK("nlohmann takes: " << text);
  }

  // The refusal of a scan that passes over the whole text.
  static std::string skipped(std::string_view text) {
    static JsonScanner scanner;
    scanner.reset(text, {.depth = 32, .members = 1024});
    Token token = scanner.skip_value();
    if (token != Token::error) token = scanner.next();
    if (token == Token::done) return {};
    return std::string(scanner.error().code) + ": " + std::string(scanner.error().reason);
  }
};

const std::vector<std::string>& small_samples() {
  static const std::vector<std::string> all = {
      R"({"id":"a-1","n":[1,-2.5e3,true,null],"t":{"x":"ä\u00e4","y":{}},"e":[]})",
      "\xEF\xBB\xBF{\r\n  \"vorgang\" : \"V\\u002D1\" ,\r\n\t\"tage\" : [ \"2026-01-02\" , 0.10 "
      "]\n}\n",
      R"(["\"\\\/\b\f\n\r\t","\ud83d\ude00","😀","",{"":false},[[]],-0,1E+2])",
      R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":0,"k":1,"l":2,"m":3,"n":4,)"
      R"("o":5,"p":6,"q":7,"r":8,"s":9,"t":{"a":1,"\u0062":2}})",
  };
  return all;
}

// The small ones and all JSON files of the bundles and examples, those that must be refused among
// them.
std::vector<std::string> samples() {
  std::vector<std::string> all = small_samples();
  for (const char* folder : {"/adapters", "/examples", "/tests/model"}) {
    const std::filesystem::path root = std::string(FLORA_SOURCE_DIR) + folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".json") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << file.rdbuf();
      all.push_back(bytes.str());
    }
  }
  return all;
}

const std::vector<std::string>& snippets() {
  static const std::vector<std::string> all = {"{",
                                               "}",
                                               "[",
                                               "]",
                                               ",",
                                               ":",
                                               "\"",
                                               "\\",
                                               "0",
                                               "00",
                                               "1e999",
                                               "1e-999",
                                               "-",
                                               "+",
                                               ".",
                                               "e",
                                               "true",
                                               "null",
                                               "NaN",
                                               " ",
                                               "\n",
                                               "\t",
                                               "\v",
                                               "//",
                                               "/**/",
                                               "\"a\":1,",
                                               "\"\\u0061\":1,",
                                               "\"x\"",
                                               "\\u0000",
                                               "\\ud800",
                                               "\\udc00",
                                               "\\ud800\\udc00",
                                               "\\u12",
                                               "\\x",
                                               "\\n",
                                               std::string(1, '\0'),
                                               "\x01",
                                               "\x7F",
                                               "\x80",
                                               "\xC0\x80",
                                               "\xC3\xA4",
                                               "\xED\xA0\x80",
                                               "\xEF\xBB\xBF",
                                               "\xEF\xBF\xBF",
                                               "\xF4\x90\x80\x80",
                                               "\xFF",
                                               "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
  return all;
}

}  // namespace

TEST_CASE("each JSON sample is read as the others read it") {
  for (const std::string& sample : small_samples()) CHECK(by_scanner(sample).accepted);
  Tally tally;
  for (const std::string& sample : samples()) tally.compare(sample);
  CHECK(tally.accepted > 100);
}

TEST_CASE("every prefix of every JSON sample is refused, as the others refuse it") {
  Tally tally;
  for (const std::string& sample : samples()) {
    const std::size_t step = test::kSlowBuild ? 29 : sample.size() > 2048 ? 7 : 1;
    for (std::size_t n = 0; n < sample.size(); n += step) tally.compare(sample.substr(0, n));
  }
  CHECK(tally.accepted < 200);  // White space at the end is lost only.
}

TEST_CASE("every snippet at every place of the small JSON samples is read alike") {
  Tally tally;
  for (const std::string& sample : small_samples()) {
    for (std::size_t at = 0; at <= sample.size(); ++at) {
      for (const std::string& snippet : snippets()) {
        tally.compare(sample.substr(0, at) + snippet + sample.substr(at));
        if (at + snippet.size() <= sample.size()) {
          tally.compare(sample.substr(0, at) + snippet + sample.substr(at + snippet.size()));
        }
      }
      tally.compare(sample.substr(0, at) + sample.substr(std::min(at + 1, sample.size())));
    }
  }
  CHECK(tally.accepted > 2000);
  CHECK(tally.duplicates > 50);
  CHECK(tally.stricter > 100);
  CHECK(tally.number_too_large > 10);
  MESSAGE(tally.compared << " compared, " << tally.accepted << " accepted, " << tally.duplicates
                         << " with a name twice, " << tally.stricter << " refused by us alone");
}

TEST_CASE("random JSON texts are read alike") {
  std::mt19937 random(20260701);
  const auto pick = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  static const std::vector<std::string> scalars = {
      "1",    "-2.5e-3", "true",           "false", "null",
      "\"\"", "\"x\"",   "\"\\u00e4\\n\"", "\"€\"", "123456789012345678901"};
  static const std::vector<std::string> names = {
      "a", "b", "\\u0061", "ä", "\\u00e4", "", "c", "d", "status", "vorgang", "e", "f", "g", "h"};
  struct Writer {
    decltype(pick)& choose;
    std::string value(int depth) const {
      const std::size_t kind = depth > 4 ? 0 : choose(3);
      if (kind == 0) return scalars[choose(scalars.size())];
      std::string text = kind == 1 ? "[" : "{";
      for (std::size_t n = choose(6); n > 0; --n) {
        if (kind == 2) text += "\"" + names[choose(names.size())] + "\":" + space();
        text += value(depth + 1) + space() + (n > 1 ? "," + space() : "");
      }
      return text + (kind == 1 ? "]" : "}");
    }
    std::string space() const { return choose(4) == 0 ? "\n" + std::string(choose(20), ' ') : ""; }
  };
  const Writer writer{pick};
  Tally tally;
  for (int round = 0; round < 40000; ++round) {
    std::string text = writer.value(0);
    if (pick(3) == 0) text.insert(pick(text.size() + 1), snippets()[pick(snippets().size())]);
    tally.compare(text);
  }
  CHECK(tally.accepted > 10000);
  CHECK(tally.duplicates > 1000);
}

}  // namespace flora::adapter
