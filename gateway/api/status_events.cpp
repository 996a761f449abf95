// POST /v1/status-events but for streams: one event in any form, and batches.
#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/base/json.h"

namespace flora::api {
namespace {

constexpr std::size_t kBatchEvents = 1000;

void add_preference(http::Response& response, const Preferences& preferences, bool heeds_patience) {
  const std::string applied = preferences.applied(heeds_patience);
  if (!applied.empty()) response.headers.push_back({"preference-applied", applied});
}

// 401, 403, 429 and server errors say nothing lasting about the request.
bool may_be_kept(int status) {
  return status < 500 && status != 401 && status != 403 && status != 429;
}

std::string header_of(const http::Response& response, std::string_view name) {
  for (const http::Header& header : response.headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

// Everything of the request that its answer depends on.
std::string request_text(const Call& call) {
  std::string out = call.head.method + ' ' + call.head.path + '\n' + call.media_type + '\n';
  for (const std::string_view name :
       {"ce-id", "ce-source", "ce-time", "ce-specversion", "ce-type"}) {
    const auto value = call.head.find(name);
    out += std::to_string(value ? value->size() : 0) + ':' + std::string(value.value_or("")) + '\n';
  }
  return out + call.body;
}

// The text between the quotes of a structured string (RFC 8941 §3.3.3); its form is checked.
std::string unquoted(std::string_view field) {
  std::string out;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    if (field[i] == '\\') ++i;
    out += field[i];
  }
  return out;
}

}  // namespace

void Api::submit_status_events(Call call, Reply reply) {
  const auto key = call.head.find("idempotency-key");
  if (call.media_type == "application/cloudevents-batch+json") {
    if (key) return reply->send(problem_response({"idempotency-key-not-allowed", {}, {}}));
    return submit_batch(std::move(call), std::move(reply));
  }
  if (key) {
    std::string text = unquoted(*key);
    return submit_with_key(std::move(call), std::move(text), std::move(reply));
  }
  submit_single(std::move(call), std::move(reply));
}

intake::Item Api::parse_single(const Call& call) const {
  intake::Item item;
  if (call.media_type == "application/cloudevents+json") {
    item.parsed = parts_.parser->parse_cloud_event(call.body);
    return item;
  }
  if (!call.head.find("ce-specversion")) {
    item.parsed = parts_.parser->parse(call.body);
    return item;
  }
  // CloudEvents HTTP binding §3.1: in binary mode the context attributes are percent-encoded
  // fields.
  Problem problem{"malformed-request", {}, {}};
  const auto field = [&](std::string_view name, bool required) {
    const auto value = call.head.find(name);
    std::optional<std::string> decoded = value ? percent_decode(*value) : std::nullopt;
    if (value ? !decoded.has_value() : required) {
      ProblemCause cause;
      cause.code = value ? "encoding" : "required";
      cause.detail = value ? "The percent-encoding is broken." : "The field is missing.";
      cause.pointer = "header " + std::string(name);
      cause.has_pointer = true;
      problem.causes.push_back(std::move(cause));
    }
    return decoded;
  };
  const auto id = field("ce-id", true);
  const auto source = field("ce-source", true);
  (void)field("ce-type", true);
  const auto time = field("ce-time", false);
  if (!problem.causes.empty()) {
    item.parsed = std::move(problem);
    return item;
  }
  intake::Envelope envelope{*id, *source, std::nullopt};
  if (time) envelope.time = *time;
  item.parsed = parts_.parser->parse_data(call.body, envelope);
  return item;
}

void Api::run_single(const Call& call, const Reply& reply,
                     std::function<void(http::Response, std::optional<Uuid>)> done) {
  const Preferences preferences = preferences_of(call.head);
  intake::Submission submission;
  submission.items.push_back(parse_single(call));
  if (auto refusal = throttle_.take_events(*call.caller, submission.items)) {
    return done(std::move(*refusal), std::nullopt);
  }
  submission.answer_early = preferences.answer_early();
  submission.patience = preferences.patience();
  submission.with_receipts = !preferences.minimal;
  submission.reached = stages_of(reply);
  parts_.intake->submit(
      *call.caller, std::move(submission),
      [this, preferences, reply, done = std::move(done)](auto answers) {
        const intake::Answer& answer = answers.front();
        metrics_.count_item(answer);
        if (answer.kind == intake::Answer::Kind::refused) {
          return done(problem_response(answer.problem), std::nullopt);
        }
        JsonWriter json;
        write_submission(json, answer, parts_.ledger->vkeys());
        http::Response response = json_response(answer.status(), json.take());
        add_preference(response, preferences, parts_.forwarder->heeds_patience());
        const bool is_test = answer.kind == intake::Answer::Kind::test;
        if (!is_test) reply->observation().set_transaction(answer.transaction_id);
        if (!is_test && answer.status() != 200) {
          response.headers.push_back(
              {"location", "/v1/transactions/" + to_string(answer.transaction_id)});
        }
        done(std::move(response), is_test ? std::nullopt : std::optional(answer.procedure));
      });
}

void Api::submit_single(Call call, Reply reply) {
  run_single(call, reply, [reply](http::Response response, const std::optional<Uuid>&) {
    reply->send(std::move(response));
  });
}

// The IETF draft "The Idempotency-Key HTTP Header Field": the first answer is kept and repeated.
void Api::submit_with_key(Call call, std::string key, Reply reply) {
  const std::string request = request_text(call);
  store::AnswerKey kept_under{
      {privacy::answer_key_digest(call.caller->client, key), privacy::content_digest(request)}};
  if (parts_.first_keys != nullptr && parts_.store->has_first_rows()) {
    kept_under.first = {parts_.first_keys->first_answer_hash(call.caller->client, key),
                        parts_.first_keys->first_content_hash(request)};
  }
  const Digest in_flight = kept_under.digests.key;
  {
    const std::lock_guard lock(in_flight_mutex_);
    if (!in_flight_.insert(in_flight).second) {
      return reply->send(problem_response({"idempotency-key-in-flight", {}, {}}));
    }
  }
  const auto finish = [this, in_flight, reply](http::Response response) {
    {
      const std::lock_guard lock(in_flight_mutex_);
      in_flight_.erase(in_flight);
    }
    reply->send(std::move(response));
  };
  const auto repeat = [this, finish, caller = *call.caller](const store::KeptAnswer& answer) {
    http::Response response{answer.status,
                            {{"content-type", answer.content_type}, {"cache-control", "no-store"}},
                            answer.body};
    if (!answer.location.empty()) response.headers.push_back({"location", answer.location});
    AuditEffect effect;
    effect.outcome = AuditEffect::Outcome::found;
    if (answer.procedure) effect.procedures.push_back(*answer.procedure);
    std::string record =
        audit::body(audit::opening(intake::actor_of(caller), audit::Action::read_answer), effect);
    auto held = std::make_shared<http::Response>(std::move(response));
    parts_.store->record({std::move(record)}, [finish, held](const Result<void>& recorded) {
      finish(recorded ? std::move(*held) : problem_response({"unavailable", {}, {}}));
    });
  };
  auto work = [this, kept_under, finish, repeat, reply,
               shared = std::make_shared<Call>(std::move(call))] {
    const Instant now{parts_.env->now_ms()};
    const auto kept = parts_.store->kept_answer(kept_under, now);
    if (!kept) return finish(problem_response({"unavailable", {}, {}}));
    if (*kept) {
      if (!(*kept)->same_request) {
        return finish(problem_response({"idempotency-key-reused", {}, {}}));
      }
      return repeat((*kept)->answer);
    }
    const Instant expires{now.ms + parts_.idempotency_lifetime_ms};
    run_single(*shared, reply,
               [this, digests = kept_under.digests, expires, finish](
                   http::Response response, std::optional<Uuid> procedure) {
                 if (!may_be_kept(response.status)) return finish(std::move(response));
                 const store::KeptAnswer answer{response.status, header_of(response, "location"),
                                                header_of(response, "content-type"), response.body,
                                                procedure};
                 auto held = std::make_shared<http::Response>(std::move(response));
                 parts_.store->keep_answer(digests, answer, expires,
                                           [finish, held] { finish(std::move(*held)); });
               });
  };
  if (!parts_.blocking->post(reply->sender(), std::move(work))) {
    finish(overloaded(Limit::blocking));
  }
}

void Api::submit_batch(Call call, Reply reply) {
  thread_local json::Document document;
  const json::Limits limits{.bytes = call.body.size(), .depth = 32};
  if (!document.parse(call.body, limits)) {
    return reply->send(problem_response(intake::malformed_json(document.error())));
  }
  const json::Value root = document.root();
  if (!root.is(json::Kind::array) || root.size() > kBatchEvents) {
    ProblemCause cause;
    cause.code = root.is(json::Kind::array) ? "maxItems" : "type";
    cause.detail = "A batch is an array of at most 1000 CloudEvents.";
    cause.has_pointer = true;
    return reply->send(problem_response({"validation-failed", {}, {std::move(cause)}}));
  }
  const Preferences preferences = preferences_of(call.head);
  intake::Submission submission;
  for (json::Value event = root.first(); event.valid(); event = event.next()) {
    submission.items.push_back({parts_.parser->parse_cloud_event(event), {}, {}});
  }
  if (auto refusal = throttle_.take_events(*call.caller, submission.items)) {
    return reply->send(std::move(*refusal));
  }
  submission.answer_early = preferences.answer_early();
  submission.patience = preferences.patience();
  submission.with_receipts = !preferences.minimal;
  submission.reached = stages_of(reply);
  parts_.intake->submit(*call.caller, std::move(submission),
                        [this, preferences, reply](auto answers) {
                          reply->observation().add_items(answers.size());
                          JsonWriter json;
                          json.begin_object().name("items").begin_array();
                          for (std::size_t i = 0; i < answers.size(); ++i) {
                            metrics_.count_item(answers[i]);
                            write_item(json, i, answers[i], parts_.ledger->vkeys());
                          }
                          json.end_array().end_object();
                          http::Response response = json_response(200, json.take());
                          add_preference(response, preferences, parts_.forwarder->heeds_patience());
                          reply->send(std::move(response));
                        });
}

}  // namespace flora::api
