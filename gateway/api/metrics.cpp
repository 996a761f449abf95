#include "gateway/api/metrics.h"

#include <algorithm>

namespace flora::api {
namespace {

constexpr std::string_view kNone = "none";

// `type` is counter or gauge; a counter's sample has the suffix _total.
void family(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += "# TYPE " + std::string(name) + ' ' + std::string(type) + '\n';
  out += "# HELP " + std::string(name) + ' ' + std::string(help) + '\n';
}

void sample(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  out += name;
  if (!labels.empty()) out += '{' + std::string(labels) + '}';
  out += ' ' + std::to_string(value) + '\n';
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

}  // namespace

Metrics::Metrics(const openapi::Document& document) {
  responses_[std::string(kNone)];
  for (const openapi::Operation& operation : document.operations()) responses_[operation.id];
}

void Metrics::count_response(std::string_view operation, int status) {
  auto at = responses_.find(operation);
  if (at == responses_.end()) at = responses_.find(kNone);
  const int group = std::clamp(status / 100, 1, 5);
  ++at->second[static_cast<std::size_t>(group - 1)];
}

void Metrics::count_item(int status) {
  ++items_[static_cast<std::size_t>(std::clamp(status, 0, 599))];
}

std::string Metrics::text(const Gauges& gauges) const {
  std::string out;
  family(out, "flora_responses", "counter", "Answers by operation and class of status.");
  for (const auto& [operation, classes] : responses_) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] == 0) continue;
      sample(out, "flora_responses_total",
             "operation=\"" + operation + "\",status_class=\"" + std::to_string(i + 1) + "xx\"",
             classes[i]);
    }
  }
  family(out, "flora_events", "counter", "Status events by the status of their answer.");
  for (std::size_t status = 0; status < items_.size(); ++status) {
    if (items_[status] == 0) continue;
    sample(out, "flora_events_total", "status=\"" + std::to_string(status) + "\"", items_[status]);
  }
  gauge(out, "flora_ledger_entries", "Entries on the ledger.", gauges.ledger_entries);
  gauge(out, "flora_outbox_entries",
        "Transactions that are accepted and not yet seen on the ledger.",
        static_cast<std::uint64_t>(std::max<std::int64_t>(gauges.outbox, 0)));
  gauge(out, "flora_view_position", "Entries that the read model holds.", gauges.view_position);
  gauge(out, "flora_adapters_stale", "Adapters whose folder holds a version that is not in use.",
        gauges.adapters_stale);
  gauge(out, "flora_configuration_stale",
        "Parts of the configuration whose files are not in force as they lie there.",
        gauges.configuration_stale);
  const http::Counters& h = gauges.http;
  gauge(out, "flora_http_connections_open", "Open connections.", h.open);
  counter(out, "flora_http_connections_accepted", "Accepted connections.", h.accepted);
  counter(out, "flora_http_connections_refused", "Connections beyond a limit.", h.refused);
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
  out += "# EOF\n";
  return out;
}

}  // namespace flora::api
