// The server under test with a handler whose paths show everything that a handler can do.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/http/server.h"

namespace flora::http::test {

/// Runs functions one after the other on a thread of its own.
class Later {
 public:
  Later();
  ~Later();
  void run(std::function<void()> work);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> work_;
  bool over_ = false;
  std::thread thread_;
};

/// | path       | what happens |
/// | /echo      | method, space, query, space and body (at most 1000 bytes) come back |
/// | /later     | the same from another thread |
/// | /hold      | the Responder is kept until release() |
/// | /refuse    | 403 by admit() |
/// | /drop      | the Responder is dropped |
/// | /throw     | handle() throws; /throw-early: admit() throws |
/// | /bad       | an answer with a line break in a field |
/// | /close     | an answer that closes the connection |
/// | /status    | an empty answer with the status of the query |
/// | /big       | as many bytes as the query says, at once |
/// | /flood     | as many blocks of 16 KiB as the query says, streamed with back-pressure |
/// | /broken    | a streamed answer that is dropped before its end |
/// | /reflect   | streamed: each piece of the body comes back as it arrives |
/// | /count     | streamed: the body's length comes back |
/// | /early     | streamed: 409 before the body is read |
/// | /stuck     | streamed: neither reads nor answers |
class TestHandler final : public Handler {
 public:
  Admission admit(const RequestHead& head) override;
  void handle(Request request, Responder responder) override;
  void handle_stream(RequestHead head, BodyReader body, Responder responder) override;

  /// Answers what /hold keeps, in reverse order; waits until there are `count`.
  void release(std::size_t count);
  void wait_for_held(std::size_t count);

  std::size_t written();   ///< Blocks that /flood has written.
  std::size_t received();  ///< Bytes that /count has received.
  std::vector<RequestHead> heads();
  int aborted();  ///< Bodies that ended with aborted.
  int closed();   ///< ready(false) seen.

 private:
  void flood(std::shared_ptr<ResponseWriter> writer, std::size_t left);
  void reflect(std::shared_ptr<BodyReader> body, std::shared_ptr<ResponseWriter> writer);
  void count(std::shared_ptr<BodyReader> body, std::shared_ptr<Responder> responder,
             std::size_t total);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Responder>> held_;
  std::vector<std::pair<std::shared_ptr<BodyReader>, std::shared_ptr<Responder>>> stuck_;
  std::vector<RequestHead> heads_;
  std::size_t written_ = 0;
  std::size_t received_ = 0;
  int aborted_ = 0;
  int closed_ = 0;
  Later later_;  // Last: its thread uses the others.
};

/// A running server with one handler and the given listeners.
struct Running {
  explicit Running(ServerOptions options = {}, std::vector<ListenerOptions> listeners = {{}});
  std::uint16_t port() const { return server->ports().front(); }

  TestHandler handler;
  std::unique_ptr<Server> server;
};

/// Waits until `condition` holds; false if it does not within ten seconds.
bool eventually(const std::function<bool()>& condition);

/// Waits until a value is not zero and does not change any more. False after ten seconds.
bool settles(const std::function<std::uint64_t()>& value);

}  // namespace flora::http::test
