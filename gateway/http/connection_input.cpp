// The way in: heads, bodies, and whose turn it is.
#include <algorithm>
#include <limits>
#include <utility>

#include "gateway/http/connection.h"
#include "gateway/http/serialise.h"

namespace flora::http {
namespace {

constexpr std::size_t kChunk = 64u << 10;  // Bytes of a BodyChunk at most.

constexpr Refusal kIncomplete{400, "malformed-request", "The request ends before it is complete."};
constexpr Refusal kBadBody{400, "malformed-request", "The chunked body is malformed."};
constexpr Refusal kTooLarge{413, "content-too-large", "The body is too large."};
constexpr Refusal kFull{503, "overloaded", "Too many bodies are being received."};
constexpr Refusal kStopping{503, "unavailable", "The gateway is about to stop."};
constexpr Refusal kUntrusted{401, "unauthenticated",
                             "The client certificate is not trusted any more."};
constexpr Refusal kFault{500, "internal-error", "The request failed."};

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace

std::string_view Connection::available() const {
  return borrowed_.empty() ? std::string_view(in_).substr(in_used_) : borrowed_;
}

void Connection::use(std::size_t n) {
  if (!borrowed_.empty()) return borrowed_.remove_prefix(n);
  in_used_ += n;
  if (in_used_ < in_.size()) return;
  in_ = std::string();
  in_used_ = 0;
}

void Connection::advance() {
  while (!closed_ && step()) {
  }
}

bool Connection::step() {
  switch (input_) {
    case Input::head:
      return step_head();
    case Input::held:
      return step_held();
    case Input::body:
      return step_body();
    case Input::stream:
      return step_stream();
    case Input::discard:
      return step_discard();
    case Input::off:
      use(available().size());
      return false;
  }
  return false;
}

bool Connection::step_head() {
  const bool full = turns_.size() >= limits().pipeline || out_.size() >= limits().output;
  if (full || (!turns_.empty() && !turns_.back().joinable)) return false;
  if (available().empty()) {
    if (eof_) input_ = Input::off;
    return false;
  }
  switch (parser_.parse(available())) {
    case HeadParser::Status::need_more:
      if (eof_) refuse_head(kIncomplete);
      return false;
    case HeadParser::Status::refused:
      refuse_head(parser_.refusal());
      return true;
    case HeadParser::Status::complete:
      break;
  }
  use(parser_.consumed());
  input_ = Input::held;
  served_ = true;
  return true;
}

// RFC 9112 §9.3.2: only safe requests run side by side.
bool Connection::step_held() {
  const RequestHead& head = parser_.parsed().head;
  if (!turns_.empty() && (head.has_body || !is_safe(head.method))) return false;
  dispatch();
  return true;
}

// A client that comes back after a reload is judged by the new files. The old handshake serves for
// one more answer, so that no request is lost.
bool Connection::is_still_trusted() {
  if (!peer_.certificate) return true;
  if (peer_.certificate->not_after_s >= stream_.tls()->now_s()) {
    if (!stream_.is_outdated()) return true;
    auto present = endpoint_.tls();
    if (present == judged_by_) return true;
    if (stream_.tls()->is_trusted_by(*present)) {
      judged_by_ = std::move(present);
      return true;
    }
  }
  WorkerCounters::add(worker_.counters().untrusted);
  return false;
}

void Connection::dispatch() {
  if (!is_still_trusted()) return close(true);
  ParsedHead& parsed = parser_.parsed();
  RequestHead& head = parsed.head;
  head.peer = peer_;
  head.received_ns = worker_.now_ns();
  Turn turn;
  turn.number = body_turn_ = ++last_number_;
  turn.joinable = is_safe(head.method) && !head.has_body;
  turn.to_head = head.method == "HEAD";
  turn.http10 = parsed.http10;
  turn.keep_alive = parsed.keep_alive && !stream_.is_outdated();
  turns_.push_back(std::move(turn));
  WorkerCounters::add(worker_.counters().requests);
  renew_ = true;
  continue_owed_ = parsed.expects_continue && available().empty();
  small_body_ = !parsed.chunked && !parsed.expects_continue &&
                head.content_length.value_or(0) <= limits().discard;
  decoder_ = parsed.chunked ? BodyDecoder::chunked(limits())
                            : BodyDecoder::fixed(head.content_length.value_or(0));
  Admission admission = ask_admission(head);
  held_ = Held(worker_.shared().bodies, std::move(admission.account));
  switch (admission.kind) {
    case Admission::Kind::refuse:
      return refuse_body(std::move(*admission.refusal));
    case Admission::Kind::whole:
      return start_whole(admission.max_bytes);
    case Admission::Kind::stream:
      return start_stream();
  }
}

Admission Connection::ask_admission(const RequestHead& head) {
  try {
    Admission admission = endpoint_.handler().admit(head);
    if (admission.kind != Admission::Kind::refuse || admission.refusal) return admission;
  } catch (...) {
  }
  return Admission::refuse(worker_.error_page(kFault.status, kFault.problem, kFault.detail));
}

void Connection::refuse_body(Response response) {
  leave_body(turns_.back());
  complete(turns_.back(), std::move(response));
}

void Connection::start_whole(std::size_t max_bytes) {
  if (decoder_.status() == BodyDecoder::Status::end) return hand_over();
  if (parser_.parsed().head.content_length.value_or(0) > max_bytes) {
    return refuse_body(worker_.error_page(kTooLarge.status, kTooLarge.problem, kTooLarge.detail));
  }
  input_ = Input::body;
  body_max_ = std::min(max_bytes, std::numeric_limits<std::size_t>::max() - 1);
  send_continue();
}

void Connection::start_stream() {
  input_ = Input::stream;
  progress_in_ = 0;
  const auto exchange =
      std::make_shared<RemoteExchange>(worker_.mailbox(), id_, turns_.back().number);
  try {
    endpoint_.handler().handle_stream(std::move(parser_.parsed().head), BodyReader(exchange),
                                      Responder(exchange));
  } catch (...) {  // The Responder has answered 500 already.
  }
}

bool Connection::step_body() {
  const std::size_t before = body_.size();
  use(decoder_.decode(available(), body_max_ + 1 - before, body_));
  if (body_.size() > body_max_) {
    fail_body(kTooLarge);
  } else if (!held_.take_more(body_.size() - before)) {
    WorkerCounters::add(worker_.counters().no_memory);
    fail_body(kFull);
  } else if (decoder_.status() == BodyDecoder::Status::malformed) {
    fail_body(kBadBody);
  } else if (decoder_.status() == BodyDecoder::Status::end) {
    hand_over();
  } else if (eof_) {
    fail_body(kIncomplete);
  } else {
    return false;
  }
  return true;
}

void Connection::hand_over() {
  Request request{std::move(parser_.parsed().head), std::exchange(body_, {})};
  Responder responder(std::make_shared<RemoteExchange>(worker_.mailbox(), id_, turns_.back().number,
                                                       std::move(held_)));
  end_of_body();
  try {
    endpoint_.handler().handle(std::move(request), std::move(responder));
  } catch (...) {  // The Responder has answered 500 already.
  }
}

void Connection::end_of_body() {
  const Turn* turn = find_turn(body_turn_);
  const bool keep_alive = !turn || turn->keep_alive;
  body_turn_ = 0;
  continue_owed_ = false;
  renew_ = true;
  parser_.reset();
  input_ = keep_alive ? Input::head : Input::off;
}

bool Connection::step_stream() {
  if (!read_ || out_.size() >= limits().output) return false;
  // A stream may go on for days: each of its pieces is from somebody who is trusted now.
  if (!available().empty() && !is_still_trusted()) {
    fail_body(kUntrusted);
    return true;
  }
  BodyChunk chunk;
  use(decoder_.decode(available(), kChunk, chunk.bytes));
  progress_in_ += chunk.bytes.size();
  if (progress_in_ >= worker_.options().deadlines.stream_progress) {
    progress_in_ = 0;
    renew_ = true;
  }
  if (decoder_.status() == BodyDecoder::Status::malformed) {
    fail_body(kBadBody);
    return true;
  }
  if (decoder_.status() == BodyDecoder::Status::end) {
    chunk.state = BodyChunk::State::end;
    end_of_body();
  } else if (chunk.bytes.empty()) {
    if (eof_) fail_body(kIncomplete);
    return eof_;
  }
  give(std::move(chunk));
  return true;
}

bool Connection::step_discard() {
  std::string dropped;
  use(decoder_.decode(available(), kChunk, dropped));
  if (decoder_.status() == BodyDecoder::Status::end) {
    end_of_body();
  } else if (eof_ && available().empty()) {
    input_ = Input::off;
  } else {
    return !dropped.empty() && !available().empty();
  }
  return true;
}

void Connection::send_continue() {
  if (std::exchange(continue_owed_, false)) out_.append(std::string(kContinue));
}

void Connection::refuse_head(const Refusal& refusal) {
  WorkerCounters::add(worker_.counters().malformed, refusal.status == 408 ? 0 : 1);
  Turn turn;
  turn.number = ++last_number_;
  turn.keep_alive = false;
  turn.to_head = parser_.parsed().head.method == "HEAD";
  turns_.push_back(std::move(turn));
  input_ = Input::off;
  complete_page(turns_.back(), refusal);
}

// The body of the present request will not be complete.
void Connection::fail_body(const Refusal& refusal) {
  body_ = std::string();
  held_ = Held();
  small_body_ = false;
  Turn* turn = find_turn(body_turn_);
  if (turn) leave_body(*turn);
  input_ = Input::off;
  give({{}, BodyChunk::State::aborted});
  turn = find_turn(last_number_);
  if (turn && turn->state == Turn::State::waiting) complete_page(*turn, refusal);
}

// Whoever streams without a known end would never let the server stop.
void Connection::cut_endless_body() {
  if (input_ == Input::stream && parser_.parsed().chunked) fail_body(kStopping);
}

// The answer does not wait for the rest of the body: a small rest is read and dropped, otherwise
// the connection ends after the answer.
void Connection::leave_body(Turn& turn) {
  if (turn.number != body_turn_) return;
  if (input_ == Input::stream && read_) give({{}, BodyChunk::State::aborted});
  if (decoder_.status() == BodyDecoder::Status::end) return end_of_body();
  continue_owed_ = false;
  if (small_body_ && turn.keep_alive) {
    input_ = Input::discard;
    return;
  }
  turn.keep_alive = false;
  body_turn_ = 0;
  input_ = Input::off;
}

void Connection::give(BodyChunk chunk) {
  const auto done = std::exchange(read_, {});
  if (!done) return;
  try {
    done(std::move(chunk));
  } catch (...) {
    close(true);
  }
}

void Connection::on_read(Message& message) {
  const bool current = input_ == Input::stream && message.request == body_turn_ && !read_;
  if (!current) return discard(message);
  read_ = std::move(message.done);
  const Turn* turn = find_turn(message.request);
  if (turn && turn->state == Turn::State::waiting) send_continue();
}

void Connection::on_ignore_body(const Message& message) {
  if (input_ != Input::stream || message.request != body_turn_) return;
  if (Turn* turn = find_turn(message.request)) leave_body(*turn);
}

}  // namespace flora::http
