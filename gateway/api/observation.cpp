#include "gateway/api/observation.h"

#include <algorithm>
#include <array>

#include "gateway/base/bytes.h"
#include "gateway/base/log.h"
#include "gateway/model/problem.h"

namespace flora::api {
namespace {

constexpr int kTooManyRequests = 429;

// How append_json(Problem) begins.
constexpr std::string_view kProblemBegin = R"({"type":")";

// The fields of one line; those without a value are left out.
class Fields {
 public:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) fields_[count_++] = {name, value};
  }
  void number(std::string_view name, std::int64_t value) { fields_[count_++] = {name, value}; }
  std::span<const log::Field> all() const { return std::span(fields_).first(count_); }

 private:
  std::array<log::Field, 16> fields_{};
  std::size_t count_ = 0;
};

// Adds a new `instance` to a problem, and returns it; empty if the answer is no problem.
std::string add_instance(http::Response& response, Env& env) {
  if (problem_of(response).empty()) return {};
  const std::string instance = "urn:uuid:" + to_string(random_uuid(env));
  response.body.pop_back();
  response.body += ",\"instance\":\"" + instance + "\"}";
  return instance;
}

log::Level level_of(int status) { return status >= 500 ? log::Level::warning : log::Level::info; }

std::string span_name(Method method, const openapi::Operation* operation) {
  // OpenTelemetry: a method that is not known is named HTTP.
  std::string name(method == Method::other ? "HTTP" : to_string(method));
  return operation == nullptr ? name : name + ' ' + operation->path;
}

}  // namespace

std::string_view problem_of(const http::Response& response) {
  std::string_view body = response.body;
  if (response.status < 400 || !body.starts_with(kProblemBegin)) return {};
  body.remove_prefix(kProblemBegin.size());
  const std::string_view type = body.substr(0, body.find('"'));
  return type.substr(type.find_last_of("/#") + 1);
}

Observer::Observer(const openapi::Document& document, Metrics& metrics, Env& env,
                   telemetry::Exporter* exporter, double sample_ratio)
    : document_(document),
      metrics_(metrics),
      env_(env),
      exporter_(exporter),
      sample_ratio_(sample_ratio),
      limit_(problem_kinds().size() + document.operations().size() + 1) {}

// A number for each problem, for each operation, and for all other lines.
std::size_t Observer::kind_of(std::string_view problem, const openapi::Operation* operation) const {
  const auto kinds = problem_kinds();
  if (const ProblemKind* kind = find_problem_kind(problem)) {
    return static_cast<std::size_t>(kind - kinds.data());
  }
  const std::size_t operations = document_.operations().size();
  if (operation == nullptr) return kinds.size() + operations;
  return kinds.size() + static_cast<std::size_t>(operation - document_.operations().data());
}

void Observer::on_server_answer(http::Response& response) {
  const std::string_view problem = problem_of(response);
  metrics_.count_server_answer(problem);
  const std::string instance = add_instance(response, env_);
  const auto left_out = limit_.pass(kind_of(problem_of(response), nullptr), env_.steady_ns());
  if (!left_out) return metrics_.count_suppressed_line();
  Fields fields;
  fields.number("status", response.status);
  fields.text("problem", problem_of(response));
  fields.text("instance", instance);
  if (*left_out > 0) fields.number("left_out", static_cast<std::int64_t>(*left_out));
  log::write(level_of(response.status), "request refused by the server", fields.all());
}

Observation::Observation(Observer& observer, openapi::Listener side, const http::RequestHead& head,
                         const openapi::Operation* operation, const policy::Caller* caller)
    : observer_(observer),
      side_(side),
      method_(method_of(head.method)),
      operation_(operation),
      started_ns_(head.received_ns),
      trace_(place_of(head, caller)) {
  if (caller != nullptr) {
    client_ = caller->client;
    if (caller->authorities.size() == 1) authority_ = caller->authorities.front();
  }
  observer_.metrics_.begin_request(side_, method_);
}

telemetry::TraceContext Observation::place_of(const http::RequestHead& head,
                                              const policy::Caller* caller) const {
  const double ratio = observer_.sample_ratio_;
  const auto place = telemetry::trace_of(head.find_all("traceparent"), ratio, observer_.env_);
  return caller != nullptr ? place : telemetry::of_a_stranger(place, ratio);
}

Observation::~Observation() {
  broken_off_ = true;
  end_stream();
}

void Observation::set_transaction(const Uuid& id) {
  const std::lock_guard lock(mutex_);
  transaction_ = id;
}

void Observation::add_phase(std::string_view name, std::int64_t start_ns, std::int64_t end_ns) {
  if (!is_recorded()) return;
  const std::lock_guard lock(mutex_);
  phases_.push_back({name, start_ns, end_ns});
}

void Observation::end_stream() {
  if (!ended_.exchange(true)) record(stream_status_, {}, {});
}

void Observation::end(http::Response& response) {
  if (ended_.exchange(true)) return;
  const std::string instance = add_instance(response, observer_.env_);
  record(response.status, problem_of(response), instance);
}

void Observation::record(int status, std::string_view problem, std::string_view instance) {
  const std::int64_t end_ns = now_ns();
  const std::int64_t duration_ns = std::max<std::int64_t>(end_ns - started_ns_, 0);
  observer_.metrics_.end_request(side_, method_, operation_, status, duration_ns);
  write_line(status, problem, instance, duration_ns);
  if (is_recorded()) export_spans(status, end_ns);
}

void Observation::write_line(int status, std::string_view problem, std::string_view instance,
                             std::int64_t duration_ns) const {
  const bool routine = side_ == openapi::Listener::operations ||
                       (operation_ != nullptr && operation_->id == "getLive");
  const log::Level level = routine ? log::Level::debug : level_of(status);
  if (!log::is_on(level)) return;
  std::optional<std::uint64_t> left_out = 0;
  // Who is refused for asking too often can go on asking.
  if (client_.empty() || status == kTooManyRequests) {
    left_out = observer_.limit_.pass(observer_.kind_of(problem, operation_), now_ns());
    if (!left_out) return observer_.metrics_.count_suppressed_line();
  }
  const std::string trace_id = to_hex(trace_.trace);
  const std::string span_id = to_hex(trace_.span);
  std::string transaction_id;
  {
    const std::lock_guard lock(mutex_);
    if (transaction_) transaction_id = to_string(*transaction_);
  }
  Fields fields;
  fields.text("method", to_string(method_));
  if (operation_ != nullptr) {
    fields.text("route", operation_->path);
    fields.text("operation", operation_->id);
  }
  fields.number("status", status);
  fields.number("duration_us", duration_ns / 1000);
  fields.text("client", client_);
  fields.text("authority", authority_);
  fields.text("problem", problem);
  fields.text("instance", instance);
  if (broken_off_) fields.text("stream", "broken off");
  fields.text("transaction_id", transaction_id);
  if (items_ > 0) fields.number("items", static_cast<std::int64_t>(items_.load()));
  fields.text("trace_id", trace_id);
  fields.text("span_id", span_id);
  if (*left_out > 0) fields.number("left_out", static_cast<std::int64_t>(*left_out));
  log::write(level, "request", fields.all());
}

void Observation::export_spans(int status, std::int64_t end_ns) const {
  // What the steady clock is behind the time of day.
  const std::int64_t offset = observer_.env_.now_ms() * 1'000'000 - end_ns;
  const ListenerName& listener = observer_.metrics_.listener(side_);
  telemetry::Span server{trace_.trace,
                         trace_.span,
                         trace_.parent,
                         span_name(method_, operation_),
                         telemetry::Span::Kind::server,
                         started_ns_ + offset,
                         end_ns + offset,
                         {},
                         status >= 500};
  server.attributes = {{"http.request.method", std::string(to_string(method_))},
                       {"url.scheme", std::string(listener.scheme)},
                       {"http.response.status_code", std::int64_t{status}}};
  if (listener.port != 0) server.attributes.push_back({"server.port", std::int64_t{listener.port}});
  if (operation_ != nullptr) server.attributes.push_back({"http.route", operation_->path});
  if (status >= 500) server.attributes.push_back({"error.type", std::to_string(status)});
  std::vector<telemetry::Span> spans;
  {
    const std::lock_guard lock(mutex_);
    for (const Phase& phase : phases_) {
      spans.push_back({trace_.trace,
                       telemetry::random_span_id(observer_.env_),
                       trace_.span,
                       std::string(phase.name),
                       telemetry::Span::Kind::internal,
                       phase.start_ns + offset,
                       phase.end_ns + offset,
                       {},
                       false});
    }
  }
  spans.push_back(std::move(server));
  observer_.exporter_->add(std::move(spans));
}

}  // namespace flora::api
