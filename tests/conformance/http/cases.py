"""Start here. The table: octets that a client may send, and what the gateway makes of them.

A case says which statuses the gateway answers with, in order, and whether the connection stays open
behind them. differences.py says where nginx differs, and why.
"""

import dataclasses
import json

AUTHORITY = "999902"
HOST = "Host: h\r\n"
WHO = f"Flora-Dev-Authority: {AUTHORITY}\r\n"
EVENT = json.dumps({
    "id": "conformance", "source": "urn:flora:conformance", "status": "REGISTRIERUNG_ABGESCHLOSSEN",
    "occurredOn": "2026-11-02", "reporter": {"authority": AUTHORITY},
    "procedure": {"identifiers": [{"type": "D_NUMMER", "value": "CONFORMANCE1"}]}})
OK = 200  # Any status below 300.
LENGTH = f"Content-Length: {len(EVENT)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    sent: bytes
    statuses: tuple[int, ...] = (OK,)
    opened: bool = True
    half_closed: bool = False  # The client ends its side after sending.
    heads: bool = False        # The answers are to HEAD.


def octets(text):
    return text.encode("latin-1")


def get(target="/v1/statuses", fields="", version="HTTP/1.1", method="GET"):
    return octets(f"{method} {target} {version}\r\n{HOST}{WHO}{fields}\r\n")


def post(fields, body="", target="/v1/status-events", version="HTTP/1.1"):
    return octets(f"POST {target} {version}\r\n{HOST}{WHO}Content-Type: application/json\r\n{fields}\r\n{body}")


def chunks(*sizes, end="0\r\n\r\n"):
    """The event in chunks of these sizes, the rest in a last one."""
    out, rest = "", EVENT
    for size in (*sizes, len(EVENT)):
        piece, rest = rest[:size], rest[size:]
        if piece:
            out += f"{len(piece):x}\r\n{piece}\r\n"
    return out + end


def good(name, sent, statuses=(OK,), **more):
    return Case(name, sent, statuses, **more)


def bad(name, sent, status=400):
    """Refused, and the connection ends."""
    return Case(name, sent, (status,), False)


FRAMING = [
    good("a body by Content-Length", post(LENGTH, EVENT)),
    good("a body of no bytes", get("/v1/statuses", "Content-Length: 0\r\n")),
    good("a GET with a body", get(fields="Content-Length: 2\r\n") + b"ab", (400,)),
    good("a chunked body", post(CHUNKED, chunks())),
    good("a chunked body of many chunks", post(CHUNKED, chunks(*[7] * 40))),
    good("a chunked body whose coding is in capitals", post("Transfer-Encoding: CHUNKED\r\n", chunks())),
    bad("Content-Length twice, the same", post(LENGTH + LENGTH, EVENT)),
    bad("Content-Length twice, different", post(LENGTH + "Content-Length: 2\r\n", EVENT)),
    bad("a Content-Length list", post("Content-Length: 2, 2\r\n", "{}")),
    bad("Content-Length with a plus", post("Content-Length: +2\r\n", "{}")),
    bad("Content-Length with a minus", post("Content-Length: -2\r\n", "{}")),
    bad("a hexadecimal Content-Length", post("Content-Length: 0x2\r\n", "{}")),
    bad("a Content-Length of two numbers", post("Content-Length: 2 2\r\n", "{}")),
    bad("a Content-Length with a fraction", post("Content-Length: 2.0\r\n", "{}")),
    bad("an empty Content-Length", post("Content-Length:\r\n", "")),
    bad("a Content-Length of 20 digits", post("Content-Length: 99999999999999999999\r\n", "")),
    bad("Content-Length, then Transfer-Encoding", post(LENGTH + CHUNKED, chunks())),
    bad("Transfer-Encoding, then Content-Length", post(CHUNKED + LENGTH, chunks())),
    bad("Transfer-Encoding twice", post(CHUNKED + CHUNKED, chunks())),
    bad("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunks()), 501),
    bad("chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", chunks())),
    bad("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunks())),
    bad("gzip alone", post("Transfer-Encoding: gzip\r\n", chunks())),
    bad("identity", post("Transfer-Encoding: identity\r\n", chunks())),
    bad("xchunked", post("Transfer-Encoding: xchunked\r\n", chunks())),
    bad("chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', chunks())),
    bad("chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", chunks())),
    bad("chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", chunks())),
    bad("an empty Transfer-Encoding", post("Transfer-Encoding:\r\n", chunks())),
    bad("chunked in HTTP/1.0", post(CHUNKED, chunks(), version="HTTP/1.0")),
    bad("an empty coding, then chunked", post("Transfer-Encoding: , chunked\r\n", chunks())),
    bad("chunked, then an empty coding", post("Transfer-Encoding: chunked,\r\n", chunks())),
    bad("chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", chunks())),
    bad("deflate, gzip, chunked", post("Transfer-Encoding: deflate, gzip, chunked\r\n", chunks()), 501),
    bad("chunked and identity in two fields", post(CHUNKED + "Transfer-Encoding: identity\r\n", chunks())),
    good("Content-Length with leading zeros", post(f"Content-Length: 000{len(EVENT)}\r\n", EVENT)),
    good("Content-Length among white space", post(f"Content-Length:   {len(EVENT)}  \r\n", EVENT)),
    bad("a Content-Length with a semicolon", post("Content-Length: 2;\r\n", "{}")),
    bad("a Content-Length in quotes", post('Content-Length: "2"\r\n', "{}")),
    bad("a Content-Length in other digits", post("Content-Length: \xb2\r\n", "{}")),
    good("no framing at all is an empty body", post(""), (400,)),
    good("a coding of the content is not understood", post("Content-Encoding: gzip\r\n" + LENGTH, EVENT), (415,)),
    good("TE is the client's matter", get(fields="TE: trailers, deflate;q=0.5\r\nConnection: TE\r\n")),
    good("a framing field among the options of a connection is still one",
         post("Connection: Content-Length\r\n" + LENGTH, EVENT)),
    good("a chunked body behind Connection: Transfer-Encoding", post("Connection: Transfer-Encoding\r\n" + CHUNKED,
                                                                     chunks())),
]

SMUGGLING = [
    bad("a space before the colon of Content-Length", post("Content-Length : 2\r\n", "{}")),
    bad("a space before the colon of Transfer-Encoding", post("Transfer-Encoding : chunked\r\n", chunks())),
    bad("a tab before the colon of Transfer-Encoding", post("Transfer-Encoding\t: chunked\r\n", chunks())),
    bad("Transfer-Encoding on a folded line", post("X-A: b\r\n Transfer-Encoding: chunked\r\n", chunks())),
    bad("chunked on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", chunks())),
    bad("Transfer-Encoding behind a bare CR", post("X-A: b\rTransfer-Encoding: chunked\r\n", chunks())),
    bad("Transfer-Encoding behind a bare LF", post("X-A: b\nTransfer-Encoding: chunked\r\n", chunks())),
    bad("Transfer-Encoding behind a NUL", post("X-A: b\0\r\nTransfer-Encoding: chunked\r\n", chunks())),
    good("Transfer_Encoding is another field", post("Transfer_Encoding: chunked\r\n" + LENGTH, EVENT)),
    bad("a NUL in the name of Content-Length", post("Content\0-Length: 2\r\n", "{}")),
    bad("a request in what is left of a refused one",
        post("Content-Length: 0\r\nContent-Length: 60\r\n", "GET /v1/statuses HTTP/1.1\r\nHost: h\r\n\r\n")),
    good("a request in a body is a body, and not JSON",
         post(f"Content-Length: {len(get())}\r\n", get().decode()), (400,)),
    good("a refused body is not taken for a request",
         post(f"Content-Length: {len(get())}\r\n", get().decode(), "/nowhere"), (404,)),
]

CHUNK_SYNTAX = [
    good("a chunk extension", post(CHUNKED, f"{len(EVENT):x};a=b\r\n{EVENT}\r\n0\r\n\r\n")),
    good("a quoted chunk extension", post(CHUNKED, f'{len(EVENT):x};a="b c"\r\n{EVENT}\r\n0;last\r\n\r\n')),
    good("white space before a chunk extension", post(CHUNKED, f"{len(EVENT):x} ;a\r\n{EVENT}\r\n0\r\n\r\n")),
    good("leading zeros", post(CHUNKED, f"000{len(EVENT):X}\r\n{EVENT}\r\n000\r\n\r\n")),
    good("trailer fields", post(CHUNKED, chunks(end="0\r\nX-T: 1\r\nX-U: 2\r\n\r\n"))),
    good("a framing field in the trailer is no framing",
         post(CHUNKED, chunks(end="0\r\nContent-Length: 9\r\n\r\n"))),
    good("a coding in the trailer is no framing",
         post("Trailer: Transfer-Encoding\r\n" + CHUNKED, chunks(end="0\r\nTransfer-Encoding: gzip\r\n\r\n"))),
    good("a Host in the trailer is none", post(CHUNKED, chunks(end="0\r\nHost: evil\r\n\r\n"))),
    good("who sends it stands in the head, not in the trailer",
         octets(f"POST /v1/status-events HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n{CHUNKED}\r\n"
                + chunks(end=f"0\r\n{WHO}\r\n")), (401,), opened=False),
    good("extensions of 900 octets", post(CHUNKED, f"{len(EVENT):x};{'e' * 900}\r\n{EVENT}\r\n0\r\n\r\n")),
    bad("extensions of 1,100 octets", post(CHUNKED, f"{len(EVENT):x};{'e' * 1100}\r\n{EVENT}\r\n0\r\n\r\n")),
    bad("an empty chunk extension that ends with CR CR", post(CHUNKED, "2;\r\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size behind a semicolon", post(CHUNKED, ";2\r\n{}\r\n0\r\n\r\n")),
    bad("a tab before a chunk size", post(CHUNKED, "\t2\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size with an underscore", post(CHUNKED, "0_2\r\n{}\r\n0\r\n\r\n")),
    bad("two sizes in one chunk line", post(CHUNKED, "2 2\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk that is one octet short", post(CHUNKED, "3\r\n{}\r\n0\r\n\r\n")),
    bad("a trailer behind an empty name", post(CHUNKED, "0\r\n: y\r\n\r\n")),
    bad("a bare CR in a trailer", post(CHUNKED, "0\r\nX: y\rz\r\n\r\n")),
    bad("a chunk size that is no number", post(CHUNKED, "x\r\n{}\r\n0\r\n\r\n")),
    bad("no chunk size", post(CHUNKED, "\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size with a sign", post(CHUNKED, "+2\r\n{}\r\n0\r\n\r\n")),
    bad("a negative chunk size", post(CHUNKED, "-2\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size with 0x", post(CHUNKED, "0x2\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size behind white space", post(CHUNKED, " 2\r\n{}\r\n0\r\n\r\n")),
    bad("white space behind a chunk size", post(CHUNKED, "2 \r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size of 17 digits", post(CHUNKED, "FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size of 16 digits that wraps around", post(CHUNKED, "FFFFFFFFFFFFFFFE\r\n{}\r\n0\r\n\r\n")),
    bad("a chunk size that ends with LF", post(CHUNKED, "2\n{}\r\n0\r\n\r\n")),
    bad("a chunk size that ends with CR", post(CHUNKED, "2\r{}\r\n0\r\n\r\n")),
    bad("chunk data longer than their size", post(CHUNKED, "2\r\n{}}\r\n0\r\n\r\n")),
    bad("chunk data that end with LF", post(CHUNKED, "2\r\n{}\n0\r\n\r\n")),
    bad("chunk data that end with CR CR", post(CHUNKED, "2\r\n{}\r\r0\r\n\r\n")),
    bad("a NUL in a chunk extension", post(CHUNKED, "2;a\0\r\n{}\r\n0\r\n\r\n")),
    bad("a bare LF in a chunk extension", post(CHUNKED, "2;a\n{}\r\n0\r\n\r\n")),
    bad("a chunk extension without an end", post(CHUNKED, "2;" + "e" * 5000)),
    bad("a folded trailer", post(CHUNKED, "0\r\nX: y\r\n z\r\n\r\n")),
    bad("a trailer without a colon", post(CHUNKED, "0\r\nX\r\n\r\n")),
    bad("a space before the colon of a trailer", post(CHUNKED, "0\r\nX : y\r\n\r\n")),
    bad("a NUL in a trailer", post(CHUNKED, "0\r\nX: y\0\r\n\r\n")),
    bad("a trailer that ends with LF", post(CHUNKED, "0\r\nX: y\n\r\n")),
    bad("the end of a chunked body with LF", post(CHUNKED, chunks(end="0\r\n\n"))),
    bad("trailers without an end", post(CHUNKED, "0\r\n" + "X: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 400)),
]

FIELDS = [
    good("white space around a value", get(fields="X-A: \t b \t\r\n")),
    good("no white space before a value", get(fields="X-A:b\r\n")),
    good("an empty value", get(fields="X-A:\r\n")),
    good("octets beyond ASCII in a value", get(fields="X-A: \xe4\r\n")),
    good("a field twice", get(fields="X-A: b\r\nX-A: c\r\n")),
    good("every character of a token in a name", get(fields="!#$%&'*+-.^_`|~09azAZ: b\r\n")),
    bad("a space before the colon", get(fields="X-A : b\r\n")),
    bad("a folded value", get(fields="X-A: b\r\n c\r\n")),
    bad("a value folded with a tab", get(fields="X-A: b\r\n\tc\r\n")),
    bad("a fold as the first field", octets(f"GET /v1/statuses HTTP/1.1\r\n {HOST}\r\n")),
    bad("a field without a colon", get(fields="X-A\r\n")),
    bad("a field without a name", get(fields=": b\r\n")),
    bad("a name with parentheses", get(fields="X(A): b\r\n")),
    bad("a name with a space", get(fields="X A: b\r\n")),
    bad("a name beyond ASCII", get(fields="X-\xe4: b\r\n")),
    bad("a NUL in a value", get(fields="X-A: b\0c\r\n")),
    bad("a NUL in a name", get(fields="X\0A: b\r\n")),
    bad("a bare CR in a value", get(fields="X-A: b\rc\r\n")),
    bad("a bare LF behind a value", get(fields="X-A: b\n")),
    bad("ESC in a value", get(fields="X-A: \x1b[31m\r\n")),
    bad("DEL in a value", get(fields="X-A: b\x7f\r\n")),
    bad("no Host", octets(f"GET /v1/statuses HTTP/1.1\r\n{WHO}\r\n")),
    bad("two Hosts", get(fields="Host: h\r\n")),
    bad("two different Hosts", get(fields="Host: i\r\n")),
    bad("an empty Host", octets(f"GET /v1/statuses HTTP/1.1\r\nHost:\r\n{WHO}\r\n")),
    bad("a Host with a path", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: h/x\r\n{WHO}\r\n")),
    bad("a Host with user information", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: u@h\r\n{WHO}\r\n")),
    bad("a Host with a bad port", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: h:8x\r\n{WHO}\r\n")),
    bad("a Host with a space", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: h i\r\n{WHO}\r\n")),
    bad("a list of Hosts", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: a, b\r\n{WHO}\r\n")),
    good("a Host with a port", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: h:8080\r\n{WHO}\r\n")),
    good("a Host that is an IPv6 address", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: [::1]:80\r\n{WHO}\r\n")),
    *[bad(f"a Host that is {value}", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: {value}\r\n{WHO}\r\n"))
      for value in ("h:65536", "h:-1", "h: 80", ":80", "[::1", "[::g]", "[1.2.3.4]", "[::1]x", "::1", "h%2", "h?a")],
    *[good(f"the Host {value}", octets(f"GET /v1/statuses HTTP/1.1\r\nHost: {value}\r\n{WHO}\r\n"))
      for value in ("h:65535", "h:", "127.0.0.1", "x-1.example.org.", "%61")],
    good("a Host among white space", octets(f"GET /v1/statuses HTTP/1.1\r\nHost:   h  \r\n{WHO}\r\n")),
    good("Host as the last field", octets(f"GET /v1/statuses HTTP/1.1\r\n{WHO}{HOST}\r\n")),
    good("Content-Type twice", post(LENGTH + "Content-Type: text/plain\r\n", EVENT), (415,)),
    good("conditions on dates are not used", get(fields="If-Modified-Since: Sat, 29 Feb 2025 25:61:00 GMT\r\n")),
    good("a range is not used", get(fields="Range: bytes=0-1, 5-3, -0\r\nIf-Range: \"x\"\r\n")),
    good("an entity tag without quotes matches nothing", get(fields="If-None-Match: abc, \"\r\n")),
    good("any entity tag", get(fields="If-None-Match: *\r\n"), (304,)),
    good("an Accept that is no list of types", get(fields="Accept: ;q=x, /, text/\"\r\n"), (406,)),
    good("fields of a proxy mean nothing",
         get(fields="X-Forwarded-For: 10.0.0.1\r\nForwarded: for=\"_x\";proto=https\r\nX-HTTP-Method-Override: DELETE\r\n"
                    "X-Original-URL: /nowhere\r\nProxy-Connection: close\r\nMax-Forwards: 0\r\n")),
    good("a name in capitals", get(fields="X-A: 1\r\n").replace(b"Host", b"HOST").replace(b"X-A", b"x-a")),
    good("an unknown expectation in HTTP/1.0 is ignored",
         get(fields="Expect: x\r\n", version="HTTP/1.0"), opened=False),
]

TARGETS = [
    good("a query", get("/v1/statuses?")),
    good("a percent-encoded target", get("/v1/st%61tuses")),
    good("absolute form", get("http://other/v1/statuses")),
    good("absolute form with capitals and a port", get("HTTP://other:80/v1/statuses")),
    good("OPTIONS *", get("*", method="OPTIONS"), (204,)),
    bad("an asterisk with GET", get("*")),
    bad("a target without a slash", get("v1/statuses")),
    bad("no target", octets(f"GET  HTTP/1.1\r\n{HOST}\r\n")),
    bad("a fragment", get("/v1/statuses#a")),
    bad("a target beyond ASCII", get("/\xe4")),
    bad("a NUL in the target", get("/v1\0/statuses")),
    bad("a space in the target", get("/v1/sta tuses")),
    bad("a percent sign without digits", get("/v1/statuses?a=%")),
    bad("a percent sign with one digit", get("/v1/statuses%2")),
    bad("a percent sign with other characters", get("/v1/%zz")),
    bad("braces", get("/v1/{statuses}")),
    bad("quotes", get('/v1/"statuses"')),
    bad("a backslash", get("/v1\\statuses")),
    bad("another scheme", get("ftp://h/v1/statuses")),
    bad("absolute form without a host", get("http:///v1/statuses")),
    bad("absolute form with user information", get("http://u:p@h/v1/statuses")),
    bad("absolute form with an empty user", get("http://@h/v1/statuses")),
    bad("absolute form with a port beyond 65535", get("http://h:70000/v1/statuses")),
    bad("absolute form with a negative port", get("http://h:-80/v1/statuses")),
    bad("absolute form with an open bracket", get("http://[::1/v1/statuses")),
    bad("absolute form with a space in the host", get("http://h i/v1/statuses")),
    bad("absolute form with one slash", get("http:/h/v1/statuses")),
    good("absolute form with https", get("https://h/v1/statuses")),
    good("absolute form with an IPv6 address", get("http://[::1]:8080/v1/statuses")),
    good("absolute form without a path", get("http://h"), (404,)),
    good("absolute form with a query and no path", get("http://h?x=1"), (404,)),
    bad("OPTIONS of an asterisk and more", get("*/v1", method="OPTIONS")),
    bad("a caret", get("/v1/^")),
    bad("a control character in the target", get("/v1/\x01statuses")),
    bad("a tab in the target", get("/v1/\tstatuses")),
    bad("a bar", get("/v1|statuses")),
    bad("authority form with GET", get("h:443")),
    bad("CONNECT", octets(f"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), 501),
    good("dot segments are not resolved", get("/v1/x/../statuses"), (404,)),
    good("an encoded slash is no slash", get("/v1%2Fstatuses"), (404,)),
    good("an encoded NUL", get("/v1/statuses%00"), (400,)),
    good("a double slash is not one", get("//v1/statuses"), (404,)),
    good("a double slash within", get("/v1//statuses"), (404,)),
    good("a slash at the end", get("/v1/statuses/"), (404,)),
    good("a dot segment", get("/v1/./statuses"), (404,)),
    good("dot segments beyond the root", get("/../../etc/passwd"), (404,)),
    good("encoded dot segments", get("/v1/%2e%2e/v1/statuses"), (404,)),
    good("a parameter of a segment", get("/v1/statuses;a=b"), (404,)),
    good("UTF-8 that is too long", get("/v1/%c0%af"), (400,)),
    good("half a character of UTF-8", get("/v1/%c3"), (400,)),
    good("a percent sign that is encoded", get("/v1/%2561"), (404,)),
    good("another letter case is another path", get("/V1/statuses"), (404,)),
]

METHODS = [
    good("HEAD", get(method="HEAD"), heads=True),
    good("HEAD of what does not exist", get("/nowhere", method="HEAD"), (404,), heads=True),
    good("a method that the route has not", get(method="DELETE"), (405,)),
    good("PUT with a body on a route that has no PUT",
         post(LENGTH, EVENT).replace(b"POST", b"PUT"), (405,)),
    good("an unknown method", get(method="BREW"), (501,)),
    good("a method in lower case is another one", get(method="get"), (501,)),
    good("TRACE", get(method="TRACE"), (405,)),
    good("OPTIONS of a resource", get(method="OPTIONS"), (405,)),
    good("PATCH", get(method="PATCH"), (405,)),
    good("HEAD of what only takes POST", get("/v1/status-events", method="HEAD"), (405,), heads=True),
    good("GET of what only takes POST", get("/v1/status-events"), (405,)),
    bad("a method with a slash", get(method="GET/")),
    bad("a method and a NUL", get(method="GET\0")),
    good("every character of a token in a method", get(method="!#$%&'*+-.^_`|~"), (501,)),
    bad("a method that is no token", get(method="GE(T")),
    bad("an empty method", octets(f" /v1/statuses HTTP/1.1\r\n{HOST}\r\n")),
    bad("a method of 40 letters", get(method="M" * 40), 501),
    bad("a method of 10,000 letters", get(method="M" * 10000), 414),
]

VERSIONS = [
    good("HTTP/1.0", get(version="HTTP/1.0"), opened=False),
    good("HTTP/1.0 without a Host", octets(f"GET /v1/statuses HTTP/1.0\r\n{WHO}\r\n"), opened=False),
    good("HTTP/1.0 with keep-alive", get(fields="Connection: keep-alive\r\n", version="HTTP/1.0")),
    good("HTTP/1.2 is answered as 1.1", get(version="HTTP/1.2")),
    bad("HTTP/0.9", octets("GET /v1/statuses\r\n")),
    bad("HTTP/2.0", get(version="HTTP/2.0"), 505),
    bad("the preface of HTTP/2", octets("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505),
    bad("HTTP/3.0", get(version="HTTP/3.0"), 505),
    bad("HTTP/0.9 with a version", get(version="HTTP/0.9"), 505),
    bad("HTTP/1.1 and more", get(version="HTTP/1.1x")),
    bad("HTTP/1,1", get(version="HTTP/1,1")),
    bad("HTTP/+1.1", get(version="HTTP/+1.1")),
    bad("HTTP /1.1", get(version="HTTP /1.1")),
    bad("no version behind the last space", get(version="")),
    good("the first version of HTTP/1 does not keep alive with close",
         get(fields="Connection: keep-alive, close\r\n", version="HTTP/1.0"), opened=False),
    bad("HTTP/1.10", get(version="HTTP/1.10")),
    bad("HTTP/1", get(version="HTTP/1")),
    bad("HTTP/01.1", get(version="HTTP/01.1")),
    bad("http/1.1", get(version="http/1.1")),
    bad("another protocol", get(version="HTCPCP/1.0")),
    bad("a version behind two spaces", get("/v1/statuses ")),
    bad("a tab in the request line", octets(f"GET\t/v1/statuses\tHTTP/1.1\r\n{HOST}\r\n")),
    bad("a space at the end of the request line", get(version="HTTP/1.1 ")),
    bad("a space at the front", b" " + get()),
    bad("a request line that ends with LF", octets(f"GET /v1/statuses HTTP/1.1\n{HOST}{WHO}\r\n")),
    bad("lines that end with LF only", octets("GET /v1/statuses HTTP/1.1\nHost: h\n\n")),
    bad("a request line that ends with CR", octets(f"GET /v1/statuses HTTP/1.1\r{HOST}\r\n")),
    bad("a ClientHello of TLS", b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + bytes(36)),
    bad("a greeting of SMTP", octets("EHLO h\r\n")),
]

BOUNDS = [
    bad("a request line of 9,000 octets", get("/" + "a" * 9000), 414),
    bad("a request line without an end", octets("GET /" + "a" * 40000), 414),
    bad("a field of 40,000 octets", get(fields="X-A: " + "a" * 40000 + "\r\n"), 431),
    bad("a field without an end", octets(f"GET / HTTP/1.1\r\n{HOST}X-A: " + "a" * 40000), 431),
    bad("many fields", get(fields="".join(f"X-{n}: 1\r\n" for n in range(200))), 431),
    bad("fields of 40,000 octets together", get(fields="X-A: aaaaaaaaaaaaaaa\r\n" * 2000), 431),
    bad("a body that says it has 16 MiB", post(f"Content-Length: {16 << 20}\r\n", "{"), 413),
    good("a query of 4,000 octets that the document does not know", get("/v1/statuses?" + "a" * 4000), (400,)),
]

CONNECTIONS = [
    good("two requests in a row", get() + get(), (OK, OK)),
    good("sixteen requests in a row", get() * 16, (OK,) * 16),
    good("forty requests in a row", get() * 40, (OK,) * 40),
    good("a request behind a body", post(LENGTH, EVENT) + get(), (OK, OK)),
    good("a request behind a chunked body", post(CHUNKED, chunks()) + get(), (OK, OK)),
    good("a request behind a HEAD", get(method="HEAD") + get(), (OK, OK), heads=True),
    good("a good request behind one that is refused by its route", get("/nowhere") + get(), (404, OK)),
    Case("a good request, a malformed one, a good one", get() + get(fields="X A: b\r\n") + get(), (OK, 400), False),
    good("an empty line before a request", b"\r\n" + get()),
    good("an empty line between requests", get() + b"\r\n" + get(), (OK, OK)),
    Case("a lone LF between requests", get() + b"\n" + get(), (OK, 400), False),
    Case("a lone CR between requests", get() + b"\r" + get(), (OK, 400), False),
    Case("a space between requests", get() + b" " + get(), (OK, 400), False),
    Case("a NUL between requests", get() + b"\0" + get(), (OK, 400), False),
    bad("a lone LF before a request", b"\n" + get()),
    good("two letters more than a body has are of the next method", post(LENGTH, EVENT + "xx") + get(), (OK, 501)),
    Case("two octets more than a body has", post(LENGTH, EVENT + "{}") + get(), (OK, 400), False),
    good("nothing is answered behind a request that the parser refuses", get(fields="X A: b\r\n") + get(), (400,),
         opened=False),
    good("nothing is answered behind a body that is too large",
         post(f"Content-Length: {16 << 20}\r\n", "{}") + get(), (413,), opened=False),
    good("a request behind one without authority",
         octets(f"GET /v1/statuses HTTP/1.1\r\n{HOST}\r\n") + get(), (401, OK)),
    good("a request behind one whose type is not taken",
         post(LENGTH, EVENT).replace(b"application/json", b"text/plain") + get(), (415, OK)),
    good("a request behind one of HTTP/1.0 that closes", get(version="HTTP/1.0") + get(), opened=False),
    good("a request behind a chunked body that is refused", post(CHUNKED, chunks(), "/nowhere") + get(), (404,),
         opened=False),
    good("close behind a body", post("Connection: close\r\n" + LENGTH, EVENT) + get(), opened=False),
    good("close behind a chunked body", post("Connection: close\r\n" + CHUNKED, chunks()) + get(), opened=False),
    good("close, then more that is no request", get(fields="Connection: close\r\n") + b"\0\0\0", opened=False),
    good("a change of the protocol with a body", post("Connection: Upgrade\r\nUpgrade: h2c\r\n" + LENGTH, EVENT)),
    good("settings of HTTP/2", get(fields="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                          "HTTP2-Settings: AAMAAABkAAQAAP__\r\n")),
    good("WebSocket is not taken up", get(fields="Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")),
    bad("two empty lines before a request", b"\r\n\r\n" + get()),
    good("Connection: close", get(fields="Connection: close\r\n"), opened=False),
    good("close among other options", get(fields="Connection: te, Close\r\n"), opened=False),
    good("nothing is answered behind close", get(fields="Connection: close\r\n") + get(), opened=False),
    good("close and keep-alive", get(fields="Connection: keep-alive, close\r\n"), opened=False),
    good("Upgrade is not taken up", get(fields="Connection: Upgrade\r\nUpgrade: h2c\r\n")),
    good("a client that ends its side is answered", get(), opened=False, half_closed=True),
    good("a client that ends its side behind two requests", get() + get(), (OK, OK), opened=False, half_closed=True),
    Case("a client that ends its side within the request line", b"GET /v1/sta", (400,), False, half_closed=True),
    Case("a client that ends its side within the fields", get()[:-2], (400,), False, half_closed=True),
    Case("a client that ends its side within a body", post(LENGTH, EVENT[:9]), (400,), False, half_closed=True),
    Case("a client that ends its side within a chunk", post(CHUNKED, "ff\r\n{"), (400,), False, half_closed=True),
    Case("a client that sends nothing", b"", (), False, half_closed=True),
]

EXPECT = [
    good("Expect: 100-continue with the body behind it", post("Expect: 100-continue\r\n" + LENGTH, EVENT)),
    good("Expect in capitals", post("Expect: 100-CONTINUE\r\n" + LENGTH, EVENT)),
    good("Expect without a body", get(fields="Expect: 100-continue\r\n")),
    bad("Expect twice, the same", post("Expect: 100-continue\r\nExpect: 100-continue\r\n" + LENGTH, EVENT), 417),
    good("Expect with a chunked body", post("Expect: 100-continue\r\n" + CHUNKED, chunks())),
    good("the answer instead of 100 where the route is not there",
         post("Expect: 100-continue\r\n" + LENGTH, "", "/nowhere"), (404,), opened=False),
    good("the answer instead of 100 where the body is too large",
         post(f"Expect: 100-continue\r\nContent-Length: {16 << 20}\r\n"), (413,), opened=False),
    good("the answer instead of 100 where the type is not taken",
         post("Expect: 100-continue\r\n" + LENGTH).replace(b"application/json", b"text/plain"), (415,), opened=False),
    bad("an empty expectation", get(fields="Expect:\r\n"), 417),
    good("Expect in HTTP/1.0", post("Expect: 100-continue\r\n" + LENGTH, EVENT, version="HTTP/1.0"), opened=False),
    bad("another expectation", get(fields="Expect: 200-ok\r\n"), 417),
    bad("two expectations", post("Expect: 100-continue, x\r\n" + LENGTH, EVENT), 417),
]

GROUPS = {
    "framing": FRAMING, "smuggling": SMUGGLING, "chunks": CHUNK_SYNTAX, "fields": FIELDS, "targets": TARGETS,
    "methods": METHODS, "versions": VERSIONS, "bounds": BOUNDS, "connections": CONNECTIONS, "expect": EXPECT,
}
