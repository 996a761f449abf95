// TLS with and without client certificates, resumption, reload.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

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

ListenerOptions listener(const Certificates& files, ClientCertificates clients) {
  ListenerOptions options;
  options.tls = TlsOptions{
      files.path("server.pem"), files.path("server.key"), files.path("ca.pem"), clients, {}};
  return options;
}

int status_of(Client& client, const std::string& request = kGet) {
  if (!client.is_connected() || !client.send(request)) return 0;
  const auto reply = client.read();
  return reply ? reply->status : 0;
}

}  // namespace

TEST_CASE("requests over TLS 1.2 and 1.3") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::none)});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientTls tls(files.path("ca.pem"), {}, {}, version);
    Client client(running.port(), &tls);
    CHECK(status_of(client) == 200);
    CHECK(status_of(client) == 200);
    client.send("POST /reflect HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    client.send(std::string(300'000, 'q'));
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->body == std::string(300'000, 'q'));
    client.send("GET /flood?300 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read()->body.size() == 300u * 16 * 1024);
  }
  CHECK(running.server->counters().handshakes == 2);
}

TEST_CASE("TLS 1.1 is refused") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::none)});
  ClientTls tls(files.path("ca.pem"), {}, {}, TLS1_1_VERSION);
  CHECK(!Client(running.port(), &tls).is_connected());
  CHECK(eventually([&] { return running.server->counters().handshake_failures == 1; }));
}

TEST_CASE("a verified client certificate travels with the request") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::optional)});
  ClientTls with(files.path("ca.pem"), files.path("client.pem"), files.path("client.key"));
  Client client(running.port(), &with);
  REQUIRE(status_of(client) == 200);
  const auto certificate = running.handler.heads().back().peer.certificate;
  REQUIRE(certificate);
  CHECK(certificate->subject == "CN=client");
  CHECK(certificate->sans == std::vector<std::string>{"URI:urn:test:client", "DNS:client.test"});
  CHECK(certificate->fingerprint_sha256.size() == 64);
  CHECK(certificate->fingerprint_sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
  ClientTls without(files.path("ca.pem"));
  Client anonymous(running.port(), &without);
  REQUIRE(status_of(anonymous) == 200);
  CHECK(!running.handler.heads().back().peer.certificate);
}

TEST_CASE("a required client certificate must be there and be signed by the client CA") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::required)});
  ClientTls without(files.path("ca.pem"));
  Client first(running.port(), &without);
  CHECK(status_of(first) == 0);
  ClientTls stranger(files.path("ca.pem"), files.path("stranger.pem"), files.path("stranger.key"));
  Client second(running.port(), &stranger);
  CHECK(status_of(second) == 0);
  CHECK(running.handler.heads().empty());
  ClientTls known(files.path("ca.pem"), files.path("client.pem"), files.path("client.key"));
  Client third(running.port(), &known);
  CHECK(status_of(third) == 200);
}

TEST_CASE("an unknown certificate is refused also where none is required") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::optional)});
  ClientTls stranger(files.path("ca.pem"), files.path("stranger.pem"), files.path("stranger.key"));
  Client client(running.port(), &stranger);
  CHECK(status_of(client) == 0);
}

TEST_CASE("sessions are resumed, with the client's certificate") {
  const Certificates files;
  ServerOptions options;
  options.workers = 2;
  Running running(std::move(options), {listener(files, ClientCertificates::required)});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    ClientTls tls(files.path("ca.pem"), files.path("client.pem"), files.path("client.key"),
                  version);
    std::string fingerprint;
    for (int i = 0; i < 4; ++i) {
      Client client(running.port(), &tls);
      REQUIRE(status_of(client) == 200);
      CHECK(client.resumed() == (i > 0));
      const auto certificate = running.handler.heads().back().peer.certificate;
      REQUIRE(certificate);
      if (i == 0) fingerprint = certificate->fingerprint_sha256;
      CHECK(certificate->fingerprint_sha256 == fingerprint);
    }
  }
  CHECK(running.server->counters().resumed == 6);
}

TEST_CASE("reload takes new files for new connections and keeps the old ones open") {
  Certificates files;
  Running running({}, {listener(files, ClientCertificates::none)});
  ClientTls tls(files.path("ca.pem"));
  Client old(running.port(), &tls);
  CHECK(status_of(old) == 200);
  files.renew_server();
  REQUIRE(running.server->reload_tls());
  CHECK(status_of(old) == 200);
  Client fresh(running.port(), &tls);
  CHECK(status_of(fresh) == 200);
  CHECK(!fresh.resumed());
}

TEST_CASE("a failed reload changes nothing, a failed start names the file") {
  const Certificates files;
  ListenerOptions options = listener(files, ClientCertificates::none);
  Running running({}, {options});
  std::FILE* file = std::fopen(files.path("server.key").c_str(), "w");
  REQUIRE(file);
  std::fclose(file);
  CHECK(!running.server->reload_tls());
  ClientTls tls(files.path("ca.pem"));
  Client client(running.port(), &tls);
  CHECK(status_of(client) == 200);
  const auto second = Server::start({}, {{options, &running.handler}});
  REQUIRE(!second);
  CHECK(second.error().message.find("server.key") != std::string::npos);
}

TEST_CASE("a client that closes its side of TLS is still answered") {
  const Certificates files;
  Running running({}, {listener(files, ClientCertificates::none)});
  ClientTls tls(files.path("ca.pem"));
  Client client(running.port(), &tls);
  client.send("GET /hold?1 HTTP/1.1\r\nHost: h\r\n\r\n");
  running.handler.wait_for_held(1);
  client.half_close();
  running.handler.release(1);
  CHECK(client.read()->body == "GET 1 ");
}

TEST_CASE("a client that does not read is cut off under TLS") {
  const Certificates files;
  ServerOptions options;
  options.deadlines.write = milliseconds(100);
  Running running(std::move(options), {listener(files, ClientCertificates::none)});
  ClientTls tls(files.path("ca.pem"));
  Client slow(running.port(), &tls);
  slow.shrink_receive_buffer();
  slow.send("GET /flood?10000 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(eventually([&] { return running.handler.closed() == 1; }));
}
