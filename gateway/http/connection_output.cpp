// The way out: answers in the order of their requests.
#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/http/connection.h"
#include "gateway/http/serialise.h"

namespace flora::http {
namespace {

constexpr std::size_t kCopy =
    16u << 10;  // A body up to this size is sent from one piece with its head.

constexpr std::size_t kHead = 768;  // Heads are rarely longer.

constexpr Refusal kFailed{500, "internal-error", "The request failed."};

bool is_sendable(const Response& response) {
  return response.status >= 200 && response.status <= 599 && are_valid(response.headers);
}

}  // namespace

void Connection::deliver(Message& message) {
  worker_.touch(*this);
  if (message.kind == Message::Kind::read) return on_read(message);
  if (message.kind == Message::Kind::ignore_body) return on_ignore_body(message);
  Turn* turn = find_turn(message.request);
  const bool waiting = turn && turn->state == Turn::State::waiting;
  const bool begun = turn && turn->state == Turn::State::begun;
  switch (message.kind) {
    case Message::Kind::respond:
      if (!waiting) return WorkerCounters::add(worker_.counters().late_answers);
      leave_body(*turn);
      return complete(*turn, std::move(message.response));
    case Message::Kind::begin:
      return waiting ? begin(*turn, message) : void();
    case Message::Kind::write:
      return begun ? write(*turn, message) : discard(message);
    case Message::Kind::finish:
      return begun ? finish(*turn) : void();
    case Message::Kind::abort:
      return begun ? break_off(*turn) : void();
    case Message::Kind::fail:
      if (!waiting) return;
      leave_body(*turn);
      return complete_page(*turn, kFailed);
    default:
      return;
  }
}

Connection::Turn* Connection::find_turn(std::uint64_t number) {
  const auto found = std::find_if(turns_.begin(), turns_.end(),
                                  [number](const Turn& turn) { return turn.number == number; });
  return found == turns_.end() ? nullptr : &*found;
}

void Connection::emit(Turn& turn, std::string bytes) {
  if (is_front(turn)) {
    out_.append(std::move(bytes));
  } else {
    turn.buffered += bytes;
  }
}

void Connection::complete_page(Turn& turn, const Refusal& refusal) {
  complete(turn, worker_.error_page(refusal.status, refusal.problem, refusal.detail));
}

void Connection::complete(Turn& turn, Response response) {
  if (!is_sendable(response)) {
    response = plain_error_page(kFailed.status, kFailed.problem, kFailed.detail);
  }
  if (asks_to_close(response.headers)) turn.keep_alive = false;
  const bool last = &turn == &turns_.back() && input_ == Input::head && available().empty();
  if (worker_.draining() && last) turn.keep_alive = false;
  if (!turn.keep_alive) drop_turns_after(turn);
  const bool bare = has_no_body(response.status);
  if (response.status == 205) response.body.clear();
  std::string bytes;
  bytes.reserve(kHead + std::min(response.body.size(), kCopy));
  append_head(
      bytes, response.status, response.headers,
      {bare ? Length::none : Length::known, response.body.size(), turn.http10, turn.keep_alive},
      worker_.common_fields());
  const bool with_body = !bare && !turn.to_head;
  if (with_body && response.body.size() <= kCopy) bytes += response.body;
  emit(turn, std::move(bytes));
  if (with_body && response.body.size() > kCopy) emit(turn, std::move(response.body));
  turn.state = Turn::State::done;
  settle();
}

void Connection::begin(Turn& turn, Message& message) {
  if (!is_sendable(message.response)) {
    leave_body(turn);
    return complete_page(turn, kFailed);
  }
  if (asks_to_close(message.response.headers) || turn.http10) turn.keep_alive = false;
  if (!turn.keep_alive) drop_turns_after(turn);
  const bool bare = has_no_body(message.response.status);
  turn.to_head = turn.to_head || bare;
  turn.chunked = !turn.http10;
  Length length = turn.chunked ? Length::chunked : Length::until_close;
  if (bare) length = Length::none;
  std::string bytes;
  append_head(bytes, message.response.status, message.response.headers,
              {length, 0, turn.http10, turn.keep_alive}, worker_.common_fields());
  emit(turn, std::move(bytes));
  turn.state = Turn::State::begun;
  renew_ = true;
}

void Connection::write(Turn& turn, Message& message) {
  // An answer that goes on may keep the rest of the body waiting.
  if (out_.empty()) renew_ = true;
  if (!turn.to_head && turn.chunked) {
    std::string chunk;
    chunk.reserve(message.response.body.size() + 16);
    append_chunk(chunk, message.response.body);
    emit(turn, std::move(chunk));
  } else if (!turn.to_head) {
    emit(turn, std::move(message.response.body));
  }
  if (message.ready) (is_front(turn) ? ready_ : turn.ready).push_back(std::move(message.ready));
}

void Connection::finish(Turn& turn) {
  if (turn.chunked && !turn.to_head) emit(turn, std::string(kLastChunk));
  turn.state = Turn::State::done;
  leave_body(turn);
  settle();
}

// The client receives what was sent, and no last chunk (RFC 9112 §8). An answer that ends with its
// connection must end with a reset.
void Connection::break_off(Turn& turn) {
  if (!turn.chunked || turn.to_head) return close(true);
  turn.keep_alive = false;
  turn.state = Turn::State::done;
  leave_body(turn);
  settle();
}

// Moves what is complete out of the way.
void Connection::settle() {
  while (!turns_.empty() && turns_.front().state == Turn::State::done) {
    const bool keep_alive = turns_.front().keep_alive;
    turns_.erase(turns_.begin());
    renew_ = true;
    if (!keep_alive) {
      drop_turns_after(Turn{});
      return;
    }
    if (turns_.empty()) break;
    Turn& front = turns_.front();
    out_.append(std::exchange(front.buffered, {}));
    std::move(front.ready.begin(), front.ready.end(), std::back_inserter(ready_));
    front.ready.clear();
  }
  if (turns_.empty()) std::vector<Turn>().swap(turns_);
}

// After an answer that closes the connection no other may follow (RFC 9112 §9.6).
void Connection::drop_turns_after(const Turn& turn) {
  if (input_ != Input::body && input_ != Input::stream) input_ = Input::off;
  const auto is_later = [&turn](const Turn& other) { return other.number > turn.number; };
  std::vector<std::function<void(bool)>> ready;
  for (Turn& later : turns_) {
    if (is_later(later))
      std::move(later.ready.begin(), later.ready.end(), std::back_inserter(ready));
  }
  turns_.erase(std::remove_if(turns_.begin(), turns_.end(), is_later), turns_.end());
  for (const auto& callback : ready) callback(false);
}

}  // namespace flora::http
