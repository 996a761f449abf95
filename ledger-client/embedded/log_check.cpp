#include "ledger-client/embedded/log_check.h"

#include <algorithm>

#include "gateway/base/json.h"
#include "ledger-client/merkle/growing_tree.h"
#include "ledger-client/merkle/tiles.h"

namespace flora::ledger {
namespace {

constexpr std::size_t kChunk = 1'024;  // Entries in memory at a time.
constexpr std::size_t kMaxFindings = 100;
constexpr std::string_view kRestored = "/restored-";

std::string number(std::uint64_t n) { return std::to_string(n); }

/// One run over a database.
class Check {
 public:
  Check(LogReader& reader, const LedgerFiles& files, CheckDepth depth)
      : reader_(reader), files_(files), everything_(depth == CheckDepth::everything) {}

  CheckReport run(const std::optional<std::string>& outside) {
    report_error("the check", run_checks(outside));
    return std::move(report_);
  }

 private:
  Result<void> run_checks(const std::optional<std::string>& outside) {
    FLORA_TRY(reader_.database().begin());
    if (everything_) report_error("SQLite", check_database());
    FLORA_ASSIGN(origins_, reader_.origins());
    check_origins();
    FLORA_ASSIGN(const StoredCheckpoint last, reader_.last_checkpoint());
    open_last(last);
    if (outside) {
      open_outside(*outside);
    } else {
      find("the checkpoint file is missing or unreadable");
    }
    if (everything_) report_error("checkpoints", next_checkpoint());
    check_pending_roots();
    FLORA_TRY(check_entries());
    if (everything_) {
      FLORA_TRY(check_last_tiles());
      FLORA_TRY(check_rest());
    }
    check_head();
    return {};
  }

  void find(std::string finding) {
    if (report_.findings.size() < kMaxFindings) report_.findings.push_back(std::move(finding));
  }

  void report_error(const std::string& where, const Result<void>& result) {
    if (!result) find(where + ": " + result.error().message);
  }

  /// SQLite's own view: pages, indexes, constraints.
  Result<void> check_database() {
    for (const char* pragma : {"PRAGMA integrity_check(20)", "PRAGMA foreign_key_check"}) {
      FLORA_ASSIGN(auto statement, reader_.database().prepare(pragma));
      while (true) {
        FLORA_ASSIGN(const bool row, statement.step());
        if (!row) break;
        if (statement.text(0) != "ok") find("SQLite: " + std::string(statement.text(0)));
      }
    }
    return {};
  }

  void check_origins() {
    std::int64_t epoch = 0;
    for (const Origin& origin : origins_) {
      const bool first = epoch == 0;
      if (origin.epoch != epoch++) find("origins: an epoch is missing");
      if (first ? origin.name != files_.origin || origin.first_size != 0
                : !is_origin_of(origin.name, files_.origin)) {
        find("origins: " + origin.name + " is not one of this ledger");
      }
    }
  }

  const Origin* origin_of(std::int64_t epoch) const {
    for (const Origin& origin : origins_) {
      if (origin.epoch == epoch) return &origin;
    }
    return nullptr;
  }

  /// The signed tree head of a row; nothing, and a finding, if it is not good.
  std::optional<Checkpoint> open_stored(const StoredCheckpoint& stored) {
    const std::string name = "checkpoint of size " + number(stored.size);
    const Origin* const origin = origin_of(stored.epoch);
    if (origin == nullptr || stored.size < origin->first_size) {
      find(name + ": it has a wrong epoch");
      return std::nullopt;
    }
    auto checkpoint = open_checkpoint(stored.note, {origin->name, files_.public_key});
    if (!checkpoint) {
      find(name + ": " + checkpoint.error().message);
      return std::nullopt;
    }
    if (sign_lines(stored.note) != 1) find(name + ": it has more than one signature");
    if (checkpoint->size != stored.size) {
      find(name + ": the note says " + number(checkpoint->size));
      return std::nullopt;
    }
    return std::move(*checkpoint);
  }

  /// How many lines follow the last empty line of a note.
  static std::ptrdiff_t sign_lines(std::string_view note) {
    const std::string_view lines = note.substr(note.rfind("\n\n") + 2);
    return std::count(lines.begin(), lines.end(), '\n');
  }

  void open_last(const StoredCheckpoint& last) {
    if (auto head = open_stored(last)) {
      report_.head = *head;
      head_ = *head;
    }
    if (last.epoch != origins_.back().epoch) find("the last checkpoint has not the last origin");
  }

  void open_outside(const std::string& note) {
    auto outside = open_own_checkpoint(note, files_);
    if (!outside) return find("checkpoint file: " + outside.error().message);
    if (outside->origin != origins_.back().name) {
      return find("checkpoint file: it is of the origin " + outside->origin);
    }
    outside_ = std::move(*outside);
  }

  /// Loads the stored checkpoint after the one at hand.
  Result<void> next_checkpoint() {
    FLORA_ASSIGN(stored_, reader_.next_checkpoint(stored_));
    return {};
  }

  /// Compares all signed roots that are about the tree as it stands.
  void check_pending_roots() {
    while (everything_ && stored_ && stored_->size == tree_.size()) {
      ++report_.checkpoints;
      check_epoch(*stored_);
      const auto checkpoint = open_stored(*stored_);
      if (checkpoint && checkpoint->root != tree_.root()) {
        find("checkpoint of size " + number(stored_->size) +
             ": its root is not that of the entries");
      }
      if (auto next = next_checkpoint(); !next) {
        report_error("checkpoints", next);
        stored_.reset();
      }
    }
    if (outside_ && outside_->size == tree_.size()) {
      if (outside_->root != tree_.root()) {
        find("checkpoint file: its root is not that of the entries");
      }
      outside_seen_ = true;
    }
    if (head_ && head_->size == tree_.size()) head_matches_ = head_->root == tree_.root();
  }

  /// An origin begins with a checkpoint of its first size, and none comes back.
  void check_epoch(const StoredCheckpoint& stored) {
    if (stored.epoch == epoch_) return;
    const Origin* const origin = origin_of(stored.epoch);
    if (stored.epoch != epoch_ + 1 || origin == nullptr || origin->first_size != stored.size) {
      find("checkpoint of size " + number(stored.size) + ": its origin begins elsewhere");
    }
    epoch_ = stored.epoch;
  }

  Result<void> check_entries() {
    while (true) {
      FLORA_ASSIGN(const auto entries, reader_.entries(tree_.size(), kChunk));
      for (const CommittedEntry& entry : entries) {
        if (entry.index != tree_.size()) {
          return Error{Errc::corrupt, "entry " + number(tree_.size()) + " is missing"};
        }
        tree_.append(leaf_hash(entry.body));
        if (everything_) check_text(entry);
        check_pending_roots();
        if (tree_.size() % kTileWidth == 0) {
          if (everything_) FLORA_TRY(check_full_tiles());
          tree_.trim();
        }
      }
      report_.entries = tree_.size();
      if (entries.size() < kChunk) return {};
    }
  }

  /// The text of one entry: canonical, with its own id, not older than the one before.
  void check_text(const CommittedEntry& entry) {
    const std::string name = "entry " + number(entry.index);
    if (!document_.parse(entry.body) || !document_.root().is(json::Kind::object)) {
      return find(name + ": it is not a JSON object");
    }
    canonical_.clear();
    json::append_canonical(canonical_, document_.root());
    if (canonical_ != entry.body) find(name + ": its text is not canonical");
    const auto id = document_.root().find("id");
    if (!id || !id->is(json::Kind::string) || id->string() != to_string(entry.id)) {
      find(name + ": its text carries another id");
    }
    const auto time = document_.root().find("recordedAt");
    if (!time || !time->is(json::Kind::string)) return find(name + ": it has no recordedAt");
    if (time->string() < recorded_at_) find(name + ": it was recorded before the entry before it");
    recorded_at_ = time->string();
  }

  /// Compares the tiles that the last entry has filled.
  Result<void> check_full_tiles() {
    std::uint64_t count = tree_.size();
    for (unsigned level = 0; count > 0 && count % kTileWidth == 0; ++level) {
      FLORA_TRY(check_tile(level, count / kTileWidth - 1));
      count /= kTileWidth;
    }
    return {};
  }

  /// Compares the partial tiles, which are stored above the level of the leaves.
  Result<void> check_last_tiles() {
    for (unsigned level = 1; (tree_.size() >> (kTileHeight * level)) > 0; ++level) {
      const std::uint64_t count = tree_.size() >> (kTileHeight * level);
      if (count % kTileWidth != 0) FLORA_TRY(check_tile(level, count / kTileWidth));
    }
    return {};
  }

  Result<void> check_tile(unsigned level, std::uint64_t n) {
    ++report_.tiles;
    const auto stored = reader_.stored_tile(level, n);
    if (!stored || *stored != tree_.tile(level, n)) {
      find("tile " + tile_path({level, n, kTileWidth}) + ": it is not that of the entries");
    }
    return {};
  }

  /// What is there beyond the entries.
  Result<void> check_rest() {
    if (stored_) find("checkpoint of size " + number(stored_->size) + ": the entries are missing");
    if (epoch_ != origins_.back().epoch) find("an origin has no checkpoint");
    FLORA_ASSIGN(auto statement, reader_.database().prepare("SELECT count(*) FROM tile"));
    FLORA_ASSIGN(const bool row, statement.step());
    if (!row || static_cast<std::uint64_t>(statement.integer(0)) != report_.tiles) {
      find("there are other tiles than those of the entries");
    }
    return {};
  }

  void check_head() {
    if (outside_ && !outside_seen_) {
      find("checkpoint file: it covers " + number(outside_->size) + " entries, the database has " +
           number(tree_.size()));
    }
    if (!head_) return;
    if (head_->size != tree_.size()) {
      find("the last checkpoint covers " + number(head_->size) + " entries, there are " +
           number(tree_.size()));
    } else if (!head_matches_) {
      find("the root of the entries is not that of the last checkpoint");
    }
  }

  LogReader& reader_;
  const LedgerFiles& files_;
  const bool everything_;
  CheckReport report_;
  std::vector<Origin> origins_;
  GrowingTree tree_;
  std::optional<Checkpoint> head_;
  std::optional<Checkpoint> outside_;
  std::optional<StoredCheckpoint> stored_;  // The next to compare.
  std::int64_t epoch_ = -1;                 // Of the checkpoint compared last.
  bool head_matches_ = false;
  bool outside_seen_ = false;
  json::Document document_;
  std::string canonical_;
  std::string recorded_at_;
};

}  // namespace

bool is_origin_of(const std::string& name, const std::string& configured) {
  return name == configured || name.starts_with(configured + std::string(kRestored));
}

Result<Checkpoint> open_own_checkpoint(std::string_view note, const LedgerFiles& files) {
  const std::string name(note.substr(0, note.find('\n')));
  if (!is_origin_of(name, files.origin)) {
    return Error{Errc::invalid, "the checkpoint is of another log"};
  }
  return open_checkpoint(note, {name, files.public_key});
}

CheckReport check(LogReader& reader, const LedgerFiles& files,
                  const std::optional<std::string>& outside, CheckDepth depth) {
  CheckReport report = Check(reader, files, depth).run(outside);
  reader.database().rollback();
  return report;
}

}  // namespace flora::ledger
