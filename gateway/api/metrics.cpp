#include "gateway/api/metrics.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "gateway/model/problem.h"

namespace flora::api {
namespace {

constexpr std::array<std::string_view, kMethodCount> kMethodNames = {
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "_OTHER"};

constexpr std::array<openapi::Listener, 2> kSides = {openapi::Listener::public_,
                                                     openapi::Listener::operations};

// OpenTelemetry's advice for http.server.request.duration, in nanoseconds and as text in seconds.
struct Bound {
  std::int64_t ns;
  std::string_view text;
};
constexpr std::array<Bound, 14> kDurationBounds = {{{5'000'000, "0.005"},
                                                    {10'000'000, "0.01"},
                                                    {25'000'000, "0.025"},
                                                    {50'000'000, "0.05"},
                                                    {75'000'000, "0.075"},
                                                    {100'000'000, "0.1"},
                                                    {250'000'000, "0.25"},
                                                    {500'000'000, "0.5"},
                                                    {750'000'000, "0.75"},
                                                    {1'000'000'000, "1.0"},
                                                    {2'500'000'000, "2.5"},
                                                    {5'000'000'000, "5.0"},
                                                    {7'500'000'000, "7.5"},
                                                    {10'000'000'000, "10.0"}}};

constexpr std::array<std::string_view, 2> kMessageOperations = {"submitMessage",
                                                                "translateMessage"};
constexpr std::array<std::string_view, 3> kMessageOutcomes = {"translated", "rejected", "refused"};
constexpr std::array<std::string_view, 3> kItemOutcomes = {"event", "rejected", "skipped"};

std::size_t number_of(openapi::Listener side) { return side == openapi::Listener::public_ ? 0 : 1; }

std::string_view to_string(openapi::Listener side) {
  return side == openapi::Listener::public_ ? "public" : "operations";
}

void relaxed_add(std::atomic<std::uint64_t>& count, std::uint64_t n) {
  count.fetch_add(n, std::memory_order_relaxed);
}

// `type` is counter, gauge or histogram; a counter's sample has the suffix _total.
void family(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += "# TYPE " + std::string(name) + ' ' + std::string(type) + '\n';
  out += "# HELP " + std::string(name) + ' ' + std::string(help) + '\n';
}

void sample(std::string& out, std::string_view name, std::string_view labels,
            std::string_view value) {
  out += name;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void sample(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  sample(out, name, labels, std::to_string(value));
}

void counter(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  family(out, name, "counter", help);
  sample(out, std::string(name) + "_total", "", value);
}

void gauge(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  family(out, name, "gauge", help);
  sample(out, name, "", value);
}

void append_end(std::string& out, std::string_view name, std::string_view help,
                std::optional<std::int64_t> end) {
  if (!end) return;
  gauge(out, name, help, static_cast<std::uint64_t>(std::max<std::int64_t>(*end, 0)));
}

void label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  labels += value;
  labels += '"';
}

std::string seconds(std::uint64_t ns) {
  const std::string rest = std::to_string(ns % 1'000'000'000);
  return std::to_string(ns / 1'000'000'000) + '.' + std::string(9 - rest.size(), '0') + rest;
}

void append_http(std::string& out, const http::Counters& h) {
  gauge(out, "flora_http_connections_open", "Open connections.", h.open);
  counter(out, "flora_http_connections_accepted", "Accepted connections.", h.accepted);
  counter(out, "flora_http_connections_refused", "Connections beyond a limit.", h.refused);
  counter(out, "flora_http_no_memory", "Requests beyond a limit of memory (503).", h.no_memory);
  counter(out, "flora_http_requests", "Requests whose head was complete.", h.requests);
  counter(out, "flora_http_requests_malformed", "Requests that the parser refused.", h.malformed);
  counter(out, "flora_http_timeouts", "Cut off at a deadline.", h.timeouts);
  counter(out, "flora_http_slow_readers", "Cut off to free the memory of their answers.",
          h.slow_readers);
  counter(out, "flora_http_accept_pauses", "Pauses for want of descriptors.", h.pauses);
  counter(out, "flora_http_aborted", "Connections that ended with an answer owed.", h.aborted);
  counter(out, "flora_http_late_answers", "Answers that nobody waited for.", h.late_answers);
  counter(out, "flora_tls_handshakes", "Completed TLS handshakes.", h.handshakes);
  counter(out, "flora_tls_handshakes_resumed", "Of these, resumed sessions.", h.resumed);
  counter(out, "flora_tls_handshakes_failed", "Failed TLS handshakes.", h.handshake_failures);
  counter(out, "flora_tls_clients_untrusted", "Client certificates refused.", h.untrusted);
  append_end(out, "flora_tls_certificate_end_seconds",
             "When the first certificate in use ends, since the Unix epoch.", h.certificate_end);
  append_end(out, "flora_tls_crl_end_seconds", "When the first CRL in use ends, likewise.",
             h.crl_end);
  counter(out, "flora_http_received_bytes", "Bytes received.", h.bytes_in);
  counter(out, "flora_http_sent_bytes", "Bytes sent.", h.bytes_out);
}

void append_spans(std::string& out, const telemetry::ExporterCounters& spans) {
  counter(out, "flora_spans_exported", "Spans that the collector took.", spans.exported);
  counter(out, "flora_spans_dropped", "Spans that found no room.", spans.dropped);
  counter(out, "flora_spans_rejected", "Spans that the collector refused.", spans.rejected);
  counter(out, "flora_spans_export_failures", "Tries to export that failed.", spans.failures);
}

void append_network(std::string& out, const Gauges& gauges) {
  if (!gauges.network) return;
  const outbox::Activity& activity = *gauges.network;
  gauge(out, "flora_network_away", "1 while the ledger network takes or tells nothing.",
        gauges.network_away ? 1 : 0);
  gauge(out, "flora_network_tries_under_way", "Transactions that are being tried.",
        activity.under_way);
  counter(out, "flora_network_tries", "Tries to record a transaction.", activity.tries);
  if (gauges.turn) {
    gauge(out, "flora_outbox_turn", "1 while this gateway brings the outbox to the network.",
          *gauges.turn ? 1 : 0);
  }
  gauge(out, "flora_network_failed", "Transactions that the network has refused.", activity.failed);
  if (activity.away.empty()) return;
  family(out, "flora_network_channel_away", "gauge",
         "1 while tries on the channel find nobody, or are all denied.");
  for (const auto& [channel, away] : activity.away) {
    sample(out, "flora_network_channel_away", "channel=\"" + channel + '"', away ? "1" : "0");
  }
}

void append_retention(std::string& out, const erasure::RetentionCounters& retention) {
  counter(out, "flora_retention_erased", "Mappings erased because their period is over.",
          retention.erased);
  counter(out, "flora_retention_copies_deleted", "Databases of restores that were deleted.",
          retention.copies);
  counter(out, "flora_retention_failures", "What could not be looked at, erased or deleted.",
          retention.failed);
  counter(out, "flora_retention_put_off", "Runs that a leap of the clock has put off.",
          retention.put_off);
  gauge(out, "flora_retention_open", "Mappings that were due in the last run and are not erased.",
        retention.open);
  gauge(out, "flora_retention_last_run_seconds", "When the last run was, since the Unix epoch.",
        static_cast<std::uint64_t>(std::max<std::int64_t>(retention.last_run.ms / 1000, 0)));
}

}  // namespace

Method method_of(std::string_view name) {
  const auto* const at = std::ranges::find(kMethodNames, name);
  return at == kMethodNames.end() ? Method::other : static_cast<Method>(at - kMethodNames.begin());
}

std::string_view to_string(Method method) { return kMethodNames[static_cast<std::size_t>(method)]; }

// First two rows for each operation, its method and HEAD; then for each listener the methods of
// requests that led to no operation.
Metrics::Metrics(const openapi::Document& document, const std::vector<std::string>& adapters)
    : document_(document), rows_(2 * document.operations().size() + 2 * kMethodCount) {
  std::size_t next = 0;
  for (const openapi::Operation& operation : document.operations()) {
    for (const Method method : {method_of(operation.method), Method::head}) {
      rows_[next].method = method;
      rows_[next].operation = &operation;
      rows_[next++].side = operation.listener;
    }
  }
  for (const openapi::Listener side : kSides) {
    for (std::size_t method = 0; method < kMethodCount; ++method) {
      rows_[next].method = static_cast<Method>(method);
      rows_[next++].side = side;
    }
  }
  for (const std::string& adapter : adapters) adapters_[adapter];
  for (const ProblemKind& kind : problem_kinds()) server_answers_[kind.name];
}

Metrics::~Metrics() {
  for (const Row& row : rows_) {
    for (const auto& histogram : row.by_status) delete histogram.load();
  }
}

void Metrics::set_listener(openapi::Listener side, const ListenerName& name) {
  listeners_[number_of(side)] = name;
}

const ListenerName& Metrics::listener(openapi::Listener side) const {
  return listeners_[number_of(side)];
}

Metrics::Row& Metrics::row(openapi::Listener side, Method method,
                           const openapi::Operation* operation) {
  const std::size_t operations = document_.operations().size();
  if (operation == nullptr) {
    return rows_[2 * operations + number_of(side) * kMethodCount +
                 static_cast<std::size_t>(method)];
  }
  const auto index = static_cast<std::size_t>(operation - document_.operations().data());
  return rows_[2 * index + (method == Method::head ? 1 : 0)];
}

void Metrics::begin_request(openapi::Listener side, Method method) {
  auto& active = active_[number_of(side)][static_cast<std::size_t>(method)];
  active.fetch_add(1, std::memory_order_relaxed);
}

void Metrics::end_request(openapi::Listener side, Method method,
                          const openapi::Operation* operation, int status,
                          std::int64_t duration_ns) {
  auto& active = active_[number_of(side)][static_cast<std::size_t>(method)];
  active.fetch_sub(1, std::memory_order_relaxed);
  const auto column = static_cast<std::size_t>(std::clamp(status, 100, 599) - 100);
  std::atomic<Histogram*>& cell = row(side, method, operation).by_status[column];
  Histogram* histogram = cell.load(std::memory_order_acquire);
  if (histogram == nullptr) {
    auto made = std::make_unique<Histogram>();
    if (cell.compare_exchange_strong(histogram, made.get())) histogram = made.release();
  }
  const auto* const bound = std::ranges::lower_bound(kDurationBounds, duration_ns, {}, &Bound::ns);
  relaxed_add(histogram->buckets[static_cast<std::size_t>(bound - kDurationBounds.begin())], 1);
  relaxed_add(histogram->sum_ns, static_cast<std::uint64_t>(duration_ns));
}

void Metrics::count_server_answer(std::string_view problem) {
  const auto at = server_answers_.find(problem);
  if (at != server_answers_.end()) relaxed_add(at->second, 1);
}

void Metrics::count_item(const intake::Answer& answer) {
  relaxed_add(items_[static_cast<std::size_t>(std::clamp(answer.status(), 0, 599))], 1);
  if (answer.problem.name == "temporary-reduced-capacity") count_refusal(Limit::store);
}

std::string_view to_string(Limit limit) {
  constexpr std::array<std::string_view, kLimits> kNames = {
      "requests", "events", "streams", "anonymous", "store", "blocking", "messages", "identifiers"};
  return kNames[static_cast<std::size_t>(limit)];
}

void Metrics::count_message(std::string_view adapter, bool dry_run, MessageOutcome outcome) {
  const auto at = adapters_.find(adapter);
  if (at == adapters_.end()) return;
  relaxed_add(at->second.messages[dry_run ? 1 : 0][static_cast<std::size_t>(outcome)], 1);
}

void Metrics::count_adapter_item(std::string_view adapter, bool dry_run,
                                 adapter::Item::Outcome outcome) {
  const auto at = adapters_.find(adapter);
  if (at == adapters_.end()) return;
  relaxed_add(at->second.items[dry_run ? 1 : 0][static_cast<std::size_t>(outcome)], 1);
}

void Metrics::append_durations(std::string& out) const {
  constexpr std::string_view kName = "http_server_request_duration_seconds";
  family(out, kName, "histogram", "Duration of requests, from the end of the head to the answer.");
  out += "# UNIT http_server_request_duration_seconds seconds\n";
  for (const Row& row : rows_) {
    for (std::size_t column = 0; column < kStatuses; ++column) {
      const Histogram* histogram = row.by_status[column].load(std::memory_order_acquire);
      if (histogram == nullptr) continue;
      std::string labels;
      label(labels, "flora_listener", to_string(row.side));
      label(labels, "http_request_method", to_string(row.method));
      label(labels, "http_response_status_code", std::to_string(column + 100));
      if (row.operation != nullptr) label(labels, "http_route", row.operation->path);
      label(labels, "url_scheme", listener(row.side).scheme);
      std::uint64_t count = 0;
      for (std::size_t i = 0; i <= kBounds; ++i) {
        count += histogram->buckets[i].load(std::memory_order_relaxed);
        std::string with_bound = labels;
        label(with_bound, "le", i < kBounds ? kDurationBounds[i].text : "+Inf");
        sample(out, "http_server_request_duration_seconds_bucket", with_bound, count);
      }
      sample(out, "http_server_request_duration_seconds_sum", labels,
             seconds(histogram->sum_ns.load(std::memory_order_relaxed)));
      sample(out, "http_server_request_duration_seconds_count", labels, count);
    }
  }
}

void Metrics::append_active(std::string& out) const {
  family(out, "http_server_active_requests", "gauge", "Requests that wait for their answer.");
  for (const openapi::Listener side : kSides) {
    for (std::size_t method = 0; method < kMethodCount; ++method) {
      const std::int64_t active = active_[number_of(side)][method].load(std::memory_order_relaxed);
      std::string labels;
      label(labels, "flora_listener", to_string(side));
      label(labels, "http_request_method", kMethodNames[method]);
      label(labels, "url_scheme", listener(side).scheme);
      sample(out, "http_server_active_requests", labels,
             static_cast<std::uint64_t>(std::max<std::int64_t>(active, 0)));
    }
  }
}

void Metrics::append_adapters(std::string& out) const {
  const auto append = [this, &out](std::string_view name, auto member, const auto& outcomes) {
    for (const auto& [adapter, counts] : adapters_) {
      for (std::size_t operation = 0; operation < kMessageOperations.size(); ++operation) {
        for (std::size_t outcome = 0; outcome < outcomes.size(); ++outcome) {
          std::string labels;
          label(labels, "adapter", adapter);
          label(labels, "operation", kMessageOperations[operation]);
          label(labels, "outcome", outcomes[outcome]);
          sample(out, name, labels, (counts.*member)[operation][outcome].load());
        }
      }
    }
  };
  family(out, "flora_adapter_messages", "counter", "Native messages by what became of them.");
  append("flora_adapter_messages_total", &AdapterCounts::messages, kMessageOutcomes);
  family(out, "flora_adapter_items", "counter", "Items of native messages by their translation.");
  append("flora_adapter_items_total", &AdapterCounts::items, kItemOutcomes);
}

void Metrics::append_server_answers(std::string& out) const {
  family(out, "flora_http_server_answers", "counter",
         "Answers that no handler gave: malformed, too large, too slow.");
  for (const auto& [problem, count] : server_answers_) {
    if (count == 0) continue;
    std::string labels;
    label(labels, "problem", problem);
    sample(out, "flora_http_server_answers_total", labels, count);
  }
}

void Metrics::append_refusals(std::string& out) const {
  family(out, "flora_refusals", "counter", "Refused at a bound: the rates (429), then (503).");
  for (std::size_t i = 0; i < kLimits; ++i) {
    sample(out, "flora_refusals_total",
           "limit=\"" + std::string(to_string(static_cast<Limit>(i))) + '"', refusals_[i]);
  }
  counter(out, "flora_stream_pauses", "Groups of streams that waited for their rate.", pauses_);
}

std::string Metrics::text(const Gauges& gauges) const {
  std::string out;
  append_durations(out);
  append_active(out);
  family(out, "flora_events", "counter", "Status events by the status of their answer.");
  for (std::size_t status = 0; status < items_.size(); ++status) {
    if (items_[status] == 0) continue;
    sample(out, "flora_events_total", "status=\"" + std::to_string(status) + "\"", items_[status]);
  }
  append_refusals(out);
  append_adapters(out);
  append_server_answers(out);
  gauge(out, "flora_ledger_entries", "Entries on the ledger.", gauges.ledger_entries);
  gauge(out, "flora_outbox_entries",
        "Transactions that are accepted and not yet seen on the ledger.",
        static_cast<std::uint64_t>(std::max<std::int64_t>(gauges.outbox, 0)));
  append_network(out, gauges);
  gauge(out, "flora_view_position", "Entries that the read model holds.", gauges.view_position);
  gauge(out, "flora_key_rotation_running", "1 while the mapping's rows are brought under new keys.",
        gauges.rotation.running ? 1 : 0);
  counter(out, "flora_key_rotation_rows", "Rows that were brought under new keys.",
          gauges.rotation.rekeyed);
  gauge(out, "flora_key_rotation_damaged_rows", "Rows that do not open under the key they name.",
        gauges.rotation.damaged);
  gauge(out, "flora_erasures_under_way", "Erasures that were ordered and are not finished.",
        static_cast<std::uint64_t>(std::max<std::int64_t>(gauges.erasures, 0)));
  append_retention(out, gauges.retention);
  gauge(out, "flora_adapters_stale", "Adapters whose folder holds a version that is not in use.",
        gauges.adapters_stale);
  gauge(out, "flora_configuration_stale",
        "Parts of the configuration whose files are not in force as they lie there.",
        gauges.configuration_stale);
  append_http(out, gauges.http);
  counter(out, "flora_log_lines_dropped", "Lines that stderr was too slow for.",
          gauges.log_dropped);
  counter(out, "flora_log_lines_suppressed", "Lines left out because many are alike.",
          suppressed_lines_);
  append_spans(out, gauges.spans);
  out += "# EOF\n";
  return out;
}

}  // namespace flora::api
