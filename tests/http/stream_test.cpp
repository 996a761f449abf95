// Bodies and answers of any length in bounded memory, in both directions at once.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora::http;
using namespace flora::http::test;

namespace {

constexpr std::size_t kBlock = 16u << 10;

std::string chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

const std::string kPost = " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("a streamed answer arrives whole") {
  Running running;
  Client client(running.port());
  client.send(
      "GET /flood?200 HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?next HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->header("transfer-encoding") == "chunked");
  CHECK(reply->complete);
  CHECK(reply->body == std::string(200 * kBlock, 'f'));
  CHECK(client.read()->body == "GET next ");
}

TEST_CASE("a streamed answer for HTTP/1.0 ends with the connection") {
  Running running;
  Client client(running.port());
  client.send("GET /flood?20 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->header("transfer-encoding").empty());
  CHECK(reply->header("connection") == "close");
  CHECK(reply->body == std::string(20 * kBlock, 'f'));
}

TEST_CASE("a streamed answer behind another waits for it") {
  Running running;
  Client client(running.port());
  client.send(
      "GET /hold?1 HTTP/1.1\r\nHost: h\r\n\r\nGET /flood?3 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /echo?3 HTTP/1.1\r\nHost: h\r\n\r\n");
  running.handler.release(1);
  CHECK(client.read()->body == "GET 1 ");
  CHECK(client.read()->body.size() == 3 * kBlock);
  CHECK(client.read()->body == "GET 3 ");
}

TEST_CASE("a client that does not read holds the writer back") {
  Running running;
  Client client(running.port());
  client.send("GET /flood?5000 HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(eventually([&] { return running.handler.written() > 10; }));
  // The writer stands still when the socket and the output buffer are full.
  CHECK(settles([&] { return running.handler.written(); }));
  const std::size_t kernel = 16 << 20;  // What the buffers of both sockets hold, at most.
  CHECK(running.handler.written() * kBlock < kernel + Limits().output + 2 * kBlock);
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->body.size() == 5000 * kBlock);
}

TEST_CASE("answers that nobody reads hold bounded memory together, and whoever reads is served") {
  ServerOptions options;
  options.limits.buffered_answers = 32u << 20;
  Running running(std::move(options));
  const std::string get = "GET /big?4000000 HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<std::unique_ptr<Client>> silent;
  // Together they ask for more than a gigabyte.
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<Client>(running.port()));
    silent.back()->shrink_receive_buffer();
    std::string requests;
    for (int n = 0; n < 16; ++n) requests += get;
    REQUIRE(silent.back()->send(requests));
    Client reader(running.port());
    REQUIRE(reader.send(get));
    const auto reply = reader.read();
    REQUIRE(reply);
    CHECK(reply->complete);
  }
  CHECK(eventually([&] { return running.server->counters().slow_readers >= 19; }));
}

TEST_CASE("answers behind one that is not there yet hold bounded memory") {
  ServerOptions options;
  options.limits.buffered_answers = 8u << 20;
  Running running(std::move(options));
  Client client(running.port());
  std::string requests = "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n";
  for (int i = 0; i < 15; ++i) requests += "GET /big?4000000 HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(client.send(requests));
  CHECK(client.ends());
  CHECK(running.server->counters().slow_readers == 1);
  running.handler.release(1);
  Client other(running.port());
  other.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(other.read()->status == 200);
}

TEST_CASE("what a client does not take does not wait in the kernel") {
  Running running;
  Client client(running.port());
  client.shrink_receive_buffer();
  client.send("GET /big?2000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(settles([&] { return running.server->counters().bytes_out; }));
  CHECK(running.server->counters().bytes_out < 1'000'000);
}

TEST_CASE("an answer that is dropped before its end is not taken for complete") {
  Running running;
  for (const std::string version : {"HTTP/1.1", "HTTP/1.0"}) {
    Client client(running.port());
    client.send("GET /broken " + version + "\r\nHost: h\r\n\r\n");
    const auto reply = client.read();
    CHECK((!reply || !reply->complete || version == "HTTP/1.0"));
    CHECK(client.ends());
  }
}

TEST_CASE("a streamed body of any length is counted in bounded memory") {
  Running running;
  Client client(running.port());
  client.send("POST /count" + kPost);
  const std::string block = chunk(std::string(100'000, 'b'));
  for (int i = 0; i < 300; ++i) REQUIRE(client.send(block));
  client.send("0\r\n\r\n");
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->body == "30000000");
  client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read()->status == 200);
}

TEST_CASE("while the consumer does not ask, nothing more is read") {
  Running running;
  Client client(running.port());
  client.send("POST /stuck" + kPost);
  running.handler.wait_for_held(1);
  std::thread sender([&] {
    const std::string block = chunk(std::string(100'000, 'b'));
    for (int i = 0; i < 300 && client.send(block); ++i) {
    }
  });
  CHECK(settles([&] { return running.server->counters().bytes_in; }));
  CHECK(running.server->counters().bytes_in < 200'000);
  running.handler.release(1);
  sender.join();
  const auto reply = client.read();
  if (reply) CHECK(reply->status == 500);
}

TEST_CASE("the answer is streamed while the body is read") {
  Running running;
  Client client(running.port());
  client.send("POST /reflect" + kPost);
  for (int i = 0; i < 100; ++i) {
    const std::string piece = "line " + std::to_string(i) + "\n";
    REQUIRE(client.send(chunk(piece)));
    // The piece comes back before the next one is sent.
    std::string seen;
    while (seen.find(piece) == std::string::npos) {
      const std::string more = client.receive(4096);
      REQUIRE(!more.empty());
      seen += more;
    }
  }
  client.send("0\r\n\r\n");
  std::string rest;
  while (rest.find("0\r\n\r\n") == std::string::npos) {
    const std::string more = client.receive(4096);
    REQUIRE(!more.empty());
    rest += more;
  }
}

TEST_CASE("large bodies go both ways at once") {
  Running running;
  Client client(running.port());
  const std::size_t total = 20'000'000;
  client.send("POST /reflect HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(total) +
              "\r\n\r\n");
  std::thread sender([&] {
    const std::string block(1'000'000, 'z');
    for (std::size_t sent = 0; sent < total; sent += block.size()) client.send(block);
  });
  const auto reply = client.read();
  sender.join();
  REQUIRE(reply);
  CHECK(reply->complete);
  CHECK(reply->body == std::string(total, 'z'));
}

TEST_CASE("a client that does not read its answer is not read from either") {
  Running running;
  Client client(running.port());
  client.send("POST /reflect HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n");
  std::thread sender([&] {
    const std::string block(1'000'000, 'z');
    for (int i = 0; i < 100 && client.send(block); ++i) {
    }
  });
  CHECK(settles([&] { return running.server->counters().bytes_in; }));
  CHECK(running.server->counters().bytes_in < 40'000'000);
  const auto reply = client.read();
  sender.join();
  REQUIRE(reply);
  CHECK(reply->body.size() == 100'000'000);
}

TEST_CASE("a client that goes away in mid-body aborts the reader") {
  Running running;
  for (int i = 1; i <= 10; ++i) {
    Client client(running.port());
    client.send("POST /count" + kPost + "100\r\nabc");
    REQUIRE(eventually([&] { return running.handler.received() == 3; }));
    client.reset();
    CHECK(eventually([&] { return running.handler.aborted() == i; }));
    Client other(running.port());
    other.send("POST /count" + kPost + "1\r\nx\r\n0\r\n\r\n");
    CHECK(other.read()->body == "1");
  }
}

TEST_CASE("a malformed chunk in a stream is refused after what came before it") {
  Running running;
  Client client(running.port());
  client.send("POST /count" + kPost + "3\r\nabc\r\nxyz\r\n");
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 400);
  CHECK(client.ends());
  CHECK(running.handler.aborted() == 1);
}

TEST_CASE("stop breaks a stream without end off: what was answered arrives, its end does not") {
  Running running;
  Client client(running.port());
  client.send("POST /reflect" + kPost + "3\r\nabc\r\n");
  std::string seen;
  while (seen.find("abc") == std::string::npos) {
    const std::string more = client.receive(1000);
    REQUIRE_FALSE(more.empty());
    seen += more;
  }
  running.server->stop(std::chrono::seconds(60));  // It does not wait for the client.
  for (std::string more = client.receive(1000); !more.empty(); more = client.receive(1000)) {
    seen += more;
  }
  CHECK(seen.ends_with("\r\n3\r\nabc\r\n"));  // No last chunk.
  CHECK(running.handler.aborted() == 1);
}

TEST_CASE("stop answers a body of unknown length that is not complete, and waits for known ones") {
  Running running;
  Client endless(running.port());
  endless.send("POST /count" + kPost + "3\r\nabc\r\n");
  REQUIRE(eventually([&] { return running.handler.received() == 3; }));
  Client known(running.port());
  known.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  REQUIRE(eventually([&] { return running.handler.received() == 2; }));
  std::thread stopper([&] { running.server->stop(std::chrono::seconds(60)); });
  const auto refused = endless.read();
  known.send("cde");
  const auto answered = known.read();
  endless.close();
  known.close();
  stopper.join();
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->header("connection") == "close");
  REQUIRE(answered);
  CHECK(answered->body == "5");
}
