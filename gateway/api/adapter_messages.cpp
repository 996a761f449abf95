// Native messages of the states' software, through their adapters. A message is translated twice:
// the first pass judges it as a whole and commits nothing; the second gives its items to intake,
// one by one. Where there are few items the first pass has kept them, and there is no second.
#include <algorithm>

#include "gateway/api/admission.h"
#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/api/message_reader.h"

namespace flora::api {

namespace {

bool is_dry_run(const Call& call) { return call.operation().id == kTranslateMessage; }

}  // namespace

// A message that has come completely, and what its request asks for.
struct NativeMessage {
  Reply reply;  // Goes after the buffer.
  Call call;    // Its body is the message, unless there is a buffer.
  std::shared_ptr<const adapter::Adapter> adapter;
  std::optional<MessageBuffer> buffer;

  std::string_view text() const { return buffer ? buffer->text() : std::string_view(call.body); }
  bool is_dry_run() const { return api::is_dry_run(call); }
};

namespace {

constexpr std::size_t kItemsAtOnce = 1000;  // Items of one JSON answer.
constexpr std::size_t kChunkItems = 256;
constexpr std::size_t kIssues = 64;  // Of one item, as in a problem.

// An adapter is for its own Land, and for the BAMF, which receives and sends its messages.
bool may_use(const policy::Caller& caller, const adapter::BundleInfo& info) {
  return caller.role == Role::bamf || caller.land == info.land;
}

Problem message_rejected(const std::vector<adapter::Issue>& issues) {
  Problem problem{"message-rejected", {}, {}};
  for (const adapter::Issue& issue : issues) problem.causes.push_back(cause_of(issue));
  return problem;
}

Problem too_large(const adapter::BundleInfo& info) {
  return {"content-too-large",
          "The adapter takes messages of up to " + std::to_string(info.most_bytes) + " bytes.",
          {}};
}

http::Response wrong_media_type(const adapter::BundleInfo& info, std::string detail) {
  http::Response response = problem_response({"unsupported-media-type", std::move(detail), {}});
  std::string accepted;
  for (const std::string& type : info.media_types) {
    accepted += (accepted.empty() ? "" : ", ") + type;
  }
  response.headers.push_back({"accept", std::move(accepted)});
  return response;
}

// What is wrong by the head alone.
std::optional<http::Response> refusal_of(const Call& call, const adapter::BundleInfo& info) {
  if (std::ranges::find(info.media_types, call.media_type) == info.media_types.end()) {
    return wrong_media_type(info, {});
  }
  if (!agrees_with_charset(*call.head.find("content-type"), info.charset)) {
    return wrong_media_type(info, "The adapter reads " + info.charset +
                                      "; the field Content-Type names another character set.");
  }
  if (call.operation().id == kSubmitMessage && call.head.find("idempotency-key")) {
    return problem_response({"idempotency-key-not-allowed", {}, {}});
  }
  if (call.head.content_length.value_or(0) > info.most_bytes) {
    return problem_response(too_large(info));
  }
  return std::nullopt;
}

void write_issues(JsonWriter& json, const std::vector<adapter::Issue>& issues) {
  json.begin_array();
  for (std::size_t i = 0; i < std::min(issues.size(), kIssues); ++i) {
    std::string text;
    append_json(text, cause_of(issues[i]));
    json.raw(text);
  }
  json.end_array();
}

void write_translated(JsonWriter& json, const adapter::Item& item) {
  constexpr std::string_view kOutcomes[] = {"EVENT", "REJECTED", "SKIPPED"};
  json.begin_object().name("item").number(item.number);
  json.member("outcome", kOutcomes[static_cast<std::size_t>(item.outcome)]);
  if (item.outcome == adapter::Item::Outcome::event) json.name("event").raw(item.event);
  if (!item.issues.empty()) {
    json.name("issues");
    write_issues(json, item.issues);
  }
  if (item.at.line > 0) json.name("line").number(item.at.line);
  if (item.at.column > 0) json.name("column").number(item.at.column);
  json.optional("path", item.at.path).end_object();
}

void write_skipped(JsonWriter& json, const adapter::Item& item) {
  json.begin_object().name("item").number(item.number).name("status").number(200);
  json.name("skipped");
  write_issues(json, item.issues);
  json.end_object();
}

// Of the bytes that an event was made from, however a later version of the adapter makes it: the
// record and what names its columns, and which item of the record it is.
class NativePrint {
 public:
  using Hash = std::function<Digest(std::string_view)>;
  explicit NativePrint(Hash hash) : hash_(std::move(hash)) {}

  Digest of(const adapter::Item& item) {
    const std::string place =
        ' ' + std::to_string(item.native_row) + ' ' + std::to_string(item.native_number);
    return hash_(to_hex(digest_of(record_, item.native_record)) +
                 to_hex(digest_of(header_, item.native_header)) + place);
  }

 private:
  // Many items share one text: it is hashed once.
  struct Hashed {
    std::string_view text;
    std::optional<Digest> digest;
  };

  const Digest& digest_of(Hashed& known, std::string_view text) {
    if (!known.digest || text.data() != known.text.data() || text.size() != known.text.size()) {
      known = {text, hash_(text)};
    }
    return *known.digest;
  }

  Hash hash_;
  Hashed record_;
  Hashed header_;
};

// Makes items for intake of those of an adapter. Used by one thread at a time.
class ItemMaker {
 public:
  ItemMaker(const Parts& parts, const adapter::BundleInfo& info)
      : parts_(parts), mark_{info.id, info.version, info.hash}, print_(privacy::content_digest) {
    if (parts.first_keys == nullptr || !parts.store->has_first_rows()) return;
    first_print_.emplace([keys = parts.first_keys](std::string_view text) {
      return keys->first_content_hash(text);
    });
  }

  // Not for what was skipped.
  intake::Item make(const adapter::Item& item) {
    intake::Item made;
    if (item.outcome == adapter::Item::Outcome::rejected) {
      made.parsed = message_rejected(item.issues);
      return made;
    }
    made.parsed = parts_.parser->parse(item.event);
    made.adapter = mark_;
    if (item.native_record.empty()) return made;
    made.native = print_.of(item);
    if (first_print_) made.first_native = first_print_->of(item);
    return made;
  }

 private:
  const Parts& parts_;
  const AdapterMark mark_;
  NativePrint print_;
  std::optional<NativePrint> first_print_;
};

// The second pass. Each piece of it runs on the pool.
class MessageSource final : public ItemSource {
 public:
  MessageSource(const Parts& parts, Metrics& metrics, std::shared_ptr<const NativeMessage> message)
      : parts_(parts),
        metrics_(metrics),
        message_(std::move(message)),
        maker_(parts, message_->adapter->info()) {}

  void read(std::function<void(ItemChunk)> done) override {
    // A copy remains for the case that the pool takes no more.
    const std::string& sender = message_->reply->sender();
    if (!parts_.translating->post(sender, [this, done] { done(next_items()); })) {
      done({{}, ItemChunk::State::aborted});
    }
  }

 private:
  ItemChunk next_items() {
    if (!cursor_) cursor_.emplace(message_->adapter->open(message_->text()));
    ItemChunk chunk;
    for (std::size_t i = 0; i < kChunkItems; ++i) {
      if (!cursor_->next(item_)) {
        // The first pass has rejected nothing, and the same bytes give the same result.
        chunk.state =
            cursor_->rejection().empty() ? ItemChunk::State::end : ItemChunk::State::aborted;
        return chunk;
      }
      add(chunk.group());
    }
    return chunk;
  }

  void add(ItemGroup& group) {
    metrics_.count_adapter_item(message_->adapter->info().id, message_->is_dry_run(),
                                item_.outcome);
    const bool skipped = item_.outcome == adapter::Item::Outcome::skipped;
    if (!message_->is_dry_run() && !skipped) {
      return group.events.push_back(maker_.make(item_));
    }
    JsonWriter json;
    message_->is_dry_run() ? write_translated(json, item_) : write_skipped(json, item_);
    const std::size_t place = group.size();
    group.answered.emplace_back(place, json.take());
  }

  const Parts& parts_;
  Metrics& metrics_;
  const std::shared_ptr<const NativeMessage> message_;
  ItemMaker maker_;
  std::optional<adapter::Cursor> cursor_;
  adapter::Item item_;
};

http::Response translation_response(const adapter::BundleInfo& info,
                                    const std::vector<adapter::Item>& items) {
  JsonWriter json;
  json.begin_object().name("adapter").begin_object().member("hash", info.hash);
  json.member("id", info.id).member("version", info.version).end_object();
  json.name("items").begin_array();
  for (const adapter::Item& item : items) write_translated(json, item);
  return json_response(200, json.end_array().end_object().take());
}

}  // namespace

// A message that was to be committed is an attempt to report; a dry run touches no procedure.
void Api::refuse_caller(const Call& call, Reply reply) const {
  http::Response response = problem_response({"not-permitted", {}, {}});
  if (call.operation().id != kSubmitMessage) return reply->send(std::move(response));
  AuditEffect refused;
  refused.problem = "not-permitted";
  const std::string opening = audit::opening(intake::actor_of(*call.caller), audit::Action::report);
  send_recorded(std::move(reply), audit::body(opening, refused), std::move(response));
}

// The adapter of a request; null if the request was refused by its head, and answered.
std::shared_ptr<const adapter::Adapter> Api::adapter_for(const Call& call, const Reply& reply) {
  auto adapter = parts_.adapters->find(call.match.value("adapter"));
  if (adapter == nullptr) {
    reply->send(problem_response({"not-found", {}, {}}));
    return nullptr;
  }
  if (!may_use(*call.caller, adapter->info())) {
    count_message(call, *adapter, MessageOutcome::refused);
    refuse_caller(call, reply);
    return nullptr;
  }
  if (auto refusal = refusal_of(call, adapter->info())) {
    count_message(call, *adapter, MessageOutcome::refused);
    reply->send(std::move(*refusal));
    return nullptr;
  }
  return adapter;
}

// A short message is there with its head, and is translated at once.
void Api::take_message(Call call, Reply reply) {
  const auto adapter = adapter_for(call, reply);
  if (adapter == nullptr) return;
  answer_message(std::make_shared<const NativeMessage>(
      NativeMessage{std::move(reply), std::move(call), adapter, std::nullopt}));
}

void Api::receive_message(Call call, http::BodyReader body, Reply reply) {
  const auto adapter = adapter_for(call, reply);
  if (adapter == nullptr) return;
  const std::size_t most = adapter->info().most_bytes;
  const std::size_t length = call.head.content_length.value_or(0);
  std::optional<MessageBuffer> room =
      messages_.has_room(reply->sender(), length)
          ? MessageBuffer::reserve(messages_, reply->sender(), length > 0 ? length : most)
          : std::nullopt;
  if (!room) {
    count_message(call, *adapter, MessageOutcome::refused);
    return reply->send(overloaded(Limit::messages));
  }
  const auto shared = std::make_shared<Call>(std::move(call));
  read_message(
      std::move(body), std::move(*room), *parts_.env,
      [this, shared, adapter, reply](std::variant<MessageBuffer, Problem> result) {
        if (const auto* problem = std::get_if<Problem>(&result)) {
          count_message(*shared, *adapter, MessageOutcome::refused);
          const bool full = problem->name == "temporary-reduced-capacity";
          return reply->send(full ? overloaded(Limit::messages) : problem_response(*problem));
        }
        const auto message = std::make_shared<const NativeMessage>(NativeMessage{
            reply, std::move(*shared), adapter, std::move(std::get<MessageBuffer>(result))});
        run_on(*parts_.translating, reply, [this, message] { answer_message(message); });
      });
}

void Api::count_message(const Call& call, const adapter::Adapter& adapter, MessageOutcome outcome) {
  metrics_.count_message(adapter.info().id, is_dry_run(call), outcome);
}

void Api::answer_message(const std::shared_ptr<const NativeMessage>& message) {
  const Reply& reply = message->reply;
  const adapter::Adapter& adapter = *message->adapter;
  Observation& observation = reply->observation();
  const std::int64_t begun = observation.now_ns();
  adapter::Translation translation = adapter.translate(message->text(), kItemsAtOnce);
  observation.add_phase("translate", begun, observation.now_ns());
  if (!translation.rejection.empty()) {
    count_message(message->call, adapter, MessageOutcome::rejected);
    return reply->send(problem_response(message_rejected(translation.rejection)));
  }
  const http::RequestHead& head = message->call.head;
  const policy::Caller& caller = *message->call.caller;
  if (translation.count() <= kItemsAtOnce && accepts(head, "application/json")) {
    count_message(message->call, adapter, MessageOutcome::translated);
    for (const adapter::Item& item : translation.items) {
      metrics_.count_adapter_item(adapter.info().id, message->is_dry_run(), item.outcome);
    }
    observation.add_items(translation.items.size());
    if (!message->is_dry_run()) {
      return submit_items(*message, std::move(translation.items));
    }
    auto refusal = throttle_.take_events(caller, translation.items.size());
    return reply->send(refusal ? std::move(*refusal)
                               : translation_response(adapter.info(), translation.items));
  }
  if (!accepts(head, kLines)) {
    count_message(message->call, adapter, MessageOutcome::refused);
    return reply->send(problem_response(
        {"not-acceptable",
         "The message has more than 1000 items; these are answered as application/x-ndjson.",
         {}}));
  }
  count_message(message->call, adapter, MessageOutcome::translated);
  answer_by_lines(caller, preferences_of(head),
                  std::make_unique<MessageSource>(parts_, metrics_, message), reply);
}

void Api::submit_items(const NativeMessage& message, std::vector<adapter::Item> items) {
  const Preferences preferences = preferences_of(message.call.head);
  intake::Submission submission;
  submission.answer_early = preferences.answer_early();
  submission.patience = preferences.patience();
  submission.with_receipts = !preferences.minimal;
  submission.reached = stages_of(message.reply);
  ItemMaker maker(parts_, message.adapter->info());
  for (const adapter::Item& item : items) {
    if (item.outcome == adapter::Item::Outcome::skipped) continue;
    submission.items.push_back(maker.make(item));
  }
  if (auto refusal = throttle_.take_events(*message.call.caller, submission.items)) {
    return message.reply->send(std::move(*refusal));
  }
  const auto shared = std::make_shared<const std::vector<adapter::Item>>(std::move(items));
  parts_.intake->submit(
      *message.call.caller, std::move(submission),
      [this, preferences, shared,
       reply = message.reply](const std::vector<intake::Answer>& answers) {
        JsonWriter json;
        json.begin_object().name("items").begin_array();
        std::size_t next = 0;
        for (const adapter::Item& item : *shared) {
          if (item.outcome == adapter::Item::Outcome::skipped) {
            write_skipped(json, item);
            continue;
          }
          metrics_.count_item(answers[next]);
          write_item(json, item.number, answers[next++], parts_.ledger->vkeys());
        }
        http::Response response = json_response(200, json.end_array().end_object().take());
        const std::string applied = preferences.applied(parts_.forwarder->heeds_patience());
        if (!applied.empty()) response.headers.push_back({"preference-applied", applied});
        reply->send(std::move(response));
      });
}

}  // namespace flora::api
