// What all calls of one network share.
#pragma once

#include <wire.grpc.pb.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/in_flight.h"
#include "ledger-client/fabric/endpoints.h"
#include "ledger-client/fabric/network.h"
#include "ledger-client/fabric/reactor.h"
#include "ledger-client/fabric/signer.h"
#include "ledger-client/fabric/turns.h"

namespace flora::fabric {

/// One that signs.
struct Member {
  std::string creator;  ///< Its serialised identity.
  std::shared_ptr<Signer> signer;
  std::vector<std::string> authorities;
  bool is_default = false;
};

/// The calls that are under way, so that they can be broken off. Thread-safe.
class UnderWay {
 public:
  /// Before the call is started. After break_off() it is broken off at once.
  void add(grpc::ClientContext& context);
  void remove(grpc::ClientContext& context);
  void break_off();

 private:
  std::mutex mutex_;
  bool is_broken_off_ = false;
  std::set<grpc::ClientContext*> contexts_;
};

/// What several channels of a network have together.
struct Shared {
  std::shared_ptr<Turns> turns;  ///< The calls that are under way at one time.
  std::vector<Member> members;   ///< In the order of Options::identities.
};

/// Thread-safe. Alive as long as a call is under way.
struct Core {
  Core(Options given, Env& environment, std::shared_ptr<Turns> shared_turns,
       std::vector<Member> own_members);

  /// Whose identity signs for an authority; null: nobody's.
  const Member* signer_for(std::string_view authority) const;
  /// Whose identity signs what is read.
  const Member& reader() const;

  const Options options;
  Env& env;
  const std::vector<Member> members;
  std::vector<std::unique_ptr<gateway::Gateway::Stub>> stubs;  ///< As the endpoints.
  Endpoints endpoints;
  UnderWay under_way;
  InFlight in_flight;
  const std::shared_ptr<Turns> turns;
  Reactor reactor;
};

/// With the files of the identities read, each key once, so that a token is logged in to once.
/// Errors of both: as fabric::open().
Result<Shared> open_shared(const Options& options, Env& env);
/// With the other files read and the connections made, of what is for `options.channel`.
Result<std::shared_ptr<Core>> open_core(Options options, Env& env, const Shared& shared);

}  // namespace flora::fabric
