// For operators: liveness, readiness, metrics.
#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"

namespace flora::api {

void Api::get_live(Call, Reply reply) { reply->send(json_response(200, R"({"status":"LIVE"})")); }

void Api::get_ready(Call, Reply reply) {
  const bool ledger_up = !parts_.forwarder->stalled();
  if (!ledger_up) {
    return reply->send(problem_response(
        {"not-ready", "The ledger does not take transactions; they wait in the outbox.", {}}));
  }
  JsonWriter json;
  json.begin_object().member("status", "READY").name("checks").begin_array();
  for (const std::string_view name : {"store", "ledger", "view"}) {
    json.begin_object().member("name", name).member("status", "UP").end_object();
  }
  reply->send(json_response(200, json.end_array().end_object().take()));
}

void Api::get_metrics(Call, Reply reply) {
  Gauges gauges;
  if (counters_) gauges.http = counters_();
  gauges.ledger_entries = parts_.ledger->size();
  gauges.outbox = parts_.store->outbox_size();
  gauges.view_position = parts_.index->position();
  reply->send({200,
               {{"content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8"},
                {"cache-control", "no-store"}},
               metrics_.text(gauges)});
}

}  // namespace flora::api
