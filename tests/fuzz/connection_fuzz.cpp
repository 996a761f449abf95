// Any bytes as what one client sends to a running server, twice, cut in different places: the same
// requests are answered in the same way and the same is refused, each answer is well-formed, and
// the connection ends. The client ends its side after sending.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

#include "gateway/http/server.h"
#include "tests/fuzz/expectations.h"
#include "tests/temporary_folder.h"

namespace {

using namespace flora::http;
using flora::fuzz::require;
using flora::fuzz::required;

constexpr int kWaitMs = 20'000;

/// Answers with what came: at once, or from the body's stream.
class Echo final : public Handler {
 public:
  Admission admit(const RequestHead& head) override {
    if (head.path == "/refuse") return Admission::refuse({403, {}, "no"});
    return head.path == "/stream" ? Admission::stream() : Admission::whole(200);
  }

  void handle(Request request, Responder responder) override {
    const bool last = request.head.path == "/close";
    std::vector<Header> fields;
    if (last) fields.push_back({"connection", "close"});
    responder.respond({200, std::move(fields), request.head.method + ' ' + request.body});
  }

  void handle_stream(RequestHead, BodyReader body, Responder responder) override {
    count(std::make_shared<BodyReader>(std::move(body)),
          std::make_shared<Responder>(std::move(responder)), 0);
  }

 private:
  static void count(std::shared_ptr<BodyReader> body, std::shared_ptr<Responder> responder,
                    std::size_t total) {
    BodyReader& reader = *body;
    reader.read([body = std::move(body), responder = std::move(responder), total](BodyChunk chunk) {
      if (chunk.state == BodyChunk::State::aborted) return;
      const std::size_t now = total + chunk.bytes.size();
      if (chunk.state == BodyChunk::State::more) return count(body, responder, now);
      responder->respond({200, {}, std::to_string(now)});
    });
  }
};

struct Subject {
  Subject() {
    ServerOptions options;
    options.limits.head = 1024;
    options.limits.request_line = 256;
    options.limits.fields = 10;
    options.limits.trailers = 128;
    options.limits.chunk_line = 64;
    Listener listener;
    listener.options.unix_path = path;
    listener.handler = &echo;
    server = required(Server::start(std::move(options), {listener}));
  }

  const flora::TemporaryFolder folder;
  const std::string path = folder.file("socket");
  Echo echo;
  std::unique_ptr<Server> server;
};

const std::string& server_path() {
  static const Subject subject;
  return subject.path;
}

int connect_to_server() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, server_path().data(), server_path().size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

// All that comes until the server ends the connection.
std::string receive_all(int fd) {
  std::string out;
  char block[4096];
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    require(::poll(&ready, 1, kWaitMs) == 1);
    const ssize_t n = ::recv(fd, block, sizeof block, 0);
    if (n <= 0) return out;
    out.append(block, static_cast<std::size_t>(n));
  }
}

std::string converse(std::string_view data, std::size_t step) {
  const int fd = connect_to_server();
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, step);
    if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    data.remove_prefix(piece.size());
  }
  ::shutdown(fd, SHUT_WR);
  std::string answers = receive_all(fd);
  ::close(fd);
  return answers;
}

std::size_t take_length(std::string_view head) {
  static constexpr std::string_view kName = "\r\ncontent-length: ";
  const std::size_t at = head.find(kName);
  require(at != head.npos);
  return std::strtoul(std::string(head.substr(at + kName.size(), 8)).c_str(), nullptr, 10);
}

// The final answers without their dates: interim ones depend on what has arrived. Of a refusal only
// that it is one: which of several faults is seen first depends on it as well.
std::string final_answers(std::string_view all) {
  std::string out;
  while (!all.empty()) {
    require(all.starts_with("HTTP/1.1 "));
    const std::size_t end = all.find("\r\n\r\n");
    require(end != all.npos);
    const std::string_view head = all.substr(0, end + 2);
    all.remove_prefix(end + 4);
    if (head.starts_with("HTTP/1.1 100 ")) continue;
    const std::size_t before = out.size();
    const std::size_t date = head.find("\r\ndate: ");
    require(date != head.npos);
    out += head.substr(0, date);
    out += head.substr(head.find("\r\n", date + 2));
    // An answer to HEAD has a length and no body; the next answer, or the end, follows.
    const std::size_t length = take_length(head);
    const bool bare = all.empty() || all.starts_with("HTTP/1.1 ");
    require(bare || length <= all.size());
    if (!bare) out += all.substr(0, length);
    all.remove_prefix(bare ? 0 : length);
    if (head[9] < '4') continue;
    out.resize(before);
    out += "refused\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = flora::fuzz::text_of(data, size);
  const std::string whole = final_answers(converse(text, size + 1));
  require(final_answers(converse(text, 1 + size / 5)) == whole);
  return 0;
}
