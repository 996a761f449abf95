#include "gateway/store/adapter_archive.h"

#include "gateway/store/schema.h"

namespace flora::store {
namespace {

AdapterVersion version_in(const sql::Statement& row) {
  return {{std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3))},
          Instant{row.integer(4)}};
}

constexpr std::string_view kColumns = "SELECT n, adapter, version, hash, first_used ";

Result<AdapterTexts> texts_of(sql::Database& database, std::int64_t version) {
  FLORA_ASSIGN(auto select,
               database.prepare("SELECT name, text FROM adapter_text WHERE adapter_version=?"));
  select.bind(1, version);
  AdapterTexts texts;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return texts;
    texts.emplace(select.text(0), select.text(1));
  }
}

}  // namespace

Result<void> archive_adapter(sql::Database& database, const AdapterMark& mark,
                             const AdapterTexts& texts, Instant now) {
  FLORA_ASSIGN(const auto known, archived_adapter(database, mark.hash));
  if (known) return {};
  FLORA_ASSIGN(auto insert,
               database.prepare("INSERT INTO adapter_version(adapter, version, hash, first_used) "
                                "VALUES(?,?,?,?) RETURNING n"));
  insert.bind_text(1, mark.id).bind_text(2, mark.version).bind_text(3, mark.hash);
  FLORA_ASSIGN(const std::int64_t number, insert.bind(4, now.ms).run_for_number());
  FLORA_ASSIGN(auto text, database.prepare("INSERT INTO adapter_text(adapter_version, name, text) "
                                           "VALUES(?,?,?)"));
  for (const auto& [name, content] : texts) {
    FLORA_TRY(text.bind(1, number).bind_text(2, name).bind_text(3, content).run());
  }
  return {};
}

Result<std::vector<AdapterVersion>> archived_versions(sql::Database& database,
                                                      std::string_view id) {
  FLORA_ASSIGN(auto select, database.prepare(std::string(kColumns) +
                                             "FROM adapter_version WHERE adapter=? ORDER BY n"));
  select.bind_text(1, id);
  std::vector<AdapterVersion> versions;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return versions;
    versions.push_back(version_in(select));
  }
}

Result<std::optional<ArchivedAdapter>> archived_adapter(sql::Database& database,
                                                        std::string_view hash) {
  FLORA_ASSIGN(auto select,
               database.prepare(std::string(kColumns) + "FROM adapter_version WHERE hash=?"));
  FLORA_ASSIGN(const bool row, select.bind_text(1, hash).step());
  if (!row) return std::optional<ArchivedAdapter>();
  FLORA_ASSIGN(AdapterTexts texts, texts_of(database, select.integer(0)));
  return std::optional(ArchivedAdapter{version_in(select), std::move(texts)});
}

Result<ArchivedAdapter> archived_adapter(const sql::Place& place, std::string_view hash) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::read));
  FLORA_ASSIGN(const bool holds, has_adapters(*database));
  std::optional<ArchivedAdapter> found;
  if (holds) {
    FLORA_ASSIGN(found, archived_adapter(*database, hash));
  }
  if (!found) return Error{Errc::not_found, "no version with this hash was ever in use"};
  return std::move(*found);
}

}  // namespace flora::store
