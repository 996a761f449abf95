// The store on a disk that fails, and on a machine that loses its power.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "gateway/audit/check.h"
#include "gateway/base/log.h"
#include "gateway/store/audit_reader.h"
#include "tests/gateway/store_fixture.h"
#include "tests/ledger-client/fault_vfs.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using flora::test::FaultVfs;
using flora::test::Unsynced;

namespace {

using Calls = std::vector<std::vector<Draft>>;

Draft person(int number) {
  return draft("person " + std::to_string(number), by({azr(std::to_string(number))}));
}

std::vector<Draft> persons(int first, int count) {
  std::vector<Draft> drafts;
  for (int i = 0; i < count; ++i) drafts.push_back(person(first + i));
  return drafts;
}

// What is sent before and after a restart: new and known procedures, corrections of seen and unseen
// events, a merge, and a late event. Sent again as a whole, nothing in it contradicts the rest.
Calls first_calls() {
  return {{person(0)},
          {draft("d1", by({azr("1"), file_number("F1")})), draft("d2", by({azr("1")}))},
          persons(10, 9),
          {correction("c1", by({azr("1")}), identity_of("d1"))},
          {correction("c2", by({azr("1")}), identity_of("late"))},
          {merge("m1", by({azr("0")}), by({azr("1")}))},
          {draft("d3", by({azr("0")}))}};
}

Calls second_calls() {
  return {{draft("late", by({azr("1")}))},
          {revocation("r1", by({azr("1")}), identity_of("c1"))},
          persons(30, 12),
          {person(50)}};
}

struct Promise {
  Uuid transaction_id;
  Uuid procedure;
};

/// One store on a faulty disk, and what it has promised.
class Machine : public TestStore {
 public:
  Machine() {
    log::set_level(log::Level::error);
    options.vfs = vfs.name();
    options.on_fatal = [this](const Error&) { ++fatal; };
    options.audit.segment_records = 10;  // So that segments are closed, too.
  }
  ~Machine() { close(); }

  /// Sends everything, each call once, until the store has stopped.
  void work() {
    if (!open()) return;
    for (const auto& call : first_calls()) submit(call);
    for (int i = 0; i < 3; ++i) read_once();
    keep_answer();
    store->committed_through(highest_);
    if (fatal > 0) return;
    close();
    if (!open()) return;
    for (const auto& call : second_calls()) submit(call);
    read_once();
  }

  /// After a fault: what was refused left nothing, what was accepted is there, and the rest can be
  /// sent.
  void check_promises() {
    check_refused();
    if (answer_promised_) {
      const auto answer = store->kept_answer({{crypto::sha256("key"), {}}}, Instant{env.now_ms()});
      REQUIRE((answer.has_value() && answer->has_value()));
    }
    std::set<Uuid> ids;
    for (const Calls& calls : {first_calls(), second_calls()}) {
      for (const auto& call : calls) {
        for (const Draft& one : call) ids.insert(check(one));
      }
    }
    check_audit();
    const auto waiting = store->outbox(0, 1000);
    REQUIRE(waiting.has_value());
    for (const OutboxEntry& entry : *waiting) REQUIRE(ids.contains(entry.transaction_id));
    REQUIRE(static_cast<std::size_t>(store->outbox_size()) == waiting->size());
  }

  /// True if something that was accepted is not there as it was promised.
  bool has_lost() {
    for (const Calls& calls : {first_calls(), second_calls()}) {
      for (const auto& call : calls) {
        for (const Draft& one : call) {
          const auto at = promised_.find(one.identity);
          if (at == promised_.end()) continue;
          const Outcome outcome = send(one);
          const auto* again = std::get_if<Accepted>(&outcome);
          if (again == nullptr || again->transaction_id != at->second.transaction_id) return true;
        }
      }
    }
    return false;
  }

  FaultVfs vfs;
  std::atomic<int> fatal = 0;

 private:
  void submit(const std::vector<Draft>& call) {
    const std::vector<Outcome> outcomes = send(call);
    for (std::size_t i = 0; i < call.size(); ++i) {
      const Digest& identity = call[i].identity;
      if (const auto* accepted = std::get_if<Accepted>(&outcomes[i])) {
        promised_[identity] = {accepted->transaction_id, accepted->procedure};
        highest_ = std::max(highest_, accepted->number);
        continue;
      }
      const Refusal refusal = std::get<Refusal>(outcomes[i]);
      const bool clean = refusal == Refusal::unavailable || refusal == Refusal::overloaded;
      if (!clean && refusal != Refusal::uncertain) {
        FAIL("a disk fault was answered with ", static_cast<int>(refusal));
      }
      if (clean) refused_.push_back(call[i]);
    }
  }

  // A reading by a client of its own name, which is answered if its record is durable.
  void read_once() {
    const std::string client = "reader " + std::to_string(readings_++);
    AuditEffect effect;
    effect.outcome = AuditEffect::Outcome::found;
    auto promise = std::make_shared<std::promise<bool>>();
    auto recorded = promise->get_future();
    store->record(
        {audit::body(audit::opening({client, {"999902"}, "AE"}, audit::Action::read_procedure),
                     effect)},
        [promise](const Result<void>& result) { promise->set_value(result.has_value()); });
    REQUIRE(recorded.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    if (recorded.get()) read_.push_back(client);
  }

  // The trail is whole, without gap or fork, and has a record of all that was answered.
  void check_audit() {
    audit::Check check(trail->verifier());
    const auto head = read_signed_head(options.audit.head_file, vfs.name());
    REQUIRE(head.has_value());
    auto reader = AuditReader::open({options.path, vfs.name()});
    REQUIRE(reader.has_value());
    check.signed_head(*head);
    const auto segments = reader->segments();
    REQUIRE(segments.has_value());
    check.segments(*segments);
    std::string records;
    REQUIRE(reader->groups(1, 100'000, [&](const AuditGroup& group) -> Result<void> {
      check.group(group);
      records += group.records;
      return {};
    }));
    const audit::CheckReport report = check.finish();
    for (const std::string& finding : report.findings) FAIL_CHECK(finding);
    REQUIRE(report.clean());
    REQUIRE(report.notes.empty());
    for (const std::string& client : read_) {
      REQUIRE(records.find('"' + client + '"') != std::string::npos);
    }
    for (const auto& [identity, promise] : promised_) {
      const std::string id = to_string(promise.transaction_id);
      const std::size_t first = records.find(id);
      REQUIRE(first != std::string::npos);
      const std::size_t line = records.rfind('\n', first) + 1;
      REQUIRE(records.substr(line, first - line).find("\"ACCEPTED\"") != std::string::npos);
    }
  }

  void keep_answer() {
    auto promise = std::make_shared<std::promise<void>>();
    auto done = promise->get_future();
    store->keep_answer({crypto::sha256("key"), crypto::sha256("request")}, {201, "", "", "body"},
                       Instant{env.now_ms() + 1000}, [promise] { promise->set_value(); });
    REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    answer_promised_ = !vfs.fired();
  }

  void check_refused() {
    for (const Draft& one : refused_) {
      const auto& identifiers = std::get<std::vector<Identifier>>(one.procedure);
      const bool alone = one.transaction.status != kMerge && std::stoi(identifiers[0].value) > 1;
      if (alone && !promised_.contains(one.identity)) REQUIRE(find(identifiers) == std::nullopt);
    }
  }

  Uuid check(const Draft& one) {
    const Accepted again = accepted(one);
    const auto at = promised_.find(one.identity);
    if (at != promised_.end()) {
      REQUIRE(again.repeat);
      REQUIRE(again.transaction_id == at->second.transaction_id);
      REQUIRE(again.procedure == at->second.procedure);
    }
    const bool refused = std::ranges::any_of(
        refused_, [&](const Draft& other) { return other.identity == one.identity; });
    if (refused) REQUIRE_FALSE(again.repeat);
    return again.transaction_id;
  }

  std::map<Digest, Promise> promised_;
  std::vector<Draft> refused_;  // With the promise that nothing was written.
  int readings_ = 0;
  std::vector<std::string> read_;  // Clients whose reading was answered.
  std::int64_t highest_ = 0;
  bool answer_promised_ = false;
};

enum class Damage { once, for_ever, disk_full };

/// Runs the workload with a fault at operation n. False: the fault no longer fires.
bool survives_fault(std::uint64_t n, Damage damage) {
  CAPTURE(n);
  Machine machine;
  machine.vfs.set_disk_full(damage == Damage::disk_full);
  if (damage == Damage::for_ever) {
    machine.vfs.fail_forever_from(n);
  } else {
    machine.vfs.fail_once_at(n);
  }
  machine.work();
  const bool fired = machine.vfs.fired();
  machine.vfs.heal();
  machine.reopen();
  machine.check_promises();
  return fired;
}

/// Runs the workload until the power goes off in operation n. False: it never does.
bool survives_power_loss(std::uint64_t n, Unsynced unsynced) {
  CAPTURE(n);
  Machine machine;
  machine.vfs.power_off_at(n);
  machine.work();
  machine.close();
  const bool fired = machine.vfs.fired();
  machine.vfs.lose_power(unsynced, n);
  machine.reopen();
  machine.check_promises();
  return fired;
}

/// The same without syncs: true if something accepted is lost, or the store does not open.
bool loses_without_syncs(std::uint64_t n, Unsynced unsynced) {
  Machine machine;
  machine.vfs.set_ignore_syncs(true);
  machine.vfs.power_off_at(n);
  machine.work();
  machine.close();
  machine.vfs.lose_power(unsynced, n);
  return !machine.open() || machine.has_lost();
}

void check_all(const std::function<bool(std::uint64_t)>& survives) {
  const std::uint64_t operations = flora::test::try_operations(survives);
  MESSAGE("operations: ", operations);
  CHECK(operations > 100);
}

}  // namespace

TEST_CASE("a disk operation that fails once loses and doubles nothing") {
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::once); });
}

TEST_CASE("a disk that fails for ever loses nothing that was accepted") {
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::for_ever); });
}

TEST_CASE("a full disk loses and doubles nothing") {
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::disk_full); });
}

TEST_CASE("a power loss that drops all unsynced writes loses nothing that was accepted") {
  check_all([](std::uint64_t n) { return survives_power_loss(n, Unsynced::dropped); });
}

TEST_CASE("a power loss that tears and scatters unsynced writes loses nothing accepted") {
  check_all([](std::uint64_t n) { return survives_power_loss(n, Unsynced::scattered); });
}

TEST_CASE("without syncs the power-loss test would fail") {
  int lost = 0;
  for (std::uint64_t n = 30; n < 150; n += 10) {
    lost += loses_without_syncs(n, Unsynced::dropped) ? 1 : 0;
    lost += loses_without_syncs(n, Unsynced::scattered) ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("after an uncertain commit nothing more is written and the process is told once") {
  Machine machine;
  machine.reopen();
  machine.added(person(0));
  machine.vfs.fail_once_at(1);
  CHECK(machine.refused(person(1)) == Refusal::uncertain);
  CHECK(machine.refused(person(2)) == Refusal::overloaded);
  machine.reopen();
  CHECK(machine.fatal == 1);
  CHECK(machine.accepted(person(0)).repeat);
  machine.accepted(person(1));
  machine.added(person(2));
}
