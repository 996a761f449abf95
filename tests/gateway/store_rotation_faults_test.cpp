// A change of keys on a disk that fails, and on a machine that loses its power at any moment of it.
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "gateway/base/log.h"
#include "gateway/store/key_uses.h"
#include "tests/gateway/key_fixture.h"
#include "tests/gateway/store_fixture.h"
#include "tests/ledger-client/fault_vfs.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using flora::test::FaultVfs;
using flora::test::Unsynced;

namespace {

constexpr int kPersons = 4;

// A clock on which every look takes so long that each step of a rotation is one row.
class SlowEnv final : public Env {
 public:
  explicit SlowEnv(FakeEnv& env) : env_(env) {}
  std::int64_t now_ms() override { return env_.now_ms(); }
  std::int64_t steady_ns() override { return steady_ns_ += 6'000'000; }
  void random(std::span<std::byte> out) override { env_.random(out); }
  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) override {
    return env_.read_file(path, max_bytes);
  }
  Result<void> replace_file(const std::string& path, std::string_view bytes,
                            unsigned mode) override {
    return env_.replace_file(path, bytes, mode);
  }

 private:
  FakeEnv& env_;
  std::atomic<std::int64_t> steady_ns_ = 0;
};

std::vector<Identifier> identifiers_of(int person) {
  const std::string number = std::to_string(person);
  return {azr(number), eurodac("E" + number)};
}

// Of each person, and a correction of an event that is still to come.
std::vector<Draft> stock() {
  std::vector<Draft> drafts;
  for (int i = 0; i < kPersons; ++i) {
    drafts.push_back(draft("e" + std::to_string(i), by(identifiers_of(i))));
    drafts.back().native = crypto::sha256("native " + std::to_string(i));
  }
  drafts.push_back(correction("c", by(identifiers_of(0)), identity_of("late")));
  return drafts;
}

/// One store whose keys are changed on a faulty disk.
class Machine : public TestStore {
 public:
  Machine() {
    log::set_level(log::Level::error);
    options.vfs = vfs.name();
    options.on_fatal = [this](const Error&) { ++fatal_; };
    options.keys = keys({"l1"}, {"w1"});
    start();
    send_all(stock());
  }
  ~Machine() { close(); }

  /// Changes all keys beside reports, until that is done or the fault has come.
  void rotate() {
    if (!store->use_keys(keys({"l2", "l1"}, {"w2", "w1"}))) return;
    for (int i = 0; store->rotation().running && fatal_ == 0 && !vfs.fired(); ++i) {
      const std::string number = std::to_string(i);
      send_all({sent_[static_cast<std::size_t>(i) % stock().size()],
                draft("k" + number, by({azr(std::to_string(i % kPersons))})),
                draft("n" + number, by(identifiers_of(kPersons + i)))});
    }
  }

  /// What was promised holds, what was not can be sent; before the rotation ends and after it, and
  /// at last without the old keys.
  void check() {
    options.keys = keys({"l2", "l1"}, {"w2", "w1"});
    start();
    check_all();
    wait_for_rotation();
    check_all();
    close();
    options.keys = keys({"l2"}, {"w2"});
    start();
    check_all();
    REQUIRE(accepted(draft("late", by(identifiers_of(0)))).transaction_id == *corrected_);
    REQUIRE(store->rotation().damaged == 0);
    const auto uses = key_uses(options.path);
    REQUIRE(uses.has_value());
    REQUIRE(uses->size() == 2);
    // Each person has one procedure, whatever was interrupted.
    REQUIRE(uses->at(1).procedures == static_cast<std::int64_t>(persons_.size()));
  }

  FaultVfs vfs;

 private:
  std::shared_ptr<const privacy::KeySet> keys(const std::vector<std::string>& lookup,
                                              const std::vector<std::string>& wrapping) {
    auto made =
        privacy::KeySet::make(lookup_keys(lookup), wrapping_keys(wrapping, slow_), {}, slow_);
    REQUIRE(made.has_value());
    return *made;
  }

  void start() {
    auto opened = Store::open(options, slow_);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    store = std::move(*opened);
  }

  // Notes what is promised.
  void send_all(const std::vector<Draft>& drafts) {
    const std::vector<Outcome> outcomes = send(drafts);
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      if (known_.insert(drafts[i].identity).second) sent_.push_back(drafts[i]);
      const auto* accepted = std::get_if<Accepted>(&outcomes[i]);
      if (accepted == nullptr) continue;
      const auto at = promised_.emplace(drafts[i].identity, *accepted).first;
      REQUIRE(at->second.transaction_id == accepted->transaction_id);
      REQUIRE(at->second.procedure == accepted->procedure);
      if (drafts[i].corrects) corrected_ = transaction_of(at->second).corrects;
    }
  }

  void check_all() {
    const std::map<Digest, Accepted> promised = promised_;
    send_all(sent_);
    REQUIRE(promised_.size() == sent_.size());
    for (const Draft& one : sent_) {
      const Accepted& accepted = promised_.at(one.identity);
      for (const Identifier& identifier : std::get<std::vector<Identifier>>(one.procedure)) {
        REQUIRE(find({identifier}) == accepted.procedure);
        persons_.insert(accepted.procedure);
      }
    }
    for (const auto& [identity, accepted] : promised) {
      REQUIRE(promised_.at(identity).procedure == accepted.procedure);
    }
  }

  void wait_for_rotation() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (store->rotation().running) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }

  SlowEnv slow_{env};
  std::atomic<int> fatal_ = 0;
  std::vector<Draft> sent_;
  std::set<Digest> known_;
  std::map<Digest, Accepted> promised_;
  std::set<Uuid> persons_;
  std::optional<Uuid> corrected_;
};

void check_each(const std::function<void(FaultVfs&, std::uint64_t)>& harm,
                const std::optional<Unsynced>& power_loss) {
  const std::uint64_t operations = flora::test::try_operations([&](std::uint64_t n) {
    CAPTURE(n);
    Machine machine;
    harm(machine.vfs, n);
    machine.rotate();
    const bool fired = machine.vfs.fired();
    machine.close();
    if (power_loss) machine.vfs.lose_power(*power_loss, n);
    machine.vfs.heal();
    machine.check();
    return fired;
  });
  MESSAGE("operations: ", operations);
  CHECK(operations > 50);
}

}  // namespace

TEST_CASE("a disk operation that fails once during a change of keys costs nothing") {
  check_each([](FaultVfs& vfs, std::uint64_t n) { vfs.fail_once_at(n); }, {});
}

TEST_CASE("a disk that fails for ever during a change of keys loses nothing") {
  check_each([](FaultVfs& vfs, std::uint64_t n) { vfs.fail_forever_from(n); }, {});
}

TEST_CASE("a power loss during a change of keys that drops all unsynced writes loses nothing") {
  check_each([](FaultVfs& vfs, std::uint64_t n) { vfs.power_off_at(n); }, Unsynced::dropped);
}

TEST_CASE("a power loss during a change of keys that scatters unsynced writes loses nothing") {
  check_each([](FaultVfs& vfs, std::uint64_t n) { vfs.power_off_at(n); }, Unsynced::scattered);
}
