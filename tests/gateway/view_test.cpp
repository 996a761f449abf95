// The read model: entries in any order, and what happens to its file.
#include "gateway/view/procedure_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/model/transaction.h"
#include "tests/fake_env.h"
#include "tests/temporary_folder.h"

using namespace flora;
using view::IndexedEntry;
using view::ProcedureIndex;

namespace {

/// Committed entries in memory.
class ListLedger final : public Ledger {
 public:
  explicit ListLedger(std::uint64_t seed) : env_(static_cast<std::int64_t>(seed) + 1), ids_(env_) {}

  /// One more entry of the procedure.
  IndexedEntry add(const Uuid& procedure, std::optional<Uuid> merged_into = std::nullopt) {
    const std::lock_guard lock(mutex_);
    Transaction t;
    t.id = ids_.next();
    t.procedure = procedure;
    t.status = "AKTENANLAGE_ERFOLGT";
    t.occurred = Day{20'000};
    t.authority = "099045";
    t.role = "BAMF";
    t.land = "DE";
    t.channel = "default";
    t.catalogue = "2026-11";
    t.merged_into = merged_into;
    entries_.push_back({entries_.size(), t.id, to_canonical(t)});
    return {entries_.back().index, t.id, procedure, merged_into, false, t.status, t.recorded_at};
  }

  void submit(std::vector<LedgerEntry>, Done) override {}
  Result<std::optional<std::uint64_t>> find(const Uuid&) override {
    return Error{Errc::unavailable, "not used"};
  }
  Result<Receipt> receipt(const Uuid&) override { return Error{Errc::not_found, "not used"}; }
  const std::vector<std::string>& vkeys() const override { return vkeys_; }
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    if (broken_) return Error{Errc::unavailable, "the disk is gone"};
    std::vector<CommittedEntry> out;
    for (std::uint64_t i = first; i < entries_.size() && out.size() < limit; ++i) {
      out.push_back(entries_[i]);
    }
    return out;
  }
  std::uint64_t size() override {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

  /// As another copy of the same ledger numbers it.
  void exchange(std::size_t one, std::size_t other, std::string numbering) {
    const std::lock_guard lock(mutex_);
    std::swap(entries_[one].id, entries_[other].id);
    std::swap(entries_[one].body, entries_[other].body);
    numbering_ = std::move(numbering);
  }
  std::string numbering() override {
    const std::lock_guard lock(mutex_);
    return numbering_;
  }

  void set_broken(bool broken) {
    const std::lock_guard lock(mutex_);
    broken_ = broken;
  }
  void spoil(std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    entries_[index].body = "{}";
  }

 private:
  const std::vector<std::string> vkeys_ = {};
  FakeEnv env_;
  UuidSequence ids_;
  std::mutex mutex_;
  std::vector<CommittedEntry> entries_;
  bool broken_ = false;
  std::string numbering_;
};

struct Fixture {
  Fixture() {
    log::set_level(log::Level::error);
    reopen();
  }

  void reopen(Ledger& of) {
    index.reset();
    auto opened = ProcedureIndex::open(path, of);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    index = std::move(*opened);
  }
  void reopen() { reopen(ledger); }

  void append(std::vector<IndexedEntry> entries) {
    auto promise = std::make_shared<std::promise<void>>();
    auto done = promise->get_future();
    index->append(std::move(entries), [promise] { promise->set_value(); });
    REQUIRE(done.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  }

  std::vector<std::uint64_t> entries_of(const Uuid& procedure) {
    const auto found = index->entries_of(procedure);
    REQUIRE(found.has_value());
    return *found;
  }

  TemporaryFolder folder;
  std::string path = folder.file("view.db");
  FakeEnv env;
  ListLedger ledger{1};
  Uuid a = random_uuid(env);
  Uuid b = random_uuid(env);
  std::unique_ptr<ProcedureIndex> index;
};

using Indexes = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "entries that end a procedure are listed as they were recorded") {
  const std::vector<std::string> ending = {"AKTENANLAGE_ERFOLGT"};  // All that the ledger has.
  const auto found = [&](std::size_t limit) {
    std::vector<std::uint64_t> indexes;
    std::optional<view::EndingEntry> after;
    while (true) {
      const auto page = index->ending_entries(after, limit);
      REQUIRE(page.has_value());
      if (page->empty()) return indexes;
      for (const view::EndingEntry& one : *page) indexes.push_back(one.index);
      after = page->back();
    }
  };
  append({ledger.add(a), ledger.add(b), ledger.add(a)});
  CHECK(found(10).empty());
  CHECK_FALSE(ProcedureIndex::open_as_it_is(path, ledger, ending).has_value());
  // Made anew, because the statuses are others.
  index.reset();
  index = std::move(*ProcedureIndex::open(path, ledger, ending));
  CHECK(found(10) == Indexes{0, 1, 2});
  CHECK(found(1) == Indexes{0, 1, 2});
  append({ledger.add(b)});
  CHECK(found(2) == Indexes{0, 1, 2, 3});
  const auto beside = ProcedureIndex::open_as_it_is(path, ledger, ending);
  REQUIRE(beside.has_value());
  CHECK((*beside)->ending_entries(std::nullopt, 10)->size() == 4);
  index.reset();
  reopen();
  CHECK(found(10).empty());
}

TEST_CASE_FIXTURE(Fixture, "appended entries are seen once done is called") {
  append({ledger.add(a), ledger.add(b)});
  append({ledger.add(a)});
  CHECK(entries_of(a) == Indexes{0, 2});
  CHECK(entries_of(b) == Indexes{1});
  CHECK(entries_of(random_uuid(env)).empty());
  CHECK(index->position() == 3);
}

TEST_CASE_FIXTURE(Fixture, "entries may come out of order, with gaps, and more than once") {
  std::vector<IndexedEntry> all;
  for (int i = 0; i < 10; ++i) all.push_back(ledger.add(i % 2 == 0 ? a : b));
  append({all[3], all[1]});
  append({all[9], all[9], all[2]});
  append({all[0]});
  append({});
  CHECK(entries_of(a) == Indexes{0, 2, 4, 6, 8});
  CHECK(index->position() == 10);
  CHECK(entries_of(b) == Indexes{1, 3, 5, 7, 9});
}

TEST_CASE_FIXTURE(Fixture, "procedures that name this one as the one that remains are found") {
  append({ledger.add(a, b), ledger.add(b), ledger.add(a, b)});
  const auto sources = index->merged_from(b);
  REQUIRE(sources.has_value());
  CHECK(*sources == std::vector<Uuid>{a});
  CHECK(index->merged_from(a)->empty());
}

TEST_CASE_FIXTURE(Fixture, "in the place of a procedure that there is not stands another one") {
  const Uuid none = random_uuid(env);
  Uuid last;
  last.bytes.fill(std::byte(0xFF));
  CHECK(*index->itself_or_another(none, a) == Uuid{});
  append({ledger.add(a), ledger.add(a), ledger.add(b)});
  CHECK(*index->itself_or_another(a, b) == a);
  CHECK(*index->itself_or_another(b, a) == b);
  CHECK(*index->itself_or_another(none, a) == a);
  CHECK(*index->itself_or_another(none, b) == b);
  CHECK(*index->itself_or_another(none, {}) == std::min(a, b));
  CHECK(*index->itself_or_another(none, last) == std::min(a, b));
  CHECK(*index->itself_or_another({}, a) == a);
}

TEST_CASE_FIXTURE(Fixture, "what the index lacks is read from the ledger at the start") {
  append({ledger.add(a)});
  index.reset();
  for (int i = 0; i < 3000; ++i) ledger.add(i % 3 == 0 ? a : b);
  reopen();
  CHECK(index->position() == 3001);
  CHECK(entries_of(a).size() == 1001);
  CHECK(entries_of(b).size() == 2000);
}

TEST_CASE_FIXTURE(Fixture, "the file may be deleted, damaged or replaced by garbage") {
  append({ledger.add(a), ledger.add(b), ledger.add(a, b)});
  index.reset();
  SUBCASE("deleted") {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  }
  SUBCASE("garbage") {
    REQUIRE(env.replace_file(path, std::string(10'000, 'x'), 0600).has_value());
  }
  SUBCASE("cut off") { std::filesystem::resize_file(path, 4096); }
  SUBCASE("pages overwritten") {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(8192, '\x5A');
  }
  SUBCASE("another version") {
    auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
    REQUIRE(database.has_value());
    REQUIRE(database->set_schema_version(9).has_value());
  }
  reopen();
  CHECK(index->position() == 3);
  CHECK(entries_of(a) == Indexes{0, 2});
  CHECK(*index->merged_from(b) == std::vector<Uuid>{a});
  append({ledger.add(a)});
  CHECK(entries_of(a) == Indexes{0, 2, 3});
}

TEST_CASE_FIXTURE(Fixture, "an index of a copy that is numbered differently is thrown away") {
  append({ledger.add(a), ledger.add(b), ledger.add(b)});
  index.reset();
  ledger.exchange(0, 1, "another copy");
  reopen();
  CHECK(entries_of(a) == Indexes{1});
  CHECK(entries_of(b) == Indexes{0, 2});
  append({ledger.add(a)});
  index.reset();
  reopen();
  CHECK(index->position() == 4);
  CHECK(entries_of(a) == Indexes{1, 3});
}

TEST_CASE_FIXTURE(Fixture, "an index of another ledger is thrown away") {
  append({ledger.add(a), ledger.add(b)});
  SUBCASE("of the same length") {
    ListLedger other(7);
    other.add(b);
    other.add(b);
    reopen(other);
    CHECK(entries_of(a).empty());
    CHECK(entries_of(b) == Indexes{0, 1});
    index.reset();
  }
  SUBCASE("shorter, as after a restore") {
    ListLedger other(7);
    other.add(b);
    reopen(other);
    CHECK(index->position() == 1);
    CHECK(entries_of(a).empty());
    index.reset();
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a reader is told of entries that could not be read, until they can be") {
  ledger.add(a);
  const IndexedEntry second = ledger.add(b);
  ledger.set_broken(true);
  append({second});
  const auto missing = index->entries_of(a);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::unavailable);
  CHECK_FALSE(index->merged_from(a).has_value());
  CHECK(index->position() == 0);
  ledger.set_broken(false);
  CHECK(entries_of(a) == Indexes{0});
  CHECK(entries_of(b) == Indexes{1});
  CHECK(index->position() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "a reader sees what the ledger held when it asked, from several threads") {
  std::vector<std::thread> readers;
  std::atomic<bool> done = false;
  std::atomic<std::size_t> wrong = 0;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const std::uint64_t before = ledger.size();
        const auto found = index->entries_of(a);
        wrong += !found || found->size() < before;
      }
    });
  }
  for (int i = 0; i < 2000; ++i) {
    const IndexedEntry entry = ledger.add(a);
    if (i % 7 != 0) index->append({entry}, [] {});  // The others are found on the ledger.
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(entries_of(a).size() == 2000);
}

TEST_CASE_FIXTURE(Fixture, "a ledger entry that cannot be read is an error at the start") {
  index.reset();
  ledger.add(a);
  ledger.spoil(0);
  const auto opened = ProcedureIndex::open(path, ledger);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::corrupt);
}
