// What the mapping makes of a ledger that has lost its end.
#include "gateway/store/reopen.h"

#include "tests/gateway/memory_ledger.h"
#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;

namespace {

struct Fixture : TestStore {
  Fixture() {
    options.ledger = &ledger;
    reopen();
    a = committed(draft("a", by({azr("1")}))).procedure;
    b = committed(draft("b", by({azr("2")}))).procedure;
  }

  Accepted committed(const Draft& one) {
    Accepted result = added(one);
    ledger.append(result.transaction_id, result.body);
    store->committed_through(result.number);
    return result;
  }

  Draft revoked(std::string_view id, const Accepted& target) const {
    Draft made = revocation(id, a, target.transaction_id, kBamf);
    made.transaction.status = kMerge;
    return made;
  }

  /// The ledger is cut after so many entries, and the mapping follows it.
  std::uint64_t lose_after(std::size_t size) {
    // The outbox forgets what is on the ledger with the next commit.
    REQUIRE(refused(draft("x", random_uuid(env))) == Refusal::procedure_unknown);
    close();
    ledger.cut(size);
    const auto reopened = reopen_lost(options.place(), ledger);
    REQUIRE(reopened.has_value());
    reopen();
    return *reopened;
  }

  flora::test::MemoryLedger ledger;
  Uuid a;
  Uuid b;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "a merge that was lost joins nothing, and joins again when it is sent again") {
  const Accepted merged = committed(merge("m1", a, b));
  CHECK(lose_after(2) == 1);
  CHECK(find({azr("1")}) == a);
  CHECK(committed(merge("m1", a, b)).transaction_id == merged.transaction_id);
  CHECK(find({azr("1")}) == b);
}

TEST_CASE_FIXTURE(Fixture, "a merge whose revocation was lost is in effect again") {
  const Accepted merged = committed(merge("m1", a, b));
  const Accepted taken_back = committed(revoked("r1", merged));
  CHECK(find({azr("1")}) == a);
  CHECK(lose_after(3) == 1);
  CHECK(find({azr("1")}) == b);
  CHECK(committed(revoked("r1", merged)).transaction_id == taken_back.transaction_id);
  CHECK(find({azr("1")}) == a);
}

TEST_CASE_FIXTURE(Fixture, "a merge whose correction was lost leads where it led before") {
  const Uuid c = committed(draft("c", by({azr("3")}))).procedure;
  const Accepted merged = committed(merge("m1", a, b));
  Draft replace = merge("m2", a, c);
  replace.corrects = merged.transaction_id;
  committed(replace);
  CHECK(find({azr("1")}) == c);
  CHECK(lose_after(4) == 1);
  CHECK(find({azr("1")}) == b);
}

TEST_CASE_FIXTURE(Fixture, "what refers to an event that was lost holds it to its status") {
  const Accepted first = committed(draft("e1", a));
  CHECK(lose_after(2) == 1);
  added(correction("e2", a, identity_of("e1")));
  Draft other = draft("e1", a);
  other.transaction.status = "ANHOERUNG_ERFOLGT";
  CHECK(refused(other) == Refusal::reference_mismatch);
  CHECK(committed(draft("e1", a)).transaction_id == first.transaction_id);
}

TEST_CASE_FIXTURE(Fixture, "nothing is reopened of what is on the ledger or waits for it") {
  committed(merge("m1", a, b));
  added(draft("e1", a));
  CHECK(lose_after(3) == 0);
  CHECK(find({azr("1")}) == b);
  CHECK(accepted(draft("e1", a)).repeat);
}
