#include "adapters/adapter.h"

#include <mutex>

#include "adapters/engine/bundle_files.h"
#include "adapters/engine/evaluator.h"
#include "adapters/engine/plan.h"
#include "adapters/engine/walk.h"
#include "adapters/formats/reader.h"

namespace flora::adapter {
namespace {

Translation rejected(Issue issue) {
  Translation out;
  if (issue.rule.empty()) issue.rule = "adapter.yaml:1:1";
  out.rejection.push_back(std::move(issue));
  return out;
}

}  // namespace

// The memory of one translation at a time; used again and again.
struct Workspace {
  Walk walk;
  Evaluator evaluator;
};

struct Adapter::Compiled {
  std::unique_ptr<Plan> plan;
  std::unique_ptr<Reader> reader;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;  // Guarded by mutex.

  std::unique_ptr<Workspace> borrow() const {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Workspace>();
    std::unique_ptr<Workspace> workspace = std::move(idle.back());
    idle.pop_back();
    return workspace;
  }

  void give_back(std::unique_ptr<Workspace> workspace) const {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(workspace));
  }

  Translation translate(std::string_view message, Workspace& workspace) const;
};

Adapter::Adapter(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Adapter::~Adapter() = default;

Result<std::unique_ptr<Adapter>> Adapter::load(const std::string& folder,
                                               const CanonicalTypes* types) {
  FLORA_ASSIGN(const BundleFiles files, read_bundle(folder));
  auto compiled = std::make_unique<Compiled>();
  FLORA_ASSIGN(compiled->plan, compile(files, types));
  compiled->reader = find_reader(compiled->plan->info.format, compiled->plan->spaces);
  return std::unique_ptr<Adapter>(new Adapter(std::move(compiled)));
}

const BundleInfo& Adapter::info() const { return compiled_->plan->info; }

Translation Adapter::translate(std::string_view message) const {
  std::unique_ptr<Workspace> workspace = compiled_->borrow();
  Translation out = compiled_->translate(message, *workspace);
  compiled_->give_back(std::move(workspace));
  return out;
}

Translation Adapter::Compiled::translate(std::string_view message, Workspace& workspace) const {
  if (message.size() > plan->limits.bytes) {
    return rejected({"message-too-large", "The message is larger than the adapter takes.", {}, {}});
  }
  Walk& walk = workspace.walk;
  walk.reset(*plan, message);
  std::optional<Issue> malformed = reader->read(message, plan->limits, walk);
  if (malformed) return rejected(std::move(*malformed));
  if (walk.message_plan() == nullptr) {
    const TextPosition at = position_in(message, walk.root_offset());
    return rejected({"message-unknown",
                     "The adapter knows no message of this name and namespace.",
                     {at.line, at.column, "/*"},
                     {}});
  }
  if (walk.too_many_rows()) {
    return rejected(
        {"too-many-items", "The message has more items than the adapter takes.", {}, {}});
  }
  workspace.evaluator.reset(*plan, walk, message);
  return workspace.evaluator.run();
}

}  // namespace flora::adapter
