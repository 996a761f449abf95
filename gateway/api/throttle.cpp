#include "gateway/api/throttle.h"

#include <algorithm>
#include <map>
#include <utility>

#include "gateway/api/item_stream.h"
#include "gateway/base/log.h"

namespace flora::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Streams of one authority wait in line, a group each: none longer than this.
constexpr std::int64_t kLineSeconds = 30;
constexpr std::int64_t kMostStreams = 64;
constexpr std::int64_t kStreamRetrySeconds = 5;

// Orchestrators ask for it, and must not be refused.
constexpr std::string_view kLiveness = "getLive";

std::int64_t seconds_of(std::int64_t ns) { return ns / kSecond + (ns % kSecond == 0 ? 0 : 1); }

std::int64_t streams_of(const policy::Rates& rates) {
  const std::int64_t group = static_cast<std::int64_t>(ItemGroup::kMost);
  return std::clamp<std::int64_t>(rates.events.per_second * kLineSeconds / group, 1, kMostStreams);
}

// The two fields while they are written.
class RateFields {
 public:
  void add(std::string_view name, const policy::Rate& rate, const policy::Gcra& bucket,
           std::int64_t now_ns) {
    append(policy_, name, "q", rate.burst);
    policy_ += ";w=" + std::to_string(rate.window_seconds());
    append(state_, name, "r", bucket.tokens(rate, now_ns));
    state_ += ";t=" + std::to_string(seconds_of(bucket.full_after_ns(now_ns)));
  }

  void add_concurrent(std::string_view name, std::int64_t most) {
    append(policy_, name, "q", most);
    policy_ += ";qu=\"concurrent-requests\"";
  }

  void move_to(std::vector<http::Header>& headers) {
    headers.push_back({"ratelimit-policy", std::move(policy_)});
    headers.push_back({"ratelimit", std::move(state_)});
  }

 private:
  static void append(std::string& out, std::string_view name, std::string_view key,
                     std::int64_t value) {
    if (!out.empty()) out += ", ";
    out += '"';
    out += name;
    out += "\";";
    out += key;
    out += '=';
    out += std::to_string(value);
  }

  std::string policy_;
  std::string state_;
};

bool takes_events(const openapi::Operation& operation) {
  return operation.id == "submitStatusEvents" || takes_message(operation);
}

// Who is charged for an event: its reporter, if the caller may name it.
const std::string& payer_for(const policy::Caller& caller, const intake::Item& item) {
  const auto* parsed = std::get_if<intake::ParsedEvent>(&item.parsed);
  const bool own = parsed != nullptr && caller.acts_for(parsed->event.authority);
  return own ? parsed->event.authority : caller.payer();
}

}  // namespace

Payer payer_of(const Verdict& verdict, const http::RequestHead& head) {
  using Kind = Payer::Kind;
  const openapi::Operation* operation = verdict.match.operation;
  if (operation == nullptr || operation->id == kLiveness) return {};
  if (operation->listener == openapi::Listener::operations) return {};
  if (!verdict.caller) return {Kind::address, head.peer.address};
  return {takes_events(*operation) ? Kind::events : Kind::requests, verdict.caller->payer()};
}

const std::string& Payer::account() const {
  static const std::string kAnonymous = "anonymous";
  return kind == Kind::address ? kAnonymous : name;
}

Throttle::Throttle(Env& env, const policy::InForce& policy, Metrics& metrics)
    : env_(env), policy_(policy), metrics_(metrics), limiter_(env), pacer_(env) {}

// An authority that has just gone from the policy ends with the default rates.
policy::Rates Throttle::rates_of(std::string_view authority) const {
  const auto policy = policy_.get();
  const policy::Authority* known = policy->authority(authority);
  return known == nullptr ? policy::Rates() : known->rates;
}

http::Response Throttle::refusal(Limit limit, std::int64_t wait_ns) const {
  metrics_.count_refusal(limit);
  Problem problem{"quota-exceeded", {}, {}};
  problem.violated_policy = to_string(limit);
  http::Response response = problem_response(problem);
  const std::int64_t seconds = std::max<std::int64_t>(seconds_of(wait_ns), 1);
  response.headers.push_back({"retry-after", std::to_string(seconds)});
  return response;
}

std::optional<http::Response> Throttle::take_request(const Payer& payer) {
  if (payer.kind == Payer::Kind::nobody) return std::nullopt;
  const bool known = payer.kind != Payer::Kind::address;
  const policy::Rate rate = known ? rates_of(payer.name).requests : policy_.get()->anonymous_rate();
  policy::Gcra& bucket =
      known ? limiter_.of_authority(payer.name).requests : limiter_.of_address(payer.name);
  const std::int64_t wait = bucket.take(rate, env_.steady_ns(), 1).value_or(rate.window_ns());
  if (wait == 0) return std::nullopt;
  http::Response response = refusal(known ? Limit::requests : Limit::anonymous, wait);
  add_fields(payer, response.headers);
  return response;
}

Toll Throttle::toll(const std::string& authority, std::int64_t cost) {
  return {&limiter_.of_authority(authority).events, rates_of(authority).events, cost};
}

std::vector<Toll> Throttle::tolls_of(const policy::Caller& caller,
                                     const std::vector<intake::Item>& items, std::size_t others) {
  std::map<std::string_view, std::int64_t> costs;
  if (others > 0) costs[caller.payer()] += static_cast<std::int64_t>(others);
  for (const intake::Item& item : items) ++costs[payer_for(caller, item)];
  std::vector<Toll> tolls;
  for (const auto& [authority, cost] : costs) tolls.push_back(toll(std::string(authority), cost));
  return tolls;
}

std::optional<http::Response> Throttle::take_events(const policy::Caller& caller,
                                                    const std::vector<intake::Item>& items) {
  return take(tolls_of(caller, items, 0));
}

std::optional<http::Response> Throttle::take_events(const policy::Caller& caller,
                                                    std::size_t count) {
  return take(tolls_of(caller, {}, count));
}

std::optional<http::Response> Throttle::take(const std::vector<Toll>& tolls) {
  const std::int64_t now = env_.steady_ns();
  for (std::size_t i = 0; i < tolls.size(); ++i) {
    const Toll& next = tolls[i];
    const std::int64_t wait =
        next.bucket->take(next.rate, now, next.cost).value_or(next.rate.window_ns());
    if (wait == 0) continue;
    for (std::size_t taken = 0; taken < i; ++taken) {
      tolls[taken].bucket->give_back(tolls[taken].rate, tolls[taken].cost);
    }
    return refusal(Limit::events, wait);
  }
  return std::nullopt;
}

std::optional<http::Response> Throttle::take_identifiers(const policy::Caller& caller,
                                                         const std::vector<Digest>& hashes) {
  const policy::SearchLimit limit = policy_.get()->search_limit();
  const auto answer = searches_.take(caller.client, hashes, limit, env_.steady_ns());
  if (answer.wait_ns == 0) return std::nullopt;
  if (answer.first) {
    log::write(log::Level::warning, "a client searches for more persons than the policy allows",
               {{"client", caller.client}, {"identifiers", limit.identifiers}});
  }
  return refusal(Limit::identifiers, answer.wait_ns);
}

std::shared_ptr<void> Throttle::open_stream(const policy::Caller& caller) {
  std::atomic<std::int64_t>& streams = limiter_.of_authority(caller.payer()).streams;
  if (++streams <= streams_of(rates_of(caller.payer()))) {
    return {&streams, [&streams](void*) { --streams; }};
  }
  --streams;
  return nullptr;
}

http::Response Throttle::too_many_streams() const {
  return refusal(Limit::streams, kStreamRetrySeconds * kSecond);
}

void Throttle::add_fields(const Payer& payer, std::vector<http::Header>& headers) {
  if (payer.kind == Payer::Kind::nobody) return;
  const std::int64_t now = env_.steady_ns();
  RateFields fields;
  if (payer.kind == Payer::Kind::address) {
    fields.add(to_string(Limit::anonymous), policy_.get()->anonymous_rate(),
               limiter_.of_address(payer.name), now);
  } else {
    const policy::Rates rates = rates_of(payer.name);
    policy::Buckets& buckets = limiter_.of_authority(payer.name);
    fields.add(to_string(Limit::requests), rates.requests, buckets.requests, now);
    if (payer.kind == Payer::Kind::events) {
      fields.add(to_string(Limit::events), rates.events, buckets.events, now);
      fields.add_concurrent(to_string(Limit::streams), streams_of(rates));
    }
  }
  fields.move_to(headers);
}

}  // namespace flora::api
