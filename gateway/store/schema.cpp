#include "gateway/store/schema.h"

#include <array>

namespace flora::store {
namespace {

constexpr std::int64_t kApplicationId = 0x464C5331;  // Of the PRAGMA below.

// Numbers rise with time, so that new rows go to the end of their table; only the keyed hashes and
// the pseudonyms are random.
constexpr const char* kVersion1 = R"(
PRAGMA application_id=0x464C5331;

CREATE TABLE procedure(
  n INTEGER PRIMARY KEY,
  pseudonym BLOB NOT NULL UNIQUE,
  merged_into INTEGER REFERENCES procedure(n)
) STRICT;

CREATE TABLE identifier(
  hash BLOB NOT NULL,
  procedure INTEGER NOT NULL REFERENCES procedure(n),
  type INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY(hash, procedure)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifier_procedure ON identifier(procedure);

CREATE TABLE submission(
  n INTEGER PRIMARY KEY,
  transaction_id BLOB NOT NULL UNIQUE,
  identity BLOB NOT NULL UNIQUE,
  authority TEXT NOT NULL,
  procedure INTEGER NOT NULL REFERENCES procedure(n),
  content BLOB,
  native BLOB,
  status TEXT,
  refers BLOB
) STRICT;
CREATE INDEX submission_procedure ON submission(procedure);

CREATE TABLE outbox(
  n INTEGER PRIMARY KEY,
  transaction_id BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE kept_answer(
  key BLOB PRIMARY KEY,
  request BLOB NOT NULL,
  status INTEGER NOT NULL,
  location TEXT NOT NULL,
  content_type TEXT NOT NULL,
  body TEXT NOT NULL,
  expires INTEGER NOT NULL,
  procedure BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answer_expires ON kept_answer(expires);
)";

// The archive of adapters.
constexpr std::int64_t kWithAdapters = 2;
constexpr const char* kVersion2 = R"(
CREATE TABLE adapter_version(
  n INTEGER PRIMARY KEY,
  adapter TEXT NOT NULL,
  version TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  first_used INTEGER NOT NULL
) STRICT;

CREATE TABLE adapter_text(
  adapter_version INTEGER NOT NULL REFERENCES adapter_version(n),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY(adapter_version, name)
) STRICT, WITHOUT ROWID;
)";

// The audit trail. A group is the records of one commit, all of the same instant.
constexpr std::int64_t kWithAudit = 3;
constexpr const char* kVersion3 = R"(
CREATE TABLE audit_group(
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  at INTEGER NOT NULL,
  records TEXT NOT NULL,
  head BLOB NOT NULL
) STRICT;

CREATE TABLE audit_segment(
  n INTEGER PRIMARY KEY,
  seal TEXT NOT NULL,
  deleted INTEGER
) STRICT;
)";

// Which key made a row. Number 0 is the mapping secret, for what was there before: such rows have
// no sealed fingerprint, and their procedures no key of their own until the rotation makes one.
constexpr std::int64_t kWithKeys = 4;
constexpr const char* kVersion4 = R"(
CREATE TABLE mapping_key(
  n INTEGER PRIMARY KEY,
  use TEXT NOT NULL,
  id TEXT NOT NULL,
  proof BLOB NOT NULL,
  UNIQUE(use, id)
) STRICT;
INSERT INTO mapping_key SELECT 0, 'FIRST', '', X''
  WHERE EXISTS(SELECT 1 FROM procedure) OR EXISTS(SELECT 1 FROM kept_answer);

ALTER TABLE procedure ADD COLUMN wrapping_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE procedure ADD COLUMN wrapped BLOB;
ALTER TABLE identifier ADD COLUMN lookup_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN lookup_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN sealed BLOB;
ALTER TABLE kept_answer ADD COLUMN lookup_key INTEGER NOT NULL DEFAULT 0;
CREATE INDEX kept_answer_lookup_key ON kept_answer(lookup_key);
)";

// Erasures that are under way, and how far the ledger was searched for tombstones.
constexpr std::int64_t kWithErasure = 5;
constexpr const char* kVersion5 = R"(
CREATE TABLE erasure(
  pseudonym BLOB PRIMARY KEY,
  tombstone INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE purged(
  one INTEGER PRIMARY KEY CHECK(one=1),
  next INTEGER NOT NULL,
  last_transaction BLOB NOT NULL
) STRICT;
INSERT INTO purged VALUES(1, 0, X'');

CREATE INDEX procedure_merged_into ON procedure(merged_into);
CREATE INDEX kept_answer_procedure ON kept_answer(procedure);
)";

// What leads from each version to the next; an empty file is of version 0. Never changed.
constexpr std::array kSteps = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5};
constexpr auto kNewest = static_cast<std::int64_t>(kSteps.size());

// A file of another program, or one of ours that is not the store.
Result<bool> is_foreign(sql::Database& database) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT application_id, (SELECT count(*) FROM "
                                             "sqlite_schema) FROM pragma_application_id"));
  FLORA_ASSIGN(const bool row, select.step());
  const bool is_new = row && select.integer(0) == 0 && select.integer(1) == 0;
  return !row || (!is_new && select.integer(0) != kApplicationId);
}

}  // namespace

Result<void> prepare_schema(sql::Database& database) {
  FLORA_ASSIGN(const bool foreign, is_foreign(database));
  if (foreign) return Error{Errc::corrupt, "the file is not a store of this program"};
  FLORA_TRY(database.write_no_remains());
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  if (version == kNewest) return {};
  if (version > kNewest) {
    return Error{Errc::invalid, "store.db is of version " + std::to_string(version) +
                                    ", this program knows " + std::to_string(kNewest)};
  }
  if (version > 0 && version < kWithErasure) {
    // The pages that were written before may have remains.
    FLORA_TRY(database.wipe_remains());
  }
  FLORA_TRY(database.begin());
  for (std::int64_t step = version; step < kNewest; ++step) {
    FLORA_TRY(database.execute(kSteps[static_cast<std::size_t>(step)]));
  }
  FLORA_TRY(database.set_schema_version(kNewest));
  return database.commit();
}

Result<bool> is_store(sql::Database& database) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT application_id FROM pragma_application_id"));
  FLORA_ASSIGN(const bool row, select.step());
  return row && select.integer(0) == kApplicationId;
}

Result<bool> has_adapters(sql::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  return version >= kWithAdapters;
}

Result<bool> has_audit(sql::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  return version >= kWithAudit;
}

Result<bool> has_keys(sql::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  return version >= kWithKeys;
}

}  // namespace flora::store
