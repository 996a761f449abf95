// How a handler answers and reads: move-only values that may be used from any thread. Callbacks run
// on a worker thread, must not block and must not throw; after Server::stop() they run on the
// calling thread, within the call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/http/message.h"

namespace flora::http {

/// A piece of a request body. The bytes are to be used even with end.
struct BodyChunk {
  enum class State : std::uint8_t {
    more,    ///< Ask again.
    end,     ///< The body is complete.
    aborted  ///< The client went away, sent malformed framing or was too slow; no bytes.
  };
  std::string bytes;
  State state = State::more;
};

/// What Responder, ResponseWriter and BodyReader speak to. The server implements it for its
/// connections; tests of handlers may implement it for themselves. Thread-safe.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void respond(Response response) = 0;
  virtual void begin(int status, std::vector<Header> headers) = 0;
  virtual void write(std::string bytes, std::function<void(bool)> ready) = 0;
  virtual void finish() = 0;
  virtual void abort() = 0;  ///< Breaks a begun answer off, so that the client notices.
  virtual void fail() = 0;   ///< Answers 500.
  virtual void read(std::function<void(BodyChunk)> done) = 0;
  virtual void ignore_body() = 0;
};

/// The rest of an answer that is sent while it is made. Dropped without finish(), the connection is
/// broken off, so that the client does not take the answer for complete.
class ResponseWriter {
 public:
  explicit ResponseWriter(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ResponseWriter(ResponseWriter&&) noexcept = default;
  ResponseWriter& operator=(ResponseWriter&& other) noexcept;
  ~ResponseWriter();

  /// Queues bytes. `ready` (may be empty) is called exactly once, on a worker thread and never from
  /// within this call: with true when less than Limits::output bytes wait for the client, with
  /// false when the connection is gone. Who waits for it before writing again holds bounded memory.
  void write(std::string bytes, std::function<void(bool still_open)> ready = {});

  /// The answer is complete. Calls after it are ignored.
  void finish();

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// The right to answer one request, once; later calls are ignored. Dropped without an answer, the
/// client gets 500. If the client is gone or the server has stopped, an answer is dropped silently.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void respond(Response response);

  /// Begins an answer of unknown length (chunked; HTTP/1.0: until close).
  ResponseWriter stream(int status, std::vector<Header> headers);

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// A request body that arrives piece by piece. While nobody asks, nothing is read from the client.
/// Dropped before the end, the rest of the body is not wanted.
class BodyReader {
 public:
  explicit BodyReader(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  BodyReader(BodyReader&&) noexcept = default;
  BodyReader& operator=(BodyReader&& other) noexcept;
  ~BodyReader();

  /// `done` is called exactly once, on a worker thread and never from within this call. One call at
  /// a time: the next read() comes after (or from within) done(). After end or aborted: aborted.
  void read(std::function<void(BodyChunk)> done);

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace flora::http
