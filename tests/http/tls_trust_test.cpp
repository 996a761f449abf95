// Whose client certificate is taken: usage, strength, dates, CRLs; sessions, reload and connections
// that outlive what they began with.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/fake_env.h"
#include "tests/http/certificates.h"
#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora;
using namespace flora::http;
using namespace flora::http::test;

namespace {

const std::string kGet = "GET /echo?t HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::int64_t kMinuteMs = 60'000;

ListenerOptions listener(const Certificates& files, bool with_crl) {
  ListenerOptions options;
  options.tls =
      TlsOptions{files.path("server.pem"), files.path("server.key"), files.path("ca.pem"),
                 ClientCertificates::required, with_crl ? files.path("crl.pem") : std::string()};
  return options;
}

ClientTls showing(const Certificates& files, const std::string& name, int version = 0) {
  return ClientTls(files.path("ca.pem"), files.path(name + ".pem"), files.path(name + ".key"),
                   version);
}

Wanted client_certificate() {
  Wanted wanted;
  wanted.usage = "clientAuth";
  return wanted;
}

int status_of(Client& client) {
  if (!client.is_connected() || !client.send(kGet)) return 0;
  const auto reply = client.read();
  return reply ? reply->status : 0;
}

int status_of(std::uint16_t port, ClientTls& tls) {
  Client client(port, &tls);
  return status_of(client);
}

// Whether the one client is taken and nothing else happens.
bool takes(const Running& running, const Certificates& files, const std::string& name) {
  const std::uint64_t before = running.server->counters().untrusted;
  ClientTls tls = showing(files, name);
  const bool taken = status_of(running.port(), tls) == 200;
  CHECK(eventually([&] { return running.server->counters().untrusted == before + !taken; }));
  return taken;
}

}  // namespace

TEST_CASE("a certificate for other purposes than client authentication is refused") {
  Certificates files;
  Running running({}, {listener(files, false)});
  Wanted wanted = client_certificate();
  wanted.usage = "serverAuth";
  files.issue("c", wanted);
  CHECK(!takes(running, files, "c"));
  wanted.usage = "serverAuth,clientAuth";
  files.issue("c", wanted);
  CHECK(takes(running, files, "c"));
  wanted.usage = "";  // RFC 5280 §4.2.1.12: any.
  files.issue("c", wanted);
  CHECK(takes(running, files, "c"));
}

TEST_CASE("a certificate that has expired or is not valid yet is refused") {
  Certificates files;
  Running running({}, {listener(files, false)});
  Wanted wanted = client_certificate();
  wanted.end = -60;
  files.issue("c", wanted);
  CHECK(!takes(running, files, "c"));
  wanted.begin = 600;
  wanted.end = 1200;
  files.issue("c", wanted);
  CHECK(!takes(running, files, "c"));
}

TEST_CASE("a certificate with a short key or a weak hash is refused") {
  Certificates files;
  Running running({}, {listener(files, false)});
  Wanted wanted = client_certificate();
  wanted.key = "RSA3072";
  files.issue("c", wanted);
  CHECK(takes(running, files, "c"));
  wanted.key = "RSA2048";
  files.issue("c", wanted);
  CHECK(!takes(running, files, "c"));
}

TEST_CASE("a client may bring the CAs between it and the root") {
  Certificates files;
  Wanted authority;
  authority.is_authority = true;
  files.issue("sub-ca", authority);
  Wanted wanted = client_certificate();
  wanted.issuer = "sub-ca";
  files.issue("c", wanted);
  Running running({}, {listener(files, false)});
  CHECK(!takes(running, files, "c"));
  files.join("c.pem", {"c", "sub-ca"});
  CHECK(takes(running, files, "c"));
}

TEST_CASE("a revoked certificate is refused, others of its issuer are taken") {
  Certificates files;
  files.issue("revoked", client_certificate());
  files.write_crls("crl.pem", {{"ca", {"revoked"}}});
  Running running({}, {listener(files, true)});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    ClientTls revoked = showing(files, "revoked", version);
    CHECK(status_of(running.port(), revoked) == 0);
    ClientTls good = showing(files, "client", version);
    CHECK(status_of(running.port(), good) == 200);
  }
  CHECK(running.handler.heads().size() == 2);
  CHECK(eventually([&] { return running.server->counters().untrusted == 2; }));
  CHECK(eventually([&] { return running.server->counters().handshake_failures == 2; }));
}

TEST_CASE("a certificate is refused while its issuer has no CRL in force") {
  Certificates files;
  files.write_crls("crl.pem", {{"ca", {}, -7200, -3600}});
  Running running({}, {listener(files, true)});
  CHECK(!takes(running, files, "client"));
  files.write_crls("crl.pem", {{"ca", {}, 600, 3600}});
  REQUIRE(running.server->reload_tls());
  CHECK(!takes(running, files, "client"));
  files.write_crls("crl.pem", {{"other-ca", {}}});
  REQUIRE(running.server->reload_tls());
  CHECK(!takes(running, files, "client"));
  files.write_crls("crl.pem", {{"ca", {}, -7200, -3600}, {"ca", {}}});
  REQUIRE(running.server->reload_tls());
  CHECK(takes(running, files, "client"));
}

TEST_CASE("a CRL counts only if its issuer has signed it") {
  Certificates files;
  files.write_crls("crl.pem", {{"ca", {}}});
  Running running({}, {listener(files, true)});
  Certificates others;
  others.write_crls("crl.pem", {{"ca", {}}});  // The same name, another key.
  std::filesystem::copy_file(others.path("crl.pem"), files.path("crl.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  REQUIRE(running.server->reload_tls());
  CHECK(!takes(running, files, "client"));
}

TEST_CASE("each CA of a chain needs a CRL, and may be revoked itself") {
  Certificates files;
  Wanted authority;
  authority.is_authority = true;
  files.issue("sub-ca", authority);
  Wanted wanted = client_certificate();
  wanted.issuer = "sub-ca";
  files.issue("c", wanted);
  files.join("c.pem", {"c", "sub-ca"});
  files.write_crls("crl.pem", {{"ca", {}}});
  Running running({}, {listener(files, true)});
  CHECK(!takes(running, files, "c"));
  files.write_crls("crl.pem", {{"ca", {}}, {"sub-ca", {}}});
  REQUIRE(running.server->reload_tls());
  CHECK(takes(running, files, "c"));
  files.write_crls("crl.pem", {{"ca", {"sub-ca"}}, {"sub-ca", {}}});
  REQUIRE(running.server->reload_tls());
  CHECK(!takes(running, files, "c"));
}

TEST_CASE("a session from before a reload does not outlive a revocation") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Certificates files;
    files.write_crls("crl.pem", {{"ca", {}}});
    Running running({}, {listener(files, true)});
    ClientTls tls = showing(files, "client", version);
    CHECK(status_of(running.port(), tls) == 200);
    {
      Client again(running.port(), &tls);
      CHECK(status_of(again) == 200);
      CHECK(again.resumed());
    }
    files.write_crls("crl.pem", {{"ca", {"client"}}});
    REQUIRE(running.server->reload_tls());
    Client client(running.port(), &tls);
    CHECK(status_of(client) == 0);
    CHECK(!client.resumed());
    CHECK(running.handler.heads().size() == 2);
  }
}

TEST_CASE("a reload that fails leaves the CRL that was in force") {
  Certificates files;
  files.issue("revoked", client_certificate());
  files.write_crls("crl.pem", {{"ca", {"revoked"}}});
  Running running({}, {listener(files, true)});
  files.write_crls("crl.pem", {});
  CHECK(!running.server->reload_tls());
  CHECK(!takes(running, files, "revoked"));
  CHECK(takes(running, files, "client"));
}

TEST_CASE("a session is not resumed beyond the certificate or the CRL it began with") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool crl_ends : {false, true}) {
      CAPTURE(version);
      CAPTURE(crl_ends);
      Certificates files;
      FakeEnv env(Env::system().now_ms());
      Wanted wanted = client_certificate();
      wanted.end = crl_ends ? 3600 : 600;
      files.issue("c", wanted);
      files.write_crls("crl.pem", {{"ca", {}, -3600, crl_ends ? 600 : 3600}});
      ServerOptions options;
      options.env = &env;
      Running running(std::move(options), {listener(files, true)});
      ClientTls tls = showing(files, "c", version);
      CHECK(status_of(running.port(), tls) == 200);
      CHECK(status_of(running.port(), tls) == 200);
      CHECK(running.server->counters().resumed == 1);
      env.advance_ms(20 * kMinuteMs);
      CHECK(status_of(running.port(), tls) == 0);  // Resumed, and found wanting.
      CHECK(status_of(running.port(), tls) == 0);  // The session is gone.
      CHECK(eventually([&] { return running.server->counters().untrusted == 2; }));
      CHECK(running.server->counters().resumed == 1);
      CHECK(running.handler.heads().size() == 2);
    }
  }
}

TEST_CASE("after a reload a connection is told to come again with its next answer") {
  Certificates files;
  files.write_crls("crl.pem", {{"ca", {}}});
  Running running({}, {listener(files, true)});
  ClientTls tls = showing(files, "client");
  Client client(running.port(), &tls);
  CHECK(status_of(client) == 200);
  REQUIRE(running.server->reload_tls());
  client.send(kGet + kGet);
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->header("connection") == "close");
  CHECK(client.ends());
  CHECK(running.handler.heads().size() == 2);
  CHECK(status_of(running.port(), tls) == 200);
}

TEST_CASE("after a reload a connection of a revoked certificate gets nothing more") {
  Certificates files;
  files.write_crls("crl.pem", {{"ca", {}}});
  Running running({}, {listener(files, true)});
  ClientTls tls = showing(files, "client");
  Client client(running.port(), &tls);
  CHECK(status_of(client) == 200);
  files.write_crls("crl.pem", {{"ca", {"client"}}});
  REQUIRE(running.server->reload_tls());
  CHECK(status_of(client) == 0);
  CHECK(running.handler.heads().size() == 1);
  CHECK(eventually([&] { return running.server->counters().untrusted == 1; }));
}

TEST_CASE("a request that is under way at a reload is answered") {
  Certificates files;
  files.write_crls("crl.pem", {{"ca", {}}});
  Running running({}, {listener(files, true)});
  ClientTls tls = showing(files, "client");
  Client client(running.port(), &tls);
  REQUIRE(client.is_connected());
  client.send("POST /hold?1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
  running.handler.wait_for_held(1);
  files.write_crls("crl.pem", {{"ca", {"client"}}});
  REQUIRE(running.server->reload_tls());
  running.handler.release(1);
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->body == "POST 1 ab");
  CHECK(status_of(client) == 0);
}

TEST_CASE("a body that streams is read as long as its sender is trusted") {
  const std::string head = "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const bool expires : {false, true}) {
    CAPTURE(expires);
    Certificates files;
    FakeEnv env(Env::system().now_ms());
    files.write_crls("crl.pem", {{"ca", {}}});
    Wanted wanted = client_certificate();
    wanted.end = 600;
    files.issue("c", wanted);
    ServerOptions options;
    options.env = &env;
    Running running(std::move(options), {listener(files, !expires)});
    ClientTls tls = showing(files, "c");
    Client client(running.port(), &tls);
    REQUIRE(client.is_connected());
    client.send(head + "3\r\nabc\r\n");
    REQUIRE(eventually([&] { return running.handler.received() == 3; }));
    REQUIRE(running.server->reload_tls());
    client.send("3\r\ndef\r\n");  // Judged anew, and good.
    REQUIRE(eventually([&] { return running.handler.received() == 6; }));
    if (expires) {
      env.advance_ms(20 * kMinuteMs);
    } else {
      files.write_crls("crl.pem", {{"ca", {"c"}}});
      REQUIRE(running.server->reload_tls());
    }
    client.send("3\r\nghi\r\n0\r\n\r\n");
    CHECK(eventually([&] { return running.server->counters().untrusted == 1; }));
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == 401);
    CHECK(client.ends());
    CHECK(running.handler.received() == 6);
  }
}

TEST_CASE("a connection does not outlive the certificate that it began with") {
  Certificates files;
  FakeEnv env(Env::system().now_ms());
  Wanted wanted = client_certificate();
  wanted.end = 600;
  files.issue("c", wanted);
  ServerOptions options;
  options.env = &env;
  Running running(std::move(options), {listener(files, false)});
  ClientTls tls = showing(files, "c");
  Client client(running.port(), &tls);
  CHECK(status_of(client) == 200);
  env.advance_ms(20 * kMinuteMs);
  CHECK(status_of(client) == 0);
  CHECK(running.handler.heads().size() == 1);
}

TEST_CASE("reloads while clients come and go lose no request") {
  Certificates files;
  files.issue("revoked", client_certificate());
  files.write_crls("crl.pem", {{"ca", {"revoked"}}});
  ServerOptions options;
  options.workers = 2;
  Running running(std::move(options), {listener(files, true)});
  constexpr int kReloads = 60;
  std::atomic<bool> over{false};
  std::atomic<int> lost{0};
  std::atomic<int> taken{0};
  std::atomic<int> rounds{0};
  // Each connection is used until the server ends it, ten times at most.
  const auto work = [&](const char* name, bool good, int version) {
    ClientTls tls = showing(files, name, version);
    while (!over) {
      Client client(running.port(), &tls);
      for (int i = 0; i < 10; ++i) {
        const bool sent = client.is_connected() && client.send(kGet);
        const auto reply = sent ? client.read() : std::nullopt;
        if (good && !reply) ++lost;
        if (!good && reply) ++taken;
        if (!reply || reply->header("connection") == "close") break;
      }
      ++rounds;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(work, "client", true, TLS1_2_VERSION);
  threads.emplace_back(work, "client", true, TLS1_3_VERSION);
  threads.emplace_back(work, "revoked", false, TLS1_3_VERSION);
  for (int i = 0; i < kReloads; ++i) {
    const int before = rounds;
    CHECK(running.server->reload_tls());
    CHECK(eventually([&] { return rounds > before + 2; }));
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(lost == 0);
  CHECK(taken == 0);
  CHECK(eventually([&] { return running.server->counters().untrusted > 0; }));
}

// OpenSSL keeps what it reads of a CA when it is first asked: ThreadSanitizer watches.
TEST_CASE("the first clients of several workers may come at the same time") {
  Certificates files;
  for (int round = 0; round < 10; ++round) {
    ServerOptions options;
    options.workers = 2;
    Running running(std::move(options), {listener(files, false)});
    std::atomic<int> taken = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        ClientTls tls = showing(files, "client");
        if (status_of(running.port(), tls) == 200) ++taken;
      });
    }
    for (std::thread& client : clients) client.join();
    CHECK(taken == 8);
  }
}
