// Erasure in the store: its order, what it leaves in files, and what disks that fail make of it.
#include <algorithm>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/store/audit_reader.h"
#include "gateway/store/purge.h"
#include "tests/gateway/key_fixture.h"
#include "tests/gateway/memory_ledger.h"
#include "tests/gateway/store_fixture.h"
#include "tests/ledger-client/fault_vfs.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using flora::test::FaultVfs;
using flora::test::MemoryLedger;
using flora::test::Unsynced;

namespace {

std::shared_ptr<const MappingKeys> real_keys(Env& env) {
  auto keys = privacy::KeySet::make(lookup_keys({"l"}), wrapping_keys({"w"}, env), {}, env);
  REQUIRE(keys.has_value());
  return *keys;
}

// A name that no other value has.
std::string number(int n) { return "2608150" + std::to_string(10'000 + n); }

Draft person(int n, int event = 0) {
  const std::string id = "event " + std::to_string(event) + " of " + std::to_string(n);
  return draft(id, by({azr(number(n))}));
}

/// A store, and the ledger that takes what it accepts.
class Machine : public TestStore {
 public:
  Machine() {
    log::set_level(log::Level::error);
    options.keys = real_keys(env);
    options.ledger = &ledger;
    options.channel = "default";
    options.on_fatal = [this](const Error&) { ++fatal; };
  }
  ~Machine() { close(); }

  void commit(std::int64_t number, const Uuid& id, const std::string& body) {
    if (!ledger.find(id)->has_value()) ledger.append(id, body);
    store->committed_through(number);
  }

  Accepted report(const Draft& one) {
    Accepted accepted = TestStore::accepted(one);
    if (!accepted.body.empty()) commit(accepted.number, accepted.transaction_id, accepted.body);
    return accepted;
  }

  /// What a start does: the outbox comes on the ledger.
  void recover() {
    const auto waiting = store->outbox(0, 10'000);
    REQUIRE(waiting.has_value());
    for (const OutboxEntry& one : *waiting) commit(one.number, one.transaction_id, one.body);
  }

  /// The tombstones are forwarded by `forward`, on the writer thread.
  using Forward = std::function<void(const std::vector<Accepted>&)>;
  std::future<Result<void>> begin(const Uuid& procedure, Forward forward) {
    const auto promise = std::make_shared<std::promise<Result<void>>>();
    const std::string opening =
        audit::opening({"eraser", {std::string(kBamf)}, "BAMF"}, audit::Action::erase);
    store->erase(
        {procedure, std::string(kBamf), opening},
        [forward = std::move(forward)](const Result<std::vector<Accepted>>& tombstones) {
          if (tombstones) forward(*tombstones);
        },
        [promise](const Result<void>& done) { promise->set_value(done); });
    return promise->get_future();
  }

  Forward to_ledger() {
    return [this, to = store.get()](const std::vector<Accepted>& tombstones) {
      for (const Accepted& one : tombstones) {
        ledger.append(one.transaction_id, one.body);
        to->committed_through(one.number);
      }
    };
  }

  static Result<void> outcome(std::future<Result<void>> done) {
    REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    return done.get();
  }

  Result<void> erase(const Uuid& procedure) { return outcome(begin(procedure, to_ledger())); }

  std::vector<Uuid> buried() {
    std::vector<Uuid> out;
    const auto entries = ledger.read(0, 100'000);
    for (const CommittedEntry& entry : *entries) {
      const auto procedure = buried_by(entry.body);
      REQUIRE(procedure.has_value());
      if (*procedure) out.push_back(**procedure);
    }
    return out;
  }

  MemoryLedger ledger;
  std::atomic<int> fatal = 0;
};

std::string bytes_of_files(const Machine& machine) {
  std::stringstream out;
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::ifstream file(machine.options.path + ending, std::ios::binary);
    out << file.rdbuf();
  }
  return out.str();
}

/// All values of at least eight bytes that the store has of a procedure, as they are.
std::vector<std::string> values_of(const Machine& machine, const Uuid& procedure) {
  const auto database = machine.database(sql::Access::read);
  std::vector<std::string> values;
  const std::vector<std::pair<const char*, int>> queries = {
      {"SELECT wrapped FROM procedure WHERE pseudonym=?", 1},
      {"SELECT hash, value FROM identifier WHERE procedure=(SELECT n FROM procedure WHERE "
       "pseudonym=?)",
       2},
      {"SELECT identity, content, native, sealed FROM submission WHERE procedure=(SELECT n FROM "
       "procedure WHERE pseudonym=?)",
       4},
      {"SELECT key, request FROM kept_answer WHERE procedure=?", 2}};
  for (const auto& query : queries) {
    const char* const sql = query.first;
    const int columns = query.second;
    auto select = database->prepare(sql);
    REQUIRE(select.has_value());
    select->bind_blob(1, procedure.bytes);
    int rows = 0;
    while (*select->step()) {
      ++rows;
      for (int column = 0; column < columns; ++column) {
        if (!select->is_null(column)) values.emplace_back(as_text(select->blob(column)));
      }
    }
    CAPTURE(sql);
    REQUIRE(rows > 0);
  }
  for (const std::string& value : values) REQUIRE(value.size() >= 16);
  return values;
}

std::set<std::string> forms_of(const std::string& value) {
  std::set<std::string> forms = {value, to_hex(as_bytes(value))};
  // Wherever it begins within what is encoded.
  for (std::size_t skip = 0; skip < 3; ++skip) {
    const std::string encoded = to_base64(as_bytes(value.substr(skip)));
    forms.insert(encoded.substr(0, (value.size() - skip) / 3 * 4));
  }
  return forms;
}

/// How many of them stand in the bytes, in any form. One pass: forms are looked up by their
/// beginning.
std::size_t found_in(const std::string& bytes, const std::vector<std::string>& values) {
  constexpr std::size_t kBeginning = 8;
  struct Form {
    std::string text;
    std::size_t value;
  };
  std::unordered_multimap<std::string, Form> wanted;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const std::string& form : forms_of(values[i])) {
      REQUIRE(form.size() >= kBeginning);
      wanted.emplace(form.substr(0, kBeginning), Form{form, i});
    }
  }
  std::set<std::size_t> found;
  for (std::size_t at = 0; at + kBeginning <= bytes.size(); ++at) {
    const auto [begin, end] = wanted.equal_range(bytes.substr(at, kBeginning));
    for (auto one = begin; one != end; ++one) {
      const std::string& text = one->second.text;
      if (bytes.compare(at, text.size(), text) == 0) found.insert(one->second.value);
    }
  }
  return found.size();
}

void keep_answer(Machine& machine, const std::string& name, const Uuid& procedure) {
  auto promise = std::make_shared<std::promise<void>>();
  auto done = promise->get_future();
  machine.store->keep_answer({crypto::sha256("key " + name), crypto::sha256("request " + name)},
                             {201, "", "application/json", "{}", procedure},
                             Instant{machine.env.now_ms() + 1'000'000},
                             [promise] { promise->set_value(); });
  REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
}

constexpr int kMany = 2000;

/// Procedures in groups, of which every tenth has a kept answer. With many of them the pages of all
/// tables split.
std::vector<Uuid> fill(Machine& machine, int count) {
  std::vector<Uuid> procedures;
  for (int begin = 0; begin < count; begin += 50) {
    std::vector<Draft> drafts;
    for (int n = begin; n < std::min(count, begin + 50); ++n) {
      drafts.push_back(person(n));
      drafts.back().native = crypto::sha256("native record " + std::to_string(n));
    }
    for (const Outcome& outcome : machine.send(std::move(drafts))) {
      const auto& accepted = std::get<Accepted>(outcome);
      machine.commit(accepted.number, accepted.transaction_id, accepted.body);
      procedures.push_back(accepted.procedure);
      if (procedures.size() % 10 != 1) continue;
      keep_answer(machine, std::to_string(procedures.size()), accepted.procedure);
    }
  }
  return procedures;
}

std::string tombstone_of(const Accepted& one) {
  return to_canonical(Tombstone{one.transaction_id, one.procedure, {1}, "099045", "default", {}});
}

}  // namespace

TEST_CASE("after an erasure neither HMAC, ciphertext nor wrapped key is in any file" *
          doctest::skip(on_postgresql())) {
  Machine machine;
  machine.reopen();
  const std::vector<Uuid> procedures = fill(machine, kMany);
  std::vector<std::string> erased;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < procedures.size(); i += 50) {
    std::ranges::move(values_of(machine, procedures[i]), std::back_inserter(erased));
    std::ranges::move(values_of(machine, procedures[i + 10]), std::back_inserter(kept));
  }
  CHECK(found_in(bytes_of_files(machine), erased) == erased.size());
  for (std::size_t i = 0; i < procedures.size(); i += 50) {
    REQUIRE(machine.erase(procedures[i]).has_value());
  }
  const std::string bytes = bytes_of_files(machine);
  CHECK(found_in(bytes, erased) == 0);
  CHECK(found_in(bytes, kept) == kept.size());
  machine.added(person(kMany));
  machine.reopen();
  CHECK(found_in(bytes_of_files(machine), erased) == 0);
}

namespace {

/// The hashes that the store has of procedures.
std::vector<std::string> hashes_of(const Machine& machine, const std::set<Uuid>& procedures) {
  const auto database = machine.database(sql::Access::read);
  auto select = database->prepare(
      "SELECT pseudonym, hash, identity FROM procedure p JOIN identifier i ON i.procedure=p.n "
      "JOIN submission s ON s.procedure=p.n");
  REQUIRE(select.has_value());
  std::vector<std::string> hashes;
  while (*select->step()) {
    if (!procedures.contains(uuid_from_bytes(select->blob(0)))) continue;
    for (const int column : {1, 2}) hashes.emplace_back(as_text(select->blob(column)));
  }
  return hashes;
}

/// How many of them stand in the bytes, by their first eight.
std::size_t hashes_in(const std::string& bytes, const std::vector<std::string>& hashes) {
  constexpr std::size_t kEnough = 8;
  std::unordered_set<std::string_view> wanted;
  for (const std::string& hash : hashes) {
    wanted.insert(std::string_view(hash).substr(0, kEnough));
  }
  std::set<std::string_view> found;
  for (std::size_t at = 0; at + kEnough <= bytes.size(); ++at) {
    const auto here = wanted.find(std::string_view(bytes).substr(at, kEnough));
    if (here != wanted.end()) found.insert(*here);
  }
  return found.size();
}

}  // namespace

TEST_CASE("rows that moved when their page was split leave nothing behind either" *
          doctest::skip(on_postgresql())) {
  // Of so many, and of different lengths, some have moved and were not written over since: without
  // the wiping of pages this finds them.
  constexpr int kRows = 12'000;
  constexpr int kGroup = 100;
  Machine machine;
  machine.reopen();
  std::set<Uuid> erased;
  for (int begin = 0; begin < kRows; begin += kGroup) {
    std::vector<Draft> drafts;
    for (int n = begin; n < begin + kGroup; ++n) {
      const std::string length(static_cast<std::size_t>(n * 7 % 31), 'x');
      const Identifier one{IdentifierType::d_nummer, length + std::to_string(n)};
      drafts.push_back(draft("event of " + std::to_string(n), by({one})));
    }
    const std::vector<Outcome> outcomes = machine.send(std::move(drafts));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto& accepted = std::get<Accepted>(outcomes[i]);
      machine.commit(accepted.number, accepted.transaction_id, accepted.body);
      if (i % 10 == 0) erased.insert(accepted.procedure);
    }
  }
  const std::vector<std::string> hashes = hashes_of(machine, erased);
  REQUIRE(hashes.size() == 2 * erased.size());
  std::vector<std::future<Result<void>>> orders;
  for (const Uuid& procedure : erased) {
    orders.push_back(machine.begin(procedure, machine.to_ledger()));
  }
  for (auto& order : orders) CHECK(Machine::outcome(std::move(order)).has_value());
  CHECK(hashes_in(bytes_of_files(machine), hashes) == 0);
}

TEST_CASE("an event after an erasure starts a new procedure, with a new transaction") {
  Machine machine;
  machine.reopen();
  const Accepted before = machine.report(person(1));
  REQUIRE(machine.erase(before.procedure).has_value());
  CHECK_FALSE(machine.find({azr(number(1))}).has_value());
  const Accepted after = machine.report(person(1));
  CHECK_FALSE(after.repeat);
  CHECK(after.procedure != before.procedure);
  CHECK(after.transaction_id != before.transaction_id);
  CHECK(machine.buried() == std::vector<Uuid>{before.procedure});
}

TEST_CASE("nothing is deleted before the tombstone is on the ledger, and nothing accepted") {
  Machine machine;
  machine.reopen();
  const Accepted before = machine.report(person(1));
  std::vector<Accepted> held;
  std::promise<void> begun;
  auto done = machine.begin(before.procedure, [&](const std::vector<Accepted>& tombstones) {
    held = tombstones;
    begun.set_value();
  });
  begun.get_future().wait();
  CHECK(machine.find({azr(number(1))}) == before.procedure);
  CHECK(machine.refused(person(1, 2)) == Refusal::unavailable);
  CHECK(machine.accepted(person(1)).repeat);
  // Behind the tombstone; it is not on the ledger before that.
  CHECK_FALSE(machine.accepted(person(2)).repeat);
  CHECK(machine.find({azr(number(1))}) == before.procedure);
  auto again = machine.begin(
      before.procedure, [](const std::vector<Accepted>& tombstones) { CHECK(tombstones.empty()); });
  machine.to_ledger()(held);
  CHECK(Machine::outcome(std::move(done)).has_value());
  CHECK(Machine::outcome(std::move(again)).has_value());
  CHECK_FALSE(machine.find({azr(number(1))}).has_value());
  CHECK(machine.report(person(1, 2)).procedure != before.procedure);
}

TEST_CASE("all procedures that are joined are erased together") {
  Machine machine;
  machine.reopen();
  const Accepted first = machine.report(person(1));
  const Accepted second = machine.report(person(2));
  const Accepted third = machine.report(person(3));
  machine.report(merge("m", by({azr(number(1))}), by({azr(number(2))})));
  REQUIRE(machine.erase(second.procedure).has_value());
  for (const int n : {1, 2}) CHECK_FALSE(machine.find({azr(number(n))}).has_value());
  CHECK(machine.find({azr(number(3))}) == third.procedure);
  const std::vector<Uuid> buried = machine.buried();
  CHECK(std::set<Uuid>(buried.begin(), buried.end()) ==
        std::set<Uuid>{first.procedure, second.procedure});
}

TEST_CASE("a procedure that the store does not know gets no tombstone") {
  Machine machine;
  machine.reopen();
  CHECK(machine.erase(random_uuid(machine.env)).has_value());
  CHECK(machine.buried().empty());
}

namespace {

/// As the end of a period orders it.
Result<void> expire(Machine& machine, const Uuid& procedure, std::vector<Uuid> known) {
  const auto promise = std::make_shared<std::promise<Result<void>>>();
  machine.store->erase(
      {procedure, std::string(kBamf), audit::own_opening(audit::Action::expire), std::move(known)},
      [&machine](const Result<std::vector<Accepted>>& tombstones) {
        if (tombstones) machine.to_ledger()(*tombstones);
      },
      [promise](const Result<void>& done) { promise->set_value(done); });
  return Machine::outcome(promise->get_future());
}

}  // namespace

TEST_CASE("an erasure that stands on what is known erases nothing when something new has come") {
  Machine machine;
  machine.reopen();
  const Accepted first = machine.report(person(1));
  const Accepted second = machine.report(person(1, 2));
  const Accepted other = machine.report(person(2));
  const auto half = expire(machine, first.procedure, {first.transaction_id});
  REQUIRE_FALSE(half.has_value());
  CHECK(half.error().code == Errc::conflict);
  const auto unknown = expire(machine, random_uuid(machine.env), {});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == Errc::not_found);
  CHECK(machine.buried().empty());
  CHECK(machine.find({azr(number(1))}) == first.procedure);
  // What is joined to it counts, too.
  const Accepted joined = machine.report(merge("m", by({azr(number(1))}), by({azr(number(2))})));
  CHECK_FALSE(expire(machine, first.procedure,
                     {first.transaction_id, second.transaction_id, joined.transaction_id}));
  CHECK(expire(machine, first.procedure,
               {first.transaction_id, second.transaction_id, joined.transaction_id,
                other.transaction_id})
            .has_value());
  CHECK(machine.buried().size() == 2);
}

TEST_CASE("a reader that holds an older state delays an erasure and does not prevent it" *
          doctest::skip(on_postgresql())) {
  Machine machine;
  machine.reopen();
  const std::vector<Uuid> procedures = fill(machine, 100);
  const auto values = values_of(machine, procedures[10]);
  const auto reader = machine.database(sql::Access::read);
  REQUIRE(reader->begin().has_value());
  REQUIRE(reader->schema_version().has_value());
  auto done = machine.begin(procedures[10], machine.to_ledger());
  while (machine.find({azr(number(10))})) std::this_thread::yield();
  CHECK_FALSE(machine.report(person(200)).repeat);
  CHECK(done.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  reader->rollback();
  CHECK(Machine::outcome(std::move(done)).has_value());
  CHECK(found_in(bytes_of_files(machine), values) == 0);
}

TEST_CASE("an old store.db is purged of what has a tombstone on the ledger" *
          doctest::skip(on_postgresql())) {
  Machine machine;
  machine.reopen();
  const std::vector<Uuid> procedures = fill(machine, 200);
  const auto values = values_of(machine, procedures[10]);
  const auto others = values_of(machine, procedures[20]);
  auto reader = sqlite::Database::open(machine.options.path, sqlite::Mode::read_only);
  REQUIRE(reader.has_value());
  const std::string copy = machine.folder.file("backup.db");
  REQUIRE(reader->backup_to(copy).has_value());
  REQUIRE(machine.erase(procedures[10]).has_value());
  machine.close();
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::filesystem::remove(machine.options.path + ending);
  }
  std::filesystem::copy_file(copy, machine.options.path);
  CHECK(found_in(bytes_of_files(machine), values) == values.size());

  CHECK(*purge(machine.options.place(), machine.ledger) == 1);
  CHECK(*purge(machine.options.place(), machine.ledger) == 0);
  const Instant now{machine.env.now_ms()};
  REQUIRE(continue_audit(machine.options.place(), machine.options.audit, now).has_value());
  machine.reopen();
  CHECK_FALSE(machine.find({azr(number(10))}).has_value());
  CHECK(machine.find({azr(number(20))}) == procedures[20]);
  CHECK(found_in(bytes_of_files(machine), values) == 0);
  CHECK(found_in(bytes_of_files(machine), others) == others.size());
}

TEST_CASE("a tombstone that another copy of the ledger has earlier is not passed over") {
  Machine machine;
  machine.reopen();
  const Accepted first = machine.report(person(1));
  const Accepted second = machine.report(person(2));
  machine.close();
  // The next copy has the second report at the same place, and a tombstone before it.
  CHECK(*purge(machine.options.place(), machine.ledger) == 0);
  machine.ledger.append(UuidSequence(machine.env).next(), tombstone_of(first));
  machine.ledger.reorder({2, 1, 0}, "another copy");
  CHECK(*purge(machine.options.place(), machine.ledger) == 1);
  machine.reopen();
  CHECK_FALSE(machine.find({azr(number(1))}).has_value());
  CHECK(machine.find({azr(number(2))}) == second.procedure);
}

TEST_CASE("a purge that ends between its steps has done those before, and goes on from there") {
  constexpr std::size_t kStep = 64 * 1024;
  Machine machine;
  machine.reopen();
  const Accepted first = machine.report(person(1));
  const Accepted second = machine.report(person(2));
  machine.close();
  UuidSequence ids(machine.env);
  machine.ledger.append(ids.next(), tombstone_of(first));
  while (machine.ledger.size() < kStep) machine.ledger.append(ids.next(), "{}");
  machine.ledger.append(ids.next(), tombstone_of(second));
  machine.ledger.fail_from(kStep);
  CHECK_FALSE(purge(machine.options.place(), machine.ledger).has_value());
  machine.ledger.fail_from(2 * kStep);
  CHECK(*purge(machine.options.place(), machine.ledger) == 1);
  machine.reopen();
  for (int n : {1, 2}) CHECK_FALSE(machine.find({azr(number(n))}).has_value());
}

TEST_CASE("tombstones that a ledger has lost count, and come back to the ledger") {
  Machine machine;
  machine.reopen();
  const Accepted kept = machine.report(person(1));
  const Accepted erased = machine.report(person(2));
  const std::size_t before = machine.ledger.size();
  REQUIRE(machine.erase(erased.procedure).has_value());
  const auto lost = machine.ledger.read(before, 100);
  REQUIRE(lost.has_value());
  machine.ledger.cut(before);
  // The mapping is back, too.
  const Accepted again = machine.report(person(2));
  machine.close();
  std::vector<CommittedEntry> entries = *lost;
  Tombstone tombstone = std::get<Tombstone>(*parse_entry(entries.front().body));
  tombstone.procedure = again.procedure;
  entries.front().body = to_canonical(tombstone);
  CHECK(*purge(machine.options.place(), machine.ledger, entries) == 1);
  machine.reopen();
  machine.recover();
  CHECK(machine.buried() == std::vector<Uuid>{again.procedure});
  CHECK_FALSE(machine.find({azr(number(2))}).has_value());
  CHECK(machine.find({azr(number(1))}) == kept.procedure);
}

namespace {

/// Reports, erases one of three persons, and reports again, on a disk that fails.
class Trial : public Machine {
 public:
  Trial() { options.vfs = vfs.name(); }
  ~Trial() { close(); }

  void work() {
    if (!open()) return;
    for (const int n : {1, 2, 3}) try_to_report(person(n));
    const auto victim = store->find_procedure({azr(number(2))});
    if (victim && *victim) {
      procedure_ = **victim;
      auto done = begin(procedure_, to_ledger());
      // If the deletion has failed, the next commit is when it is tried again.
      // A disk that fails for ever is waited for until the store's patience is over.
      while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
        env.advance_ms(100);
        try_to_report(person(100 + tries_++));
      }
      promised_ = done.get().has_value();
    }
    try_to_report(person(1, 2));
  }

  /// Wholly done, or wholly not done and finished on retry.
  void check() {
    const auto now = find({azr(number(2))});
    const std::vector<Uuid> tombstones = buried();
    const bool is_buried = std::ranges::find(tombstones, procedure_) != tombstones.end();
    if (procedure_ != Uuid() && !now) REQUIRE(is_buried);
    if (promised_) REQUIRE_FALSE(now.has_value());
    recover();
    if (now) REQUIRE(erase(*now).has_value());
    REQUIRE_FALSE(find({azr(number(2))}).has_value());
    close();
    REQUIRE(*purge(options.place(), ledger) == 0);
    reopen();
    const Accepted later = report(person(2));
    REQUIRE_FALSE(later.repeat);
    REQUIRE(later.procedure != procedure_);
    REQUIRE(report(person(1)).procedure != report(person(3)).procedure);
    REQUIRE(store->erasures_under_way() == 0);
  }

  FaultVfs vfs;

 private:
  void try_to_report(const Draft& one) {
    const Outcome outcome = send(one);
    const auto* accepted = std::get_if<Accepted>(&outcome);
    if (accepted == nullptr || accepted->body.empty()) return;
    commit(accepted->number, accepted->transaction_id, accepted->body);
  }

  Uuid procedure_;
  bool promised_ = false;
  int tries_ = 0;
};

void check_all(const std::function<void(Trial&, std::uint64_t)>& arm,
               const std::function<void(Trial&, std::uint64_t)>& repair) {
  const std::uint64_t end = flora::test::try_operations([&](std::uint64_t n) {
    CAPTURE(n);
    Trial trial;
    arm(trial, n);
    trial.work();
    trial.close();
    const bool fired = trial.vfs.fired();
    repair(trial, n);
    trial.reopen();
    trial.check();
    return fired;
  });
  MESSAGE("operations: ", end - 1);
  CHECK(end > 50);
}

void heal(Trial& trial, std::uint64_t) { trial.vfs.heal(); }

}  // namespace

TEST_CASE("an erasure during which a disk operation fails is done, or can be repeated" *
          doctest::skip(on_postgresql())) {
  check_all([](Trial& trial, std::uint64_t n) { trial.vfs.fail_once_at(n); }, heal);
}

TEST_CASE("an erasure during which the disk fails for ever is done, or can be repeated" *
          doctest::skip(on_postgresql())) {
  check_all([](Trial& trial, std::uint64_t n) { trial.vfs.fail_forever_from(n); }, heal);
}

TEST_CASE("an erasure during which the power goes is done, or can be repeated" *
          doctest::skip(on_postgresql())) {
  for (const Unsynced unsynced : {Unsynced::dropped, Unsynced::scattered}) {
    check_all([](Trial& trial, std::uint64_t n) { trial.vfs.power_off_at(n); },
              [unsynced](Trial& trial, std::uint64_t n) { trial.vfs.lose_power(unsynced, n); });
  }
}

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// Values of rows that were deleted, after the tree has grown around them.
std::vector<std::string> deleted_rows(sqlite::Database& database, FakeEnv& env) {
  REQUIRE(database.execute("CREATE TABLE t(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID"));
  auto insert = database.prepare("INSERT INTO t VALUES(?, ?)");
  std::vector<std::string> values;
  for (int group = 0; group < 200; ++group) {
    REQUIRE(database.begin());
    for (int i = 0; i < 100; ++i) {
      Digest key{};
      env.random(key);
      const std::string value(static_cast<std::size_t>(30 + i % 31), 'v');
      REQUIRE(insert->bind_blob(1, key).bind_blob(2, as_bytes(value)).run());
      if (i == 0) values.emplace_back(as_text(key));
    }
    REQUIRE(database.commit());
  }
  auto remove = database.prepare("DELETE FROM t WHERE k=?");
  for (const std::string& value : values) REQUIRE(remove->bind_blob(1, as_bytes(value)).run());
  REQUIRE(*database.empty_log());
  return values;
}

std::ptrdiff_t left_in(const std::string& bytes, const std::vector<std::string>& values) {
  return std::ranges::count_if(
      values, [&](const std::string& one) { return bytes.find(one) != std::string::npos; });
}

}  // namespace

TEST_CASE("without the wiping of pages SQLite leaves remains of deleted rows" *
          doctest::skip(on_postgresql())) {
  FakeEnv env;
  TemporaryFolder folder;
  const std::string path = folder.file("plain.db");
  auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
  REQUIRE(database.has_value());
  const std::vector<std::string> values = deleted_rows(*database, env);
  CHECK(left_in(read_file(path), values) > 0);
  REQUIRE(database->wipe_remains().has_value());
  CHECK(left_in(read_file(path), values) == 0);
  auto check = database->prepare("PRAGMA integrity_check");
  REQUIRE(*check->step());
  CHECK(check->text(0) == "ok");
}

TEST_CASE("with it there are none" * doctest::skip(on_postgresql())) {
  FakeEnv env;
  TemporaryFolder folder;
  const std::string path = folder.file("wiped.db");
  auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
  REQUIRE(database.has_value());
  REQUIRE(database->write_no_remains().has_value());
  CHECK(left_in(read_file(path), deleted_rows(*database, env)) == 0);
}
