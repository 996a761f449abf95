// The way from any thread to a worker: messages that name a connection and a request by numbers
// that are never reused.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/base/shares.h"
#include "gateway/http/message.h"
#include "gateway/http/responder.h"

namespace flora::http {

/// One call of an Exchange, or an order of the server (drain, kill, probe; these name no
/// connection, and a probe has its number in `request`).
struct Message {
  enum class Kind : std::uint8_t {
    respond,
    begin,
    write,
    finish,
    abort,
    fail,
    read,
    ignore_body,
    drain,
    kill,
    probe
  };
  Kind kind = Kind::respond;
  std::uint64_t connection = 0;
  std::uint64_t request = 0;
  Response response;  // Of write, only the body is used.
  std::function<void(bool)> ready;
  std::function<void(BodyChunk)> done;
};

/// Tells the callbacks of a message, if any, that the connection is gone.
void discard(Message& message);

/// Thread-safe. One reader, the worker's thread. Messages that happen one after the other arrive in
/// that order, also when they come from different threads.
class Mailbox {
 public:
  Mailbox();  ///< event_fd() is -1 if the system refuses.
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Readable when post() has put something in from another thread.
  int event_fd() const { return event_fd_; }

  /// After close() the message is discarded on the calling thread.
  void post(Message message);

  /// Makes the calling thread the reader: its own messages take a way without locks.
  void adopt();

  /// The next message, in order. Called by the reader.
  bool take(Message& out);

  /// True if the reader has posted something that it has not taken yet. Called by the reader.
  bool has_local() const { return next_ < local_.size(); }

  /// Makes event_fd() readable.
  void wake();

  /// Called by the reader when event_fd() is readable.
  void acknowledge();

  /// Discards what is in and what still comes. Called by the reader.
  void close();

 private:
  void fetch();

  int event_fd_;
  std::atomic<bool> has_mail_{false};
  std::mutex mutex_;
  std::vector<Message> shared_;
  bool closed_ = false;
  std::vector<Message> local_;  // The reader's own.
  std::size_t next_ = 0;
};

/// The exchange of one request of one connection. Outliving them does no harm.
class RemoteExchange final : public Exchange {
 public:
  /// `body` is the memory of the request's body: given back when nobody handles it any more.
  RemoteExchange(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection, std::uint64_t request,
                 Held body = Held())
      : mailbox_(std::move(mailbox)),
        connection_(connection),
        request_(request),
        body_(std::move(body)) {}

  void respond(Response response) override;
  void begin(int status, std::vector<Header> headers) override;
  void write(std::string bytes, std::function<void(bool)> ready) override;
  void finish() override { post(Message::Kind::finish); }
  void abort() override { post(Message::Kind::abort); }
  void fail() override { post(Message::Kind::fail); }
  void read(std::function<void(BodyChunk)> done) override;
  void ignore_body() override { post(Message::Kind::ignore_body); }

 private:
  Message message(Message::Kind kind) const;
  void post(Message::Kind kind) { mailbox_->post(message(kind)); }

  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t connection_;
  std::uint64_t request_;
  Held body_;
};

}  // namespace flora::http
