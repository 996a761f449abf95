// Any bytes as a method and a path: what is found is found again by its template, a method that is
// allowed finds, HEAD finds what GET finds, and parameters are UTF-8.
#include <string>

#include "gateway/base/bytes.h"
#include "openapi/document.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using namespace flora::openapi;
using fuzz::require;
using Outcome = Match::Outcome;

const Document& document() {
  static const Document one = fuzz::required(Document::load());
  return one;
}

std::string encoded(std::string_view text, bool keep_slashes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (keep_slashes && c == '/') {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

// The template with the values of the match in it.
std::string filled(const Match& match) {
  std::string path = match.operation->path;
  for (const auto& [name, value] : match.path) {
    const std::string mark = '{' + std::string(name) + '}';
    const std::size_t at = path.find(mark);
    require(at != path.npos && is_utf8(value));
    const Parameter* parameter = match.operation->parameter(Parameter::In::path, name);
    require(parameter != nullptr);
    path.replace(at, mark.size(), encoded(value, parameter->multi_segment));
  }
  return path;
}

void check_found(Listener listener, std::string_view method, const Match& match) {
  require(match.operation->listener == listener);
  require(method == match.operation->method ||
          (method == "HEAD" && match.operation->method == "GET"));
  const Match again = document().match(listener, method, filled(match));
  require(again.outcome == Outcome::found && again.operation == match.operation);
  require(again.path == match.path);
}

void check_allowed(Listener listener, std::string_view path, std::string_view allow) {
  require(!allow.empty());
  while (!allow.empty()) {
    const std::size_t end = std::min(allow.find(", "), allow.size());
    require(document().match(listener, allow.substr(0, end), path).outcome == Outcome::found);
    allow.remove_prefix(std::min(end + 2, allow.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t space = text.find(' ');
  if (space == text.npos) return 0;
  const std::string_view method = text.substr(0, space);
  const std::string_view path = text.substr(space + 1);
  for (const Listener listener : {Listener::public_, Listener::operations}) {
    const Match match = document().match(listener, method, path);
    if (match.outcome == Outcome::found) check_found(listener, method, match);
    if (match.outcome == Outcome::method_not_allowed) check_allowed(listener, path, match.allow);
    const Match get = document().match(listener, "GET", path);
    require(document().match(listener, "HEAD", path).operation == get.operation);
  }
  return 0;
}
