// Requests and responses as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flora::http {

struct Header {
  std::string name;   ///< Lower case.
  std::string value;  ///< Without white space around it.
};

/// A certificate that was verified against the listener's client CA.
struct ClientCertificate {
  std::string fingerprint_sha256;  ///< 64 lower-case hexadecimal digits, of the DER form.
  std::string subject;             ///< RFC 2253 form.
  std::vector<std::string> sans;   ///< "DNS:…", "URI:…", "email:…".
  std::int64_t not_after_s = 0;    ///< Its end, in seconds since the Unix epoch.
};

/// Who sent the request.
struct Peer {
  std::string address;    ///< Numeric, an IPv4 address in its own form; "unix" for a Unix socket.
  bool loopback = false;  ///< 127.0.0.0/8, ::1 or a Unix domain socket.
  std::optional<ClientCertificate> certificate;
};

/// A request up to its body. Syntax and framing are checked; the method may be any token.
struct RequestHead {
  std::string method;
  std::string target;  ///< As received.
  std::string path;    ///< Raw, not percent-decoded; "*" for OPTIONS *.
  std::string query;   ///< Raw, without the question mark.
  /// In the order received. If the target is in absolute form, its authority stands in for Host
  /// (RFC 9112 §3.2.2).
  std::vector<Header> headers;
  Peer peer;
  bool has_body = false;
  std::optional<std::uint64_t> content_length;  ///< Nothing if absent or chunked.
  std::int64_t received_ns = 0;  ///< When the head was complete, by Env::steady_ns().

  /// The first field with this lower-case name, or nothing. Valid as long as the head.
  std::optional<std::string_view> find(std::string_view name) const;

  /// All fields with this lower-case name.
  std::vector<std::string_view> find_all(std::string_view name) const;
};

struct Request {
  RequestHead head;
  std::string body;
};

/// The server adds Date, Content-Length, Transfer-Encoding and Connection; such fields in `headers`
/// are ignored, but `connection: close` is honoured. The body is not sent for HEAD, 204 and 304. A
/// field with a control character turns the answer into 500.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
};

}  // namespace flora::http
