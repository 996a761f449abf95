#include "tests/ledger-client/fabric/scripted_peer.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>

#include "ledger-client/fabric/certificate.h"

namespace flora::test {
namespace {

using namespace std::chrono_literals;

grpc::Status refusal(const std::string& message) {
  gateway::ErrorDetail detail;
  detail.set_message(message);
  gateway::RpcStatus details;
  details.add_details()->set_value(detail.SerializeAsString());
  return {grpc::ABORTED, "see attached details", details.SerializeAsString()};
}

// Whether `signature` is that of the identity in `creator`.
bool is_signed(const std::string& creator, const std::string& message,
               const std::string& signature) {
  gateway::SerializedIdentity identity;
  if (!identity.ParseFromString(creator)) return false;
  const auto certificate = fabric::Certificate::parse(identity.id_bytes());
  return certificate && certificate->verifies(message, signature);
}

// What a proposal or the payload of an envelope says.
struct Said {
  Proposed proposed;
  std::string creator;
  std::string transaction;
  std::vector<std::string> arguments;
};

Said read(const gateway::Header& header, const std::string& payload) {
  Said said;
  said.proposed = {header.channel_header(), header.signature_header(), payload};
  gateway::ChannelHeader channel;
  gateway::SignatureHeader signature;
  gateway::ChaincodeProposalPayload outer;
  gateway::ChaincodeInvocationSpec invocation;
  channel.ParseFromString(header.channel_header());
  signature.ParseFromString(header.signature_header());
  outer.ParseFromString(payload);
  invocation.ParseFromString(outer.input());
  const auto& args = invocation.chaincode_spec().input().args();
  said.creator = signature.creator();
  said.transaction = channel.tx_id();
  said.arguments.assign(args.begin(), args.end());
  return said;
}

Said read_proposal(const std::string& bytes) {
  gateway::Proposal proposal;
  gateway::Header header;
  proposal.ParseFromString(bytes);
  header.ParseFromString(proposal.header());
  return read(header, proposal.payload());
}

Said read_envelope(const std::string& bytes) {
  gateway::Payload payload;
  gateway::Transaction transaction;
  gateway::ChaincodeActionPayload action;
  payload.ParseFromString(bytes);
  transaction.ParseFromString(payload.data());
  if (transaction.actions_size() == 1) action.ParseFromString(transaction.actions(0).payload());
  return read(payload.header(), action.chaincode_proposal_payload());
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

bool eventually(const std::function<bool()>& holds) {
  std::mutex mutex;
  std::condition_variable tick;
  std::unique_lock lock(mutex);
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    tick.wait_for(lock, 2ms);
  }
  return true;
}

std::string id_of(const std::string& body) { return body.size() < 43 ? "" : body.substr(7, 36); }

void ScriptedLedger::commit(const std::string& transaction, const std::string& envelope,
                            const std::string& body, std::int32_t code) {
  const std::lock_guard lock(mutex_);
  if (transactions_.contains(transaction)) return;
  transactions_[transaction] = {++block_, code, envelope};
  if (code == 0) entries_.push_back({block_, transaction, body});
}

bool ScriptedLedger::knows(const std::string& transaction) const {
  const std::lock_guard lock(mutex_);
  return transactions_.contains(transaction);
}

std::int32_t ScriptedLedger::code_of(const std::string& transaction) const {
  const std::lock_guard lock(mutex_);
  return transactions_.at(transaction).code;
}

std::uint64_t ScriptedLedger::block_of(const std::string& transaction) const {
  const std::lock_guard lock(mutex_);
  return transactions_.at(transaction).block;
}

std::string ScriptedLedger::envelope_of(const std::string& transaction) const {
  const std::lock_guard lock(mutex_);
  return transactions_.at(transaction).envelope;
}

std::optional<ScriptedLedger::Entry> ScriptedLedger::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(entries_, [&](const Entry& entry) { return id_of(entry.body) == id; });
  if (found == entries_.end()) return std::nullopt;
  return *found;
}

std::vector<ScriptedLedger::Entry> ScriptedLedger::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

ScriptedPeer::ScriptedPeer(ScriptedLedger& ledger, bool wants_client_certificate)
    : ledger_(ledger), wants_client_certificate_(wants_client_certificate) {
  start();
}

ScriptedPeer::~ScriptedPeer() { stop(); }

void ScriptedPeer::start() {
  grpc::SslServerCredentialsOptions tls(
      wants_client_certificate_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  tls.pem_root_certs = organisations().certificate("tls-ca");
  tls.pem_key_cert_pairs.push_back(
      {read_text(organisations().file("tls-peer.key")), organisations().certificate("tls-peer")});
  grpc::ServerBuilder builder;
  builder.SetMaxSendMessageSize(-1);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::SslServerCredentials(tls),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) std::abort();
}

void ScriptedPeer::stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

fabric::Endpoint ScriptedPeer::endpoint(const std::string& name) const {
  return {name, "127.0.0.1:" + std::to_string(port_), organisations().file("tls-ca.pem"),
          "peer0.test"};
}

void ScriptedPeer::set(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

ScriptedPeer::Script ScriptedPeer::script() const {
  const std::lock_guard lock(mutex_);
  return script_;
}

grpc::Status ScriptedPeer::Endorse(grpc::ServerContext* context,
                                   const gateway::EndorseRequest* request,
                                   gateway::EndorseResponse* response) {
  ++endorses;
  const Script script = this->script();
  if (script.endorse) {
    if (const auto status = script.endorse(*context)) return *status;
  }
  const gateway::SignedProposal& proposal = request->proposed_transaction();
  const Said said = read_proposal(proposal.proposal_bytes());
  if (!is_signed(said.creator, proposal.proposal_bytes(), proposal.signature())) {
    return refusal("error validating proposal: access denied");
  }
  if (ledger_.knows(said.transaction)) return refusal("duplicate transaction found");
  const auto first = ledger_.find(id_of(said.arguments.at(1)));
  if (first && first->body != said.arguments.at(1)) {
    return refusal("chaincode response 500, conflict: another transaction stands under this id");
  }
  Executed executed;
  executed.answer = std::string("{\"repeated\":") + (first ? "true" : "false") + ",\"tx\":\"" +
                    (first ? first->transaction : said.transaction) + "\"}";
  gateway::Envelope& envelope = *response->mutable_prepared_transaction();
  envelope.set_payload(assemble(said.proposed, executed));
  if (script.envelope) script.envelope(envelope);
  return grpc::Status::OK;
}

grpc::Status ScriptedPeer::Submit(grpc::ServerContext* context,
                                  const gateway::SubmitRequest* request, gateway::SubmitResponse*) {
  ++submits;
  const Script script = this->script();
  if (script.submit) {
    if (const auto status = script.submit(*context)) return *status;
  }
  const gateway::Envelope& envelope = request->prepared_transaction();
  const Said said = read_envelope(envelope.payload());
  if (!is_signed(said.creator, envelope.payload(), envelope.signature())) {
    return {grpc::ABORTED, "received unsuccessful response from orderer: status=FORBIDDEN"};
  }
  if (script.loses_submissions) return grpc::Status::OK;
  ledger_.commit(said.transaction, envelope.SerializeAsString(), said.arguments.at(1), script.code);
  return grpc::Status::OK;
}

// Waits for ever if the transaction is not known, as a real peer does.
grpc::Status ScriptedPeer::CommitStatus(grpc::ServerContext* context,
                                        const gateway::SignedRequest* request,
                                        gateway::CommitStatusResponse* response) {
  ++statuses;
  const Script script = this->script();
  if (script.status) {
    if (const auto status = script.status(*context)) return *status;
  }
  gateway::CommitStatusRequest asked;
  asked.ParseFromString(request->request());
  if (!is_signed(asked.identity(), request->request(), request->signature())) {
    return {grpc::PERMISSION_DENIED, "the policy is not satisfied"};
  }
  const std::string transaction = asked.transaction_id();
  eventually([&] { return context->IsCancelled() || ledger_.knows(transaction); });
  if (!ledger_.knows(transaction)) return grpc::Status::CANCELLED;
  response->set_result(ledger_.code_of(transaction));
  response->set_block_number(ledger_.block_of(transaction));
  return grpc::Status::OK;
}

grpc::Status ScriptedPeer::Evaluate(grpc::ServerContext* context,
                                    const gateway::EvaluateRequest* request,
                                    gateway::EvaluateResponse* response) {
  ++evaluates;
  const Script script = this->script();
  if (script.evaluate) {
    if (const auto status = script.evaluate(*context)) return *status;
  }
  const Said said = read_proposal(request->proposed_transaction().proposal_bytes());
  const std::string& function = said.arguments.at(0);
  response->mutable_result()->set_status(200);
  std::string payload = script.evaluated;
  if (!payload.empty()) {
    // As it is.
  } else if (function == "Get") {
    const auto found = ledger_.find(said.arguments.at(1));
    if (found)
      payload = "{\"body\":" + quoted(found->body) + ",\"tx\":\"" + found->transaction + "\"}";
  } else if (function == "History") {
    for (const auto& one : ledger_.entries()) payload += (payload.empty() ? "[" : ",") + one.body;
    payload = payload.empty() ? "[]" : payload + "]";
  } else if (function == "GetTransactionByID") {
    const std::string& transaction = said.arguments.at(2);
    if (!ledger_.knows(transaction)) {
      return {grpc::UNKNOWN,
              "chaincode response 500, Failed to get transaction with id x, error "
              "no such transaction ID [x] in index"};
    }
    gateway::ProcessedTransaction processed;
    processed.set_transaction_envelope(ledger_.envelope_of(transaction));
    processed.set_validation_code(ledger_.code_of(transaction));
    payload = processed.SerializeAsString();
  }
  response->mutable_result()->set_payload(payload);
  return grpc::Status::OK;
}

grpc::Status ScriptedPeer::ChaincodeEvents(
    grpc::ServerContext* context, const gateway::SignedRequest* request,
    grpc::ServerWriter<gateway::ChaincodeEventsResponse>* writer) {
  ++streams;
  const Script script = this->script();
  if (script.events) {
    if (const auto status = script.events(*context)) return *status;
  }
  gateway::ChaincodeEventsRequest asked;
  asked.ParseFromString(request->request());
  const std::uint64_t from = asked.start_position().specified().number();
  std::size_t next = 0;
  while (!context->IsCancelled()) {
    const auto entries = ledger_.entries();
    for (; next < entries.size(); ++next) {
      if (entries[next].block < from) continue;
      gateway::ChaincodeEventsResponse response;
      response.set_block_number(entries[next].block);
      for (const char* const name : {"other", "recorded"}) {
        gateway::ChaincodeEvent& event = *response.add_events();
        event.set_chaincode_id("flora");
        event.set_event_name(name);
        event.set_tx_id(entries[next].transaction);
        event.set_payload(entries[next].body);
      }
      writer->Write(response);
    }
    eventually([&] { return context->IsCancelled() || ledger_.entries().size() > next; });
  }
  return grpc::Status::CANCELLED;
}

}  // namespace flora::test
