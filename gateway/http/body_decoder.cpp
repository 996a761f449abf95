#include "gateway/http/body_decoder.h"

#include <algorithm>

#include "gateway/http/syntax.h"

namespace flora::http {
namespace {

constexpr std::uint8_t kSizeDigits = 15;  // Fits 60 bits.

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

BodyDecoder BodyDecoder::fixed(std::uint64_t length) {
  BodyDecoder decoder;
  decoder.left_ = length;
  decoder.status_ = length == 0 ? Status::end : Status::more;
  return decoder;
}

BodyDecoder BodyDecoder::chunked(const Limits& limits) {
  BodyDecoder decoder;
  decoder.limits_ = &limits;
  decoder.step_ = Step::size;
  decoder.status_ = Status::more;
  return decoder;
}

std::size_t BodyDecoder::decode(std::string_view data, std::size_t room, std::string& out) {
  std::size_t used = 0;
  while (status_ == Status::more && used < data.size()) {
    if (step_ != Step::data) {
      frame(data[used++]);
      continue;
    }
    const std::size_t n = copy(data.substr(used), room, out);
    if (n == 0) break;
    used += n;
    room -= n;
  }
  return used;
}

std::size_t BodyDecoder::copy(std::string_view data, std::size_t room, std::string& out) {
  const auto n =
      static_cast<std::size_t>(std::min<std::uint64_t>(left_, std::min(data.size(), room)));
  out.append(data.substr(0, n));
  left_ -= n;
  if (left_ > 0) return n;
  if (limits_) {
    step_ = Step::data_cr;
  } else {
    status_ = Status::end;
  }
  return n;
}

void BodyDecoder::frame(char c) {
  if (over_bound()) return fail();
  switch (step_) {
    case Step::size:
      return on_size(c);
    case Step::space:
      if (c == ';') {
        step_ = Step::extension;
      } else if (c != ' ' && c != '\t') {
        fail();
      }
      return;
    case Step::extension:
      if (c == '\r') {
        step_ = Step::size_lf;
      } else if (!is_field_char(c)) {
        fail();
      }
      return;
    case Step::size_lf:
      line_ = 0;
      digits_ = 0;
      return expect(c, '\n', left_ > 0 ? Step::data : Step::trailer_first);
    case Step::data_cr:
      return expect(c, '\r', Step::data_lf);
    case Step::data_lf:
      line_ = 0;
      return expect(c, '\n', Step::size);
    case Step::data:
      return;
    default:
      return on_trailer(c);
  }
}

bool BodyDecoder::over_bound() {
  const bool trailer = step_ >= Step::trailer_first;
  return ++line_ > (trailer ? limits_->trailers : limits_->chunk_line);
}

void BodyDecoder::on_size(char c) {
  const int value = hex_value(c);
  if (value < 0) return on_size_end(c);
  if (++digits_ > kSizeDigits) return fail();
  left_ = left_ * 16 + static_cast<unsigned>(value);
}

void BodyDecoder::on_size_end(char c) {
  if (digits_ == 0) return fail();
  if (c == '\r') {
    step_ = Step::size_lf;
  } else if (c == ';') {
    step_ = Step::extension;
  } else if (c == ' ' || c == '\t') {
    step_ = Step::space;
  } else {
    fail();
  }
}

void BodyDecoder::on_trailer(char c) {
  switch (step_) {
    case Step::trailer_first:
      if (c == '\r') {
        step_ = Step::last_lf;
      } else if (is_token_char(c)) {
        step_ = Step::trailer_name;
      } else {
        fail();
      }
      return;
    case Step::trailer_name:
      if (c == ':') {
        step_ = Step::trailer_value;
      } else if (!is_token_char(c)) {
        fail();
      }
      return;
    case Step::trailer_value:
      if (c == '\r') {
        step_ = Step::trailer_lf;
      } else if (!is_field_char(c)) {
        fail();
      }
      return;
    case Step::trailer_lf:
      return expect(c, '\n', Step::trailer_first);
    default:
      if (c != '\n') return fail();
      status_ = Status::end;
  }
}

void BodyDecoder::expect(char c, char wanted, Step next) {
  if (c == wanted) {
    step_ = next;
  } else {
    fail();
  }
}

}  // namespace flora::http
