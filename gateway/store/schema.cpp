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

// For a remote ledger: the nonce of a transaction's next or present try, and why the network has
// refused it.
constexpr std::int64_t kWithNonces = 6;
constexpr const char* kVersion6 = R"(
ALTER TABLE outbox ADD COLUMN nonce BLOB;
ALTER TABLE outbox ADD COLUMN failed TEXT;
UPDATE outbox SET nonce=randomblob(24);
CREATE INDEX outbox_failed ON outbox(n) WHERE failed IS NOT NULL;
)";

// For a ledger network of several channels: the channels that the entries of a procedure have gone
// to (names with spaces between; empty: not known, since there was one; `*` among them: and to that
// one), the channels of an entry (empty: that which its text names), and how far each copy of the
// ledger was searched that has an order of its own (Ledger::numbering). PostgreSQL takes the same
// text.
constexpr std::int64_t kWithChannels = 7;
constexpr const char* kVersion7 = R"(
ALTER TABLE procedure ADD COLUMN channels TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN channels TEXT NOT NULL DEFAULT '';
CREATE TABLE purged_copy(
  numbering TEXT PRIMARY KEY,
  next BIGINT NOT NULL,
  last_transaction TEXT NOT NULL
);
)";

// What leads from each version to the next; an empty file is of version 0. Never changed.
// PostgreSQL has had the store from version kWithNonces on.
constexpr std::array kSteps = {kVersion1, kVersion2, kVersion3, kVersion4,
                               kVersion5, kVersion6, kVersion7};
constexpr auto kNewest = static_cast<std::int64_t>(kSteps.size());

// The tables as PostgreSQL had them first, all at once; and `newest`, by which those who share a
// database tell one another what else each would know by itself, and `turn` (turn.h).
constexpr const char* kFirstOfPostgresql = R"(
CREATE TABLE procedure(
  n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  pseudonym BYTEA NOT NULL UNIQUE,
  merged_into BIGINT REFERENCES procedure(n),
  wrapping_key BIGINT NOT NULL DEFAULT 0,
  wrapped BYTEA
);
CREATE INDEX procedure_merged ON procedure(merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE identifier(
  hash BYTEA NOT NULL,
  procedure BIGINT NOT NULL REFERENCES procedure(n),
  type BIGINT NOT NULL,
  value BYTEA NOT NULL,
  lookup_key BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY(hash, procedure)
);
CREATE INDEX identifier_procedure ON identifier(procedure);

CREATE TABLE submission(
  n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  transaction_id BYTEA NOT NULL UNIQUE,
  identity BYTEA NOT NULL UNIQUE,
  authority TEXT NOT NULL,
  procedure BIGINT NOT NULL REFERENCES procedure(n),
  content BYTEA,
  native BYTEA,
  status TEXT,
  refers BYTEA,
  lookup_key BIGINT NOT NULL DEFAULT 0,
  sealed BYTEA
);
CREATE INDEX submission_procedure ON submission(procedure);

CREATE TABLE outbox(
  n BIGINT PRIMARY KEY,
  transaction_id BYTEA NOT NULL UNIQUE,
  body TEXT NOT NULL,
  nonce BYTEA NOT NULL,
  failed TEXT
);
CREATE INDEX outbox_failed ON outbox(n) WHERE failed IS NOT NULL;

CREATE TABLE kept_answer(
  key BYTEA PRIMARY KEY,
  request BYTEA NOT NULL,
  status BIGINT NOT NULL,
  location TEXT NOT NULL,
  content_type TEXT NOT NULL,
  body TEXT NOT NULL,
  expires BIGINT NOT NULL,
  procedure BYTEA,
  lookup_key BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX kept_answer_expires ON kept_answer(expires);
CREATE INDEX kept_answer_lookup_key ON kept_answer(lookup_key);
CREATE INDEX kept_answer_procedure ON kept_answer(procedure);

CREATE TABLE adapter_version(
  n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  adapter TEXT NOT NULL,
  version TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  first_used BIGINT NOT NULL
);

CREATE TABLE adapter_text(
  adapter_version BIGINT NOT NULL REFERENCES adapter_version(n),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY(adapter_version, name)
);

CREATE TABLE audit_group(
  first BIGINT PRIMARY KEY,
  last BIGINT NOT NULL,
  segment BIGINT NOT NULL,
  at BIGINT NOT NULL,
  records TEXT NOT NULL,
  head BYTEA NOT NULL
);

CREATE TABLE audit_segment(
  n BIGINT PRIMARY KEY,
  seal TEXT NOT NULL,
  deleted BIGINT
);

CREATE TABLE audit_keeper(
  name TEXT PRIMARY KEY
);

CREATE TABLE mapping_key(
  n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  use TEXT NOT NULL,
  id TEXT NOT NULL,
  proof BYTEA NOT NULL,
  UNIQUE(use, id)
);

CREATE TABLE erasure(
  pseudonym BYTEA PRIMARY KEY,
  tombstone BIGINT NOT NULL
);

CREATE TABLE purged(
  one BIGINT PRIMARY KEY CHECK(one=1),
  next BIGINT NOT NULL,
  last_transaction BYTEA NOT NULL
);
INSERT INTO purged VALUES(1, 0, '');

CREATE TABLE newest(
  one BIGINT PRIMARY KEY CHECK(one=1),
  number BIGINT NOT NULL,
  recorded BIGINT NOT NULL,
  outbox BIGINT NOT NULL
);
INSERT INTO newest VALUES(1, 0, 0, 0);

CREATE TABLE turn(
  one BIGINT PRIMARY KEY CHECK(one=1),
  holder BYTEA NOT NULL,
  fence BIGINT NOT NULL,
  beat BIGINT NOT NULL
);
INSERT INTO turn VALUES(1, '', 0, 0);
)";

Result<std::int64_t> step_forward(sql::Database& database, std::int64_t version) {
  if (version == 0 && database.kind() == sql::Kind::postgresql) {
    FLORA_TRY(database.execute(kFirstOfPostgresql));
    return kWithNonces;
  }
  FLORA_TRY(database.execute(kSteps[static_cast<std::size_t>(version)]));
  return version + 1;
}

// Within a transaction: another gateway may have done it meanwhile.
Result<void> bring_forward(sql::Database& database) {
  FLORA_ASSIGN(std::int64_t version, database.schema_version());
  if (version > kNewest) {
    return Error{Errc::invalid, "store.db is of version " + std::to_string(version) +
                                    ", this program knows " + std::to_string(kNewest)};
  }
  while (version < kNewest) {
    FLORA_ASSIGN(version, step_forward(database, version));
  }
  return database.set_schema_version(kNewest);
}

// A file of another program, or one of ours that is not the store.
Result<bool> is_foreign(sql::Database& database) {
  if (database.kind() == sql::Kind::postgresql) return false;  // open() has refused it.
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
  FLORA_ASSIGN(const std::int64_t before, database.schema_version());
  if (before == kNewest) return {};
  if (before > 0 && before < kWithErasure) {
    // The pages that were written before may have remains.
    FLORA_TRY(database.wipe_remains());
  }
  FLORA_TRY(database.begin());
  Result<void> done = bring_forward(database);
  if (done) done = database.commit();
  if (!done) database.rollback();
  return done;
}

Result<bool> is_store(sql::Database& database) {
  if (database.kind() == sql::Kind::postgresql) {
    FLORA_ASSIGN(const std::int64_t version, database.schema_version());
    return version > 0;
  }
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

Result<bool> has_channels(sql::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  return version >= kWithChannels;
}

Result<bool> has_keys(sql::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  return version >= kWithKeys;
}

}  // namespace flora::store
