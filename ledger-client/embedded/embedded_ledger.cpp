#include "ledger-client/embedded/embedded_ledger.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "gateway/base/log.h"
#include "ledger-client/embedded/lock_file.h"
#include "ledger-client/embedded/log_writer.h"
#include "ledger-client/merkle/note.h"
#include "ledger-client/merkle/tiles.h"

namespace flora::ledger {
namespace {

// One commit takes at most about this much, so that a flood does not make those wait who came
// first.
constexpr std::size_t kBatchEntries = 4'096;
constexpr std::size_t kBatchBytes = 8 * 1024 * 1024;

constexpr std::chrono::milliseconds kTidyInterval{250};

struct Submission {
  std::vector<LedgerEntry> entries;
  Ledger::Done done;
  std::size_t count = 0;  // Of the entries, also after a refusal has dropped them.
  std::size_t bytes = 0;
  bool refused = false;
};

void answer_all(const Submission& submission, const Error& error) {
  submission.done(std::vector<Result<Position>>(submission.count, error));
}

std::size_t bytes_of(const std::vector<LedgerEntry>& entries) {
  std::size_t bytes = 0;
  for (const LedgerEntry& entry : entries) bytes += entry.body.size();
  return bytes;
}

/// The writer's queue. Thread-safe.
class Queue {
 public:
  Queue(std::size_t max_entries, std::size_t max_bytes)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  void push(Submission submission) {
    const std::lock_guard lock(mutex_);
    if (queued_entries_ + submission.count > max_entries_ ||
        queued_bytes_ + submission.bytes > max_bytes_) {
      submission.refused = true;
      submission.entries = {};
      submission.bytes = 0;
    } else {
      queued_entries_ += submission.count;
      queued_bytes_ += submission.bytes;
    }
    waiting_.push_back(std::move(submission));
    ready_.notify_one();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.notify_one();
  }

  /// All that waits, in order. Blocks until there is something, or the queue is closed, or, if
  /// `timeout` is given, so long.
  std::vector<Submission> take(std::optional<std::chrono::milliseconds> timeout) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || !waiting_.empty(); };
    if (timeout) {
      ready_.wait_for(lock, *timeout, ready);
    } else {
      ready_.wait(lock, ready);
    }
    return std::exchange(waiting_, {});
  }

  /// True if nothing will come any more.
  bool is_done() {
    const std::lock_guard lock(mutex_);
    return closed_ && waiting_.empty();
  }

  /// Makes room for as much as the submission took.
  void release(std::size_t entries, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    queued_entries_ -= entries;
    queued_bytes_ -= bytes;
  }

 private:
  const std::size_t max_entries_;
  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<Submission> waiting_;
  std::size_t queued_entries_ = 0;
  std::size_t queued_bytes_ = 0;
  bool closed_ = false;
};

/// Read-only connections, one per thread that reads at a time. Thread-safe.
class ReaderPool {
 public:
  ReaderPool(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  /// Calls `use` with a reader that no other thread has.
  template <typename Use>
  auto with(Use use) -> decltype(use(std::declval<LogReader&>())) {
    std::unique_ptr<LogReader> reader = idle_one();
    if (!reader) {
      FLORA_ASSIGN(LogReader opened, LogReader::open(path_, vfs_));
      reader = std::make_unique<LogReader>(std::move(opened));
    }
    auto result = use(*reader);
    reader->forget_tiles();
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(reader));
    return result;
  }

 private:
  std::unique_ptr<LogReader> idle_one() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
  }

  const std::string path_;
  const std::string vfs_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<LogReader>> idle_;
};

/// Origins of ours are plain, so that no reader of a note can see them otherwise.
bool valid_origin(std::string_view origin) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:";
  return !origin.empty() && origin.size() <= 200 &&
         origin.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

class EmbeddedLedger::Core {
 public:
  Core(EmbeddedOptions options, LockFile lock)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        queue_(options_.max_queued_entries, options_.max_queued_bytes),
        readers_(options_.database, options_.vfs) {}

  ~Core() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start(Env& env) {
    FLORA_ASSIGN(writer_, LogWriter::open({options_.database, options_.checkpoint_file,
                                           options_.origin, options_.vfs, options_.max_wal_pages},
                                          options_.key, env));
    for (const Origin& origin : writer_->origins()) {
      vkeys_.push_back(to_text(NoteVerifier{origin.name, options_.key.public_key()}));
    }
    publish();
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void submit(std::vector<LedgerEntry> entries, Ledger::Done done) {
    Submission submission;
    submission.count = entries.size();
    submission.bytes = bytes_of(entries);
    submission.entries = std::move(entries);
    submission.done = std::move(done);
    queue_.push(std::move(submission));
  }

  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }

  std::string checkpoint() {
    const std::lock_guard lock(note_mutex_);
    return note_;
  }

  Result<std::optional<std::uint64_t>> find(const Uuid& id) {
    FLORA_ASSIGN(auto index, readers_.with([&](LogReader& reader) { return reader.find(id); }));
    if (index && *index >= size()) index.reset();  // Committed, but not published yet.
    return index;
  }

  ReaderPool& readers() { return readers_; }
  const std::vector<std::string>& vkeys() const { return vkeys_; }

 private:
  void run() {
    while (!queue_.is_done()) {
      std::optional<std::chrono::milliseconds> timeout;
      if (!fatal_ && writer_->is_dirty()) timeout = kTidyInterval;
      auto waiting = queue_.take(timeout);
      auto next = waiting.begin();
      while (next != waiting.end()) next = commit_some(next, waiting.end());
      if (fatal_) continue;
      if (auto tidied = writer_->tidy(); !tidied) stop(tidied.error());
    }
  }

  using Iterator = std::vector<Submission>::iterator;

  /// Commits one batch from the front; returns where the next one begins.
  Iterator commit_some(Iterator begin, Iterator end) {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    Iterator next = begin;
    do {
      entries += next->entries.size();
      bytes += next->bytes;
      ++next;
    } while (next != end && entries < kBatchEntries && bytes < kBatchBytes);
    commit(std::span(begin, next), entries, bytes);
    return next;
  }

  /// Records a run of submissions, which hold `count` entries of `bytes` in all, and answers each.
  void commit(std::span<Submission> batch, std::size_t count, std::size_t bytes) {
    std::vector<LedgerEntry*> entries;
    entries.reserve(count);
    for (Submission& submission : batch) {
      for (LedgerEntry& entry : submission.entries) entries.push_back(&entry);
    }
    Result<std::vector<Result<Position>>> results =
        fatal_ ? Error{Errc::unavailable, "the ledger has stopped writing"}
               : writer_->record(entries);
    queue_.release(count, bytes);  // Who is answered may submit again.
    if (!results) return fail(batch, results.error());
    publish();
    answer(batch, std::move(*results));
  }

  void answer(std::span<Submission> batch, std::vector<Result<Position>> results) {
    auto next = results.begin();
    for (Submission& submission : batch) {
      if (submission.refused) {
        answer_all(submission, {Errc::overloaded, "the ledger's queue is full"});
        continue;
      }
      const auto end = next + static_cast<std::ptrdiff_t>(submission.count);
      submission.done({std::make_move_iterator(next), std::make_move_iterator(end)});
      next = end;
    }
  }

  void refuse(std::span<Submission> batch, const Error& error) {
    for (const Submission& submission : batch) answer_all(submission, error);
  }

  void fail(std::span<Submission> batch, const Error& error) {
    if (fatal_) return refuse(batch, error);
    log::write(log::Level::error, "ledger write failed", {{"reason", error.message}});
    // `corrupt` says that the transaction was taken back; the callers' view of it is: not recorded.
    const Errc code = error.code == Errc::corrupt ? Errc::unavailable : error.code;
    refuse(batch, {code, error.message});
    if (error.code == Errc::corrupt || error.code == Errc::uncertain) stop(error);
  }

  /// No more writing: what the disk holds is unknown until the next start.
  void stop(const Error& error) {
    fatal_ = true;
    log::write(log::Level::error, "ledger stopped", {{"reason", error.message}});
    if (options_.on_fatal) options_.on_fatal(error);
  }

  void publish() {
    const std::lock_guard lock(note_mutex_);
    note_ = writer_->checkpoint();
    size_.store(writer_->size(), std::memory_order_release);
  }

  EmbeddedOptions options_;
  LockFile lock_;
  Queue queue_;
  ReaderPool readers_;
  std::unique_ptr<LogWriter> writer_;  // Used by the thread alone once it runs.
  bool fatal_ = false;                 // The thread's alone.
  std::vector<std::string> vkeys_;
  std::mutex note_mutex_;
  std::string note_;
  std::atomic<std::uint64_t> size_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<EmbeddedLedger>> EmbeddedLedger::open(EmbeddedOptions options, Env& env) {
  if (!valid_origin(options.origin)) return Error{Errc::invalid, "the ledger's origin"};
  const std::int64_t begin = env.steady_ns();
  FLORA_ASSIGN(LockFile lock, LockFile::acquire(lock_path(options.database)));
  auto core = std::make_unique<Core>(std::move(options), std::move(lock));
  FLORA_TRY(core->start(env));
  log::write(log::Level::info, "ledger opened",
             {{"entries", static_cast<std::int64_t>(core->size())},
              {"microseconds", (env.steady_ns() - begin) / 1000}});
  return std::unique_ptr<EmbeddedLedger>(new EmbeddedLedger(std::move(core)));
}

EmbeddedLedger::EmbeddedLedger(std::unique_ptr<Core> core) : core_(std::move(core)) {}

EmbeddedLedger::~EmbeddedLedger() = default;

void EmbeddedLedger::submit(std::vector<LedgerEntry> entries, Done done) {
  core_->submit(std::move(entries), std::move(done));
}

Result<std::optional<std::uint64_t>> EmbeddedLedger::find(const Uuid& id) {
  return core_->find(id);
}

Result<Receipt> EmbeddedLedger::receipt(const Uuid& id) {
  FLORA_ASSIGN(const auto index, core_->find(id));
  if (!index) return Error{Errc::not_found, "no such transaction"};
  return core_->readers().with([&](LogReader& reader) { return reader.receipt(*index); });
}

Result<std::vector<CommittedEntry>> EmbeddedLedger::read(std::uint64_t first, std::size_t limit) {
  const std::uint64_t size = core_->size();
  if (first >= size) return std::vector<CommittedEntry>();
  limit = static_cast<std::size_t>(std::min<std::uint64_t>(limit, size - first));
  return core_->readers().with([&](LogReader& reader) { return reader.entries(first, limit); });
}

std::uint64_t EmbeddedLedger::size() { return core_->size(); }

std::string EmbeddedLedger::checkpoint() { return core_->checkpoint(); }

Result<std::string> EmbeddedLedger::tile(unsigned level, std::uint64_t n, unsigned width) {
  if (width == 0 || width > tile_width(level, n, core_->size())) {
    return Error{Errc::not_found, "no such tile"};
  }
  FLORA_ASSIGN(const auto hashes,
               core_->readers().with([&](LogReader& reader) { return reader.tile(level, n); }));
  if (hashes.size() < width) return Error{Errc::corrupt, "a tile is too short"};
  std::string bytes;
  for (unsigned i = 0; i < width; ++i) bytes += as_text(hashes[i]);
  return bytes;
}

Result<std::string> EmbeddedLedger::entry_bundle(std::uint64_t n, unsigned width) {
  if (width == 0 || width > tile_width(0, n, core_->size())) {
    return Error{Errc::not_found, "no such entries"};
  }
  FLORA_ASSIGN(const auto entries, read(n * kTileWidth, width));
  if (entries.size() < width) return Error{Errc::corrupt, "entries are missing"};
  std::string bytes;
  for (const CommittedEntry& entry : entries) {
    bytes += static_cast<char>(entry.body.size() >> 8);
    bytes += static_cast<char>(entry.body.size() & 0xFF);
    bytes += entry.body;
  }
  return bytes;
}

std::string EmbeddedLedger::vkey() const { return core_->vkeys().back(); }

const std::vector<std::string>& EmbeddedLedger::vkeys() const { return core_->vkeys(); }

}  // namespace flora::ledger
