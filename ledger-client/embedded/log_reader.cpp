#include "ledger-client/embedded/log_reader.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <tuple>

#include "ledger-client/embedded/schema.h"
#include "ledger-client/merkle/proof.h"
#include "ledger-client/merkle/tiles.h"

namespace flora::ledger {
namespace {

// Enough for the proofs of a tree of 2^63 leaves, and for the entries that follow one another.
constexpr std::size_t kMaxCachedTiles = 64;

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

StoredCheckpoint checkpoint_of(const sqlite::Statement& row) {
  return {unsigned_of(row.integer(0)), row.integer(1), std::string(row.text(2))};
}

Result<std::vector<Digest>> digests_of(std::span<const std::byte> bytes) {
  constexpr std::size_t kDigest = sizeof(Digest);
  if (bytes.empty() || bytes.size() % kDigest != 0 || bytes.size() > kTileWidth * kDigest) {
    return Error{Errc::corrupt, "a tile has a wrong length"};
  }
  std::vector<Digest> hashes(bytes.size() / kDigest);
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

/// Resets a statement at the end of a scope, so that no snapshot stays open.
class Reset {
 public:
  explicit Reset(sqlite::Statement& statement) : statement_(statement) {}
  ~Reset() { statement_.reset(); }
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;

 private:
  sqlite::Statement& statement_;
};

}  // namespace

LogReader::LogReader(std::unique_ptr<sqlite::Database> owned, sqlite::Database* database,
                     Statements statements)
    : owned_(std::move(owned)), database_(database), statements_(std::move(statements)) {}

Result<LogReader> LogReader::open(const std::string& path, const std::string& vfs) {
  FLORA_ASSIGN(sqlite::Database opened,
               sqlite::Database::open(path, sqlite::Mode::read_only, sqlite::Sync::full, vfs));
  auto database = std::make_unique<sqlite::Database>(std::move(opened));
  FLORA_ASSIGN(const bool ready, has_schema(*database));
  if (!ready) return Error{Errc::not_found, "the database is empty (" + path + ")"};
  FLORA_ASSIGN(Statements statements, prepare(*database));
  sqlite::Database* const view = database.get();
  return LogReader(std::move(database), view, std::move(statements));
}

Result<LogReader> LogReader::on(sqlite::Database& database) {
  FLORA_ASSIGN(Statements statements, prepare(database));
  return LogReader(nullptr, &database, std::move(statements));
}

Result<LogReader::Statements> LogReader::prepare(sqlite::Database& database) {
  FLORA_ASSIGN(auto find, database.prepare("SELECT idx FROM entry WHERE id = ?1"));
  FLORA_ASSIGN(auto entries, database.prepare("SELECT idx, id, body FROM entry WHERE idx >= ?1 "
                                              "ORDER BY idx LIMIT ?2"));
  FLORA_ASSIGN(auto tile, database.prepare("SELECT hashes FROM tile WHERE level = ?1 AND n = ?2"));
  FLORA_ASSIGN(auto covering, database.prepare("SELECT size, epoch, note FROM checkpoint "
                                               "WHERE size > ?1 ORDER BY size, epoch LIMIT 1"));
  FLORA_ASSIGN(auto last, database.prepare("SELECT size, epoch, note FROM checkpoint "
                                           "ORDER BY size DESC, epoch DESC LIMIT 1"));
  FLORA_ASSIGN(auto next,
               database.prepare("SELECT size, epoch, note FROM checkpoint WHERE "
                                "(size, epoch) > (?1, ?2) ORDER BY size, epoch LIMIT 1"));
  FLORA_ASSIGN(auto count, database.prepare("SELECT max(idx) FROM entry"));
  return Statements{std::move(find), std::move(entries), std::move(tile), std::move(covering),
                    std::move(last), std::move(next),    std::move(count)};
}

Result<std::vector<Origin>> LogReader::origins() {
  FLORA_ASSIGN(auto statement,
               database_->prepare("SELECT epoch, name, first_size FROM origin ORDER BY epoch"));
  std::vector<Origin> origins;
  while (true) {
    FLORA_ASSIGN(const bool row, statement.step());
    if (!row) break;
    const std::int64_t epoch = statement.integer(0);
    if (!origins.empty() && epoch <= origins.back().epoch) {
      return Error{Errc::corrupt, "the origins are out of order"};
    }
    origins.push_back({epoch, std::string(statement.text(1)), unsigned_of(statement.integer(2))});
  }
  if (origins.empty()) return Error{Errc::corrupt, "the ledger has no origin"};
  return origins;
}

Result<StoredCheckpoint> LogReader::last_checkpoint() {
  const Reset reset(statements_.last);
  FLORA_ASSIGN(const bool row, statements_.last.step());
  if (!row) return Error{Errc::corrupt, "the ledger has no checkpoint"};
  return checkpoint_of(statements_.last);
}

Result<StoredCheckpoint> LogReader::first_covering(std::uint64_t index) {
  const Reset reset(statements_.covering);
  FLORA_ASSIGN(const bool row, statements_.covering.bind(1, signed_of(index)).step());
  if (!row) return Error{Errc::not_found, "no checkpoint covers this entry"};
  return checkpoint_of(statements_.covering);
}

Result<std::optional<StoredCheckpoint>> LogReader::next_checkpoint(
    const std::optional<StoredCheckpoint>& after) {
  const Reset reset(statements_.next);
  statements_.next.bind(1, after ? signed_of(after->size) : -1).bind(2, after ? after->epoch : 0);
  FLORA_ASSIGN(const bool row, statements_.next.step());
  if (!row) return std::optional<StoredCheckpoint>();
  std::optional<StoredCheckpoint> next = checkpoint_of(statements_.next);
  // Of a damaged file the same row can come for ever.
  if (after && std::tie(next->size, next->epoch) <= std::tie(after->size, after->epoch)) {
    return Error{Errc::corrupt, "the checkpoints are out of order"};
  }
  return next;
}

Result<std::uint64_t> LogReader::entry_count() {
  const Reset reset(statements_.count);
  FLORA_ASSIGN(const bool row, statements_.count.step());
  if (!row || statements_.count.is_null(0)) return std::uint64_t{0};
  return unsigned_of(statements_.count.integer(0)) + 1;
}

Result<std::optional<std::uint64_t>> LogReader::find(const Uuid& id) {
  const Reset reset(statements_.find);
  FLORA_ASSIGN(const bool row, statements_.find.bind_blob(1, id.bytes).step());
  if (!row) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(unsigned_of(statements_.find.integer(0)));
}

Result<std::vector<CommittedEntry>> LogReader::entries(std::uint64_t first, std::size_t limit) {
  sqlite::Statement& statement = statements_.entries;
  const Reset reset(statement);
  statement.bind(1, signed_of(first)).bind(2, signed_of(limit));
  std::vector<CommittedEntry> entries;
  while (true) {
    FLORA_ASSIGN(const bool row, statement.step());
    if (!row) return entries;
    const std::uint64_t index = unsigned_of(statement.integer(0));
    if (index < (entries.empty() ? first : entries.back().index + 1)) {
      return Error{Errc::corrupt, "the entries are out of order"};
    }
    const auto id = statement.blob(1);
    if (id.size() != sizeof(Uuid::bytes)) return Error{Errc::corrupt, "an id has a wrong length"};
    entries.push_back({index, uuid_from_bytes(id), std::string(statement.text(2))});
  }
}

Result<Receipt> LogReader::receipt(std::uint64_t index) {
  FLORA_ASSIGN(std::vector<CommittedEntry> found, entries(index, 1));
  if (found.empty() || found.front().index != index) {
    return Error{Errc::not_found, "no such entry"};
  }
  FLORA_ASSIGN(StoredCheckpoint checkpoint, first_covering(index));
  FLORA_ASSIGN(std::vector<Digest> hashes, inclusion_proof(*this, index, checkpoint.size));
  return Receipt{index, std::move(found.front().body),
                 to_text(ProofText{index, std::move(hashes), std::move(checkpoint.note), {}})};
}

Result<std::vector<Digest>> LogReader::stored_tile(unsigned level, std::uint64_t n) {
  const Reset reset(statements_.tile);
  FLORA_ASSIGN(const bool row, statements_.tile.bind(1, level).bind(2, signed_of(n)).step());
  if (!row) return std::vector<Digest>();
  return digests_of(statements_.tile.blob(0));
}

Result<std::vector<Digest>> LogReader::tile(unsigned level, std::uint64_t n) {
  FLORA_ASSIGN(std::vector<Digest> hashes, stored_tile(level, n));
  if (hashes.empty() && level == 0) {
    FLORA_ASSIGN(const auto leaves, entries(n * kTileWidth, kTileWidth));
    for (const CommittedEntry& leaf : leaves) {
      if (leaf.index != n * kTileWidth + hashes.size()) break;
      hashes.push_back(leaf_hash(leaf.body));
    }
  }
  if (hashes.empty()) return Error{Errc::not_found, "no such tile"};
  return hashes;
}

Result<std::vector<std::vector<Digest>>> LogReader::tails(std::uint64_t size) {
  std::vector<std::vector<Digest>> tails;
  for (unsigned level = 0; (size >> (kTileHeight * level)) > 0; ++level) {
    const std::uint64_t count = size >> (kTileHeight * level);
    tails.emplace_back();
    if (count % kTileWidth == 0) continue;
    auto hashes = tile(level, count / kTileWidth);
    if (!hashes) return Error{Errc::corrupt, "the last tile of a level is missing"};
    if (hashes->size() < count % kTileWidth) {
      return Error{Errc::corrupt, "the last tile of a level is too short"};
    }
    hashes->resize(count % kTileWidth);
    tails.back() = std::move(*hashes);
  }
  return tails;
}

Result<const std::vector<Digest>*> LogReader::cached_tile(unsigned level, std::uint64_t n) {
  const auto key = std::make_pair(level, n);
  const auto found = tiles_.find(key);
  if (found != tiles_.end()) return &found->second;
  FLORA_ASSIGN(std::vector<Digest> hashes, tile(level, n));
  if (tiles_.size() >= kMaxCachedTiles) tiles_.clear();
  return &tiles_.insert_or_assign(key, std::move(hashes)).first->second;
}

Result<Digest> LogReader::node(unsigned height, std::uint64_t index) {
  const unsigned level = height / kTileHeight;
  const unsigned rest = height % kTileHeight;
  const std::uint64_t first = index << rest;
  const std::uint64_t n = first / kTileWidth;
  const std::size_t begin = first % kTileWidth;
  const std::size_t count = std::size_t{1} << rest;
  FLORA_ASSIGN(const std::vector<Digest>* hashes, cached_tile(level, n));
  if (hashes->size() < begin + count) {  // It may have grown since it was read.
    tiles_.erase({level, n});
    FLORA_ASSIGN(hashes, cached_tile(level, n));
  }
  if (hashes->size() < begin + count) return Error{Errc::corrupt, "a tile is too short"};
  return tile_root(std::span(*hashes).subspan(begin, count));
}

}  // namespace flora::ledger
