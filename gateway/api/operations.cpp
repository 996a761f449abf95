// For operators: liveness, readiness, metrics.
#include <algorithm>

#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"
#include "gateway/base/log.h"

namespace flora::api {
namespace {

constexpr std::size_t kReasons = 100;

void write_reasons(JsonWriter& json, const std::vector<std::string>& reasons) {
  json.member("state", reasons.empty() ? "CURRENT" : "STALE");
  json.name("reasons").begin_array();
  for (std::size_t i = 0; i < std::min(reasons.size(), kReasons); ++i) json.text(reasons[i]);
  json.end_array();
}

// An adapter whose folder holds something that cannot be used goes on with what it had: that is for
// the operators to know, and no reason not to be ready.
void write_state(JsonWriter& json, const adapter::InstalledBundle& bundle) {
  const adapter::BundleInfo& info = bundle.adapter->info();
  json.begin_object().member("id", info.id).member("version", info.version);
  json.member("hash", info.hash);
  write_reasons(json, bundle.refused);
  json.end_object();
}

}  // namespace

void Api::get_live(Call, Reply reply) { reply->send(json_response(200, R"({"status":"LIVE"})")); }

void Api::get_ready(Call, Reply reply) {
  if (retired_) {
    return reply->send(problem_response({"not-ready", "The gateway is about to stop.", {}}));
  }
  const intake::LedgerState ledger = parts_.forwarder->state();
  if (ledger == intake::LedgerState::stalled) {
    return reply->send(problem_response(
        {"not-ready", "The ledger does not take transactions; they wait in the outbox.", {}}));
  }
  JsonWriter json;
  json.begin_object().member("status", "READY").name("checks").begin_array();
  for (const std::string_view name : {"store", "ledger", "view"}) {
    const bool away = name == "ledger" && ledger == intake::LedgerState::away;
    json.begin_object().member("name", name).member("status", away ? "AWAY" : "UP").end_object();
  }
  json.end_array().name("adapters").begin_array();
  for (const adapter::InstalledBundle& bundle : parts_.adapters->list()) write_state(json, bundle);
  json.end_array().name("configuration").begin_array();
  for (const auto& [part, reasons] : parts_.configuration->all()) {
    json.begin_object().member("name", part);
    write_reasons(json, reasons);
    json.end_object();
  }
  reply->send(json_response(200, json.end_array().end_object().take()));
}

void Api::get_metrics(Call, Reply reply) {
  Gauges gauges;
  {
    const std::lock_guard lock(counters_mutex_);
    if (counters_) gauges.http = counters_();
  }
  gauges.ledger_entries = parts_.ledger->size();
  gauges.outbox = parts_.store->outbox_size();
  gauges.network = parts_.forwarder->activity();
  gauges.turn = parts_.forwarder->has_turn();
  gauges.network_away = parts_.forwarder->state() == intake::LedgerState::away;
  gauges.view_position = parts_.index->position();
  gauges.rotation = parts_.store->rotation();
  gauges.erasures = parts_.store->erasures_under_way();
  gauges.retention = parts_.retention->counters();
  for (const adapter::InstalledBundle& bundle : parts_.adapters->list()) {
    gauges.adapters_stale += bundle.refused.empty() ? 0 : 1;
  }
  for (const auto& [part, reasons] : parts_.configuration->all()) {
    gauges.configuration_stale += reasons.empty() ? 0 : 1;
  }
  gauges.log_dropped = log::dropped();
  if (parts_.exporter != nullptr) gauges.spans = parts_.exporter->counters();
  reply->send({200,
               {{"content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8"},
                {"cache-control", "no-store"}},
               metrics_.text(gauges)});
}

}  // namespace flora::api
