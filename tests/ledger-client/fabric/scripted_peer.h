// A scripted peer: a gRPC server that plays the answers of a Fabric peer's gateway service. It is
// no Fabric peer; what it plays is what real ones were seen to do. Several may share one ledger.
#pragma once

#include <grpcpp/server.h>
#include <wire.grpc.pb.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ledger-client/fabric/network.h"
#include "tests/ledger-client/fabric/organisations.h"

namespace flora::test {

/// What scripted peers agree on. Thread-safe.
class ScriptedLedger {
 public:
  struct Entry {
    std::uint64_t block = 0;
    std::string transaction;
    std::string body;
  };

  /// Takes an envelope: each becomes a block of its own.
  void commit(const std::string& transaction, const std::string& envelope, const std::string& body,
              std::int32_t code);
  bool knows(const std::string& transaction) const;
  std::int32_t code_of(const std::string& transaction) const;
  std::uint64_t block_of(const std::string& transaction) const;
  std::string envelope_of(const std::string& transaction) const;
  std::optional<Entry> find(const std::string& id) const;
  std::vector<Entry> entries() const;

 private:
  struct Committed {
    std::uint64_t block = 0;
    std::int32_t code = 0;
    std::string envelope;
  };
  mutable std::mutex mutex_;
  std::uint64_t block_ = 4;
  std::map<std::string, Committed> transactions_;
  std::vector<Entry> entries_;
};

/// The id of a body: `{"id":"<36 characters>",…`.
std::string id_of(const std::string& body);

class ScriptedPeer final : private gateway::Gateway::Service {
 public:
  /// A step of a script: a status to answer with, or nothing: the peer goes on as usual.
  using Step = std::function<std::optional<grpc::Status>(grpc::ServerContext&)>;
  struct Script {
    Step endorse = {}, submit = {}, status = {}, evaluate = {}, events = {};
    /// Changes the endorsed envelope before it is returned.
    std::function<void(gateway::Envelope&)> envelope = {};
    std::int32_t code = 0;           ///< The validation code of what is submitted.
    std::string evaluated = {};      ///< Instead of the payload of an evaluation, if not empty.
    bool loses_submissions = false;  ///< Submit answers, and nothing is committed.
  };

  explicit ScriptedPeer(ScriptedLedger& ledger, bool wants_client_certificate = false);
  ~ScriptedPeer() override;

  fabric::Endpoint endpoint(const std::string& name) const;
  void set(Script script);
  void stop();   ///< As if it were killed.
  void start();  ///< At its old port.

  std::atomic<int> endorses = 0, submits = 0, statuses = 0, evaluates = 0, streams = 0;

 private:
  grpc::Status Endorse(grpc::ServerContext* context, const gateway::EndorseRequest* request,
                       gateway::EndorseResponse* response) override;
  grpc::Status Submit(grpc::ServerContext* context, const gateway::SubmitRequest* request,
                      gateway::SubmitResponse* response) override;
  grpc::Status CommitStatus(grpc::ServerContext* context, const gateway::SignedRequest* request,
                            gateway::CommitStatusResponse* response) override;
  grpc::Status Evaluate(grpc::ServerContext* context, const gateway::EvaluateRequest* request,
                        gateway::EvaluateResponse* response) override;
  grpc::Status ChaincodeEvents(
      grpc::ServerContext* context, const gateway::SignedRequest* request,
      grpc::ServerWriter<gateway::ChaincodeEventsResponse>* writer) override;

  Script script() const;

  ScriptedLedger& ledger_;
  const bool wants_client_certificate_;
  int port_ = 0;
  mutable std::mutex mutex_;
  Script script_;
  std::unique_ptr<grpc::Server> server_;
};

/// Waits for a condition of the test, polled, with a deadline of a minute. False: it did not come.
bool eventually(const std::function<bool()>& holds);

}  // namespace flora::test
