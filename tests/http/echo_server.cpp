// A small server for measurements and for the misdelivery test: answers the query of any request.
// Usage: http_echo_server PORT [WORKERS]. Ends when its standard input ends.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "gateway/http/server.h"

namespace {

using namespace flora::http;

class Echo final : public Handler {
 public:
  Admission admit(const RequestHead&) override { return Admission::whole(1 << 20); }
  void handle(Request request, Responder responder) override {
    std::string body = request.head.query.empty() ? "hello" : std::move(request.head.query);
    responder.respond({200, {{"content-type", "text/plain"}}, std::move(body)});
  }
  void handle_stream(RequestHead, BodyReader, Responder) override {}
};

}  // namespace

int main(int argc, char** argv) {
  Echo echo;
  ServerOptions options;
  options.workers = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  Listener listener;
  listener.handler = &echo;
  listener.options.port =
      static_cast<std::uint16_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0);
  auto server = Server::start(std::move(options), {listener});
  if (!server) {
    std::cerr << server.error().message << '\n';
    return 1;
  }
  std::cout << (*server)->ports().front() << std::endl;
  while (std::getchar() != EOF) {
  }
  (*server)->stop(std::chrono::seconds(2));
  return 0;
}
