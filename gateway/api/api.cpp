#include "gateway/api/api.h"

#include <algorithm>
#include <array>

#include "gateway/api/access.h"

namespace flora::api {
namespace {

// Of the memory of large messages, for one authority: half, but room for any message.
std::size_t share_of(std::size_t memory) {
  constexpr std::size_t kLargestMessage = 64u << 20;
  return std::max(memory / 2, kLargestMessage);
}

}  // namespace

// One listener's side of the interface.
class Api::Listener final : public http::Handler {
 public:
  Listener(Api& api, openapi::Listener side)
      : api_(api),
        side_(side),
        admission_(*api.parts_.document, *api.parts_.policy, side, api.parts_.authentication) {}

  http::Admission admit(const http::RequestHead& head) override {
    if (head.method == "OPTIONS" && head.path == "*") {  // RFC 9110 §9.3.7: the server as a whole.
      return refuse(head, {}, {204, {{"allow", "DELETE, GET, HEAD, OPTIONS, POST"}}, {}});
    }
    Verdict verdict = admission_.examine(head);
    const Payer payer = payer_of(verdict, head);
    std::optional<http::Response> refusal = api_.throttle_.take_request(payer);
    if (!refusal && verdict.problem) {
      refusal = refusal_of(verdict);
      api_.throttle_.add_fields(payer, refusal->headers);
    }
    http::Admission admission =
        refusal ? refuse(head, verdict, std::move(*refusal)) : admission_of(verdict, head);
    admission.account = payer.account();
    return admission;
  }

  void handle(http::Request request, http::Responder responder) override {
    Verdict verdict = admission_.examine(request.head);
    Reply reply = make_reply(request.head, verdict, std::move(responder));
    if (verdict.problem) return reply->send(refusal_of(verdict));
    Call call{std::move(request.head), std::move(request.body), std::move(verdict.match),
              std::move(verdict.caller), std::move(verdict.media_type)};
    const std::string_view id = call.operation().id;
    const auto route = std::ranges::find(routes(), id, &Route::operation);
    (api_.*(route->handle))(std::move(call), std::move(reply));
  }

  void handle_stream(http::RequestHead head, http::BodyReader body,
                     http::Responder responder) override {
    Verdict verdict = admission_.examine(head);
    Reply reply = make_reply(head, verdict, std::move(responder));
    if (verdict.problem) return reply->send(refusal_of(verdict));
    Call call{std::move(head),
              {},
              std::move(verdict.match),
              std::move(verdict.caller),
              std::move(verdict.media_type)};
    if (takes_message(call.operation())) {
      api_.receive_message(std::move(call), std::move(body), std::move(reply));
    } else {
      api_.submit_stream(std::move(call), std::move(body), std::move(reply));
    }
  }

 private:
  static http::Admission admission_of(const Verdict& verdict, const http::RequestHead& head) {
    if (is_streamed(verdict, head)) return http::Admission::stream();
    return http::Admission::whole(body_limit(*verdict.match.operation, verdict.media_type));
  }

  std::unique_ptr<Observation> observe(const http::RequestHead& head,
                                       const Verdict& verdict) const {
    return std::make_unique<Observation>(api_.observer_, side_, head, verdict.match.operation,
                                         verdict.caller ? &*verdict.caller : nullptr);
  }

  http::Admission refuse(const http::RequestHead& head, const Verdict& verdict,
                         http::Response response) const {
    observe(head, verdict)->end(response);
    return http::Admission::refuse(std::move(response));
  }

  Reply make_reply(const http::RequestHead& head, const Verdict& verdict,
                   http::Responder responder) {
    Payer payer = payer_of(verdict, head);
    std::string sender = payer.account();
    const auto fields = [this, payer = std::move(payer)](std::vector<http::Header>& headers) {
      api_.throttle_.add_fields(payer, headers);
    };
    return std::make_shared<ReplyState>(std::move(responder), observe(head, verdict),
                                        std::move(sender), fields, api_.calls_.ticket());
  }

  Api& api_;
  const openapi::Listener side_;
  Admission admission_;
};

const std::vector<Api::Route>& Api::routes() {
  static const std::vector<Route> list = {
      {"submitStatusEvents", &Api::submit_status_events},
      {"listAdapters", &Api::list_adapters},
      {"getAdapter", &Api::get_adapter},
      {"listAdapterVersions", &Api::list_adapter_versions},
      {"getAdapterVersion", &Api::get_adapter_version},
      {kSubmitMessage, &Api::take_message},
      {kTranslateMessage, &Api::take_message},
      {"listFailedTransactions", &Api::list_failed_transactions},
      {"getTransaction", &Api::get_transaction},
      {"retryTransaction", &Api::retry_transaction},
      {"getReceipt", &Api::get_receipt},
      {"searchProcedures", &Api::search_procedures},
      {"getProcedure", &Api::get_procedure},
      {"getHistory", &Api::get_history},
      {"eraseMapping", &Api::erase_mapping},
      {"listAuditRecords", &Api::list_audit_records},
      {"exportAuditRecords", &Api::export_audit_records},
      {"createSubjectReport", &Api::create_subject_report},
      {"listStatuses", &Api::list_statuses},
      {"getCheckpoint", &Api::get_checkpoint},
      {"getTile", &Api::get_tile},
      {"getEntryBundle", &Api::get_entry_bundle},
      {"getLive", &Api::get_live},
      {"getOpenApiYaml", &Api::get_openapi_yaml},
      {"getOpenApiJson", &Api::get_openapi_json},
      {"getOpenApi30", &Api::get_openapi_30},
      {"getDocs", &Api::get_docs},
      {"getDocsAsset", &Api::get_docs_asset},
      {"listProblems", &Api::list_problems},
      {"getProblem", &Api::get_problem},
      {"getReady", &Api::get_ready},
      {"getMetrics", &Api::get_metrics},
  };
  return list;
}

namespace {

std::vector<std::string> adapter_ids(const adapter::Installed& installed) {
  std::vector<std::string> ids;
  for (const adapter::InstalledBundle& bundle : installed.list()) {
    ids.push_back(bundle.adapter->info().id);
  }
  return ids;
}

}  // namespace

Api::Api(const Parts& parts)
    : parts_(parts),
      metrics_(*parts_.document, adapter_ids(*parts_.adapters)),
      observer_(*parts_.document, metrics_, *parts_.env, parts_.exporter, parts_.sample_ratio),
      messages_(parts.adapter_memory, share_of(parts.adapter_memory)),
      throttle_(*parts.env, *parts.policy, metrics_) {
  streams_.intake = parts.intake;
  streams_.ledger = parts.ledger;
  streams_.metrics = &metrics_;
  streams_.throttle = &throttle_;
  streams_.env = parts.env;
}

Api::~Api() {
  throttle_.pacer().stop();
  calls_.wait();
}

Result<std::unique_ptr<Api>> Api::make(const Parts& parts) {
  std::set<std::string> handlers;
  for (const Route& route : routes()) handlers.emplace(route.operation);
  FLORA_TRY(parts.document->check_handlers(handlers));
  std::unique_ptr<Api> api(new Api(parts));
  api->public_ = std::make_unique<Listener>(*api, openapi::Listener::public_);
  api->operations_ = std::make_unique<Listener>(*api, openapi::Listener::operations);
  return api;
}

http::Handler& Api::public_handler() { return *public_; }
http::Handler& Api::operations_handler() { return *operations_; }

std::vector<http::Header> Api::common_fields() const {
  if (!parts_.authentication.development_header) return {};
  return {{"flora-development", "true"}};
}

void Api::set_listener(openapi::Listener side, const ListenerName& name) {
  metrics_.set_listener(side, name);
}

void Api::set_counters(std::function<http::Counters()> counters) {
  const std::lock_guard lock(counters_mutex_);
  counters_ = std::move(counters);
}

http::Response Api::error_page(int status, std::string_view problem, std::string_view detail) {
  // The server's word for what has a name of IANA.
  if (problem == "overloaded") problem = "temporary-reduced-capacity";
  const ProblemKind* kind = find_problem_kind(problem);
  const bool known = kind != nullptr && kind->status == status;
  http::Response response =
      problem_response({known ? kind->name : "internal-error", std::string(detail), {}});
  observer_.on_server_answer(response);
  return response;
}

bool Api::refuse(const Call& call, audit::Action action, const Reply& reply) const {
  const auto problem = refusal_of(*parts_.policy->get(), *call.caller, call.operation().id);
  if (!problem) return false;
  AuditEffect refused;
  refused.problem = problem->name;
  send_recorded(reply, record_of(*call.caller, action, refused), problem_response(*problem));
  return true;
}

void Api::send_recorded(Reply reply, std::string record, http::Response response) const {
  const auto held = std::make_shared<http::Response>(std::move(response));
  parts_.store->record({std::move(record)}, [reply, held](const Result<void>& recorded) {
    reply->send(recorded ? std::move(*held) : problem_response({"unavailable", {}, {}}));
  });
}

void Api::run_blocking(Reply reply, std::function<void()> work) {
  run_on(*parts_.blocking, reply, std::move(work));
}

void Api::run_on(ThreadPool& pool, const Reply& reply, std::function<void()> work) {
  if (!pool.post(reply->sender(), std::move(work))) reply->send(overloaded(Limit::blocking));
}

http::Response Api::overloaded(Limit limit) {
  metrics_.count_refusal(limit);
  return problem_response({"temporary-reduced-capacity", {}, {}});
}

}  // namespace flora::api
