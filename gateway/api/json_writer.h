// Writes JSON text from the front to the back; puts the commas.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/json.h"

namespace flora::api {

/// Begin and end must match; names stand in objects only. Not thread-safe.
class JsonWriter {
 public:
  JsonWriter() { out_.reserve(kText); }

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& name(std::string_view text) {
    comma();
    json::append_string(out_, text);
    out_ += ':';
    fresh_ = true;
    return *this;
  }
  JsonWriter& text(std::string_view value) {
    comma();
    json::append_string(out_, value);
    return *this;
  }
  JsonWriter& number(std::integral auto value) {
    comma();
    out_ += std::to_string(value);
    return *this;
  }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }

  /// A value that is JSON already.
  JsonWriter& raw(std::string_view value) {
    comma();
    out_ += value;
    return *this;
  }

  JsonWriter& member(std::string_view key, std::string_view value) { return name(key).text(value); }
  /// Nothing is written for an empty text.
  JsonWriter& optional(std::string_view key, std::string_view value) {
    return value.empty() ? *this : member(key, value);
  }

  std::string take() { return std::exchange(out_, {}); }

 private:
  static constexpr std::size_t kText = 1024;  // Most texts are shorter.

  JsonWriter& open(char c) {
    comma();
    out_ += c;
    fresh_ = true;
    return *this;
  }
  JsonWriter& close(char c) {
    out_ += c;
    fresh_ = false;
    return *this;
  }
  void comma() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }

  std::string out_;
  bool fresh_ = true;  // Nothing stands before the next value that it must be parted from.
};

}  // namespace flora::api
