#include "gateway/model/transaction.h"

#include <algorithm>

#include "gateway/base/bytes.h"
#include "gateway/base/json.h"

namespace flora {
namespace {

// The `kind` of an entry that is no status transaction.
constexpr std::string_view kTombstone = "ERASURE";

// Writes an object whose member names are given in canonical order.
class ObjectWriter {
 public:
  // Of about this many bytes.
  explicit ObjectWriter(std::size_t bytes) {
    out_.reserve(bytes);
    out_ += '{';
  }

  void text(std::string_view name, std::string_view value) {
    begin(name);
    json::append_string(out_, value);
  }
  void raw(std::string_view name, std::string_view json_text) {
    begin(name);
    out_ += json_text;
  }
  void optional_text(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void optional_id(std::string_view name, const std::optional<Uuid>& id) {
    if (id) text(name, to_string(*id));
  }
  std::string finish() && {
    out_ += '}';
    return std::move(out_);
  }

 private:
  void begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    json::append_string(out_, name);
    out_ += ':';
  }
  std::string out_;
};

std::string text_of(const AdapterMark& mark) {
  ObjectWriter writer(160);
  writer.text("hash", mark.hash);
  writer.text("id", mark.id);
  writer.text("version", mark.version);
  return std::move(writer).finish();
}

// Reads the members of one object; remembers the first that is missing or ill-formed.
class ObjectReader {
 public:
  explicit ObjectReader(const json::Value& object) : object_(object) {}

  std::string text(std::string_view name) {
    const auto value = member(name, json::Kind::string);
    return value ? std::string(value->string()) : std::string();
  }
  std::string optional_text(std::string_view name) {
    return object_.find(name) ? text(name) : std::string();
  }
  std::optional<Uuid> optional_id(std::string_view name) {
    if (!object_.find(name)) return std::nullopt;
    return id(name);
  }
  Uuid id(std::string_view name) {
    const auto parsed = parse_uuid(text(name));
    if (!parsed) fail(name);
    return parsed.value_or(Uuid{});
  }
  Instant instant(std::string_view name) {
    const auto parsed = parse_instant(text(name));
    if (!parsed) fail(name);
    return parsed.value_or(Instant{});
  }
  Day day(std::string_view name) {
    const auto parsed = parse_day(text(name));
    if (!parsed) fail(name);
    return parsed.value_or(Day{});
  }
  std::array<std::byte, 16> salt(std::string_view name) {
    std::array<std::byte, 16> out{};
    const auto bytes = from_hex(text(name));
    if (bytes && bytes->size() == out.size()) {
      std::ranges::copy(as_bytes(*bytes), out.begin());
    } else {
      fail(name);
    }
    return out;
  }
  std::optional<json::Value> member(std::string_view name, json::Kind kind) {
    const auto value = object_.find(name);
    if (value && value->is(kind)) return value;
    fail(name);
    return std::nullopt;
  }
  void fail(std::string_view name) {
    if (failed_.empty()) failed_ = name;
  }
  const std::string& failed() const { return failed_; }
  bool has(std::string_view name) const { return object_.find(name).has_value(); }

 private:
  json::Value object_;
  std::string failed_;
};

std::optional<AdapterMark> read_adapter(ObjectReader& reader) {
  if (!reader.has("adapter")) return std::nullopt;
  const auto object = reader.member("adapter", json::Kind::object);
  if (!object) return std::nullopt;
  ObjectReader adapter(*object);
  AdapterMark mark{adapter.text("id"), adapter.text("version"), adapter.text("hash")};
  if (!adapter.failed().empty()) reader.fail("adapter");
  return mark;
}

Error not_canonical(std::string_view what) {
  return {Errc::corrupt, "a transaction text is not one of version 1: " + std::string(what)};
}

// The members of a tombstone alone may stand beside `kind`: what else is there makes another text.
Tombstone read_tombstone(ObjectReader& reader) {
  if (reader.text("kind") != kTombstone) reader.fail("kind");
  Tombstone t;
  t.id = reader.id("id");
  t.procedure = reader.id("procedure");
  t.recorded_at = reader.instant("recordedAt");
  t.authority = reader.text("authority");
  t.channel = reader.text("channel");
  t.salt = reader.salt("salt");
  return t;
}

Transaction read_transaction(ObjectReader& reader) {
  Transaction t;
  t.id = reader.id("id");
  t.procedure = reader.id("procedure");
  t.status = reader.text("status");
  t.regime = reader.optional_text("regime");
  if (reader.has("occurredOn")) {
    t.occurred = reader.day("occurredOn");
  } else {
    t.occurred = reader.instant("occurredAt");
  }
  if (reader.has("sourceSequence")) {
    const auto sequence = reader.member("sourceSequence", json::Kind::integer);
    if (sequence) t.source_sequence = static_cast<std::int32_t>(sequence->integer());
  }
  t.recorded_at = reader.instant("recordedAt");
  t.authority = reader.text("authority");
  t.role = reader.text("role");
  t.land = reader.text("land");
  t.site = reader.optional_text("site");
  t.channel = reader.text("channel");
  t.catalogue = reader.text("catalogue");
  if (reader.has("details")) {
    const auto details = reader.member("details", json::Kind::object);
    if (details) t.details = details->raw();
  }
  t.corrects = reader.optional_id("corrects");
  t.revokes = reader.optional_id("revokes");
  t.merged_into = reader.optional_id("mergedInto");
  t.adapter = read_adapter(reader);
  t.salt = reader.salt("salt");
  return t;
}

}  // namespace

std::string to_canonical(const Transaction& t) {
  ObjectWriter writer(640 + t.details.size());
  if (t.adapter) writer.raw("adapter", text_of(*t.adapter));
  writer.text("authority", t.authority);
  writer.text("catalogue", t.catalogue);
  writer.text("channel", t.channel);
  writer.optional_id("corrects", t.corrects);
  if (!t.details.empty()) writer.raw("details", t.details);
  writer.text("id", to_string(t.id));
  writer.text("land", t.land);
  writer.optional_id("mergedInto", t.merged_into);
  const bool is_day = std::holds_alternative<Day>(t.occurred);
  writer.text(is_day ? "occurredOn" : "occurredAt",
              std::visit([](const auto& time) { return to_string(time); }, t.occurred));
  writer.text("procedure", to_string(t.procedure));
  writer.text("recordedAt", to_string(t.recorded_at));
  writer.optional_text("regime", t.regime);
  writer.optional_id("revokes", t.revokes);
  writer.text("role", t.role);
  writer.text("salt", to_hex(t.salt));
  writer.optional_text("site", t.site);
  if (t.source_sequence) writer.raw("sourceSequence", std::to_string(*t.source_sequence));
  writer.text("status", t.status);
  writer.raw("v", "1");
  return std::move(writer).finish();
}

std::string to_canonical(const Tombstone& t) {
  ObjectWriter writer(320);
  writer.text("authority", t.authority);
  writer.text("channel", t.channel);
  writer.text("id", to_string(t.id));
  writer.text("kind", kTombstone);
  writer.text("procedure", to_string(t.procedure));
  writer.text("recordedAt", to_string(t.recorded_at));
  writer.text("salt", to_hex(t.salt));
  writer.raw("v", "1");
  return std::move(writer).finish();
}

Result<EntryContent> parse_entry(std::string_view text) {
  json::Document document;
  if (!document.parse(text) || !document.root().is(json::Kind::object)) {
    return not_canonical("not an object");
  }
  ObjectReader reader(document.root());
  const auto version = reader.member("v", json::Kind::integer);
  if (!version || version->integer() != 1) return not_canonical("v");
  EntryContent content;
  if (reader.has("kind")) {
    content = read_tombstone(reader);
  } else {
    content = read_transaction(reader);
  }
  if (!reader.failed().empty()) return not_canonical(reader.failed());
  // The text must be the only one of its transaction: what was signed is what was read.
  const std::string again = std::visit([](const auto& one) { return to_canonical(one); }, content);
  if (again != text) return not_canonical("not in canonical form");
  return content;
}

Result<Transaction> parse_transaction(std::string_view text) {
  FLORA_ASSIGN(EntryContent content, parse_entry(text));
  auto* transaction = std::get_if<Transaction>(&content);
  if (transaction == nullptr) return not_canonical("kind");
  return std::move(*transaction);
}

}  // namespace flora
