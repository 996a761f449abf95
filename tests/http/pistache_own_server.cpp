// A small server on Pistache's own HTTP layer, for http_misdelivery --at: it shows why the gateway
// does not use that layer. Answers GET /?id=X with the body X. Usage: http_pistache_own_server PORT
// [THREADS]. Ends when its standard input ends.
#include <pistache/endpoint.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace {

class Answers final : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(Answers)

  void onRequest(const Pistache::Http::Request& request,
                 Pistache::Http::ResponseWriter response) override {
    response.send(Pistache::Http::Code::Ok, request.query().get("id").value_or("none"));
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  Pistache::Http::Endpoint endpoint(
      Pistache::Address("127.0.0.1", static_cast<std::uint16_t>(port)));
  endpoint.init(Pistache::Http::Endpoint::options().threads(threads).flags(
      Pistache::Tcp::Options::ReuseAddr));
  endpoint.setHandler(std::make_shared<Answers>());
  endpoint.serveThreaded();
  std::cout << endpoint.getPort() << std::endl;
  while (std::getchar() != EOF) {
  }
  endpoint.shutdown();
  return 0;
}
