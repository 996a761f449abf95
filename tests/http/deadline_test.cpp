// Each state of a connection has a deadline. The tests set short ones; none depends on how fast the
// machine is.
#include <doctest/doctest.h>

#include <string>

#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora::http;
using namespace flora::http::test;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kShort{80};

ServerOptions with(milliseconds Deadlines::*which) {
  ServerOptions options;
  options.deadlines.*which = kShort;
  return options;
}

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

void expect_timeout(Client& client, int status) {
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == status);
  CHECK(reply->header("content-type") == "application/problem+json");
  CHECK(reply->header("connection") == "close");
  CHECK(client.ends());
}

}  // namespace

TEST_CASE("a client that sends nothing is closed silently") {
  Running running(with(&Deadlines::head));
  Client client(running.port());
  CHECK(client.ends());
  CHECK(running.server->counters().timeouts == 1);
}

TEST_CASE("a head that is not complete in time gets 408") {
  Running running(with(&Deadlines::head));
  Client client(running.port());
  client.send("GET /echo HTTP/1.1\r\nHo");
  expect_timeout(client, 408);
}

TEST_CASE("bytes that trickle do not prolong the head's deadline") {
  ServerOptions options = with(&Deadlines::head);
  options.limits.head = 1u << 30;  // The time is what ends it.
  Running running(std::move(options));
  Client client(running.port());
  client.send("GET /echo HTTP/1.1\r\nX: ");
  while (client.send("x") && client.receive(1, 0).empty()) {
  }
  CHECK(running.server->counters().timeouts == 1);
}

TEST_CASE("the second request has a deadline of its own") {
  Running running(with(&Deadlines::head));
  Client client(running.port());
  client.send(get("/echo") + "GET /ec");
  CHECK(client.read()->status == 200);
  expect_timeout(client, 408);
}

TEST_CASE("a body that is not complete in time gets 408") {
  Running running(with(&Deadlines::body));
  Client client(running.port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  expect_timeout(client, 408);
}

TEST_CASE("a streamed body that stalls gets 408 and its reader learns it") {
  Running running(with(&Deadlines::stream));
  Client client(running.port());
  client.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nab");
  expect_timeout(client, 408);
  CHECK(running.handler.aborted() == 1);
}

TEST_CASE("a handler that does not answer in time is answered for with 504") {
  Running running(with(&Deadlines::handling));
  Client client(running.port());
  client.send(get("/hold"));
  expect_timeout(client, 504);
  running.handler.release(1);
  CHECK(eventually([&] { return running.server->counters().late_answers == 1; }));
}

TEST_CASE("a streaming handler that neither reads nor answers gets 504") {
  Running running(with(&Deadlines::handling));
  Client client(running.port());
  client.send("POST /stuck HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nab");
  expect_timeout(client, 504);
  running.handler.release(1);
}

TEST_CASE("an idle connection is closed silently") {
  Running running(with(&Deadlines::idle));
  Client client(running.port());
  client.send(get("/echo"));
  CHECK(client.read()->status == 200);
  CHECK(client.ends());
}

TEST_CASE("a client that does not read is cut off, others are served") {
  Running running(with(&Deadlines::write));
  Client slow(running.port());
  slow.shrink_receive_buffer();
  slow.send(get("/big?50000000"));
  Client other(running.port());
  other.send(get("/echo"));
  CHECK(other.read()->status == 200);
  CHECK(eventually([&] { return running.server->counters().open == 1; }));
  const auto reply = slow.read();
  CHECK((!reply || !reply->complete));
}

TEST_CASE("a client that does not read a stream is cut off and the writer learns it") {
  Running running(with(&Deadlines::write));
  Client slow(running.port());
  slow.shrink_receive_buffer();
  slow.send(get("/flood?100000"));
  CHECK(eventually([&] { return running.handler.closed() == 1; }));
  CHECK(running.server->counters().open == 0);
}

TEST_CASE("a client that stays after the last answer is closed at the linger deadline") {
  Running running(with(&Deadlines::linger));
  Client client(running.port());
  client.send(get("/close"));
  CHECK(client.read()->status == 200);
  CHECK(client.ends());
  CHECK(eventually([&] { return running.server->counters().open == 0; }));
}

TEST_CASE("a streamed answer may take longer than every deadline of requests") {
  ServerOptions options;
  options.deadlines.handling = options.deadlines.head = options.deadlines.idle = milliseconds(20);
  Running running(std::move(options));
  Client client(running.port());
  // The body trickles for longer than the deadlines; the answer follows it piece by piece.
  client.send("POST /reflect HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const auto end = std::chrono::steady_clock::now() + milliseconds(100);
  while (std::chrono::steady_clock::now() < end) REQUIRE(client.send("1\r\na\r\n"));
  client.send("0\r\n\r\n");
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->complete);
  CHECK(reply->body.find_first_not_of('a') == std::string::npos);
}
