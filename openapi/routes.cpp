#include "openapi/routes.h"

#include <algorithm>
#include <optional>

#include "gateway/base/bytes.h"

namespace flora::openapi {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Percent-decoding by RFC 3986 §2.1; nothing if a sequence is broken or the result is not UTF-8 or
/// holds a control character.
std::optional<std::string> decode(std::string_view path) {
  std::string text;
  text.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      text += path[i];
      continue;
    }
    if (i + 2 >= path.size()) return std::nullopt;
    const auto high = hex_digit(path[i + 1]);
    const auto low = hex_digit(path[i + 2]);
    if (!high || !low) return std::nullopt;
    text += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (control || !is_utf8(text)) return std::nullopt;
  return text;
}

/// True for what stands for itself: printable ASCII, but for the percent sign.
bool is_plain(char c) { return c > 0x20 && c < 0x7F && c != '%'; }

/// The segments of "/a/b": a, b.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

Error invalid(const Operation& operation, std::string_view what) {
  return {Errc::invalid, operation.id + ", " + operation.path + ": " + std::string(what)};
}

}  // namespace

bool Routes::before(const Route& a, const Route& b) {
  const std::size_t common = std::min(a.segments.size(), b.segments.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.segments[i].parameter != b.segments[i].parameter) return b.segments[i].parameter;
    if (a.segments[i].multi != b.segments[i].multi) return b.segments[i].multi;
  }
  return a.segments.size() < b.segments.size();
}

Result<void> Routes::add(const Operation& operation, std::size_t index) {
  if (!operation.path.starts_with('/')) return invalid(operation, "a path begins with a slash");
  Route route{operation.path, operation.listener, {}, {}};
  std::size_t named = 0;
  for (const std::string_view part : split(operation.path)) {
    if (!route.segments.empty() && route.segments.back().multi) {
      return invalid(operation, "a multi-segment parameter must come last");
    }
    if (!part.starts_with('{')) {
      route.segments.push_back({std::string(part), false, false});
      continue;
    }
    const std::string name(part.substr(1, part.size() - 2));
    const Parameter* parameter = operation.parameter(Parameter::In::path, name);
    if (!part.ends_with('}') || parameter == nullptr || !parameter->required) {
      return invalid(operation, "a segment in braces needs a required path parameter of its name");
    }
    route.segments.push_back({name, true, parameter->multi_segment});
    ++named;
  }
  const auto declared =
      std::count_if(operation.parameters.begin(), operation.parameters.end(),
                    [](const Parameter& p) { return p.in == Parameter::In::path; });
  if (static_cast<std::size_t>(declared) != named) {
    return invalid(operation, "a path parameter is declared that the template does not name");
  }
  const auto same = std::find_if(routes_.begin(), routes_.end(), [&](const Route& other) {
    return other.path == route.path && other.listener == route.listener;
  });
  if (same != routes_.end()) {
    same->methods.emplace_back(operation.method, index);
    return {};
  }
  route.methods.emplace_back(operation.method, index);
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, before), std::move(route));
  return {};
}

bool Routes::fits(const Route& route, const std::vector<std::string_view>& segments) {
  const bool open_end = route.segments.back().multi;
  if (open_end ? segments.size() < route.segments.size()
               : segments.size() != route.segments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (segment.parameter ? segments[i].empty() : segments[i] != segment.text) return false;
  }
  return true;
}

Match Routes::answer(const Route& route, const std::vector<Operation>& operations,
                     std::string_view method, const std::vector<std::string_view>& segments) {
  Match match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const auto& [name, index] : route.methods) {
    if (name == wanted) match.operation = &operations[index];
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += name;
    if (name == "GET") match.allow += ", HEAD";
  }
  if (match.operation == nullptr) {
    match.outcome = Match::Outcome::method_not_allowed;
    return match;
  }
  match.outcome = Match::Outcome::found;
  match.allow.clear();
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    if (!route.segments[i].parameter) continue;
    std::string value(segments[i]);
    for (std::size_t j = i + 1; route.segments[i].multi && j < segments.size(); ++j) {
      value += '/';
      value += segments[j];
    }
    match.path.emplace_back(route.segments[i].text, std::move(value));
  }
  return match;
}

Match Routes::match(const std::vector<Operation>& operations, Listener listener,
                    std::string_view method, std::string_view raw_path) const {
  Match match;
  if (!raw_path.starts_with('/')) return match;
  std::vector<std::string_view> segments = split(raw_path);
  std::vector<std::string> decoded;
  if (!std::ranges::all_of(raw_path, is_plain)) {
    for (const std::string_view segment : segments) {
      auto text = decode(segment);
      if (!text) {
        match.outcome = Match::Outcome::malformed;
        return match;
      }
      decoded.push_back(std::move(*text));
    }
    segments.assign(decoded.begin(), decoded.end());
  }
  for (const Route& route : routes_) {
    if (route.listener == listener && fits(route, segments)) {
      return answer(route, operations, method, segments);
    }
  }
  return match;
}

}  // namespace flora::openapi
