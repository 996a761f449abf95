// Any bytes: a text is taken if and only if json::Document takes it, with the same content, but for
// U+0000, limits, a byte order mark and numbers that are too large; and passing over parts of it
// changes nothing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adapters/formats/json_scanner.h"
#include "gateway/base/bytes.h"
#include "gateway/base/json.h"

namespace {

using namespace flora;
using adapter::JsonScanner;
using Token = JsonScanner::Token;

constexpr int kDepth = 32;
constexpr adapter::JsonLimits kLimits = {.depth = kDepth, .members = 64};

void require(bool condition) {
  if (!condition) std::abort();
}

void add(std::string& trace, char kind, std::string_view text = {}) {
  ((trace += kind) += text) += '\n';
}

char kind_of(Token token) { return "{}[]NS#bn"[static_cast<std::size_t>(token)]; }

// The tokens of a text that is taken; nothing, and the scanner says why, if it is not.
std::string by_scanner(JsonScanner& scanner, std::string_view text) {
  std::string trace;
  scanner.reset(text, kLimits);
  std::size_t behind = 0;
  for (;;) {
    const Token token = scanner.next();
    require(scanner.begin_offset() <= scanner.end_offset() && scanner.end_offset() <= text.size());
    if (token == Token::error) {
      require(scanner.error().offset <= text.size() && !scanner.error().reason.empty());
      return {};
    }
    require(scanner.begin_offset() >= behind);
    behind = scanner.end_offset();
    if (token == Token::done) return trace;
    require(is_utf8(scanner.text()) && scanner.text().find('\0') == std::string_view::npos);
    add(trace, kind_of(token), scanner.text());
  }
}

void add_value(std::string& trace, const json::Value& value) {
  switch (value.kind()) {
    case json::Kind::object:
    case json::Kind::array: {
      const bool object = value.is(json::Kind::object);
      add(trace, object ? '{' : '[');
      for (json::Value item = value.first(); item.valid(); item = item.next()) {
        if (object) add(trace, 'N', item.name());
        add_value(trace, item);
      }
      add(trace, object ? '}' : ']');
      break;
    }
    case json::Kind::string:
      add(trace, 'S', value.string());
      break;
    case json::Kind::integer:
    case json::Kind::number:
      add(trace, '#', value.raw());
      break;
    case json::Kind::boolean:
      add(trace, 'b', value.raw());
      break;
    case json::Kind::null:
      add(trace, 'n', value.raw());
      break;
  }
}

void compare_with_document(const JsonScanner& scanner, const std::string& trace,
                           std::string_view text) {
  static json::Document document;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const bool taken = document.parse(text, {.bytes = std::size_t{1} << 20, .depth = kDepth});
  if (!trace.empty()) {
    if (!taken) {
      require(document.error().reason == "the number does not fit");
      return;
    }
    std::string theirs;
    add_value(theirs, document.root());
    require(theirs == trace);
  } else if (taken) {
    require(scanner.error().code == "json-limit" ||
            scanner.error().reason == "The character U+0000 is not accepted.");
  }
}

// Passes over a value where the bits of `choice` say so.
void compare_with_skipping(const JsonScanner& whole, std::string_view text, std::uint32_t choice) {
  static JsonScanner scanner;
  scanner.reset(text, kLimits);
  std::size_t behind = 0;
  for (;;) {
    choice = choice >> 1 | choice << 31;
    const Token token = (choice & 1U) != 0 ? scanner.skip_value() : scanner.next();
    if (token == Token::error) break;
    require(scanner.begin_offset() >= behind);
    behind = scanner.end_offset();
    if (token == Token::done) break;
  }
  require(scanner.error().code == whole.error().code);
  require(scanner.error().reason == whole.error().reason);
  require(scanner.error().offset == whole.error().offset);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static JsonScanner scanner;
  const std::string trace = by_scanner(scanner, text);
  compare_with_document(scanner, trace, text);
  compare_with_skipping(scanner, text, data[0] * 0x01010101U);
  return 0;
}
