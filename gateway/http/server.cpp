#include "gateway/http/server.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "gateway/http/worker.h"

namespace flora::http {
namespace {

using Seconds = std::optional<std::int64_t>;

Seconds earlier(Seconds a, Seconds b) { return a && b ? std::min(*a, *b) : (a ? a : b); }

}  // namespace

struct Server::State {
  explicit State(ServerOptions options) : shared(std::move(options)) {}

  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::uint16_t> ports;
  std::uint64_t probe = 0;
  bool stopped = false;
  std::mutex stop_mutex;
};

Result<void> check_tls(const TlsOptions& options) {
  FLORA_TRY(TlsContext::load(options, Env::system()));
  return {};
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options,
                                              std::vector<Listener> listeners) {
  if (options.workers == 0) return Error{Errc::invalid, "a server needs a worker"};
  const std::size_t workers = options.workers;
  auto state = std::make_unique<State>(std::move(options));
  for (const Listener& listener : listeners) {
    FLORA_ASSIGN(auto endpoint, Endpoint::open(listener, workers, state->shared.options));
    state->ports.push_back(endpoint->port());
    state->shared.endpoints.push_back(std::move(endpoint));
  }
  for (std::size_t i = 0; i < workers; ++i) {
    FLORA_ASSIGN(auto worker, Worker::open(state->shared, i));
    state->workers.push_back(std::move(worker));
  }
  std::signal(SIGPIPE, SIG_IGN);
  for (const auto& worker : state->workers) worker->start();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

const std::vector<std::uint16_t>& Server::ports() const { return state_->ports; }

Counters Server::counters() const {
  Counters sum;
  sum.open = state_->shared.open.load(std::memory_order_relaxed);
  for (const auto& worker : state_->workers) {
    const WorkerCounters& part = worker->counters();
    sum.accepted += part.accepted;
    sum.refused += part.refused;
    sum.no_memory += part.no_memory;
    sum.requests += part.requests;
    sum.malformed += part.malformed;
    sum.timeouts += part.timeouts;
    sum.slow_readers += part.slow_readers;
    sum.pauses += part.pauses;
    sum.aborted += part.aborted;
    sum.late_answers += part.late_answers;
    sum.handshakes += part.handshakes;
    sum.resumed += part.resumed;
    sum.handshake_failures += part.handshake_failures;
    sum.untrusted += part.untrusted;
    sum.bytes_in += part.bytes_in;
    sum.bytes_out += part.bytes_out;
  }
  for (const auto& endpoint : state_->shared.endpoints) {
    const auto tls = endpoint->tls();
    if (!tls) continue;
    sum.certificate_end = earlier(sum.certificate_end, tls->certificate_end());
    sum.crl_end = earlier(sum.crl_end, tls->crl_end());
  }
  return sum;
}

Result<void> Server::reload_tls() {
  const auto& endpoints = state_->shared.endpoints;
  std::vector<std::shared_ptr<const TlsContext>> contexts(endpoints.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (!endpoints[i]->is_tls()) continue;
    FLORA_ASSIGN(contexts[i], endpoints[i]->load_tls());
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (contexts[i]) endpoints[i]->replace_tls(std::move(contexts[i]));
  }
  return {};
}

void Server::probe() {
  ++state_->probe;
  for (const auto& worker : state_->workers) worker->order(Message::Kind::probe, state_->probe);
}

bool Server::is_alive() const {
  return std::ranges::all_of(state_->workers,
                             [this](const auto& w) { return w->probed() == state_->probe; });
}

void Server::hurry() {
  Shared& shared = state_->shared;
  const std::lock_guard lock(shared.mutex);
  shared.hurried = true;
  shared.changed.notify_all();
}

void Server::stop(std::chrono::milliseconds deadline) {
  const std::lock_guard stop_lock(state_->stop_mutex);
  if (std::exchange(state_->stopped, true)) return;
  for (const auto& worker : state_->workers) worker->order(Message::Kind::drain);
  {
    Shared& shared = state_->shared;
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_for(
        lock, deadline, [&] { return shared.hurried || shared.drained == state_->workers.size(); });
  }
  for (const auto& worker : state_->workers) worker->order(Message::Kind::kill);
  for (const auto& worker : state_->workers) worker->join();
}

}  // namespace flora::http
