#include "adapters/negatives.h"

#include <algorithm>
#include <array>

#include "adapters/engine/bundle_files.h"
#include "adapters/engine/plan.h"
#include "adapters/engine/walk.h"
#include "adapters/formats/reader.h"
#include "adapters/formats/rewriter.h"
#include "gateway/base/env.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kMostMessage = 64u << 20;
constexpr std::size_t kCuts = 200;
constexpr std::size_t kMostFailures = 50;

// A value of a message that a rule reads.
struct Field {
  std::string path;
  std::size_t at = 0;     // Slot::offset.
  std::size_t begin = 0;  // Of its text; nothing if that was decoded.
  std::size_t size = 0;
  std::vector<const Call*> calls;  // Of the rules that read it.
};

struct ClockCase {
  const char* day;   // YYYY-MM-DD
  const char* time;  // HH:MM
  enum class Truth { exists, no_day, skipped, twice } truth;
};

constexpr std::array kClockCases = {
    ClockCase{"2028-02-29", "12:00", ClockCase::Truth::exists},
    ClockCase{"2026-03-29", "01:59", ClockCase::Truth::exists},
    ClockCase{"2026-03-29", "03:00", ClockCase::Truth::exists},
    ClockCase{"2026-10-25", "01:59", ClockCase::Truth::exists},
    ClockCase{"2026-10-25", "03:00", ClockCase::Truth::exists},
    ClockCase{"2027-02-29", "12:00", ClockCase::Truth::no_day},
    ClockCase{"2026-04-31", "12:00", ClockCase::Truth::no_day},
    ClockCase{"2026-13-01", "12:00", ClockCase::Truth::no_day},
    ClockCase{"2026-03-29", "02:30", ClockCase::Truth::skipped},
    ClockCase{"2026-10-25", "02:30", ClockCase::Truth::twice},
};

// The case as a pattern writes it.
std::string written(const TimePattern& pattern, const ClockCase& what) {
  const std::string_view day = what.day;
  const std::string_view time = what.time;
  std::string out;
  for (const TimePart& part : pattern.parts) {
    std::string_view digits = "000";
    if (part.letter == 'y')
      digits = day.substr(4 - std::min<std::size_t>(4, part.digits), part.digits);
    if (part.letter == 'M') digits = day.substr(5, 2);
    if (part.letter == 'd') digits = day.substr(8, 2);
    if (part.letter == 'H') digits = time.substr(0, 2);
    if (part.letter == 'm') digits = time.substr(3, 2);
    if (part.letter == 's') digits = "00";
    out += part.letter == 0 ? part.text
                            : std::string(digits.substr(0, std::max<std::size_t>(2, part.digits)));
  }
  return out;
}

bool has_clock(const TimePattern& pattern) {
  return std::any_of(pattern.parts.begin(), pattern.parts.end(),
                     [](const TimePart& part) { return part.letter == 'H'; });
}

// What must not change when only the form does.
std::string essence(const Translation& translation) {
  std::string out;
  for (const Issue& issue : translation.rejection) out += "rejection " + issue.code + "\n";
  for (const Item& item : translation.items) {
    out += std::to_string(static_cast<int>(item.outcome)) + " " + item.event;
    for (const Issue& issue : item.issues) out += " " + issue.code;
    out += "\n";
  }
  return out;
}

class Tester {
 public:
  Tester(const Adapter& adapter, const Plan& plan, const EventCheck& check)
      : adapter_(adapter),
        plan_(plan),
        check_(check),
        format_(find_format(plan.info.format, plan.spaces)),
        documents_(dynamic_cast<const DocumentReader*>(format_.get())),
        records_(dynamic_cast<const RecordReader*>(format_.get())) {}

  void fixture(const std::string& name, const std::string& message) {
    name_ = name;
    message_ = message;
    original_ = adapter_.translate(message);
    for (const Field& field : fields()) {
      value(field);
      days(field);
    }
    for (std::size_t i = 0; const auto other = without_column(plan_, message_, i); ++i) {
      try_it("deleted", "column " + std::to_string(i + 1), *other);
    }
    other_form();
    truncated();
    nesting();
    doctype();
  }

  NegativeRun take() { return std::move(run_); }

 private:
  // --- what rules read ---
  std::vector<Field> fields() {
    std::vector<Field> out;
    Walk walk;
    if (documents_ != nullptr) {
      walk.reset(plan_, message_);
      if (!documents_->read(message_, plan_.limits, walk) && walk.message_plan() != nullptr) {
        collect(walk, out);
      }
      return out;
    }
    const std::unique_ptr<RecordCursor> cursor = records_->records(plan_);
    cursor->reset(message_);
    for (auto step = cursor->next(walk); step != RecordCursor::Step::done;
         step = cursor->next(walk)) {
      if (step == RecordCursor::Step::rejected) break;
      if (step == RecordCursor::Step::record) collect(walk, out);
    }
    return out;
  }

  void collect(const Walk& walk, std::vector<Field>& out) const {
    const MessagePlan& rules = *walk.message_plan();
    for (std::size_t loop = 0; loop < rules.loops.size(); ++loop) {
      for (const Row& row : walk.rows(static_cast<int>(loop))) {
        for (std::size_t i = 0; i < rules.loops[loop].slots.size(); ++i) {
          const Slot& slot = walk.slot(row, static_cast<int>(i));
          if (slot.state != Slot::State::present || slot.text.empty()) continue;
          const Field fresh = field(rules, static_cast<int>(loop), static_cast<int>(i), slot);
          const auto known = std::find_if(out.begin(), out.end(),
                                          [&](const Field& other) { return other.at == fresh.at; });
          if (known == out.end()) {
            out.push_back(fresh);
          } else {
            known->calls.insert(known->calls.end(), fresh.calls.begin(), fresh.calls.end());
          }
        }
      }
    }
  }

  Field field(const MessagePlan& rules, int loop, int index, const Slot& slot) const {
    Field out;
    out.path = rules.loops[static_cast<std::size_t>(loop)].slots[static_cast<std::size_t>(index)];
    out.at = slot.offset;
    const std::string_view all = message_;
    if (slot.text.data() >= all.data() &&
        slot.text.data() + slot.text.size() <= all.data() + all.size()) {
      out.begin = static_cast<std::size_t>(slot.text.data() - all.data());
      out.size = slot.text.size();
    }
    for (const Expression& e : rules.expressions) {
      if (e.kind != Expression::Kind::slot || e.slot.loop != loop || e.slot.index != index)
        continue;
      for (const Call& call : e.calls) out.calls.push_back(&call);
    }
    return out;
  }

  std::string with(const Field& field, std::string_view text) const {
    return message_.substr(0, field.begin) + std::string(text) +
           message_.substr(field.begin + field.size);
  }

  // --- one value ---
  void value(const Field& field) {
    if (const auto other = without_value(plan_, message_, field.at))
      try_it("deleted", field.path, *other);
    if (field.size == 0) return;
    try_it("emptied", field.path, with(field, ""));
    for (const char* text : {"?", "-1", "99.99.9999", "2026-11-31", "x y", "0x10", "1e9"}) {
      try_it("malformed", field.path, with(field, text));
    }
    const std::string large(plan_.limits.value_bytes + 1, '9');
    const Translation t = try_it("over-long", field.path, with(field, large));
    for (const Item& item : t.items) {
      if (item.event.find(large) != std::string::npos)
        fail("over-long", field.path, "it went through");
    }
    charset(field);
  }

  // A byte that is no text in the character set, in the middle of a value.
  void charset(const Field& field) {
    std::string other = message_;
    other.insert(field.begin + field.size / 2, 1,
                 plan_.charset == Charset::utf_8 ? '\xFC' : '\x81');
    const Translation t = try_it("charset", field.path, other);
    if (t.rejection.empty() && (documents_ != nullptr || t.rejected <= original_.rejected)) {
      fail("charset", field.path, "a byte that is no text was taken");
    }
  }

  void days(const Field& field) {
    if (field.size == 0) return;
    for (const Call* call : field.calls) {
      if (call->function != Function::date && call->function != Function::local) continue;
      for (const ClockCase& what : kClockCases) day(field, *call, what);
    }
  }

  void day(const Field& field, const Call& call, const ClockCase& what) {
    using Truth = ClockCase::Truth;
    if (!has_clock(call.time) && (what.truth == Truth::skipped || what.truth == Truth::twice))
      return;
    const Translation t = try_it("day", field.path, with(field, written(call.time, what)));
    const bool refused = what.truth == Truth::no_day ||
                         (what.truth == Truth::skipped && call.gap == Gap::reject) ||
                         (what.truth == Truth::twice && call.overlap == Overlap::reject);
    if (refused && makes_another_event(t)) {
      fail("day", field.path, std::string(what.day) + " " + what.time + " was taken");
    }
    const bool dated =
        std::any_of(plan_.maps.begin(), plan_.maps.end(), [](const Map& map) { return map.dated; });
    if (!refused && !dated && t.events != original_.events) {
      fail("day", field.path, std::string(what.day) + " " + what.time + " was refused");
    }
  }

  // An event that the original message does not give.
  bool makes_another_event(const Translation& t) const {
    return std::any_of(t.items.begin(), t.items.end(), [&](const Item& item) {
      return item.outcome == Item::Outcome::event &&
             std::none_of(original_.items.begin(), original_.items.end(),
                          [&](const Item& other) { return other.event == item.event; });
    });
  }

  // --- the message as a whole ---
  void other_form() {
    const auto other = in_other_form(plan_, message_);
    if (!other) return;
    if (essence(try_it("other-form", "", *other)) != essence(original_)) {
      fail("other-form", "", "the same message in another form gives other events");
    }
  }

  void truncated() {
    const bool tells_its_end = documents_ != nullptr || plan_.csv.footer || plan_.fixed.footer;
    const std::size_t end = message_.find_last_not_of(" \t\r\n") + 1;
    const std::size_t step = std::max<std::size_t>(1, end / kCuts);
    for (std::size_t n = 0; n < end; n += step) {
      const Translation t = try_it("truncated", "", message_.substr(0, n));
      if (tells_its_end && t.rejection.empty()) {
        fail("truncated", "", "a message that ends early was taken");
        return;
      }
    }
  }

  void nesting() {
    const std::size_t depth = static_cast<std::size_t>(plan_.limits.depth) + 1;
    std::string inner, outer;
    std::size_t at = 0;
    if (plan_.info.format == "json") {
      at = message_.find('{') + 1;
      inner = "\"a\":" + std::string(depth, '[') + std::string(depth, ']') + ",";
    } else if (documents_ != nullptr) {
      at = message_.rfind("</");
      for (std::size_t i = 0; i < depth; ++i) {
        inner += "<d>";
        outer += "</d>";
      }
    }
    if (documents_ == nullptr || at == 0 || at == message_.npos) return;
    std::string other = message_;
    other.insert(at, inner + outer);
    if (try_it("nesting", "", other).rejection.empty()) fail("nesting", "", "it was taken");
  }

  void doctype() {
    if (plan_.info.format != "xml" && plan_.info.format != "soap") return;
    const std::size_t declaration = message_.find("?>");
    const std::size_t at = message_.starts_with("<?xml") ? declaration + 2 : 0;
    std::string other = message_;
    other.insert(at, "<!DOCTYPE a [<!ENTITY b \"c\">]>");
    if (try_it("doctype", "", other).rejection.empty()) fail("doctype", "", "it was taken");
  }

  Translation try_it(const std::string& kind, const std::string& path, const std::string& message) {
    ++run_.messages[kind];
    Translation t = adapter_.translate(message);
    if (render(t) != render(adapter_.translate(message))) {
      fail(kind, path, "the same message gives another result when it is repeated");
    }
    for (const Item& item : t.items) {
      const bool event = item.outcome == Item::Outcome::event;
      if (event == item.event.empty() || event != item.issues.empty()) {
        fail(kind, path, "an item has neither event nor reason, or both");
      }
      const std::string why = event && check_ ? check_(item.event) : "";
      if (!why.empty()) fail(kind, path, "an event is no canonical status event: " + why);
    }
    return t;
  }

  void fail(const std::string& kind, const std::string& path, const std::string& why) {
    std::string sentence = name_ + ": " + kind;
    if (!path.empty()) sentence += " " + path;
    sentence += ": " + why;
    const bool known =
        std::find(run_.failures.begin(), run_.failures.end(), sentence) != run_.failures.end();
    if (!known && run_.failures.size() < kMostFailures)
      run_.failures.push_back(std::move(sentence));
  }

  const Adapter& adapter_;
  const Plan& plan_;
  const EventCheck& check_;
  const std::unique_ptr<Format> format_;
  const DocumentReader* documents_;
  const RecordReader* records_;
  NegativeRun run_;
  std::string name_;
  std::string message_;
  Translation original_;
};

}  // namespace

Result<NegativeRun> run_negatives(const std::string& folder, const CanonicalTypes* types,
                                  const EventCheck& check) {
  FLORA_ASSIGN(const BundleFiles files, read_bundle(folder));
  FLORA_ASSIGN(const std::unique_ptr<Plan> plan, compile(files, types));
  FLORA_ASSIGN(const std::unique_ptr<Adapter> adapter, Adapter::load(folder, types));
  Tester tester(*adapter, *plan, check);
  std::size_t accepted = 0;
  for (const Fixture& fixture : find_fixtures(folder).fixtures) {
    if (fixture.kind != "accepted") continue;
    FLORA_ASSIGN(const std::string message, Env::system().read_file(fixture.message, kMostMessage));
    tester.fixture(fixture.name, message);
    ++accepted;
  }
  if (accepted == 0) return Error{Errc::not_found, folder + " has no accepted fixture"};
  return tester.take();
}

}  // namespace flora::adapter
