// Requests, one behind the other, from any bytes: no crash, and the same result however the bytes
// are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/body_decoder.h"
#include "gateway/http/head_parser.h"
#include "gateway/http/syntax.h"

namespace {

using namespace flora::http;

struct Outcome {
  HeadParser::Status head = HeadParser::Status::need_more;
  std::string fields;
  BodyDecoder::Status body = BodyDecoder::Status::more;
  std::string content;
  std::size_t used = 0;

  bool operator==(const Outcome&) const = default;
};

void require(bool condition) {
  if (!condition) std::abort();
}

// What the parser promises to everybody behind it.
void check(const ParsedHead& parsed) {
  require(is_token(parsed.head.method));
  require(parsed.head.path == "*" || is_path(parsed.head.path));
  require(is_query(parsed.head.query));
  std::size_t hosts = 0;
  std::size_t framings = 0;
  for (const Header& header : parsed.head.headers) {
    require(is_token(header.name) && is_field_value(header.value));
    require(header.name == lower(header.name) && trim(header.value) == header.value);
    hosts += header.name == "host" ? 1u : 0u;
    framings += header.name == "content-length" || header.name == "transfer-encoding" ? 1u : 0u;
  }
  require(hosts == 1 || (hosts == 0 && parsed.http10));
  require(framings <= 1);
  require(!parsed.chunked || (parsed.head.has_body && !parsed.head.content_length));
}

void describe(const ParsedHead& parsed, Outcome& outcome) {
  outcome.fields = parsed.head.method + " " + parsed.head.path + "?" + parsed.head.query;
  for (const Header& header : parsed.head.headers) {
    outcome.fields += "\n" + header.name + ":" + header.value;
  }
  outcome.fields += parsed.keep_alive ? "+" : "-";
}

constexpr int kMostRequests = 8;

Limits small_limits() {
  Limits limits;
  limits.head = 2048;
  limits.request_line = 512;
  limits.fields = 20;
  limits.trailers = 256;
  return limits;
}

// Offers the bytes in steps of `step`.
Outcome run_one(std::string_view data, std::size_t step, const Limits& limits, HeadParser& parser) {
  Outcome outcome;
  std::size_t end = 0;
  while (outcome.head == HeadParser::Status::need_more && end < data.size()) {
    end = std::min(end + step, data.size());
    outcome.head = parser.parse(data.substr(0, end));
  }
  if (outcome.head != HeadParser::Status::complete) return outcome;
  const ParsedHead& parsed = parser.parsed();
  check(parsed);
  describe(parsed, outcome);
  BodyDecoder decoder = parsed.chunked ? BodyDecoder::chunked(limits)
                                       : BodyDecoder::fixed(parsed.head.content_length.value_or(0));
  outcome.used = parser.consumed();
  end = std::max(end, outcome.used);
  while (decoder.status() == BodyDecoder::Status::more) {
    const std::size_t n =
        decoder.decode(data.substr(outcome.used, end - outcome.used), step, outcome.content);
    outcome.used += n;
    if (n > 0) continue;
    if (end == data.size()) break;
    end = std::min(end + step, data.size());
  }
  outcome.body = decoder.status();
  return outcome;
}

// Request behind request, as on one connection.
std::vector<Outcome> run(std::string_view data, std::size_t step) {
  const Limits limits = small_limits();
  HeadParser parser(limits);
  std::vector<Outcome> outcomes;
  for (int i = 0; i < kMostRequests && !data.empty(); ++i) {
    outcomes.push_back(run_one(data, step, limits, parser));
    if (outcomes.back().body != BodyDecoder::Status::end) break;
    data.remove_prefix(outcomes.back().used);
    parser.reset();
  }
  return outcomes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view data(reinterpret_cast<const char*>(bytes), size);
  const std::vector<Outcome> whole = run(data, size + 1);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) require(run(data, step) == whole);
  return 0;
}
