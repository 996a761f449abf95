// Connections, order, limits, closing.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora::http;
using namespace flora::http::test;
using std::chrono::milliseconds;

namespace {

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

int status_of(Client& client, const std::string& request) {
  if (!client.send(request)) return 0;
  const auto reply = client.read();
  return reply ? reply->status : 0;
}

}  // namespace

TEST_CASE("HEAD has the length of the body and no body") {
  Running running;
  Client client(running.port());
  client.send("HEAD /big?100000 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo?next"));
  const auto head = client.read(true);
  REQUIRE(head);
  CHECK(head->header("content-length") == "100000");
  const auto next = client.read();
  REQUIRE(next);
  CHECK(next->body == "GET next ");
}

TEST_CASE("HEAD of a refused and of a streamed answer has no body") {
  Running running;
  Client client(running.port());
  client.send("HEAD /refuse HTTP/1.1\r\nHost: h\r\n\r\nHEAD /flood?2 HTTP/1.1\r\nHost: h\r\n\r\n" +
              get("/echo?next"));
  CHECK(client.read(true)->status == 403);
  CHECK(client.read(true)->status == 200);
  CHECK(client.read()->body == "GET next ");
}

TEST_CASE("the head of a request arrives as it was sent") {
  Running running;
  Client client(running.port());
  client.send(
      "GET http://inner:81/echo?a=b HTTP/1.1\r\nHost: outer\r\nX-One: 1\r\nx-one: 2\r\n\r\n");
  REQUIRE(client.read());
  const RequestHead head = running.handler.heads().front();
  CHECK(head.target == "http://inner:81/echo?a=b");
  CHECK(head.path == "/echo");
  CHECK(head.query == "a=b");
  CHECK(head.find("host") == "inner:81");
  CHECK(head.find_all("x-one") == std::vector<std::string_view>{"1", "2"});
  CHECK(!head.find("x-two"));
  CHECK(head.peer.address == "127.0.0.1");
  CHECK(head.peer.loopback);
  CHECK(!head.peer.certificate);
  CHECK(!head.has_body);
}

TEST_CASE("pipelined safe requests run side by side and are answered in order") {
  Running running;
  Client client(running.port());
  std::string requests;
  for (int i = 0; i < 8; ++i) requests += get("/hold?" + std::to_string(i));
  client.send(requests + get("/echo?8"));
  running.handler.release(8);
  for (int i = 0; i < 9; ++i) {
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->body == "GET " + std::to_string(i) + " ");
  }
}

TEST_CASE("pipelined unsafe requests run one after the other") {
  Running running;
  Client client(running.port());
  client.send(post("/hold?1", "a") + post("/hold?2", "b") + get("/echo?3"));
  running.handler.wait_for_held(1);
  CHECK(running.handler.heads().size() == 1);
  running.handler.release(1);
  CHECK(client.read()->body == "POST 1 a");
  running.handler.release(1);
  CHECK(client.read()->body == "POST 2 b");
  CHECK(client.read()->body == "GET 3 ");
}

TEST_CASE("the depth of a pipeline is bounded and nothing is lost") {
  ServerOptions options;
  options.limits.pipeline = 4;
  options.limits.read_ahead = 512;
  Running running(std::move(options));
  Client client(running.port());
  std::string requests;
  for (int i = 0; i < 4; ++i) requests += get("/hold?" + std::to_string(i));
  for (int i = 4; i < 500; ++i) requests += get("/echo?" + std::to_string(i));
  client.send(requests);
  running.handler.wait_for_held(4);
  CHECK(running.handler.heads().size() == 4);
  running.handler.release(4);
  for (int i = 0; i < 500; ++i) {
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->body == "GET " + std::to_string(i) + " ");
  }
}

TEST_CASE("answers from another thread go to their own requests") {
  ServerOptions options;
  options.workers = 2;
  Running running(std::move(options));
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) clients.emplace_back(running.port());
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      clients[i].send(get("/later?" + std::to_string(i) + "-" + std::to_string(round)));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const auto reply = clients[i].read();
      REQUIRE(reply);
      CHECK(reply->body == "GET " + std::to_string(i) + "-" + std::to_string(round) + " ");
    }
  }
}

TEST_CASE("Expect: 100-continue is answered before the body is sent") {
  Running running;
  Client client(running.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  client.send(head + "Content-Length: 3\r\n\r\n");
  CHECK(client.read()->status == 100);
  client.send("abc");
  CHECK(client.read()->body == "POST  abc");
  client.send(
      "POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read()->status == 100);
  client.send("abc");
  CHECK(client.read()->body == "3");
}

TEST_CASE("a request that is refused by its head gets the final answer instead of 100") {
  Running running;
  const std::string expect = " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  for (const std::string& start : {"POST /refuse" + expect + "Content-Length: 3\r\n\r\n",
                                   "POST /early" + expect + "Content-Length: 3\r\n\r\n",
                                   "POST /echo" + expect + "Content-Length: 2000\r\n\r\n"}) {
    Client client(running.port());
    const int status = status_of(client, start);
    CHECK(status >= 403);
    CHECK(client.ends());
  }
}

TEST_CASE("a client that sends on after a refusal still reads the answer") {
  Running running;
  for (int i = 0; i < 20; ++i) {
    Client client(running.port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n");
    const std::string block(100'000, 'x');
    for (int n = 0; n < 20; ++n) client.send(block);
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == 413);
  }
}

TEST_CASE("a client that closes its side is still answered") {
  Running running;
  Client client(running.port());
  client.send(get("/hold?1") + get("/hold?2"));
  client.half_close();
  running.handler.release(2);
  CHECK(client.read()->body == "GET 1 ");
  CHECK(client.read()->body == "GET 2 ");
  CHECK(client.ends());
}

TEST_CASE("an answer for a client that is gone is dropped") {
  Running running;
  for (int i = 0; i < 10; ++i) {
    Client client(running.port());
    client.send(get("/hold?" + std::to_string(i)));
    running.handler.wait_for_held(static_cast<std::size_t>(i) + 1);
    client.reset();
  }
  CHECK(eventually([&] { return running.server->counters().open == 0; }));
  running.handler.release(10);
  CHECK(eventually([&] { return running.server->counters().late_answers == 10; }));
  Client client(running.port());
  CHECK(status_of(client, get("/echo")) == 200);
}

TEST_CASE("a Responder may outlive the server") {
  auto running = std::make_unique<Running>();
  Client client(running->port());
  client.send(get("/hold") + get("/hold"));
  running->handler.wait_for_held(2);
  running->server->stop(milliseconds(0));
  running->handler.release(2);
  running->server.reset();
}

TEST_CASE("connections beyond the total get 503") {
  ServerOptions options;
  options.limits.connections = 3;
  Running running(std::move(options));
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(running.port());
    REQUIRE(clients.back().send("GET "));
  }
  CHECK(eventually([&] { return running.server->counters().open == 3; }));
  Client extra(running.port());
  const auto reply = extra.read();
  REQUIRE(reply);
  CHECK(reply->status == 503);
  CHECK(!reply->header("retry-after").empty());
  CHECK(running.server->counters().refused == 1);
  clients.pop_back();
  CHECK(eventually([&] { return running.server->counters().open == 2; }));
  Client again(running.port());
  CHECK(status_of(again, get("/echo")) == 200);
}

TEST_CASE("an idle connection makes room for a new one") {
  ServerOptions options;
  options.limits.connections = 2;
  Running running(std::move(options));
  Client first(running.port());
  CHECK(status_of(first, get("/echo")) == 200);
  Client second(running.port());
  CHECK(status_of(second, get("/echo")) == 200);
  Client third(running.port());
  CHECK(status_of(third, get("/echo")) == 200);
  CHECK(first.ends());
  CHECK(status_of(second, get("/echo")) == 200);
}

TEST_CASE("connections beyond the limit of an address get 503") {
  ServerOptions options;
  options.limits.connections_per_address = 2;
  options.workers = 2;
  Running running(std::move(options));
  Client first(running.port());
  Client second(running.port());
  CHECK(status_of(first, get("/echo")) == 200);
  CHECK(status_of(second, get("/echo")) == 200);
  Client third(running.port());
  CHECK(third.read()->status == 503);
  first.close();
  CHECK(eventually([&] {
    Client next(running.port());
    return status_of(next, get("/echo")) == 200;
  }));
}

TEST_CASE("an address at its limit displaces nobody") {
  ServerOptions options;
  options.limits.connections = 3;
  options.limits.connections_per_address = 2;
  Running running(std::move(options));
  Client other(running.port());
  Client mine(running.port(), nullptr, "127.0.0.1");
  CHECK(status_of(other, get("/echo")) == 200);
  CHECK(status_of(mine, get("/echo")) == 200);
  for (int i = 0; i < 5; ++i) {
    Client beyond(running.port());
    CHECK(beyond.read()->status == 503);
  }
  CHECK(status_of(other, get("/echo")) == 200);
  CHECK(status_of(mine, get("/echo")) == 200);
  CHECK(running.server->counters().refused == 5);
}

TEST_CASE("a full listener leaves the others their places") {
  ServerOptions options;
  options.limits.connections = 2;
  ListenerOptions operators;
  operators.connections = 1;
  Running running(std::move(options), {{}, operators});
  Client first(running.port());
  Client second(running.port());
  REQUIRE(first.send("GET "));
  REQUIRE(second.send("GET "));
  CHECK(eventually([&] { return running.server->counters().open == 2; }));
  Client third(running.port());
  CHECK(third.read()->status == 503);
  Client operator_(running.server->ports()[1]);
  CHECK(status_of(operator_, get("/echo")) == 200);
  // The operators' own longest idle connection makes room, none of the other listener.
  Client another(running.server->ports()[1]);
  CHECK(status_of(another, get("/echo")) == 200);
  CHECK(operator_.ends());
  REQUIRE(first.send("/echo HTTP/1.1\r\nHost: h\r\n\r\n"));
  CHECK(first.read()->status == 200);
}

TEST_CASE("bodies in total are bounded") {
  ServerOptions options;
  options.limits.buffered_bodies = 1500;
  Running running(std::move(options));
  Client first(running.port());
  first.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
             std::string(900, 'a'));
  CHECK(eventually([&] { return running.server->counters().bytes_in > 900; }));
  Client second(running.port());
  CHECK(status_of(second, post("/echo", std::string(999, 'b'))) == 503);
  first.send(std::string(100, 'a'));
  CHECK(first.read()->status == 200);
  Client third(running.port());
  CHECK(status_of(third, post("/echo", std::string(999, 'b'))) == 200);
}

TEST_CASE("a body counts until its request is answered, also if its client has gone") {
  ServerOptions options;
  options.limits.buffered_bodies = 1500;
  Running running(std::move(options));
  {
    Client gone(running.port());
    REQUIRE(gone.send(post("/hold", std::string(1000, 'a'))));
    running.handler.wait_for_held(1);
    gone.reset();
  }
  CHECK(eventually([&] { return running.server->counters().aborted == 1; }));
  Client second(running.port());
  CHECK(status_of(second, post("/echo", std::string(999, 'b'))) == 503);
  running.handler.release(1);
  CHECK(eventually([&] {
    Client third(running.port());
    return status_of(third, post("/echo", std::string(999, 'b'))) == 200;
  }));
}

TEST_CASE("bodies of one account leave room for those of others") {
  ServerOptions options;
  options.limits.buffered_bodies = 2000;
  options.limits.buffered_bodies_of_one = 1000;
  Running running(std::move(options));
  const auto head = [](const std::string& account) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nX-Account: " + account +
           "\r\nContent-Length: 1000\r\n\r\n";
  };
  Client first(running.port());
  first.send(head("a") + std::string(900, 'a'));
  CHECK(eventually([&] { return running.server->counters().bytes_in > 900; }));
  Client second(running.port());
  CHECK(status_of(second, head("a") + std::string(1000, 'b')) == 503);
  CHECK(running.server->counters().no_memory == 1);
  Client other(running.port());
  CHECK(status_of(other, head("b") + std::string(1000, 'b')) == 200);
  first.send(std::string(100, 'a'));
  CHECK(first.read()->status == 200);
  Client third(running.port());
  CHECK(status_of(third, head("a") + std::string(1000, 'b')) == 200);
}

TEST_CASE("running out of descriptors pauses accepting and does not spin or stop") {
  Running running;
  Client before(running.port());
  CHECK(status_of(before, get("/echo")) == 200);
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  Client waiting(running.port());  // Accepted, to learn how far descriptors reach.
  CHECK(status_of(waiting, get("/echo")) == 200);
  const int highest = ::dup(0);
  ::close(highest);
  Client* late = nullptr;
  {
    rlimit tight = old;
    tight.rlim_cur = static_cast<rlim_t>(highest) + 1;  // One more: the client's own end.
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    late = new Client(running.port());
    CHECK(late->is_connected());
    CHECK(status_of(before, get("/echo")) == 200);
    CHECK(!late->read(false, 0));
    ::setrlimit(RLIMIT_NOFILE, &old);
  }
  CHECK(status_of(*late, get("/echo")) == 200);
  delete late;
}

TEST_CASE("IPv6 and Unix domain sockets") {
  ListenerOptions v6;
  v6.address = "::";
  ListenerOptions local;
  local.unix_path = "/tmp/flora-http-test-" + std::to_string(::getpid());
  ServerOptions options;
  options.workers = 2;
  Running running(std::move(options), {v6, local});
  Client six = Client::over_ipv6(running.server->ports()[0]);
  CHECK(status_of(six, get("/echo")) == 200);
  CHECK(running.handler.heads().back().peer.address == "::1");
  Client four(running.server->ports()[0]);
  CHECK(status_of(four, get("/echo")) == 200);
  CHECK(running.handler.heads().back().peer.address == "127.0.0.1");
  CHECK(running.handler.heads().back().peer.loopback);
  Client unix_client(local.unix_path);
  CHECK(status_of(unix_client, get("/echo")) == 200);
  CHECK(running.handler.heads().back().peer.address == "unix");
  unix_client.send(get("/hold"));
  unix_client.half_close();
  running.handler.release(1);
  CHECK(unix_client.read()->status == 200);
  CHECK(unix_client.ends());
}

TEST_CASE("an address in use, a bad address and a missing handler are errors") {
  Running running;
  Listener listener;
  listener.handler = &running.handler;
  listener.options.port = running.port();
  CHECK(Server::start({}, {listener}).error().code == flora::Errc::unavailable);
  listener.options.port = 0;
  listener.options.address = "localhost";
  CHECK(Server::start({}, {listener}).error().code == flora::Errc::invalid);
  CHECK(Server::start({}, {Listener{}}).error().code == flora::Errc::invalid);
}

TEST_CASE("stop lets requests under way finish and takes no new ones") {
  Running running;
  Client idle(running.port());
  CHECK(status_of(idle, get("/echo")) == 200);
  Client busy(running.port());
  busy.send(get("/hold?1") + get("/hold?2"));
  running.handler.wait_for_held(2);
  Client half(running.port());
  half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
  CHECK(eventually([&] { return running.handler.heads().size() == 4; }));
  std::thread stopper([&] { running.server->stop(milliseconds(10'000)); });
  CHECK(idle.ends());
  CHECK(!Client(running.port()).is_connected());
  half.send("abc");
  const auto answer = half.read();
  REQUIRE(answer);
  CHECK(answer->body == "POST  abc");
  CHECK(answer->header("connection") == "close");
  running.handler.release(2);
  CHECK(busy.read()->body == "GET 1 ");
  const auto last = busy.read();
  REQUIRE(last);
  CHECK(last->body == "GET 2 ");
  CHECK(last->header("connection") == "close");
  busy.close();
  half.close();
  stopper.join();
  CHECK(running.server->counters().aborted == 0);
}

TEST_CASE("stop cuts off what is not finished at its deadline") {
  Running running;
  Client client(running.port());
  client.send(get("/hold"));
  running.handler.wait_for_held(1);
  running.server->stop(milliseconds(50));
  CHECK(client.ends());
  CHECK(running.server->counters().open == 0);
}

TEST_CASE("who is in a hurry does not wait for the deadline of stop") {
  Running running;
  Client client(running.port());
  client.send(get("/hold"));
  running.handler.wait_for_held(1);
  std::thread stopper([&] { running.server->stop(std::chrono::hours(1)); });
  running.server->hurry();
  stopper.join();
  CHECK(client.ends());
  CHECK(running.server->counters().open == 0);
}

TEST_CASE("the server is alive while each event loop is") {
  struct Blocking final : Handler {
    Admission admit(const RequestHead&) override { return Admission::whole(0); }
    void handle(Request, Responder responder) override {
      std::unique_lock lock(mutex);
      blocked = true;
      changed.notify_all();
      changed.wait(lock, [this] { return released; });
      responder.respond({204, {}, {}});
    }
    void handle_stream(RequestHead, BodyReader, Responder) override {}
    std::mutex mutex;
    std::condition_variable changed;
    bool blocked = false;
    bool released = false;
  } handler;
  auto started = Server::start({}, {Listener{{}, &handler}});
  REQUIRE(started);
  Server& server = **started;
  CHECK(server.is_alive());
  server.probe();
  CHECK(eventually([&] { return server.is_alive(); }));
  Client client(server.ports().front());
  client.send(get("/"));
  {
    std::unique_lock lock(handler.mutex);
    handler.changed.wait(lock, [&] { return handler.blocked; });
    server.probe();
    CHECK_FALSE(server.is_alive());
    handler.released = true;
    handler.changed.notify_all();
  }
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 204);
  CHECK(eventually([&] { return server.is_alive(); }));
}

TEST_CASE("under load, stop loses no answer of a request that was read") {
  for (int round = 0; round < 5; ++round) {
    ServerOptions options;
    options.workers = 2;
    Running running(std::move(options));
    std::atomic<int> truncated{0};
    std::atomic<int> answered{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        while (true) {
          Client client(running.port());
          if (!client.is_connected()) return;
          for (int n = 0; n < 50; ++n) {
            if (!client.send(get(n % 2 == 0 ? "/later?x" : "/echo?x"))) break;
            const auto reply = client.read();
            if (!reply) break;
            (reply->complete && reply->body == "GET x " ? answered : truncated)++;
          }
        }
      });
    }
    CHECK(eventually([&] { return answered > 500; }));
    running.server->stop(milliseconds(10'000));
    for (auto& thread : threads) thread.join();
    CHECK(truncated == 0);
    CHECK(running.server->counters().aborted == 0);
    CHECK(running.server->counters().requests == static_cast<std::uint64_t>(answered.load()));
  }
}
