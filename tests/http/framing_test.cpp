// What the server makes of bytes: each case is sent in one piece and byte by byte.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/http/client.h"
#include "tests/http/fixture.h"

using namespace flora::http;
using namespace flora::http::test;

namespace {

struct Case {
  std::string name;
  std::string bytes;
  std::vector<int> statuses;
  bool closes = false;
};

std::string get(const std::string& target, const std::string& fields = {},
                const std::string& version = "HTTP/1.1") {
  return "GET " + target + " " + version + "\r\nHost: h\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields, const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::string nul(std::string before, const std::string& after) {
  before.push_back('\0');
  return before + after;
}

const std::string kChunks = "3\r\nabc\r\n0\r\n\r\n";

std::vector<Case> well_formed() {
  return {
      {"a plain request", get("/echo?a"), {200}},
      {"two pipelined requests", get("/echo?a") + get("/echo?b"), {200, 200}},
      {"an empty line before the request", "\r\n" + get("/echo"), {200}},
      {"an empty line after a body",
       post("Content-Length: 1\r\n", "x") + "\r\n" + get("/echo"),
       {200, 200}},
      {"HTTP/1.0 closes", get("/echo", "", "HTTP/1.0"), {200}, true},
      {"HTTP/1.0 needs no Host", "GET /echo HTTP/1.0\r\n\r\n", {200}, true},
      {"HTTP/1.0 stays open when asked",
       get("/echo", "Connection: keep-alive\r\n", "HTTP/1.0"),
       {200}},
      {"a later minor version is 1.1", get("/echo", "", "HTTP/1.2"), {200}},
      {"Connection: close", get("/echo", "Connection: close\r\n"), {200}, true},
      {"close among other options", get("/echo", "Connection: te, CLOSE\r\n"), {200}, true},
      {"nothing is answered after close",
       get("/echo", "Connection: close\r\n") + get("/echo"),
       {200},
       true},
      {"a lower-case method is a token", "get /echo HTTP/1.1\r\nHost: h\r\n\r\n", {200}},
      {"an unknown method goes to the router", "BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n", {200}},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", {200}},
      {"absolute form", get("http://other/echo?q"), {200}},
      {"absolute form without a path", get("HTTPS://other:8443"), {200}},
      {"absolute form with a query alone", get("http://other?q"), {200}},
      {"a Host with a port", "GET /echo HTTP/1.1\r\nHost: h:8080\r\n\r\n", {200}},
      {"a Host that is an IPv6 address", "GET /echo HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {200}},
      {"white space around a value", get("/echo", "X-A: \t b \t\r\n"), {200}},
      {"an empty value", get("/echo", "X-A:\r\n"), {200}},
      {"bytes beyond ASCII in a value", get("/echo", "X-A: \xc3\xa4\r\n"), {200}},
      {"a percent-encoded target", get("/echo%20x?a=%C3%A4"), {200}},
      {"Content-Length 0", post("Content-Length: 0\r\n", ""), {200}},
      {"a POST without a body", post("", ""), {200}},
      {"a body", post("Content-Length: 5\r\n", "hello"), {200}},
      {"a GET with a body", get("/echo", "Content-Length: 2\r\n") + "ab", {200}},
      {"a body and a pipelined request",
       post("Content-Length: 5\r\n", "hello") + get("/echo"),
       {200, 200}},
      {"a chunked body", chunked(kChunks), {200}},
      {"a chunked body in capitals",
       post("Transfer-Encoding: Chunked\r\n", "A\r\n0123456789\r\n0\r\n\r\n"),
       {200}},
      {"two chunked bodies in a row", chunked(kChunks) + chunked(kChunks), {200, 200}},
      {"a chunk extension", chunked("3;a=b\r\nabc\r\n0;last\r\n\r\n"), {200}},
      {"white space before an extension", chunked("3 ;a\r\nabc\r\n0\r\n\r\n"), {200}},
      {"leading zeros of a chunk size", chunked("0003\r\nabc\r\n00\r\n\r\n"), {200}},
      {"trailer fields", chunked("3\r\nabc\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n"), {200}},
      {"an empty chunked body", chunked("0\r\n\r\n"), {200}},
      {"CR LF within a chunk are data", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), {200}},
      {"Expect in HTTP/1.0 is ignored",
       "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
       {200},
       true},
      {"Expect without a body", get("/echo", "Expect: 100-continue\r\n"), {200}},
      {"a refusal by the handler", get("/refuse"), {403}},
      {"a refused body that is small is read",
       "POST /refuse HTTP/1.1\r\nHost: h\r\n"
       "Content-Length: 5\r\n\r\nhello" +
           get("/echo"),
       {403, 200}},
      {"a refused chunked body ends the connection",
       "POST /refuse HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + kChunks +
           get("/echo"),
       {403},
       true},
      {"the handler closes", get("/close") + get("/echo"), {200}, true},
      {"a dropped Responder", get("/drop"), {500}},
      {"an exception in handle", get("/throw"), {500}},
      {"an exception in admit", get("/throw-early"), {500}},
      {"a line break in a field of the answer", get("/bad"), {500}},
      {"204 has no body", get("/status?204") + get("/echo"), {204, 200}},
      {"304 has no body", get("/status?304") + get("/echo"), {304, 200}},
      {"a status that is none", get("/status?99"), {500}},
      {"a body at the limit", post("Content-Length: 1000\r\n", std::string(1000, 'b')), {200}},
      {"a body beyond the limit that is small is read and dropped",
       post("Content-Length: 1001\r\n", std::string(1001, 'b')) + get("/echo"),
       {413, 200}},
      {"a large body beyond the limit ends the connection",
       post("Content-Length: 70000\r\n", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"),
       {413},
       true},
      {"an early answer to a small streamed body",
       "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + get("/echo"),
       {409, 200}},
      {"a streamed request without a body",
       "POST /count HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo"),
       {200, 200}},
  };
}

std::vector<Case> malformed() {
  const auto bad = [](std::string name, std::string bytes, int status = 400) {
    return Case{std::move(name), std::move(bytes), {status}, true};
  };
  return {
      bad("no Host", "GET /echo HTTP/1.1\r\n\r\n"),
      bad("two Hosts", get("/echo", "Host: h\r\n")),
      bad("an empty Host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n"),
      bad("a Host with a path", "GET /echo HTTP/1.1\r\nHost: h/x\r\n\r\n"),
      bad("a Host list", "GET /echo HTTP/1.1\r\nHost: a, b\r\n\r\n"),
      bad("a Host with user information", "GET /echo HTTP/1.1\r\nHost: u@h\r\n\r\n"),
      bad("a Host with a bad port", "GET /echo HTTP/1.1\r\nHost: h:8x\r\n\r\n"),
      bad("a bare LF after the request line", "GET /echo HTTP/1.1\nHost: h\r\n\r\n"),
      bad("a bare LF after a field", "GET /echo HTTP/1.1\r\nHost: h\n\r\n"),
      bad("bare LFs only", "GET /echo HTTP/1.1\nHost: h\n\n"),
      bad("a bare CR in the request line", "GET /echo HTTP/1.1\rX: y\r\nHost: h\r\n\r\n"),
      bad("a bare CR in a value", get("/echo", "X-A: b\rc\r\n")),
      bad("bare CRs only", "GET /echo HTTP/1.1\rHost: h\r\r"),
      bad("NUL in a value", get("/echo", nul("X-A: b", "c\r\n"))),
      bad("NUL in a name", get("/echo", nul("X", "A: c\r\n"))),
      bad("NUL in the target", nul("GET /e", "cho HTTP/1.1\r\nHost: h\r\n\r\n")),
      bad("DEL in a value", get("/echo", "X-A: b\x7f\r\n")),
      bad("a space before the colon", get("/echo", "X-A : b\r\n")),
      bad("a space before the colon of a framing field", post("Content-Length : 1\r\n", "x")),
      bad("a folded field", get("/echo", "X-A: b\r\n c\r\n")),
      bad("a fold as the first field", "GET /echo HTTP/1.1\r\n Host: h\r\n\r\n"),
      bad("a field without a colon", get("/echo", "X-A\r\n")),
      bad("a field without a name", get("/echo", ": b\r\n")),
      bad("a name that is no token", get("/echo", "X(A): b\r\n")),
      bad("two Content-Lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "x")),
      bad("two different Content-Lengths",
          post("Content-Length: 1\r\nContent-Length: 2\r\n", "xy")),
      bad("a Content-Length list", post("Content-Length: 1, 1\r\n", "x")),
      bad("a Content-Length with a sign", post("Content-Length: +3\r\n", "abc")),
      bad("a negative Content-Length", post("Content-Length: -3\r\n", "abc")),
      bad("a hexadecimal Content-Length", post("Content-Length: 0x3\r\n", "abc")),
      bad("a Content-Length of two numbers", post("Content-Length: 3 4\r\n", "abc")),
      bad("an empty Content-Length", post("Content-Length:\r\n", "")),
      bad("a huge Content-Length", post("Content-Length: 99999999999999999999\r\n", "")),
      bad("both framings", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", kChunks)),
      bad("both framings, turned",
          post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", kChunks)),
      bad("two Transfer-Encodings",
          post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kChunks)),
      bad("an unknown coding alone", post("Transfer-Encoding: gzip\r\n", "")),
      bad("an unknown coding before chunked", post("Transfer-Encoding: gzip, chunked\r\n", kChunks),
          501),
      bad("chunked before an unknown coding",
          post("Transfer-Encoding: chunked, gzip\r\n", kChunks)),
      bad("chunked twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", kChunks)),
      bad("the begin of a ClientHello", "\x16\x03\x01"),
      bad("identity", post("Transfer-Encoding: identity\r\n", "")),
      bad("an almost chunked coding", post("Transfer-Encoding: xchunked\r\n", kChunks)),
      bad("a quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", kChunks)),
      bad("a vertical tab before the coding", post("Transfer-Encoding: \vchunked\r\n", kChunks)),
      bad("chunked in HTTP/1.0",
          "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + kChunks),
      bad("a chunk size that is no number", chunked("x\r\n")),
      bad("an empty chunk size", chunked("\r\nabc")),
      bad("a chunk size with a sign", chunked("+3\r\nabc\r\n0\r\n\r\n")),
      bad("a chunk size with a prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")),
      bad("white space after a chunk size", chunked("3 \r\nabc\r\n0\r\n\r\n")),
      bad("a huge chunk size", chunked("FFFFFFFFFFFFFFFFF\r\n")),
      bad("a chunk size that ends with LF", chunked("3\nabc\r\n0\r\n\r\n")),
      bad("chunk data longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n")),
      bad("chunk data that ends with LF", chunked("3\r\nabc\n0\r\n\r\n")),
      bad("NUL in a chunk extension", chunked(nul("3;a", "\r\nabc\r\n0\r\n\r\n"))),
      bad("a bare LF in a chunk extension", chunked("3;a\nabc\r\n0\r\n\r\n")),
      bad("a chunk extension without an end", chunked("3;" + std::string(5000, 'e'))),
      bad("a folded trailer", chunked("0\r\nX: y\r\n z\r\n\r\n")),
      bad("a trailer without a colon", chunked("0\r\nX\r\n\r\n")),
      bad("trailers without an end", chunked("0\r\nX: " + std::string(9000, 't'))),
      bad("no version", "GET /echo\r\nHost: h\r\n\r\n"),
      bad("an empty request line twice", "\r\n\r\n" + get("/echo")),
      bad("a lower-case version", get("/echo", "", "http/1.1")),
      bad("a version without a minor", get("/echo", "", "HTTP/1")),
      bad("a long version", get("/echo", "", "HTTP/1.10")),
      bad("HTTP/2", get("/echo", "", "HTTP/2.0"), 505),
      bad("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
      bad("two spaces in the request line", "GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n"),
      bad("a tab in the request line", "GET\t/echo HTTP/1.1\r\nHost: h\r\n\r\n"),
      bad("a space in the target", get("/ec ho")),
      bad("a space at the front", " " + get("/echo")),
      bad("a method that is no token", "GE(T /echo HTTP/1.1\r\nHost: h\r\n\r\n"),
      bad("a long method", std::string(40, 'M') + " /echo HTTP/1.1\r\nHost: h\r\n\r\n", 501),
      bad("CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 501),
      bad("an asterisk with GET", get("*")),
      bad("a target without a slash", get("echo")),
      bad("a target with a fragment", get("/echo#f")),
      bad("a target beyond ASCII", get("/\xc3\xa4")),
      bad("an unfinished percent sign", get("/echo%2")),
      bad("a wrong percent sign", get("/echo?%zz")),
      bad("a brace in the target", get("/{echo}")),
      bad("an absolute target of another scheme", get("ftp://h/echo")),
      bad("an absolute target without a host", get("http:///echo")),
      bad("an absolute target with user information", get("http://u:p@h/echo")),
      bad("a long target", get("/" + std::string(9000, 'a')), 414),
      bad("a request line without an end", "GET /" + std::string(9000, 'a'), 414),
      bad("a long field", get("/echo", "X-A: " + std::string(40000, 'a') + "\r\n"), 431),
      bad("a field without an end",
          "GET /echo HTTP/1.1\r\nHost: h\r\nX: " + std::string(40000, 'a'), 431),
      bad("an unknown expectation", get("/echo", "Expect: 200-ok\r\n"), 417),
      bad("two expectations in one", post("Expect: 100-continue, x\r\nContent-Length: 1\r\n", "x"),
          417),
      bad("a chunked body beyond the limit",
          chunked("3E9\r\n" + std::string(1001, 'b') + "\r\n0\r\n\r\n"), 413),
      bad("TLS on a plain port", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 12)),
  };
}

void check(Client& client, const Case& item) {
  for (const int status : item.statuses) {
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == status);
    CHECK(reply->complete);
    CHECK(!reply->header("date").empty());
    if (status >= 400) CHECK(reply->header("content-type") == "application/problem+json");
    CHECK(reply->body.find("secret") == std::string::npos);
    if (item.closes && &status == &item.statuses.back()) {
      CHECK(reply->header("connection") == "close");
    }
  }
  if (item.closes) {
    CHECK(client.ends());
    return;
  }
  REQUIRE(client.send(get("/echo?probe")));
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->body == "GET probe ");
}

void run(const std::vector<Case>& cases, bool bytewise) {
  Running running;
  for (const Case& item : cases) {
    CAPTURE(item.name);
    CAPTURE(bytewise);
    Client client(running.port());
    REQUIRE(client.is_connected());
    if (bytewise) {
      client.send_bytewise(item.bytes);  // The server may answer and close before the end.
    } else {
      REQUIRE(client.send(item.bytes));
    }
    check(client, item);
  }
}

}  // namespace

TEST_CASE("well-formed requests are answered") { run(well_formed(), false); }

TEST_CASE("well-formed requests are answered when each byte comes alone") {
  run(well_formed(), true);
}

TEST_CASE("malformed requests are refused with a problem and the connection ends") {
  run(malformed(), false);
}

TEST_CASE("malformed requests are refused when each byte comes alone") { run(malformed(), true); }

TEST_CASE("too many header fields are refused") {
  Running running;
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "X-" + std::to_string(i) + ": a\r\n";
  Client client(running.port());
  client.send(get("/echo", fields));
  const auto reply = client.read();
  REQUIRE(reply);
  CHECK(reply->status == 431);
  CHECK(client.ends());
}

TEST_CASE("a request cut at any place and ended gets 400 or nothing") {
  Running running;
  const std::string whole = chunked("3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n");
  for (std::size_t n = 1; n < whole.size(); ++n) {
    CAPTURE(n);
    Client client(running.port());
    client.send(whole.substr(0, n));
    client.half_close();
    const auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == 400);
    CHECK(client.ends());
  }
}
