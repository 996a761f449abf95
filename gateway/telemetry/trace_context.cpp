#include "gateway/telemetry/trace_context.h"

#include <algorithm>

namespace flora::telemetry {
namespace {

// 00-<32 digits>-<16 digits>-<2 digits>
constexpr std::size_t kLength = 55;

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;  // Upper case is invalid too.
}

// Nothing unless all digits are lower-case hexadecimal. `text` has two for each byte.
template <std::size_t N>
std::optional<std::array<std::byte, N>> bytes_of(std::string_view text) {
  std::array<std::byte, N> bytes{};
  for (std::size_t i = 0; i < N; ++i) {
    const auto high = digit_of(text[2 * i]);
    const auto low = digit_of(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    bytes[i] = static_cast<std::byte>(*high << 4 | *low);
  }
  return bytes;
}

template <std::size_t N>
bool is_zero(const std::array<std::byte, N>& bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

template <std::size_t N>
std::array<std::byte, N> random_id(Env& env) {
  std::array<std::byte, N> bytes{};
  do {
    env.random(bytes);
  } while (is_zero(bytes));
  return bytes;
}

bool is_chosen(std::span<const std::byte, 8> random, double ratio) {
  std::uint64_t number = 0;
  for (const std::byte byte : random) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return static_cast<double>(number >> 11) < ratio * 0x1p53;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) {
  if (value.size() < kLength) return std::nullopt;
  for (const std::size_t dash : {2u, 35u, 52u}) {
    if (value[dash] != '-') return std::nullopt;
  }
  const auto version = bytes_of<1>(value);
  if (!version || (*version)[0] == std::byte{0xff}) return std::nullopt;
  const bool longer = value.size() > kLength;
  if (longer && ((*version)[0] == std::byte{0} || value[kLength] != '-')) return std::nullopt;
  const auto trace = bytes_of<16>(value.substr(3));
  const auto span = bytes_of<8>(value.substr(36));
  const auto flags = bytes_of<1>(value.substr(53));
  if (!trace || !span || !flags || is_zero(*trace) || is_zero(*span)) return std::nullopt;
  return TraceParent{*trace, *span, ((*flags)[0] & std::byte{1}) != std::byte{0}};
}

TraceContext trace_of(std::span<const std::string_view> traceparents, double sample_ratio,
                      Env& env) {
  std::optional<TraceParent> parent;
  if (traceparents.size() == 1) parent = parse_traceparent(traceparents.front());
  if (parent) return {parent->trace, random_span_id(env), parent->span, parent->sampled};
  const auto trace = random_id<16>(env);
  // By the trace id: everybody who has the same ratio decides alike.
  const bool sampled = is_chosen(std::span(trace).last<8>(), sample_ratio);
  return {trace, random_span_id(env), std::nullopt, sampled};
}

TraceContext of_a_stranger(TraceContext place, double sample_ratio) {
  place.sampled = is_chosen(place.span, sample_ratio);  // The trace id is his choice.
  return place;
}

SpanId random_span_id(Env& env) { return random_id<8>(env); }

}  // namespace flora::telemetry
