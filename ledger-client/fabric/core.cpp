#include "ledger-client/fabric/core.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <utility>

#include "ledger-client/fabric/proposal.h"

namespace flora::fabric {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kMostFile = std::size_t{1} << 20;
constexpr std::size_t kMostCalls = 499;
constexpr int kMostReceived = 64 << 20;
// A peer ends connections that ping more often than once a minute (core.yaml,
// peer.keepalive.minInterval).
constexpr int kKeepaliveMs = 90'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 2000;

Error unusable(std::string message) { return {Errc::invalid, std::move(message)}; }

std::vector<std::string> names_of(const Options& options) {
  std::vector<std::string> names;
  for (const Endpoint& one : options.endpoints) names.push_back(one.name);
  return names;
}

Result<void> check(const Options& options) {
  if (options.channel.empty() || options.chaincode.empty()) {
    return unusable("Fabric needs a channel and a chaincode");
  }
  const std::string where = " on the channel " + options.channel;
  if (options.endpoints.empty()) return unusable("Fabric needs an endpoint" + where);
  if (options.identities.empty()) return unusable("Fabric needs an identity" + where);
  if (std::ranges::count_if(options.identities, &Identity::is_default) > 1) {
    return unusable("there are two default identities" + where);
  }
  if (options.concurrency == 0 || options.concurrency > kMostCalls) {
    return unusable("the concurrency is not from 1 to 499");
  }
  std::vector<std::string> all;
  for (const Identity& one : options.identities) {
    if (one.msp_id.empty()) return unusable("an identity has no MSP id");
    all.insert(all.end(), one.authorities.begin(), one.authorities.end());
  }
  std::ranges::sort(all);
  if (std::ranges::adjacent_find(all) != all.end()) {
    return unusable("two identities sign for one authority" + where);
  }
  return {};
}

bool have_one_key(const Identity& a, const Identity& b) {
  return a.certificate_file == b.certificate_file && a.key_file == b.key_file && a.token == b.token;
}

// `signer`: of this identity's key, if it is open already.
Result<Member> open_member(const Identity& identity, std::shared_ptr<Signer> signer, Env& env) {
  FLORA_ASSIGN(const std::string pem, env.read_file(identity.certificate_file, kMostFile));
  const Result<Certificate> certificate = Certificate::parse(pem);
  if (!certificate) {
    return unusable(identity.certificate_file + ": " + certificate.error().message);
  }
  Member member;
  member.signer = std::move(signer);
  if (member.signer == nullptr) {
    FLORA_ASSIGN(member.signer, identity.token ? token_signer(*identity.token, *certificate, env)
                                               : file_signer(identity.key_file, *certificate, env));
  }
  member.creator = identity_bytes(identity.msp_id, pem);
  member.authorities = identity.authorities;
  member.is_default = identity.is_default;
  return member;
}

Result<grpc::SslCredentialsOptions> read_credentials(const Endpoint& endpoint,
                                                     const ClientCertificate& client, Env& env) {
  grpc::SslCredentialsOptions tls;
  FLORA_ASSIGN(tls.pem_root_certs, env.read_file(endpoint.ca_file, kMostFile));
  // gRPC itself would only say, call by call, that it cannot connect.
  const Result<Authorities> authorities = Authorities::parse(tls.pem_root_certs);
  if (!authorities) return unusable(endpoint.ca_file + ": " + authorities.error().message);
  if (client.certificate_file.empty()) return tls;
  FLORA_ASSIGN(tls.pem_cert_chain, env.read_file(client.certificate_file, kMostFile));
  FLORA_ASSIGN(tls.pem_private_key, env.read_file(client.key_file, kMostFile));
  return tls;
}

grpc::ChannelArguments arguments_for(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostReceived);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kFirstReconnectMs * 10);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!endpoint.server_name.empty()) {
    arguments.SetSslTargetNameOverride(endpoint.server_name);
  }
  return arguments;
}

}  // namespace

void UnderWay::add(grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  contexts_.insert(&context);
  if (is_broken_off_) context.TryCancel();
}

void UnderWay::remove(grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  contexts_.erase(&context);
}

void UnderWay::break_off() {
  const std::lock_guard lock(mutex_);
  is_broken_off_ = true;
  for (grpc::ClientContext* const one : contexts_) one->TryCancel();
}

Core::Core(Options given, Env& environment, std::shared_ptr<Turns> shared_turns,
           std::vector<Member> own_members)
    : options(std::move(given)),
      env(environment),
      members(std::move(own_members)),
      endpoints(names_of(options), {options.first_pause, options.longest_pause}, env),
      turns(std::move(shared_turns)),
      reactor(kThreads) {}

const Member* Core::signer_for(std::string_view authority) const {
  const Member* found = nullptr;
  for (const Member& one : members) {
    if (std::ranges::find(one.authorities, authority) != one.authorities.end()) return &one;
    if (one.is_default) found = &one;
  }
  return found;
}

const Member& Core::reader() const {
  const auto found = std::ranges::find_if(members, &Member::is_default);
  return found == members.end() ? members.front() : *found;
}

Result<Shared> open_shared(const Options& options, Env& env) {
  Shared shared = {std::make_shared<Turns>(options.concurrency, options.waiting), {}};
  const std::vector<Identity>& identities = options.identities;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    std::shared_ptr<Signer> signer;
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (have_one_key(identities[earlier], identities[i])) signer = shared.members[earlier].signer;
    }
    FLORA_ASSIGN(Member member, open_member(identities[i], std::move(signer), env));
    shared.members.push_back(std::move(member));
  }
  return shared;
}

Result<std::shared_ptr<Core>> open_core(Options options, Env& env, const Shared& shared) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < shared.members.size(); ++i) {
    if (is_of(options.identities[i], options.channel)) members.push_back(shared.members[i]);
  }
  const auto is_of_others = [&options](const auto& one) { return !is_of(one, options.channel); };
  std::erase_if(options.identities, is_of_others);
  std::erase_if(options.endpoints, is_of_others);
  FLORA_TRY(check(options));
  auto core = std::make_shared<Core>(std::move(options), env, shared.turns, std::move(members));
  for (const Endpoint& one : core->options.endpoints) {
    FLORA_ASSIGN(const grpc::SslCredentialsOptions tls,
                 read_credentials(one, core->options.client_certificate, env));
    core->stubs.push_back(gateway::Gateway::NewStub(
        grpc::CreateCustomChannel(one.address, grpc::SslCredentials(tls), arguments_for(one))));
  }
  return core;
}

}  // namespace flora::fabric
