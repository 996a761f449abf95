// One client's connection: a state machine that takes requests in and sends answers out, in order.
// Three source files: connection.cpp (events, output, closing), connection_input.cpp (requests) and
// connection_output.cpp (answers).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/body_decoder.h"
#include "gateway/http/deadlines.h"
#include "gateway/http/head_parser.h"
#include "gateway/http/mailbox.h"
#include "gateway/http/output.h"
#include "gateway/http/stream.h"
#include "gateway/http/worker.h"

namespace flora::http {

/// Lives on its worker's thread. Handlers know it by two numbers only, its id and the number of a
/// request; neither is ever used again.
class Connection final : public DeadlineNode {
 public:
  Connection(Worker& worker, std::uint64_t id, Stream stream, Peer peer, std::string address_key,
             Endpoint& endpoint);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::uint64_t id() const { return id_; }
  const Endpoint& endpoint() const { return endpoint_; }
  bool is_closed() const { return closed_; }
  bool is_touched() const { return touched_; }

  /// Returns whether this changed anything.
  bool set_touched(bool touched) { return std::exchange(touched_, touched) != touched; }

  void start();  ///< After the socket is watched for reading.
  void on_event(bool read, bool write, bool hangup);
  void on_deadline(Deadline deadline);
  void on_drain();
  void on_kill();
  void deliver(Message& message);  ///< From a handler. Only while not closed.

  /// Does what can be done without waiting, and sets watch and deadline for the rest.
  void cycle();

  /// With `reset` the client learns that bytes are missing.
  void close(bool reset);

 private:
  /// What the next bytes of the client are.
  enum class Input : std::uint8_t {
    head,
    held,     // A head is complete and waits for its turn.
    body,     // Collected for handle().
    stream,   // Read by a BodyReader.
    discard,  // The small rest of a body that nobody wants.
    off       // Nothing is taken any more.
  };

  /// A request that has no complete answer yet.
  struct Turn {
    enum class State : std::uint8_t { waiting, begun, done };
    std::uint64_t number = 0;
    bool joinable = false;  // A safe request without a body: others may run beside it.
    bool to_head = false;   // The answer has no body.
    bool http10 = false;
    bool keep_alive = true;
    bool chunked = false;
    State state = State::waiting;
    std::string buffered;  // The answer while an earlier one is not complete.
    std::vector<std::function<void(bool)>> ready;
  };

  // connection.cpp
  void shake_hands();
  void on_plain_http();
  void read();
  void take_in(std::string_view bytes);
  std::size_t room() const;
  bool wants_input() const;
  void flush();
  void account_answers();
  void call_ready();
  void end_if_done();
  void linger();
  void update_watch();
  void update_deadline();
  Deadline needed_deadline();
  Deadline input_deadline();

  // connection_input.cpp
  std::string_view available() const;
  void use(std::size_t n);
  void advance();
  bool step();
  bool step_head();
  bool step_held();
  bool step_body();
  bool step_stream();
  bool step_discard();
  void dispatch();
  bool is_still_trusted();
  Admission ask_admission(const RequestHead& head);
  void refuse_body(Response response);
  void start_whole(std::size_t max_bytes);
  void start_stream();
  void hand_over();
  void end_of_body();
  void send_continue();
  void refuse_head(const Refusal& refusal);
  void fail_body(const Refusal& refusal);
  void cut_endless_body();
  void leave_body(Turn& turn);
  void give(BodyChunk chunk);
  void on_read(Message& message);
  void on_ignore_body(const Message& message);

  // connection_output.cpp
  Turn* find_turn(std::uint64_t number);
  bool is_front(const Turn& turn) const { return &turn == turns_.data(); }
  void emit(Turn& turn, std::string bytes);
  void complete(Turn& turn, Response response);
  void complete_page(Turn& turn, const Refusal& refusal);
  void begin(Turn& turn, Message& message);
  void write(Turn& turn, Message& message);
  void finish(Turn& turn);
  void break_off(Turn& turn);
  void settle();
  void drop_turns_after(const Turn& turn);

  const Limits& limits() const { return worker_.options().limits; }

  Worker& worker_;
  const std::uint64_t id_;
  Stream stream_;
  Peer peer_;
  const std::string address_key_;
  Endpoint& endpoint_;
  std::shared_ptr<const TlsContext> judged_by_;  // After a reload: who has found the client good.

  HeadParser parser_;
  BodyDecoder decoder_;
  Input input_ = Input::head;
  std::string in_;  // Bytes that were read and not used yet, from in_used_ on …
  std::size_t in_used_ = 0;
  std::string_view borrowed_;  // … unless they are still where they were read to.
  std::string body_;
  std::size_t body_max_ = 0;
  Held held_;                    // The memory of `body_`, by the account of its request.
  std::uint64_t body_turn_ = 0;  // Whose body is being read; 0: nobody's.
  std::function<void(BodyChunk)> read_;

  std::vector<Turn> turns_;
  std::uint64_t last_number_ = 0;
  Output out_;
  std::size_t answers_ = 0;                       // Our share of Shared::answers.
  std::vector<std::function<void(bool)>> ready_;  // Of the front turn.

  std::uint64_t handled_turn_ = 0;  // Whose handling deadline runs.
  std::size_t progress_in_ = 0;
  std::size_t progress_out_ = 0;
  bool renew_ = false;          // The deadline begins anew, even if its kind stays.
  bool continue_owed_ = false;  // The client waits for 100 Continue.
  bool small_body_ = false;     // The body may be discarded without closing.
  bool served_ = false;         // A request was complete.
  bool handshaking_ = false;
  bool lingering_ = false;
  bool eof_ = false;
  bool closed_ = false;
  bool touched_ = false;
  bool watch_read_ = true;
  bool watch_write_ = false;
};

}  // namespace flora::http
