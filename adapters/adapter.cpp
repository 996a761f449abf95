#include "adapters/adapter.h"

#include <algorithm>
#include <mutex>

#include "adapters/engine/bundle_files.h"
#include "adapters/engine/evaluator.h"
#include "adapters/engine/plan.h"
#include "adapters/engine/walk.h"
#include "adapters/formats/reader.h"
#include "adapters/trace.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kMostReasons = 100;

std::string too_many(const Translation& counts, const Tolerance& most) {
  if (most.whole_message) {
    return std::to_string(counts.rejected) +
           " items are rejected, and this adapter then takes nothing of the message.";
  }
  return std::to_string(counts.rejected) + " of " +
         std::to_string(counts.rejected + counts.events) + " items are rejected, more than " +
         std::to_string(most.most_percent) + " %.";
}

}  // namespace

// The memory of one translation at a time; used again and again.
struct Workspace {
  Walk walk;
  Evaluator evaluator;
  std::unique_ptr<RecordCursor> records;  // Of a record format only.
};

struct Adapter::Compiled {
  BundleTexts texts;
  std::unique_ptr<Plan> plan;
  std::unique_ptr<Format> format;
  const DocumentReader* documents = nullptr;  // One of the two is `format`.
  const RecordReader* records = nullptr;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;  // Guarded by mutex.

  std::unique_ptr<Workspace> borrow() const {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<Workspace> workspace = std::move(idle.back());
        idle.pop_back();
        return workspace;
      }
    }
    auto workspace = std::make_unique<Workspace>();
    if (records != nullptr) workspace->records = records->records(*plan);
    return workspace;
  }

  void give_back(std::unique_ptr<Workspace> workspace) const {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(workspace));
  }

  bool broken(const Translation& counts) const {
    const Tolerance& most = plan->tolerance;
    if (most.whole_message) return counts.rejected > 0;
    return counts.rejected * 100 >
           (counts.rejected + counts.events) * static_cast<std::size_t>(most.most_percent);
  }
};

struct Cursor::State {
  State(const Adapter::Compiled& adapter, std::string_view text)
      : compiled(adapter), message(text), workspace(adapter.borrow()) {}
  ~State() { compiled.give_back(std::move(workspace)); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Adapter::Compiled& compiled;
  const std::string_view message;
  std::unique_ptr<Workspace> workspace;
  Recorder* recorder = nullptr;
  std::vector<Issue> rejection;
  std::size_t number = 0;
  std::size_t records = 0;
  bool in_record = false;

  void begin();
  bool next(Item& item);
  bool next_of_records(Item& item);
  bool next_record(Item& item);
  void broken_record(Item& item, std::vector<Issue> issues) const;
  void reject(Issue issue);
};

void Cursor::State::reject(Issue issue) {
  if (issue.rule.empty()) issue.rule = "adapter.yaml:1:1";
  rejection.push_back(std::move(issue));
}

void Cursor::State::begin() {
  const Plan& plan = *compiled.plan;
  if (message.size() > plan.limits.bytes) {
    return reject({"message-too-large", "The message is larger than the adapter takes.", {}, {}});
  }
  if (compiled.records != nullptr) return workspace->records->reset(message);
  Walk& walk = workspace->walk;
  walk.reset(plan, message);
  std::optional<Issue> malformed = compiled.documents->read(message, plan.limits, walk);
  if (malformed) return reject(std::move(*malformed));
  if (walk.message_plan() == nullptr) {
    const TextPosition at = position_in(message, walk.root_offset());
    return reject({"message-unknown",
                   "The adapter knows no message of this name and namespace.",
                   {at.line, at.column, "/*"},
                   {}});
  }
  if (walk.too_many_rows()) {
    return reject({"too-many-items", "The message has more items than the adapter takes.", {}, {}});
  }
  workspace->evaluator.begin(plan, walk, message, {}, recorder);
}

bool Cursor::State::next(Item& item) {
  if (!rejection.empty()) return false;
  if (compiled.records != nullptr) {
    if (!next_of_records(item)) return false;
  } else if (!workspace->evaluator.next(item)) {
    std::swap(rejection, workspace->evaluator.rejection());
    return false;
  }
  item.native_header =
      compiled.records != nullptr ? workspace->records->header() : std::string_view();
  item.number = number++;
  return true;
}

// Each record is a message of its own: what would reject a document rejects the record.
bool Cursor::State::next_of_records(Item& item) {
  for (;;) {
    if (in_record) {
      if (workspace->evaluator.next(item)) return true;
      in_record = false;
      if (!workspace->evaluator.rejection().empty()) {
        broken_record(item, workspace->evaluator.rejection());
        return true;
      }
    }
    if (next_record(item)) return true;
    if (!in_record) return false;
  }
}

// Goes on to the next record. True if that makes an item already: a record that is broken.
bool Cursor::State::next_record(Item& item) {
  RecordCursor& cursor = *workspace->records;
  const RecordCursor::Step step = cursor.next(workspace->walk);
  if (step == RecordCursor::Step::done) return false;
  if (step == RecordCursor::Step::rejected) {
    reject(cursor.issue());
    return false;
  }
  if (++records > compiled.plan->limits.items) {
    reject({"too-many-items",
            "The file has more records than the adapter takes.",
            {cursor.line(), 1, {}},
            {}});
    return false;
  }
  if (step == RecordCursor::Step::broken) {
    Issue issue = cursor.issue();
    issue.rule = "adapter.yaml:1:1";
    broken_record(item, {std::move(issue)});
    if (recorder != nullptr) recorder->broken("record", item);
    return true;
  }
  const std::string_view record = cursor.record();
  const auto offset = static_cast<std::size_t>(record.data() - message.data());
  workspace->evaluator.begin(*compiled.plan, workspace->walk, record,
                             {offset, cursor.line(), compiled.plan->charset != Charset::utf_8},
                             recorder);
  in_record = true;
  return false;
}

void Cursor::State::broken_record(Item& item, std::vector<Issue> issues) const {
  item.outcome = Item::Outcome::rejected;
  item.event.clear();
  item.native_record = workspace->records->record();
  item.issues = std::move(issues);
  item.at.line = workspace->records->line();
  item.at.column = 1;
  item.at.path.clear();
}

Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;
bool Cursor::next(Item& item) { return state_->next(item); }
const std::vector<Issue>& Cursor::rejection() const { return state_->rejection; }

Adapter::Adapter(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Adapter::~Adapter() = default;

Result<std::unique_ptr<Adapter>> Adapter::load(const std::string& folder,
                                               const CanonicalTypes* types) {
  FLORA_ASSIGN(const BundleFiles files, read_bundle(folder));
  auto compiled = std::make_unique<Compiled>();
  FLORA_ASSIGN(compiled->plan, compile(files, types));
  compiled->texts = texts_of(files);
  compiled->format = find_format(compiled->plan->info.format, compiled->plan->spaces);
  compiled->documents = dynamic_cast<const DocumentReader*>(compiled->format.get());
  compiled->records = dynamic_cast<const RecordReader*>(compiled->format.get());
  return std::unique_ptr<Adapter>(new Adapter(std::move(compiled)));
}

const BundleInfo& Adapter::info() const { return compiled_->plan->info; }
const BundleTexts& Adapter::texts() const { return compiled_->texts; }

Cursor Adapter::open(std::string_view message) const {
  auto state = std::make_unique<Cursor::State>(*compiled_, message);
  state->begin();
  return Cursor(std::move(state));
}

Translation Adapter::translate(std::string_view message, std::size_t keep) const {
  Translation out;
  std::vector<Issue> reasons;  // Of rejected items, should they reject the message.
  Cursor cursor = open(message);
  for (Item item; cursor.next(item);) {
    out.events += item.outcome == Item::Outcome::event;
    out.skipped += item.outcome == Item::Outcome::skipped;
    if (item.outcome == Item::Outcome::rejected) {
      ++out.rejected;
      const std::size_t room = kMostReasons - std::min(kMostReasons, reasons.size());
      reasons.insert(
          reasons.end(), item.issues.begin(),
          item.issues.begin() + static_cast<std::ptrdiff_t>(std::min(room, item.issues.size())));
    }
    if (out.count() <= keep) out.items.push_back(std::move(item));
  }
  if (out.count() > keep) out.items.clear();
  out.rejection = cursor.rejection();
  if (out.rejection.empty() && compiled_->broken(out)) {
    const Tolerance& most = compiled_->plan->tolerance;
    out.rejection.push_back({"too-many-rejected", too_many(out, most), {}, rule_at(most.at)});
    out.rejection.insert(out.rejection.end(), reasons.begin(), reasons.end());
  }
  if (!out.rejection.empty()) out.items.clear();
  return out;
}

TracedTranslation Adapter::trace(std::string_view message) const {
  TracedTranslation out;
  out.translation = translate(message);
  Recorder recorder;
  Cursor::State state(*compiled_, message);
  state.recorder = &recorder;
  state.begin();
  for (Item item; !recorder.is_done() && state.next(item);) continue;
  out.trace = recorder.take();
  return out;
}

}  // namespace flora::adapter
