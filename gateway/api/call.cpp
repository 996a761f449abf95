#include "gateway/api/call.h"

#include <algorithm>
#include <charconv>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"

namespace flora::api {
namespace {

constexpr std::chrono::seconds kLongestWait{30};

constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  while (!text.empty() && kSpace.find(text.front()) != kSpace.npos) text.remove_prefix(1);
  while (!text.empty() && kSpace.find(text.back()) != kSpace.npos) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return out;
}

// Calls `use` for each part between separators that stand outside quoted strings.
template <typename Use>
void split(std::string_view text, char separator, Use use) {
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == separator && !quoted)) {
      const std::string_view part = trim(text.substr(start, i - start));
      if (!part.empty()) use(part);
      start = i + 1;
    } else if (text[i] == '\\' && quoted) {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    }
  }
}

int retry_after_seconds(std::string_view name) { return name == "not-committed-yet" ? 1 : 2; }

// The quality of a media range's parameters: 0 to 1000. Nothing that is understood: 1000.
int quality(std::string_view parameters) {
  int result = 1000;
  split(parameters, ';', [&result](std::string_view part) {
    if (part.size() < 3 || (part[0] != 'q' && part[0] != 'Q') || part[1] != '=') return;
    double value = 0;
    const char* const end = part.data() + part.size();
    const auto parsed = std::from_chars(part.data() + 2, end, value);
    if (parsed.ec == std::errc() && parsed.ptr == end && value >= 0 && value <= 1) {
      result = static_cast<int>(value * 1000);
    }
  });
  return result;
}

// 3: the type itself, 2: its group, 1: everything, 0: another one (RFC 9110 §12.5.1).
int specificity(std::string_view range, std::string_view media_type) {
  if (range == media_type) return 3;
  if (range == "*/*") return 1;
  const std::string_view group = media_type.substr(0, media_type.find('/') + 1);
  return range.size() == group.size() + 1 && range.starts_with(group) && range.back() == '*' ? 2
                                                                                             : 0;
}

std::string entity_tag(std::string_view body) {
  const Digest digest = crypto::sha256(body);
  return '"' + to_hex(std::span(digest).first(16)) + '"';
}

// True if If-None-Match has the tag.
bool knows(const http::RequestHead& head, std::string_view tag) {
  bool known = false;
  for (const std::string_view field : head.find_all("if-none-match")) {
    split(field, ',', [&](std::string_view one) {
      if (one.starts_with("W/")) one.remove_prefix(2);
      known = known || one == "*" || one == tag;
    });
  }
  return known;
}

http::Response tagged_response(int status, const std::string& tag, std::string_view content_type,
                               std::string_view cache_control, std::string body) {
  http::Response response{
      status, {{"etag", tag}, {"cache-control", std::string(cache_control)}}, std::move(body)};
  if (!content_type.empty()) {
    response.headers.push_back({"content-type", std::string(content_type)});
  }
  return response;
}

}  // namespace

std::optional<std::string> Call::query(std::string_view name) const {
  std::optional<std::string> found;
  split(head.query, '&', [&](std::string_view part) {
    const std::size_t equals = part.find('=');
    if (part.substr(0, equals) != name) return;
    found = percent_decode(equals == part.npos ? std::string_view() : part.substr(equals + 1));
  });
  return found;
}

ReplyState::ReplyState(http::Responder responder, std::unique_ptr<Observation> observation,
                       std::string sender, Fields fields, std::shared_ptr<void> ticket)
    : ticket_(std::move(ticket)),
      observation_(std::move(observation)),
      responder_(std::move(responder)),
      sender_(std::move(sender)),
      fields_(std::move(fields)) {}

ReplyState::~ReplyState() {
  if (!answered_) send(problem_response({"internal-error", {}, {}}));
}

void ReplyState::send(http::Response response) {
  if (answered_.exchange(true)) return;
  fields_(response.headers);
  observation_->end(response);
  responder_.respond(std::move(response));
}

http::ResponseWriter ReplyState::stream(int status, std::vector<http::Header> headers) {
  answered_ = true;
  observation_->begin_stream(status);
  fields_(headers);
  return responder_.stream(status, std::move(headers));
}

http::Response not_found() { return problem_response({"not-found", {}, {}}); }
http::Response unavailable() { return problem_response({"unavailable", {}, {}}); }

http::Response problem_response(const Problem& problem) {
  http::Response response;
  response.status = problem.status();
  append_json(response.body, problem);
  response.headers = {{"content-type", "application/problem+json"}, {"cache-control", "no-store"}};
  if (response.status == 401) {
    response.headers.push_back({"www-authenticate", "ClientCertificate realm=\"flora\""});
  }
  if (response.status == 503 || problem.name == "not-committed-yet") {
    response.headers.push_back({"retry-after", std::to_string(retry_after_seconds(problem.name))});
  }
  return response;
}

http::Response json_response(int status, std::string body) {
  return {status,
          {{"content-type", "application/json"}, {"cache-control", "no-store"}},
          std::move(body)};
}

std::string EntityTags::of(std::string_view lasting) {
  const std::lock_guard lock(mutex_);
  std::string& tag = tags_[lasting.data()];
  if (tag.empty()) tag = entity_tag(lasting);
  return tag;
}

http::Response lasting_response(const http::RequestHead& head, std::string_view content_type,
                                std::string_view cache_control, std::string_view lasting,
                                EntityTags& tags) {
  const std::string tag = tags.of(lasting);
  if (knows(head, tag)) return tagged_response(304, tag, {}, cache_control, {});
  return tagged_response(200, tag, content_type, cache_control, std::string(lasting));
}

http::Response cacheable_response(const http::RequestHead& head, std::string_view content_type,
                                  std::string_view cache_control, std::string body) {
  const std::string tag = entity_tag(body);
  if (knows(head, tag)) return tagged_response(304, tag, {}, cache_control, {});
  return tagged_response(200, tag, content_type, cache_control, std::move(body));
}

std::string Preferences::applied(bool heeds_patience) const {
  std::string out;
  if (answer_early()) out = "respond-async";
  if (const auto time = patience(); time && heeds_patience) {
    out = "wait=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*time).count());
  }
  if (minimal) out += out.empty() ? "return=minimal" : ", return=minimal";
  return out;
}

std::optional<std::chrono::milliseconds> Preferences::patience() const {
  if (!wait) return std::nullopt;
  return std::min<std::chrono::milliseconds>(std::chrono::seconds(*wait), kLongestWait);
}

Preferences preferences_of(const http::RequestHead& head) {
  Preferences preferences;
  for (const std::string_view field : head.find_all("prefer")) {
    split(field, ',', [&preferences](std::string_view part) {
      const std::string_view token = trim(part.substr(0, part.find(';')));
      const std::size_t equals = token.find('=');
      const std::string name = lower(trim(token.substr(0, equals)));
      std::string_view value = equals == token.npos ? "" : trim(token.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      if (name == "respond-async") preferences.respond_async = true;
      if (name == "return" && value == "minimal") preferences.minimal = true;
      int seconds = 0;
      const char* const end = value.data() + value.size();
      const auto parsed = std::from_chars(value.data(), end, seconds);
      if (name == "wait" && parsed.ec == std::errc() && parsed.ptr == end && seconds >= 0) {
        preferences.wait = seconds;
      }
    });
  }
  return preferences;
}

bool accepts(const http::RequestHead& head, std::string_view media_type) {
  const auto fields = head.find_all("accept");
  if (fields.empty()) return true;
  int best = 0;
  int best_quality = 0;
  for (const std::string_view field : fields) {
    split(field, ',', [&](std::string_view part) {
      const std::size_t semicolon = part.find(';');
      const int match = specificity(lower(trim(part.substr(0, semicolon))), media_type);
      if (match <= best) return;
      best = match;
      best_quality = semicolon == part.npos ? 1000 : quality(part.substr(semicolon + 1));
    });
  }
  return best > 0 && best_quality > 0;
}

std::string media_type_of(std::string_view content_type) {
  const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
  const std::size_t slash = type.find('/');
  const bool valid = slash != type.npos && slash > 0 && slash + 1 < type.size() &&
                     type.find_first_of(" \t,\"") == type.npos;
  return valid ? type : std::string();
}

bool agrees_with_charset(std::string_view content_type, std::string_view charset) {
  bool agrees = true;
  split(content_type, ';', [&](std::string_view parameter) {
    const std::size_t equals = parameter.find('=');
    if (equals == parameter.npos || lower(parameter.substr(0, equals)) != "charset") return;
    std::string_view value = parameter.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    agrees = agrees && lower(value) == lower(charset);
  });
  return agrees;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte) return std::nullopt;
    out += *byte;
    i += 2;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace flora::api
