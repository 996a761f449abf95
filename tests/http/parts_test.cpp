// The parts of the server by themselves.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/http/body_decoder.h"
#include "gateway/http/deadlines.h"
#include "gateway/http/endpoint.h"
#include "gateway/http/mailbox.h"
#include "gateway/http/output.h"
#include "gateway/http/serialise.h"

using namespace flora::http;

namespace {

Message numbered(std::uint64_t number) {
  Message message;
  message.request = number;
  return message;
}

}  // namespace

TEST_CASE("messages that happen one after the other arrive in that order, whatever their threads") {
  Mailbox mailbox;
  mailbox.adopt();
  for (std::uint64_t i = 0; i < 300; i += 3) {
    mailbox.post(numbered(i));
    std::thread([&] { mailbox.post(numbered(i + 1)); }).join();
    mailbox.post(numbered(i + 2));
  }
  Message message;
  for (std::uint64_t i = 0; i < 300; ++i) {
    REQUIRE(mailbox.take(message));
    CHECK(message.request == i);
  }
  CHECK(!mailbox.take(message));
  mailbox.close();
}

TEST_CASE("a closed mailbox tells the callbacks of every message that nobody is there") {
  auto mailbox = std::make_shared<Mailbox>();
  int gone = 0;
  auto exchange = std::make_shared<RemoteExchange>(mailbox, 1, 1);
  ResponseWriter writer(exchange);
  BodyReader reader(exchange);
  writer.write("before", [&](bool open) { gone += open ? 0 : 1; });
  mailbox->close();
  CHECK(gone == 1);
  writer.write("after", [&](bool open) { gone += open ? 0 : 1; });
  reader.read([&](BodyChunk chunk) { gone += chunk.state == BodyChunk::State::aborted ? 1 : 0; });
  CHECK(gone == 3);
}

TEST_CASE("the earliest deadline is found whatever its kind") {
  Deadlines durations;
  durations.idle = std::chrono::milliseconds(100);
  durations.head = std::chrono::milliseconds(10);
  DeadlineQueue queue(durations);
  DeadlineNode a;
  DeadlineNode b;
  DeadlineNode c;
  queue.set(a, Deadline::idle, 0);
  queue.set(b, Deadline::idle, 1);
  queue.set(c, Deadline::head, 95'000'000);
  CHECK(queue.earliest() == &a);
  queue.set(a, Deadline::idle, 2);
  CHECK(queue.earliest() == &b);
  CHECK(queue.earliest(Deadline::head) == &c);
  queue.set(b, Deadline::none, 3);
  CHECK(queue.earliest() == &a);
  queue.set(a, Deadline::none, 3);
  CHECK(queue.earliest() == &c);
  queue.set(c, Deadline::none, 3);
  CHECK(queue.earliest() == nullptr);
}

TEST_CASE("an IPv6 network of 64 bits counts as one address, and IPv4 within IPv6 as IPv4") {
  AddressTable table(2);
  const auto v6 = [](const char* text) {
    sockaddr_storage address{};
    auto& inner = reinterpret_cast<sockaddr_in6&>(address);
    inner.sin6_family = AF_INET6;
    REQUIRE(::inet_pton(AF_INET6, text, &inner.sin6_addr) == 1);
    return address;
  };
  const auto v4 = [](const char* text) {
    sockaddr_storage address{};
    auto& inner = reinterpret_cast<sockaddr_in&>(address);
    inner.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, text, &inner.sin_addr) == 1);
    return address;
  };
  const auto first = table.enter(v6("2001:db8:0:1::1"));
  REQUIRE(first);
  CHECK(table.enter(v6("2001:db8:0:1:ffff::2")));
  CHECK(!table.enter(v6("2001:db8:0:1::3")));
  CHECK(table.enter(v6("2001:db8:0:2::1")));
  table.leave(*first);
  CHECK(table.enter(v6("2001:db8:0:1::3")));
  CHECK(table.enter(v4("192.0.2.1")));
  CHECK(table.enter(v6("::ffff:192.0.2.1")));
  CHECK(!table.enter(v4("192.0.2.1")));
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  for (int i = 0; i < 5; ++i) CHECK(table.enter(local) == std::string());
}

TEST_CASE("output leaves in the order and length in which it came") {
  Output output;
  std::string expected;
  std::string seen;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string piece((i * 7919) % 40'000, static_cast<char>('a' + i % 26));
    expected += piece;
    output.append(piece);
    const std::size_t n = std::min(output.front().size(), i * 101 % 30'000);
    seen += output.front().substr(0, n);
    output.consume(n);
  }
  CHECK(output.size() == expected.size() - seen.size());
  while (!output.empty()) {
    seen += output.front();
    output.consume(output.front().size());
  }
  CHECK(seen == expected);
}

TEST_CASE("a decoder gives no more than there is room for") {
  const Limits limits;
  BodyDecoder decoder = BodyDecoder::chunked(limits);
  const std::string data = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nnext";
  std::string body;
  std::size_t used = 0;
  while (decoder.status() == BodyDecoder::Status::more) {
    std::string piece;
    used += decoder.decode(std::string_view(data).substr(used), 2, piece);
    CHECK(piece.size() <= 2);
    body += piece;
  }
  CHECK(body == "hello world");
  CHECK(data.substr(used) == "next");
}

TEST_CASE("dates and problems have the form of their RFCs") {
  CHECK(http_date(784'111'777'000) == "Sun, 06 Nov 1994 08:49:37 GMT");
  const Response page = plain_error_page(404, "not-found", "There is \"nothing\".");
  CHECK(
      page.body ==
      R"({"type":"/problems/not-found","title":"Not Found","status":404,"detail":"There is \"nothing\"."})");
}
