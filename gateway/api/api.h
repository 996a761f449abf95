// Start here. The REST interface: each operation of the OpenAPI document has one handler in one
// visible list. Routing, authentication and validation come before the handlers and are the same
// for all of them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "adapters/installed.h"
#include "gateway/api/admission.h"
#include "gateway/api/call.h"
#include "gateway/api/configuration_state.h"
#include "gateway/api/item_stream.h"
#include "gateway/api/message_buffer.h"
#include "gateway/api/metrics.h"
#include "gateway/api/question_key.h"
#include "gateway/api/throttle.h"
#include "gateway/audit/trail.h"
#include "gateway/base/in_flight.h"
#include "gateway/base/shares.h"
#include "gateway/base/thread_pool.h"
#include "gateway/erasure/eraser.h"
#include "gateway/erasure/retention.h"
#include "gateway/http/server.h"
#include "gateway/intake/intake.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/embedded/embedded_ledger.h"

namespace flora::api {

struct NativeMessage;

/// What the handlers work with; all of it outlives the Api.
struct Parts {
  Env* env = nullptr;
  const openapi::Document* document = nullptr;
  const Catalogue* catalogue = nullptr;
  const policy::InForce* policy = nullptr;
  const privacy::Keys* first_keys = nullptr;  ///< Of the mapping secret; null: there is none.
  const QuestionKey* questions = nullptr;
  const intake::EventParser* parser = nullptr;
  intake::Intake* intake = nullptr;
  intake::Forwarder* forwarder = nullptr;
  store::Store* store = nullptr;
  erasure::Eraser* eraser = nullptr;
  const erasure::Retention* retention = nullptr;
  RetentionPeriods periods;
  Ledger* ledger = nullptr;
  ledger::EmbeddedLedger* log = nullptr;  ///< The same as a transparency log; null: it is none.
  const audit::Trail* trail = nullptr;
  view::ProcedureIndex* index = nullptr;
  const adapter::Installed* adapters = nullptr;
  const ConfigurationState* configuration = nullptr;
  ThreadPool* blocking = nullptr;     ///< What waits for the disk.
  ThreadPool* translating = nullptr;  ///< Large messages, which may take long: nobody waits behind.
  Authentication authentication;
  std::int64_t idempotency_lifetime_ms = 24LL * 3600 * 1000;
  std::size_t adapter_memory = 192u << 20;  ///< Bytes of all large native messages together.
  telemetry::Exporter* exporter = nullptr;  ///< Null: no spans are made.
  double sample_ratio = 1;  ///< Of the traces that begin here, how many are sampled: 0 to 1.
};

/// Thread-safe.
class Api {
 public:
  /// Errors: invalid, naming every operation without handler and every handler without operation.
  static Result<std::unique_ptr<Api>> make(const Parts& parts);
  /// Waits until every request has its answer. The server must not run any more.
  ~Api();

  /// The handlers of the two listeners.
  http::Handler& public_handler();
  http::Handler& operations_handler();

  /// Readiness is 503 from now on: the gateway is about to stop.
  void retire() { retired_ = true; }

  /// The server is about to stop: streams that wait for their turn, and exports, are
  /// broken off.
  void send_waiting_away() {
    leaving_ = true;
    throttle_.pacer().stop();
  }

  /// For ServerOptions::error_page: makes the answer, counts it, and writes its line in the log.
  http::Response error_page(int status, std::string_view problem, std::string_view detail);

  /// For ServerOptions::fields: what stands in every answer of both listeners.
  std::vector<http::Header> common_fields() const;

  /// How metrics and spans name a listener; before requests come.
  void set_listener(openapi::Listener side, const ListenerName& name);

  /// Where the metrics find the server's counters. Set when the server runs: requests may come
  /// already.
  void set_counters(std::function<http::Counters()> counters);

 private:
  class Listener;
  explicit Api(const Parts& parts);

  using Handle = void (Api::*)(Call, Reply);
  struct Route {
    std::string_view operation;
    Handle handle;
  };
  static const std::vector<Route>& routes();

  // status_events.cpp
  void submit_status_events(Call call, Reply reply);
  void submit_single(Call call, Reply reply);
  void submit_batch(Call call, Reply reply);
  void submit_with_key(Call call, std::string key, Reply reply);
  intake::Item parse_single(const Call& call) const;
  void run_single(const Call& call, const Reply& reply,
                  std::function<void(http::Response, std::optional<Uuid>)> done);
  // stream.cpp
  void submit_stream(Call call, http::BodyReader body, Reply reply);
  void answer_by_lines(const policy::Caller& caller, const Preferences& preferences,
                       std::unique_ptr<ItemSource> source, Reply reply);
  // adapters.cpp
  void list_adapters(Call call, Reply reply);
  void get_adapter(Call call, Reply reply);
  void list_adapter_versions(Call call, Reply reply);
  void get_adapter_version(Call call, Reply reply);
  // adapter_messages.cpp
  void take_message(Call call, Reply reply);
  void receive_message(Call call, http::BodyReader body, Reply reply);
  void refuse_caller(const Call& call, Reply reply) const;
  std::shared_ptr<const adapter::Adapter> adapter_for(const Call& call, const Reply& reply);
  void count_message(const Call& call, const adapter::Adapter& adapter, MessageOutcome outcome);
  void answer_message(const std::shared_ptr<const NativeMessage>& message);
  void submit_items(const NativeMessage& message, std::vector<adapter::Item> items);
  // transactions.cpp
  void list_failed_transactions(Call call, Reply reply);
  void get_transaction(Call call, Reply reply);
  void retry_transaction(Call call, Reply reply);
  void get_receipt(Call call, Reply reply);
  // procedures.cpp
  void search_procedures(Call call, Reply reply);
  void get_procedure(Call call, Reply reply);
  void get_history(Call call, Reply reply);
  // erasure.cpp
  void erase_mapping(Call call, Reply reply);
  void repeat_erasure(const Uuid& id, std::uint64_t tombstone, const policy::Caller& caller,
                      Reply reply);
  // audit.cpp
  class AuditStream;
  void list_audit_records(Call call, Reply reply);
  void export_audit_records(Call call, Reply reply);
  // subject_report.cpp
  void create_subject_report(Call call, Reply reply);
  // log.cpp
  void get_checkpoint(Call call, Reply reply);
  void get_tile(Call call, Reply reply);
  void get_entry_bundle(Call call, Reply reply);
  // documents.cpp
  void list_statuses(Call call, Reply reply);
  void get_openapi_yaml(Call call, Reply reply);
  void get_openapi_json(Call call, Reply reply);
  void get_openapi_30(Call call, Reply reply);
  void get_docs(Call call, Reply reply);
  void get_docs_asset(Call call, Reply reply);
  void list_problems(Call call, Reply reply);
  void get_problem(Call call, Reply reply);
  // operations.cpp
  void get_live(Call call, Reply reply);
  void get_ready(Call call, Reply reply);
  void get_metrics(Call call, Reply reply);

  /// Answers with 403, which is recorded, if the operation is not open to the caller, whatever it
  /// is about. False: it is open.
  bool refuse(const Call& call, audit::Action action, const Reply& reply) const;

  /// Answers when the record of the access is durable (audit::body); 503 if that cannot be.
  void send_recorded(Reply reply, std::string record, http::Response response) const;

  /// Runs work that waits for the disk; answers 503 if too much is waiting.
  void run_blocking(Reply reply, std::function<void()> work);
  void run_on(ThreadPool& pool, const Reply& reply, std::function<void()> work);
  /// 503, and which bound is reached.
  http::Response overloaded(Limit limit);

  Parts parts_;
  std::atomic<bool> retired_ = false;
  std::atomic<bool> leaving_ = false;
  Metrics metrics_;
  Observer observer_;
  EntityTags tags_;
  std::mutex counters_mutex_;
  std::function<http::Counters()> counters_;  // By counters_mutex_.
  std::unique_ptr<Listener> public_;
  std::unique_ptr<Listener> operations_;
  InFlight calls_;
  std::mutex in_flight_mutex_;
  std::set<Digest> in_flight_;  // Digests of Idempotency keys whose first request is under way.
  ItemStream::Shared streams_;
  Shares messages_;
  Throttle throttle_;  // Its streams go before the rest.
};

}  // namespace flora::api
