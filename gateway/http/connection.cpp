#include "gateway/http/connection.h"

#include <algorithm>
#include <utility>

#include "gateway/http/serialise.h"

namespace flora::http {

Connection::Connection(Worker& worker, std::uint64_t id, Stream stream, Peer peer,
                       std::string address_key, Endpoint& endpoint)
    : worker_(worker),
      id_(id),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      address_key_(std::move(address_key)),
      endpoint_(endpoint),
      parser_(worker.options().limits) {}

Connection::~Connection() = default;

void Connection::start() {
  handshaking_ = stream_.tls() != nullptr;
  update_deadline();
}

void Connection::on_event(bool readable, bool writable, bool hangup) {
  if (closed_) return;
  if (hangup && !(readable && watch_read_)) return close(false);
  if (handshaking_) {
    shake_hands();
  } else if (readable || !writable || stream_.wants_write()) {
    read();
  }
  if (!closed_) worker_.touch(*this);
}

void Connection::shake_hands() {
  TlsSession& tls = *stream_.tls();
  switch (tls.handshake()) {
    case TlsSession::Handshake::again:
      return;
    case TlsSession::Handshake::untrusted:
      WorkerCounters::add(worker_.counters().untrusted);
      [[fallthrough]];
    case TlsSession::Handshake::failed:
      WorkerCounters::add(worker_.counters().handshake_failures);
      return close(false);
    case TlsSession::Handshake::plain_http:
      WorkerCounters::add(worker_.counters().handshake_failures);
      return on_plain_http();
    case TlsSession::Handshake::done:
      break;
  }
  WorkerCounters::add(worker_.counters().handshakes);
  if (tls.resumed()) WorkerCounters::add(worker_.counters().resumed);
  peer_.certificate = tls.certificate();
  handshaking_ = false;
  read();
}

void Connection::on_plain_http() {
  stream_.drop_tls();
  handshaking_ = false;
  refuse_head({400, "malformed-request", "This port speaks TLS."});
}

void Connection::read() {
  if (lingering_) {
    const Io io = stream_.skip_input(worker_.scratch(), Worker::kScratch);
    if (io.state == Io::State::eof || io.state == Io::State::failed) close(false);
    return;
  }
  if (eof_ || !wants_input()) return;
  const Io io = stream_.read(worker_.scratch(), room());
  if (io.state == Io::State::failed) return close(false);
  if (io.state == Io::State::again) return;
  eof_ = io.state == Io::State::eof;
  WorkerCounters::add(worker_.counters().bytes_in, io.bytes);
  take_in({worker_.scratch(), io.bytes});
}

// In the common case a request is parsed where it was read to, and nothing is kept.
void Connection::take_in(std::string_view bytes) {
  if (in_.empty()) {
    borrowed_ = bytes;
  } else {
    in_.erase(0, in_used_);
    in_used_ = 0;
    in_.append(bytes);
  }
  advance();
  if (borrowed_.empty()) return;
  in_ = borrowed_;
  in_used_ = 0;
  borrowed_ = {};
}

// How many bytes to read: plenty while they are used at once, else up to the read-ahead.
std::size_t Connection::room() const {
  const bool taken = (input_ == Input::head && turns_.empty()) || input_ == Input::body ||
                     input_ == Input::stream || input_ == Input::discard;
  if (taken) return Worker::kScratch;
  return std::min(Worker::kScratch,
                  limits().read_ahead - std::min(available().size(), limits().read_ahead));
}

bool Connection::wants_input() const {
  if (eof_ || out_.size() >= limits().output) return false;
  switch (input_) {
    case Input::head:
    case Input::held:
      return (input_ == Input::head && turns_.empty()) || available().size() < limits().read_ahead;
    case Input::body:
    case Input::discard:
      return true;
    case Input::stream:
      return static_cast<bool>(read_);
    case Input::off:
      break;
  }
  return false;
}

void Connection::cycle() {
  if (closed_) return;
  if (worker_.draining()) cut_endless_body();
  if (!handshaking_ && !lingering_) {
    advance();
    if (!closed_ && !eof_ && stream_.has_pending()) read();
    if (closed_) return;
    // Answers that are already on their way go out with the same call.
    if (worker_.has_messages()) return worker_.touch(*this);
    flush();
    if (closed_) return;
    call_ready();
    end_if_done();
    if (closed_) return;
  }
  update_watch();
  if (closed_) return;
  update_deadline();
  account_answers();
}

// What waits for the client, and what waits behind it for an earlier answer.
void Connection::account_answers() {
  std::size_t size = out_.size();
  for (const Turn& turn : turns_) size += turn.buffered.size();
  if (size == answers_) return;
  const bool grown = size > answers_;
  std::atomic<std::size_t>& total = worker_.shared().answers;
  total.fetch_add(size - answers_, std::memory_order_relaxed);  // Wraps where it shrinks.
  answers_ = size;
  if (!grown) return;
  worker_.cut_slow_readers();
  // Where no slow reader is left, what is large behind a slow answer goes.
  const bool over = total.load(std::memory_order_relaxed) > limits().buffered_answers;
  if (!over || closed_ || size <= limits().output) return;
  WorkerCounters::add(worker_.counters().slow_readers);
  close(true);
}

void Connection::flush() {
  if (out_.empty()) return;
  const bool was_full = out_.size() >= limits().output;
  const Io io = stream_.write(out_);
  WorkerCounters::add(worker_.counters().bytes_out, io.bytes);
  if (io.state == Io::State::failed || io.state == Io::State::eof) return close(false);
  progress_out_ += io.bytes;
  if (progress_out_ >= worker_.options().deadlines.write_progress) {
    progress_out_ = 0;
    if (kind == Deadline::write) renew_ = true;
  }
  if (was_full && out_.size() < limits().output) worker_.touch(*this);
}

void Connection::call_ready() {
  if (ready_.empty() || out_.size() >= limits().output) return;
  for (auto& ready : std::exchange(ready_, {})) ready(true);
}

void Connection::end_if_done() {
  if (!turns_.empty() || !out_.empty()) return;
  if (input_ == Input::off) return eof_ ? close(false) : linger();
  const bool between = input_ == Input::head && available().empty() && served_;
  if (worker_.draining() && between) close(false);
}

void Connection::linger() {
  stream_.end_output();
  lingering_ = true;
}

void Connection::update_watch() {
  const bool read = lingering_ || handshaking_ || wants_input();
  const bool write = !out_.empty() || stream_.wants_write();
  if (read == watch_read_ && write == watch_write_) return;
  watch_read_ = read;
  watch_write_ = write;
  if (!worker_.change_watch(stream_.fd(), id_, read, write)) close(true);
}

void Connection::update_deadline() {
  const Deadline needed = needed_deadline();
  if (needed == kind && !std::exchange(renew_, false)) return;
  renew_ = false;
  worker_.deadlines().set(*this, needed, worker_.now_ns());
}

Deadline Connection::needed_deadline() {
  if (lingering_) return Deadline::linger;
  if (handshaking_) return Deadline::handshake;
  if (!out_.empty()) return Deadline::write;
  if (input_ == Input::body || input_ == Input::discard) return Deadline::body;
  if (input_ == Input::stream && read_) return Deadline::stream;
  if (turns_.empty()) return input_deadline();
  const Turn& front = turns_.front();
  if (std::exchange(handled_turn_, front.number) != front.number) renew_ = true;
  if (front.state == Turn::State::waiting) return Deadline::handling;
  // An answer may take any time, unless the client's body waits for it.
  return input_ == Input::stream ? Deadline::handling : Deadline::none;
}

Deadline Connection::input_deadline() {
  if (!available().empty()) return Deadline::head;
  if (served_) return Deadline::idle;
  return worker_.draining() ? Deadline::linger : Deadline::head;
}

void Connection::on_deadline(Deadline deadline) {
  if (closed_) return;
  WorkerCounters::add(worker_.counters().timeouts, deadline == Deadline::idle ? 0 : 1);
  switch (deadline) {
    case Deadline::head:
      if (available().empty()) return close(false);
      refuse_head({408, "request-timeout", "The head of the request took too long."});
      break;
    case Deadline::body:
      if (input_ == Input::discard) return close(false);
      fail_body({408, "request-timeout", "The body of the request took too long."});
      break;
    case Deadline::stream:
      fail_body({408, "request-timeout", "The body of the request came too slowly."});
      break;
    case Deadline::handling:
      if (turns_.empty() || turns_.front().state != Turn::State::waiting) return close(true);
      leave_body(turns_.front());
      turns_.front().keep_alive = false;
      complete_page(turns_.front(), {504, "gateway-timeout", "The request took too long."});
      break;
    case Deadline::write:
      return close(true);
    default:
      return close(false);
  }
  worker_.touch(*this);
}

void Connection::on_drain() {
  if (closed_ || lingering_) return;
  // What has arrived already is answered, also behind the last message of a handshake.
  handshaking_ ? shake_hands() : read();
  if (handshaking_) return close(false);
  if (!closed_) worker_.touch(*this);
}

// Who has its whole answer keeps it.
void Connection::on_kill() { close(!lingering_); }

void Connection::close(bool reset) {
  if (std::exchange(closed_, true)) return;
  const bool owed = std::any_of(turns_.begin(), turns_.end(),
                                [](const Turn& turn) { return turn.state != Turn::State::done; });
  if (owed || !out_.empty()) WorkerCounters::add(worker_.counters().aborted);
  worker_.deadlines().set(*this, Deadline::none, 0);
  stream_.close(reset);
  held_ = Held();
  worker_.shared().answers.fetch_sub(std::exchange(answers_, 0), std::memory_order_relaxed);
  endpoint_.leave(address_key_);
  worker_.shared().open.fetch_sub(1, std::memory_order_relaxed);
  worker_.bury(*this);
  if (const auto done = std::exchange(read_, {})) done({{}, BodyChunk::State::aborted});
  for (const auto& ready : std::exchange(ready_, {})) ready(false);
  for (const Turn& turn : std::exchange(turns_, {})) {
    for (const auto& ready : turn.ready) ready(false);
  }
}

}  // namespace flora::http
