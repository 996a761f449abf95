#include "ledger-client/embedded/log_writer.h"

#include <sqlite3.h>

#include "ledger-client/embedded/schema.h"
#include "ledger-client/merkle/proof.h"
#include "ledger-client/merkle/tiles.h"

namespace flora::ledger {
namespace {

constexpr std::int64_t kSyncInterval = 1'000'000'000;  // Nanoseconds.
constexpr std::size_t kMaxBody = 65'535;  // What the length in an entry bundle can say.

std::int64_t to_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Error behind() {
  return {
      Errc::invalid,
      "the ledger's database lacks entries that were signed (see the checkpoint file): put back "
      "the newest database, or open a new origin with 'ledger restore --accept-loss'"};
}

Error contradiction() {
  return {Errc::invalid,
          "the ledger's database contradicts the last signed checkpoint in the checkpoint file"};
}

std::string_view bytes_of(const std::vector<Digest>& hashes) {
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof(Digest)};
}

/// True if a note is the checkpoint of a tree without leaves, by whomever.
bool is_empty_tree(std::string_view note) {
  const auto checkpoint = parse_checkpoint(note.substr(0, note.find("\n\n") + 1));
  return checkpoint && checkpoint->size == 0;
}

/// Failures after which the same connection may go on once the transaction is rolled back.
bool passes(Errc code) { return code == Errc::overloaded || code == Errc::unavailable; }

}  // namespace

struct LogWriter::Statements {
  sqlite::Statement insert_entry;
  sqlite::Statement find_entry;
  sqlite::Statement put_tile;
  sqlite::Statement insert_checkpoint;
};

LogWriter::LogWriter(sqlite::Database database, CheckpointFile file, const crypto::Ed25519Key& key,
                     Env& env, int max_wal_pages)
    : database_(std::move(database)),
      file_(std::move(file)),
      key_(key),
      env_(env),
      synced_ns_(env.steady_ns()),
      max_wal_pages_(max_wal_pages) {}

LogWriter::~LogWriter() {
  // A failure leaves an older checkpoint in the file, which is as true.
  if (file_.is_dirty()) static_cast<void>(file_.sync().has_value());
}

Result<std::unique_ptr<LogWriter>> LogWriter::open(const Options& options,
                                                   const crypto::Ed25519Key& key, Env& env) {
  FLORA_ASSIGN(auto database, sqlite::Database::open(options.database, sqlite::Mode::read_write,
                                                     sqlite::Sync::full, options.vfs));
  FLORA_ASSIGN(auto file, CheckpointFile::open(options.checkpoint_file, options.vfs));
  std::unique_ptr<LogWriter> writer(
      new LogWriter(std::move(database), std::move(file), key, env, options.max_wal_pages));
  FLORA_TRY(writer->start(options));
  return writer;
}

Result<void> LogWriter::start(const Options& options) {
  FLORA_ASSIGN(const bool exists, has_schema(database_));
  if (!exists) {
    const std::string note = sign_checkpoint({options.origin, 0, empty_root()}, key_);
    if (file_.note() && !is_empty_tree(*file_.note())) return behind();
    FLORA_TRY(create_schema(database_, options.origin, note));
  }
  FLORA_ASSIGN(LogReader reader, LogReader::on(database_));
  FLORA_ASSIGN(origins_, reader.origins());
  if (origins_.front().name != options.origin) {
    return Error{Errc::invalid,
                 "the database holds the ledger of another origin, " + origins_.front().name};
  }
  FLORA_TRY(load_tree());
  FLORA_TRY(compare_with_file());
  FLORA_TRY(prepare());
  return database_.checkpoint_by_hand(&wal_pages_);
}

Result<void> LogWriter::load_tree() {
  FLORA_ASSIGN(LogReader reader, LogReader::on(database_));
  FLORA_ASSIGN(StoredCheckpoint last, reader.last_checkpoint());
  auto signed_head = open_checkpoint(last.note, {origins_.back().name, key_.public_key()});
  if (!signed_head) {
    return Error{Errc::invalid, "the last checkpoint was not signed with this key: " +
                                    signed_head.error().message};
  }
  FLORA_ASSIGN(const std::uint64_t count, reader.entry_count());
  if (signed_head->size != last.size || last.size != count) {
    return Error{Errc::corrupt, "the number of entries is not that of the last checkpoint"};
  }
  FLORA_ASSIGN(auto tails, reader.tails(count));
  FLORA_ASSIGN(tree_, GrowingTree::open(count, std::move(tails)));
  if (tree_.root() != signed_head->root) {
    return Error{Errc::corrupt, "the tree's root is not that of the last checkpoint"};
  }
  note_ = std::move(last.note);
  return {};
}

/// The database must extend the tree that was signed last, as the file outside says.
Result<void> LogWriter::compare_with_file() {
  if (!file_.note()) {
    if (tree_.size() > 0)
      return Error{Errc::invalid, "the checkpoint file is missing or unreadable"};
    FLORA_TRY(file_.write(note_));
    return file_.sync();
  }
  auto outside = open_checkpoint(*file_.note(), {origins_.back().name, key_.public_key()});
  if (!outside) {
    return Error{Errc::invalid,
                 "the checkpoint file is of another ledger or key: " + outside.error().message};
  }
  if (outside->size > tree_.size()) return behind();
  FLORA_ASSIGN(LogReader reader, LogReader::on(database_));
  FLORA_ASSIGN(const Digest root, root_at(reader, outside->size));
  if (root != outside->root) return contradiction();
  if (outside->size == tree_.size()) return {};
  FLORA_TRY(file_.write(note_));
  return file_.sync();
}

Result<void> LogWriter::prepare() {
  FLORA_ASSIGN(auto insert_entry,
               database_.prepare("INSERT INTO entry(idx, id, body) VALUES(?1, ?2, ?3) "
                                 "ON CONFLICT(id) DO NOTHING"));
  FLORA_ASSIGN(auto find_entry, database_.prepare("SELECT idx, body FROM entry WHERE id = ?1"));
  FLORA_ASSIGN(auto put_tile,
               database_.prepare("INSERT INTO tile(level, n, hashes) VALUES(?1, ?2, ?3) "
                                 "ON CONFLICT(level, n) DO UPDATE SET hashes = excluded.hashes"));
  FLORA_ASSIGN(auto insert_checkpoint,
               database_.prepare("INSERT INTO checkpoint(size, epoch, note) VALUES(?1, ?2, ?3)"));
  statements_ =
      std::make_unique<Statements>(Statements{std::move(insert_entry), std::move(find_entry),
                                              std::move(put_tile), std::move(insert_checkpoint)});
  return {};
}

Result<std::vector<Result<Position>>> LogWriter::record(std::span<LedgerEntry* const> entries) {
  const std::uint64_t old_size = tree_.size();
  std::vector<Result<Position>> results;
  results.reserve(entries.size());
  if (entries.empty()) return results;
  if (auto begun = database_.begin(); !begun) return abandon(std::move(begun).error());
  for (LedgerEntry* entry : entries) {
    if (auto done = record_entry(*entry, results); !done) return abandon(std::move(done).error());
  }
  if (tree_.size() == old_size) {
    database_.rollback();
    return results;
  }
  if (auto done = write_tiles(old_size); !done) return abandon(std::move(done).error());
  if (auto done = write_checkpoint(); !done) return abandon(std::move(done).error());

  // From here on the outcome of a failure is unknown: the commit may have reached the disk.
  if (auto done = database_.commit(); !done) {
    return Error{Errc::uncertain, "commit: " + done.error().message};
  }
  if (auto done = file_.write(note_); !done) {
    return Error{Errc::uncertain, std::move(done).error().message};
  }
  attach_receipts(old_size, entries, results);
  tree_.trim();
  return results;
}

Result<void> LogWriter::record_entry(LedgerEntry& entry, std::vector<Result<Position>>& results) {
  if (entry.body.empty() || entry.body.size() > kMaxBody) {
    results.push_back(Error{Errc::invalid, "a transaction has 1 to 65535 bytes"});
    return {};
  }
  FLORA_TRY(statements_->insert_entry.bind(1, to_signed(tree_.size()))
                .bind_blob(2, entry.id.bytes)
                .bind_text(3, entry.body)
                .run());
  if (statements_->insert_entry.changes() == 1) {
    results.push_back(Position{tree_.size(), false, std::nullopt});
    tree_.append(leaf_hash(entry.body));
    return {};
  }
  auto position = position_of(entry);
  if (!position && position.error().code != Errc::conflict) return std::move(position).error();
  results.push_back(std::move(position));
  return {};
}

/// Of an entry whose id is recorded already. Errors: conflict, and what reading can cause.
Result<Position> LogWriter::position_of(const LedgerEntry& entry) {
  sqlite::Statement& statement = statements_->find_entry;
  auto row = statement.bind_blob(1, entry.id.bytes).step();
  if (!row) return std::move(row).error();
  if (!*row) {
    statement.reset();
    return Error{Errc::corrupt, "the index of transaction ids contradicts the entries"};
  }
  const Position position{static_cast<std::uint64_t>(statement.integer(0)), true, std::nullopt};
  const bool same = statement.text(1) == entry.body;
  statement.reset();
  if (!same) return Error{Errc::conflict, "this transaction id is recorded with another text"};
  return position;
}

Result<void> LogWriter::write_tiles(std::uint64_t old_size) {
  for (unsigned level = 0; (tree_.size() >> (kTileHeight * level)) > 0; ++level) {
    const std::uint64_t old_count = old_size >> (kTileHeight * level);
    const std::uint64_t count = tree_.size() >> (kTileHeight * level);
    // A partial tile of leaves is not stored: it follows from the entries.
    const std::uint64_t end =
        level == 0 ? count / kTileWidth : (count + kTileWidth - 1) / kTileWidth;
    if (count == old_count) break;
    for (std::uint64_t n = old_count / kTileWidth; n < end; ++n) {
      const std::vector<Digest> hashes = tree_.tile(level, n);
      FLORA_TRY(statements_->put_tile.bind(1, level)
                    .bind(2, to_signed(n))
                    .bind_blob(3, as_bytes(bytes_of(hashes)))
                    .run());
    }
  }
  return {};
}

Result<void> LogWriter::write_checkpoint() {
  const Origin& origin = origins_.back();
  std::string note = sign_checkpoint({origin.name, tree_.size(), tree_.root()}, key_);
  FLORA_TRY(statements_->insert_checkpoint.bind(1, to_signed(tree_.size()))
                .bind(2, origin.epoch)
                .bind_text(3, note)
                .run());
  note_ = std::move(note);
  return {};
}

/// Takes back an unfinished transaction: nothing of it is recorded.
Result<std::vector<Result<Position>>> LogWriter::abandon(Error error) {
  database_.rollback();
  if (!passes(error.code)) return Error{Errc::corrupt, std::move(error.message)};
  if (auto loaded = load_tree(); !loaded) {
    return Error{Errc::corrupt, error.message + "; then: " + loaded.error().message};
  }
  return error;
}

void LogWriter::attach_receipts(std::uint64_t old_size, std::span<LedgerEntry* const> entries,
                                std::vector<Result<Position>>& results) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!results[i] || results[i]->index < old_size) continue;
    const std::uint64_t index = results[i]->index;
    ProofText proof{index, inclusion_proof(tree_, index, tree_.size()).value(), note_, {}};
    results[i]->receipt = Receipt{index, std::move(entries[i]->body), to_text(proof)};
  }
}

Result<void> LogWriter::tidy() {
  if (const std::int64_t now = env_.steady_ns();
      file_.is_dirty() && now - synced_ns_ >= kSyncInterval) {
    synced_ns_ = now;
    FLORA_TRY(file_.sync());
  }
  if (wal_pages_ < max_wal_pages_) return {};
  wal_pages_ = 0;
  return database_.checkpoint();
}

}  // namespace flora::ledger
