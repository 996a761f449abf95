// A strict HTTP/1.1 and TLS server (RFC 9110, 9112) on the event loops of Pistache's reactor. Start
// here: this header and message.h are the whole promise of the part.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/http/limits.h"
#include "gateway/http/message.h"
#include "gateway/http/responder.h"

namespace flora::http {

/// What shall become of a request whose head is complete, before anything of its body is read.
struct Admission {
  enum class Kind : std::uint8_t { whole, stream, refuse };

  /// The body is collected and handed to Handler::handle. A larger body is answered with 413.
  static Admission whole(std::size_t max_bytes) { return {Kind::whole, max_bytes, {}, {}}; }

  /// The body goes to Handler::handle_stream as it arrives, of any length.
  static Admission stream() { return {Kind::stream, 0, {}, {}}; }

  /// The answer is sent at once and the body is never handed over.
  static Admission refuse(Response response) { return {Kind::refuse, 0, std::move(response), {}}; }

  Kind kind = Kind::whole;
  std::size_t max_bytes = 0;
  std::optional<Response> refusal;
  /// Who answers for the memory that the body takes while it is collected: what one account holds
  /// is bounded, so that there is some for the others.
  std::string account;
};

/// What a listener does with requests. Called on the worker threads, several at the same time; no
/// function may block. An exception that escapes is answered with 500; its text goes nowhere.
class Handler {
 public:
  virtual ~Handler() = default;

  /// Decides by the head alone. Requests that the parser refuses never come here.
  virtual Admission admit(const RequestHead& head) = 0;

  /// The request is complete. The answer may come later and from another thread.
  virtual void handle(Request request, Responder responder) = 0;

  /// The body is read through `body`; the answer may begin before the body ends. The connection is
  /// closed after an answer that ends before the body was read to its end.
  virtual void handle_stream(RequestHead head, BodyReader body, Responder responder) = 0;
};

enum class ClientCertificates : std::uint8_t { none, optional, required };

/// Files are in PEM, keys without a password. README.md says what is refused by the profile. The
/// key must belong to the first certificate of the chain.
struct TlsOptions {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;  ///< Needed unless client_certificates is none.
  ClientCertificates client_certificates = ClientCertificates::none;
  /// CRLs of all issuers of client certificates; of whom there is none in force, or it has expired,
  /// no certificate is taken. Empty: revocation is not checked.
  std::string crl_file;
};

/// Loads everything that the options name, as Server::start would. Errors: invalid, naming the
/// file.
Result<void> check_tls(const TlsOptions& options);

struct ListenerOptions {
  std::string address = "127.0.0.1";  ///< Numeric IPv4 or IPv6; "::" takes both.
  std::uint16_t port = 0;             ///< 0: the system chooses; Server::ports() tells.
  std::string unix_path;              ///< If set, a Unix domain socket instead; mode 0660.
  std::optional<TlsOptions> tls;
  std::size_t connections = 0;  ///< At the same time; 0: Limits::connections.
};

/// A listening address and who answers there. The handler must outlive the server.
struct Listener {
  ListenerOptions options;
  Handler* handler = nullptr;
};

struct ServerOptions {
  std::size_t workers = 1;  ///< Event loops, one thread each.
  Limits limits;
  Deadlines deadlines;
  /// Makes every answer that the parser and the server give by themselves. `problem` is a
  /// kebab-case name such as "malformed-request", `detail` a fixed English sentence. Called on the
  /// worker threads. If empty: a plain RFC 9457 document whose type is /problems/<problem>.
  std::function<Response(int status, std::string_view problem, std::string_view detail)> error_page;
  std::vector<Header> fields;  ///< Stand in every answer, those of the server itself included.
  Env* env = &Env::system();   ///< Gives the Date field and the clock of the deadlines.
};

/// Sums since the start, but `open` and the last two, which are the present state.
struct Counters {
  std::uint64_t accepted = 0;      ///< Connections.
  std::uint64_t open = 0;          ///< Connections now.
  std::uint64_t refused = 0;       ///< Connections beyond a limit.
  std::uint64_t no_memory = 0;     ///< Requests beyond a limit of memory.
  std::uint64_t requests = 0;      ///< Heads that reached a handler.
  std::uint64_t malformed = 0;     ///< Requests that the parser refused.
  std::uint64_t timeouts = 0;      ///< Connections or requests cut off at a deadline.
  std::uint64_t slow_readers = 0;  ///< Connections cut off to free the memory of their answers.
  std::uint64_t pauses = 0;        ///< Times that accepting stopped for want of descriptors.
  std::uint64_t aborted = 0;       ///< Connections that ended with an answer owed.
  std::uint64_t late_answers = 0;  ///< Answers dropped because nobody waited any more.
  std::uint64_t handshakes = 0;    ///< TLS handshakes completed.
  std::uint64_t resumed = 0;       ///< … of these, resumed sessions.
  std::uint64_t handshake_failures = 0;
  std::uint64_t untrusted = 0;  ///< Client certificates refused, by handshakes and after a reload.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  /// What ends first of all certificates in use, and of all CRLs, in seconds since the Unix epoch.
  std::optional<std::int64_t> certificate_end, crl_end;
};

/// Thread-safe. start() ignores SIGPIPE in the whole process.
class Server {
 public:
  /// Listens on return. Errors: invalid (a listener or its TLS files, with the reason), unavailable
  /// (an address is in use, or the system refuses); nothing is left behind then.
  static Result<std::unique_ptr<Server>> start(ServerOptions options,
                                               std::vector<Listener> listeners);

  /// Stops at once if stop() was not called before.
  ~Server();

  /// The ports in the order of the listeners; 0 for a Unix domain socket.
  const std::vector<std::uint16_t>& ports() const;

  Counters counters() const;

  /// Reads all TLS files again; new connections use them, and sessions from before are not resumed.
  /// The next request on a connection from before is its last, or is not taken at all if the
  /// client's certificate is not trusted any more. Errors: invalid; everything stays as it was
  /// then.
  Result<void> reload_tls();

  /// Asks all event loops for a sign of life, and whether all have given one since. Before the
  /// first probe: true. One thread.
  void probe();
  bool is_alive() const;

  /// Stops accepting, closes idle connections, lets requests under way finish until `deadline` is
  /// over, then closes what is left. A streamed body of unknown length ends at once: its reader
  /// sees it aborted, an answer that has begun goes on until its writer is dropped, and one that
  /// has not is 503. Blocks. Afterwards the handlers are not called any more; Responders that still
  /// exist do nothing.
  void stop(std::chrono::milliseconds deadline);

  /// What stop() waits for is closed now.
  void hurry();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flora::http
