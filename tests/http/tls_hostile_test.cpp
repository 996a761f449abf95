// Clients that abuse the handshake. Whatever they send, others are served meanwhile and nothing is
// left of them.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/http/certificates.h"
#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora::http;
using namespace flora::http::test;
using std::chrono::milliseconds;

namespace {

const std::string kGet = "GET /echo?t HTTP/1.1\r\nHost: h\r\n\r\n";

ServerOptions impatient() {
  ServerOptions options;
  options.deadlines.handshake = milliseconds(200);
  options.deadlines.head = milliseconds(200);
  return options;
}

// A server that takes client certificates, so that its part of a handshake is as long as it gets.
struct Target {
  explicit Target(ServerOptions options = {}) : running(std::move(options), {listener()}) {}

  ListenerOptions listener() const {
    ListenerOptions options;
    options.tls = TlsOptions{files.path("server.pem"),
                             files.path("server.key"),
                             files.path("ca.pem"),
                             ClientCertificates::optional,
                             {}};
    return options;
  }

  std::uint16_t port() const { return running.port(); }
  Counters counters() const { return running.server->counters(); }

  bool serves() const {
    ClientTls tls(files.path("ca.pem"), files.path("client.pem"), files.path("client.key"));
    Client client(port(), &tls);
    if (!client.is_connected() || !client.send(kGet)) return false;
    const auto reply = client.read();
    return reply && reply->status == 200;
  }

  // Nobody is connected any more.
  bool is_empty() const {
    return eventually([this] { return counters().open == 0; });
  }

  Certificates files;
  Running running;
};

// The first flight of a client: one record.
std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl);
  SSL_do_handshake(ssl);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string hello(data, static_cast<std::size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

std::string record(char type, const std::string& payload) {
  std::string bytes = {type, 3, 1, static_cast<char>(payload.size() >> 8),
                       static_cast<char>(payload.size())};
  return bytes + payload;
}

}  // namespace

TEST_CASE("half a handshake is cut off at its deadline") {
  const Target target(impatient());
  const std::string hello = client_hello();
  std::vector<Client> clients;
  for (std::size_t i = 0; i < 20; ++i) {
    clients.emplace_back(target.port());
    clients.back().send(std::string_view(hello).substr(0, i * hello.size() / 20));
  }
  CHECK(target.serves());
  for (Client& client : clients) CHECK(client.ends());
  CHECK(eventually([&] { return target.counters().timeouts == 20; }));
  CHECK(target.is_empty());
}

TEST_CASE("a client that answers nothing to the server's part is cut off") {
  const Target target(impatient());
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(target.port());
    clients.back().send(client_hello());
  }
  CHECK(target.serves());
  CHECK(eventually([&] { return target.counters().timeouts == 20; }));
  CHECK(target.is_empty());
}

TEST_CASE("many handshakes and then silence are cut off") {
  const Target target(impatient());
  ClientTls tls(target.files.path("ca.pem"));
  std::vector<Client> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back(target.port(), &tls);
    CHECK(clients.back().is_connected());
  }
  CHECK(target.serves());
  CHECK(eventually([&] { return target.counters().timeouts == 40; }));
  CHECK(target.is_empty());
}

TEST_CASE("a reset at any point of a handshake harms nothing") {
  const Target target;
  const std::string hello = client_hello();
  for (std::size_t sent = 0; sent <= hello.size(); sent += 7) {
    Client client(target.port());
    client.send(std::string_view(hello).substr(0, sent));
    client.reset();
  }
  for (int i = 0; i < 50; ++i) {  // The server is sending its part.
    Client client(target.port());
    client.send(hello);
    if (i % 2 == 0) client.receive(1);
    client.reset();
  }
  CHECK(target.serves());
  CHECK(target.is_empty());
}

TEST_CASE("a client hello with any octet changed harms nothing") {
  const Target target(impatient());
  const std::string hello = client_hello();
  for (std::size_t at = 0; at < hello.size(); ++at) {
    std::string changed = hello;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    Client client(target.port());
    client.send(changed);
    client.half_close();
    if (at % 100 == 0) CHECK(target.serves());
  }
  CHECK(target.serves());
  CHECK(target.is_empty());
}

TEST_CASE("garbage behind a client hello is closed") {
  const Target target;
  for (const std::string& garbage :
       {record(22, std::string(100, '\xff')), record(23, "early data"), record(21, "\x01\x5a"),
        record(20, "\x01"), record(99, "what"), std::string(70'000, 'g'), record(22, "")}) {
    Client client(target.port());
    client.send(client_hello());
    client.send(garbage);
    client.half_close();
    while (!client.receive(1000).empty()) {
    }
    CHECK(target.serves());
  }
  CHECK(target.is_empty());
}

TEST_CASE("a client hello that says it is huge is refused before it is read") {
  const Target target;
  Client client(target.port());
  const std::string start("\x01\xff\xff\xff\x03\x03", 6);  // 16 MiB.
  client.send(record(22, start + std::string(16'000, 'h')));
  bool open = true;
  for (int i = 0; open && i < 2000; ++i) open = client.send(record(22, std::string(16'000, 'h')));
  CHECK(!open);
  CHECK(eventually([&] { return target.counters().handshake_failures == 1; }));
  CHECK(target.serves());
  CHECK(target.is_empty());
}

TEST_CASE("a client may not renegotiate") {
  const Target target;
  ClientTls tls(target.files.path("ca.pem"), {}, {}, TLS1_2_VERSION);
  Client client(target.port(), &tls);
  REQUIRE(client.is_connected());
  client.send(kGet);
  CHECK(client.read()->status == 200);
  CHECK(!client.renegotiate());
  CHECK(target.counters().handshakes == 1);
  CHECK(target.serves());
}

TEST_CASE("plain HTTP on a TLS port gets 400 in plain text") {
  const Target target;
  Client client(target.port());
  client.send(kGet);
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 400);
  CHECK(reply->header("content-type") == "application/problem+json");
  CHECK(client.ends());
  CHECK(target.serves());
}

TEST_CASE("garbage instead of a handshake is closed") {
  const Target target;
  Client client(target.port());
  client.send(std::string("\x16\x03\x01\x00\x05garbage that is no hello", 29));
  CHECK(client.receive(100).size() < 100);
  CHECK(target.is_empty());
}
