// The store against its header: identity, identifiers, references, merges.
#include <map>
#include <optional>

#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;

namespace {

struct Fixture : TestStore {
  Fixture() { reopen(); }
};

/// Three procedures: A and B are two persons, B and C a family that shares the file number F2.
struct Family : Fixture {
  Family() {
    a = added(draft("a", by({azr("1"), file_number("F1")}))).procedure;
    b = added(draft("b", by({azr("2"), file_number("F2"), file_number("F3")}))).procedure;
    c = added(draft("c", by({azr("3"), file_number("F2")}))).procedure;
  }
  Uuid a;
  Uuid b;
  Uuid c;
};

/// The BAMF takes a merge, or the revocation of one, back.
Draft revoked(std::string_view id, const Uuid& procedure, const Accepted& target) {
  Draft made = revocation(id, procedure, target.transaction_id, kBamf);
  made.transaction.status = kMerge;
  return made;
}

enum class Leads { to_a, to_b, to_c, to_new, ambiguous, conflict };

struct IdentifierCase {
  const char* what;
  std::vector<Identifier> identifiers;
  Leads leads;
  bool found;  // A search with the same identifiers finds the procedure.
};

std::vector<IdentifierCase> identifier_cases() {
  return {
      {"a new person", {azr("9")}, Leads::to_new, false},
      {"a known person", {azr("1")}, Leads::to_a, true},
      {"a file number that nobody carries", {file_number("F9")}, Leads::to_new, false},
      {"a file number that one carries", {file_number("F1")}, Leads::to_a, true},
      {"a file number that two carry", {file_number("F2")}, Leads::ambiguous, false},
      {"two file numbers that one carries",
       {file_number("F2"), file_number("F3")},
       Leads::to_b,
       true},
      {"two file numbers that nobody carries together",
       {file_number("F1"), file_number("F3")},
       Leads::conflict,
       false},
      {"two persons", {azr("1"), azr("2")}, Leads::conflict, false},
      {"a known person with a new file number", {azr("1"), file_number("F9")}, Leads::to_a, true},
      {"a known person with another's file number",
       {azr("1"), file_number("F2")},
       Leads::to_a,
       true},
      {"a known person with a second identifier", {azr("1"), eurodac("E1")}, Leads::to_a, true},
      {"a new person with a known file number",
       {azr("9"), file_number("F1")},
       Leads::to_new,
       false},
      {"the same identifier twice", {azr("9"), azr("9")}, Leads::to_new, false},
      {"the same value of another type", {eurodac("1")}, Leads::to_new, false},
  };
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the same event again is a repeat with the same id and procedure") {
  const Draft event = draft("e1", by({azr("1")}));
  const Accepted first = added(event);
  const Accepted again = accepted(event);
  CHECK(again.repeat);
  CHECK(again.transaction_id == first.transaction_id);
  CHECK(again.procedure == first.procedure);
  CHECK(again.number == first.number);
  CHECK(again.body == first.body);
  CHECK(store->outbox_size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "the same event twice in one call is committed once") {
  const Draft event = draft("e1", by({azr("1")}));
  const auto outcomes = send({event, event});
  CHECK_FALSE(std::get<Accepted>(outcomes[0]).repeat);
  CHECK(std::get<Accepted>(outcomes[1]).repeat);
  CHECK(store->outbox_size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "the same identity with another content is refused") {
  Draft event = draft("e1", by({azr("1")}));
  const Accepted first = added(event);
  event.content = crypto::sha256("another");
  CHECK(refused(event) == Refusal::content_differs);
  event.native = crypto::sha256("a record that the first did not have");
  CHECK(refused(event) == Refusal::content_differs);
  CHECK(accepted(draft("e1", by({azr("1")}))).transaction_id == first.transaction_id);
}

TEST_CASE_FIXTURE(Fixture,
                  "an equal native record is a repeat, though a newer bundle reads it anew") {
  Draft event = draft("e1", by({azr("1")}));
  event.native = crypto::sha256("record");
  const Accepted first = added(event);
  event.content = crypto::sha256("what another version makes of it");
  const Accepted again = accepted(event);
  CHECK(again.repeat);
  CHECK(again.body == first.body);
  event.native = crypto::sha256("another record");
  CHECK(refused(event) == Refusal::content_differs);
}

TEST_CASE_FIXTURE(Fixture, "the same id from two authorities names two events") {
  const Accepted one = added(draft("e1", by({azr("1")})));
  const Accepted other = added(draft("e1", by({azr("1")}), kOtherAe));
  CHECK(one.transaction_id != other.transaction_id);
  CHECK(one.procedure == other.procedure);
}

TEST_CASE("identifiers lead to a procedure, to a new one, or to a refusal") {
  for (const IdentifierCase& one : identifier_cases()) {
    CAPTURE(one.what);
    Family family;
    const auto found = family.find(one.identifiers);
    CHECK(found.has_value() == one.found);
    const Outcome outcome = family.send(draft("case", by(one.identifiers)));
    if (one.leads == Leads::ambiguous || one.leads == Leads::conflict) {
      const bool ambiguous = one.leads == Leads::ambiguous;
      CHECK(std::get<Refusal>(outcome) ==
            (ambiguous ? Refusal::identifier_ambiguous : Refusal::identifier_conflict));
      continue;
    }
    const Uuid led = std::get<Accepted>(outcome).procedure;
    const std::map<Leads, Uuid> known = {
        {Leads::to_a, family.a}, {Leads::to_b, family.b}, {Leads::to_c, family.c}};
    if (const auto at = known.find(one.leads); at != known.end()) {
      CHECK(led == at->second);
      CHECK(found == led);
    } else {
      for (const auto& [leads, procedure] : known) CHECK(led != procedure);
    }
    CHECK(family.accepted(draft("case", by(one.identifiers))).procedure == led);
  }
}

TEST_CASE_FIXTURE(Family,
                  "an identifier that comes with a known one leads to its procedure later") {
  added(draft("e1", by({azr("1"), eurodac("E1"), file_number("F7")})));
  CHECK(added(draft("e2", by({eurodac("E1")}))).procedure == a);
  CHECK(added(draft("e3", by({file_number("F7")}))).procedure == a);
}

TEST_CASE_FIXTURE(Family, "a file number never joins two persons") {
  const Accepted other = added(draft("e1", by({azr("9"), file_number("F1")})));
  CHECK(other.procedure != a);
  CHECK(refused(draft("e2", by({file_number("F1")}))) == Refusal::identifier_ambiguous);
  CHECK(added(draft("e3", by({azr("1"), file_number("F1")}))).procedure == a);
  CHECK(added(draft("e4", by({azr("9"), file_number("F1")}))).procedure == other.procedure);
}

TEST_CASE_FIXTURE(Family, "what was refused leaves nothing behind") {
  REQUIRE(refused(draft("e1", by({azr("1"), azr("2"), eurodac("E1")}))) ==
          Refusal::identifier_conflict);
  CHECK(find({eurodac("E1")}) == std::nullopt);
  const std::int64_t waiting = store->outbox_size();
  CHECK(added(draft("e1", by({azr("1")}))).procedure == a);
  CHECK(store->outbox_size() == waiting + 1);
}

TEST_CASE_FIXTURE(Family, "a pseudonym leads to its procedure, an unknown one to a refusal") {
  CHECK(added(draft("e1", a)).procedure == a);
  CHECK(refused(draft("e2", random_uuid(env))) == Refusal::procedure_unknown);
  CHECK(refused(merge("e3", a, random_uuid(env))) == Refusal::procedure_unknown);
}

TEST_CASE_FIXTURE(Family, "a report is corrected and revoked by transaction id and by identity") {
  const Accepted first = added(draft("e1", a));
  const Accepted corrected = added(correction("e2", a, first.transaction_id));
  CHECK(transaction_of(corrected).corrects == first.transaction_id);
  CHECK(transaction_of(added(correction("e3", a, identity_of("e1")))).corrects ==
        first.transaction_id);
  CHECK(transaction_of(added(revocation("e4", a, corrected.transaction_id))).revokes ==
        corrected.transaction_id);
  CHECK(transaction_of(added(revocation("e5", a, identity_of("e1")))).revokes ==
        first.transaction_id);
}

TEST_CASE_FIXTURE(Family,
                  "only the reporter and the BAMF correct; unknown and foreign look the same") {
  const Accepted first = added(draft("e1", a));
  CHECK(refused(correction("e2", a, first.transaction_id, kOtherAe)) == Refusal::reference_unknown);
  CHECK(refused(revocation("e3", a, first.transaction_id, kOtherAe)) == Refusal::reference_unknown);
  CHECK(refused(correction("e4", a, random_uuid(env))) == Refusal::reference_unknown);
  const Accepted by_bamf = added(correction("e5", a, first.transaction_id, kBamf));
  CHECK(transaction_of(by_bamf).corrects == first.transaction_id);
  CHECK(refused(correction("e6", a, by_bamf.transaction_id)) == Refusal::reference_unknown);
}

TEST_CASE_FIXTURE(Family,
                  "a reference to an unseen event reserves its id, and the late event gets it") {
  const Accepted early = added(correction("e2", a, identity_of("e1")));
  const auto reserved = transaction_of(early).corrects;
  REQUIRE(reserved.has_value());
  CHECK(transaction_of(added(revocation("e3", a, identity_of("e1")))).revokes == reserved);
  reopen();
  const Accepted late = added(draft("e1", a));
  CHECK(late.transaction_id == reserved);
  CHECK(late.procedure == a);
  CHECK(accepted(draft("e1", a)).repeat);
}

TEST_CASE_FIXTURE(Family, "a late event must be about the procedure that the reference named") {
  const Accepted early = added(correction("e2", a, identity_of("e1")));
  CHECK(refused(draft("e1", b)) == Refusal::reference_mismatch);
  CHECK(refused(draft("e1", by({azr("9")}))) == Refusal::reference_mismatch);
  CHECK(added(draft("e1", by({azr("1")}))).transaction_id == transaction_of(early).corrects);
}

TEST_CASE_FIXTURE(Family, "an unseen event may open the procedure") {
  const Accepted early = added(correction("e2", by({azr("9")}), identity_of("e1")));
  const Accepted late = added(draft("e1", by({azr("9")})));
  CHECK(late.procedure == early.procedure);
  CHECK(late.transaction_id == transaction_of(early).corrects);
}

TEST_CASE_FIXTURE(Family, "a reference to an event of another procedure is refused") {
  const Accepted first = added(draft("e1", a));
  CHECK(refused(correction("e2", b, first.transaction_id)) == Refusal::reference_mismatch);
  CHECK(refused(correction("e3", by({azr("9")}), identity_of("e1"))) ==
        Refusal::reference_mismatch);
  CHECK(find({azr("9")}) == std::nullopt);
}

TEST_CASE_FIXTURE(Family, "a revocation repeats the status, a correction may change it") {
  const Accepted first = added(draft("e1", a));
  Draft other = revocation("e2", a, first.transaction_id);
  other.transaction.status = "ANHOERUNG_ERFOLGT";
  CHECK(refused(other) == Refusal::reference_mismatch);
  other.corrects = std::exchange(other.revokes, std::nullopt);
  CHECK(transaction_of(added(other)).corrects == first.transaction_id);
}

TEST_CASE_FIXTURE(Family, "an event cannot correct itself, also not by way of others") {
  CHECK(refused(correction("e1", a, identity_of("e1"))) == Refusal::reference_cycle);
  const Accepted first = added(correction("e1", a, identity_of("e2")));
  CHECK(refused(correction("e2", a, identity_of("e1"))) == Refusal::reference_cycle);
  CHECK(refused(correction("e2", a, *transaction_of(first).corrects)) == Refusal::reference_cycle);
  const Accepted third = added(correction("e3", a, first.transaction_id));
  CHECK(refused(revocation("e2", a, third.transaction_id)) == Refusal::reference_cycle);
  CHECK(added(draft("e2", a)).transaction_id == transaction_of(first).corrects);
}

TEST_CASE_FIXTURE(Family,
                  "a merged procedure keeps its events and is found as the one that remains") {
  const Accepted merged = added(merge("m1", a, b));
  CHECK(merged.procedure == a);
  CHECK(merged.merged_into == b);
  CHECK(transaction_of(merged).merged_into == b);
  CHECK(added(draft("e1", by({azr("1")}))).procedure == a);
  CHECK(added(draft("e2", a)).procedure == a);
  CHECK(find({azr("1")}) == b);
  added(merge("m2", b, c));
  CHECK(added(draft("e3", by({azr("1")}))).procedure == a);
  CHECK(find({azr("1")}) == c);
  CHECK(find({azr("2")}) == c);
  CHECK(accepted(merge("m1", a, b)).merged_into == b);
}

TEST_CASE_FIXTURE(Family, "identifiers of merged procedures do not contradict each other") {
  added(merge("m1", a, b));
  CHECK(added(draft("e1", by({azr("1"), azr("2")}))).procedure == b);
  CHECK(refused(draft("e2", by({azr("1"), azr("3")}))) == Refusal::identifier_conflict);
}

TEST_CASE_FIXTURE(Family, "a procedure cannot be merged with itself") {
  CHECK(refused(merge("m1", a, a)) == Refusal::merge_with_itself);
  CHECK(refused(merge("m2", by({azr("1")}), by({file_number("F1")}))) ==
        Refusal::merge_with_itself);
  CHECK(refused(merge("m3", by({azr("9")}), by({azr("9")}))) == Refusal::merge_with_itself);
  CHECK(refused(merge("m4", by({azr("9"), eurodac("E1")}), by({eurodac("E1")}))) ==
        Refusal::merge_with_itself);
  CHECK(find({azr("9")}) == std::nullopt);
  const Accepted merged = added(merge("m5", a, b));
  Draft again = merge("m6", b, a);
  again.corrects = merged.transaction_id;
  CHECK(refused(again) == Refusal::merge_with_itself);
}

TEST_CASE_FIXTURE(Family,
                  "procedures that are joined already can be joined again, in any direction") {
  const Accepted first = added(merge("m1", a, b));
  added(merge("m2", b, a));
  CHECK(find({azr("1")}) == b);
  CHECK(find({azr("2")}) == b);
  added(revoked("r1", a, first));
  CHECK(find({azr("1")}) == a);
  CHECK(find({azr("2")}) == a);
}

TEST_CASE_FIXTURE(Family, "merges in a circle leave one procedure") {
  added(merge("m1", a, b));
  added(merge("m2", b, c));
  added(merge("m3", c, a));
  for (const char* person : {"1", "2", "3"}) CHECK(find({azr(person)}) == c);
}

TEST_CASE_FIXTURE(Family, "a second merge of the same procedure joins all three") {
  const Accepted first = added(merge("m1", a, b));
  const Accepted second = added(merge("m2", a, c));
  for (const char* person : {"1", "2", "3"}) CHECK(find({azr(person)}) == c);
  added(revoked("r1", a, first));
  CHECK(find({azr("1")}) == c);
  CHECK(find({azr("2")}) == b);
  added(revoked("r2", a, second));
  CHECK(find({azr("1")}) == a);
  CHECK(find({azr("3")}) == c);
}

TEST_CASE_FIXTURE(Family, "two merges and two new persons in one commit are one after the other") {
  const auto outcomes = send({merge("m1", a, b), merge("m2", b, c), merge("m3", by({azr("9")}), a),
                              merge("m4", c, by({azr("9")})), draft("e1", by({azr("9")})),
                              merge("m5", by({azr("8")}), by({azr("8")}))});
  for (std::size_t i = 0; i < 5; ++i) CHECK(std::holds_alternative<Accepted>(outcomes[i]));
  CHECK(std::get<Accepted>(outcomes[4]).procedure == std::get<Accepted>(outcomes[2]).procedure);
  CHECK(std::get<Refusal>(outcomes[5]) == Refusal::merge_with_itself);
  for (const char* person : {"1", "2", "3", "9"}) CHECK(find({azr(person)}) == c);
  CHECK(find({azr("8")}) == std::nullopt);
}

TEST_CASE_FIXTURE(Family, "a merge whose revocation was itself taken back joins again") {
  const Accepted merged = added(merge("m1", a, b));
  const Accepted revocation_of_it = added(revoked("r1", a, merged));
  CHECK(find({azr("1")}) == a);
  const Accepted back = added(revoked("r2", a, revocation_of_it));
  CHECK(find({azr("1")}) == b);
  added(revoked("r3", a, back));
  CHECK(find({azr("1")}) == a);
}

TEST_CASE_FIXTURE(Family, "what was joined to a procedure stays with it when it is separated") {
  added(merge("m1", a, b));
  const Accepted second = added(merge("m2", b, c));
  added(revoked("r1", b, second));
  CHECK(find({azr("1")}) == b);
  CHECK(find({azr("2")}) == b);
  CHECK(find({azr("3")}) == c);
}

TEST_CASE_FIXTURE(Family, "a correction of a merge that was taken back restores what it replaced") {
  const Accepted merged = added(merge("m1", a, b));
  Draft replace = merge("m2", a, c);
  replace.corrects = merged.transaction_id;
  const Accepted corrected = added(replace);
  CHECK(find({azr("1")}) == c);
  added(revoked("r1", a, corrected));
  CHECK(find({azr("1")}) == b);
}

TEST_CASE_FIXTURE(Family, "what was reported while two were one stays where its identifiers are") {
  const Accepted merged = added(merge("m1", a, b));
  added(draft("e1", by({azr("1"), eurodac("E1"), file_number("F5")})));
  added(draft("e2", by({azr("2"), eurodac("E2")})));
  const Accepted both = added(draft("e3", by({azr("1"), azr("2"), eurodac("E3")})));
  CHECK(both.procedure == b);
  for (const char* number : {"E1", "E2", "E3"}) CHECK(find({eurodac(number)}) == b);
  CHECK(find({file_number("F5")}) == b);
  CHECK(added(draft("e4", by({eurodac("E1")}))).procedure == a);
  added(revoked("r1", a, merged));
  CHECK(find({eurodac("E1")}) == a);
  CHECK(find({file_number("F5")}) == a);
  CHECK(find({eurodac("E2")}) == b);
  CHECK(find({eurodac("E3")}) == b);
  CHECK(refused(draft("e5", by({azr("1"), azr("2")}))) == Refusal::identifier_conflict);
}

TEST_CASE_FIXTURE(Family,
                  "a file number that joined procedures share leads to the one that remains") {
  const Accepted merged = added(merge("m1", b, c));
  CHECK(added(draft("e1", by({file_number("F2")}))).procedure == c);
  CHECK(added(draft("e2", by({file_number("F2"), file_number("F3")}))).procedure == b);
  added(revoked("r1", b, merged));
  CHECK(refused(draft("e3", by({file_number("F2")}))) == Refusal::identifier_ambiguous);
}

TEST_CASE_FIXTURE(Family, "only a merge replaces or takes back a merge, and it no other event") {
  const Accepted merged = added(merge("m1", a, b));
  const Accepted first = added(draft("e1", a));
  CHECK(refused(correction("e2", a, merged.transaction_id, kBamf)) == Refusal::reference_mismatch);
  Draft into = merge("m2", a, c);
  into.corrects = first.transaction_id;
  CHECK(refused(into) == Refusal::reference_mismatch);
  // The same where the reference comes first.
  added(correction("e3", a, identity_of("m3", kBamf), kBamf));
  CHECK(refused(merge("m3", a, c)) == Refusal::reference_mismatch);
  into = merge("m4", a, c);
  into.corrects = identity_of("e4", kBamf);
  added(into);
  CHECK(refused(draft("e4", a, kBamf)) == Refusal::reference_mismatch);
}

TEST_CASE_FIXTURE(Family, "an event that was revoked before it came must have the revoked status") {
  added(revocation("r1", a, identity_of("e1")));
  Draft late = draft("e1", a);
  late.transaction.status = "ANHOERUNG_ERFOLGT";
  CHECK(refused(late) == Refusal::reference_mismatch);
  reopen();
  CHECK(refused(late) == Refusal::reference_mismatch);
  Draft other = revocation("r2", a, identity_of("e1"));
  other.transaction.status = late.transaction.status;
  CHECK(refused(other) == Refusal::reference_mismatch);
  added(draft("e1", a));
}

TEST_CASE_FIXTURE(Family,
                  "a correction leaves an unseen event's status open, a revocation does not") {
  added(correction("c1", a, identity_of("e1")));
  Draft revoke = revocation("r1", a, identity_of("e1"));
  revoke.transaction.status = "ANHOERUNG_ERFOLGT";
  const Accepted revoked_first = added(revoke);
  CHECK(refused(draft("e1", a)) == Refusal::reference_mismatch);
  CHECK(refused(revocation("r2", a, identity_of("e1"))) == Refusal::reference_mismatch);
  Draft late = draft("e1", a);
  late.transaction.status = "ANHOERUNG_ERFOLGT";
  CHECK(added(late).transaction_id == transaction_of(revoked_first).revokes);

  added(correction("c2", a, identity_of("e2")));
  late = draft("e2", a);
  late.transaction.status = "ANKUNFT_AE";
  added(late);
}

TEST_CASE_FIXTURE(Family, "a merge that was revoked before it came joins nothing") {
  Draft revoke = revocation("r1", a, identity_of("m1", kBamf), kBamf);
  revoke.transaction.status = kMerge;
  const Accepted early = added(revoke);
  CHECK(added(merge("m1", a, b)).transaction_id == transaction_of(early).revokes);
  CHECK(find({azr("1")}) == a);
  added(revoked("r2", a, early));
  CHECK(find({azr("1")}) == b);
}

TEST_CASE_FIXTURE(Family,
                  "a late event belongs where its reference put it, though it names another") {
  const Accepted merged = added(merge("m1", a, b));
  const Accepted early = added(correction("c1", by({azr("1")}), identity_of("e1")));
  CHECK(added(draft("e1", by({azr("2")}))).procedure == early.procedure);
  CHECK(early.procedure == a);
  // What refers to each other is of one procedure: this would be of two.
  const Accepted other = added(draft("e2", by({azr("2")})));
  added(correction("c3", by({azr("1")}), identity_of("c2")));
  CHECK(refused(correction("c2", by({azr("2")}), other.transaction_id)) ==
        Refusal::reference_mismatch);
  CHECK(accepted(merge("m1", a, b)).transaction_id == merged.transaction_id);
}

TEST_CASE_FIXTURE(Family, "a late event that closes a chain too long to follow is refused") {
  EventKey last = added(draft("e0", a)).transaction_id;
  std::vector<Draft> chain;
  for (int link = 1; link <= 1000; ++link) {
    const std::string id = "e" + std::to_string(link);
    chain.push_back(correction(id, a, last));
    last = identity_of(id);
  }
  for (const Outcome& outcome : send(std::move(chain))) {
    REQUIRE(std::holds_alternative<Accepted>(outcome));
  }
  added(correction("after", a, identity_of("late")));
  CHECK(refused(correction("late", a, last)) == Refusal::reference_cycle);
  CHECK(added(correction("late", a, identity_of("e900"))).procedure == a);
}

TEST_CASE_FIXTURE(Family, "new procedures can be merged, and into new ones") {
  const Accepted from_new = added(merge("m1", by({azr("8")}), a));
  CHECK(from_new.procedure != a);
  CHECK(find({azr("8")}) == a);
  const Accepted into_new = added(merge("m2", b, by({azr("9")})));
  CHECK(into_new.merged_into == find({azr("9")}));
  CHECK(find({azr("2")}) == into_new.merged_into);
}

TEST_CASE_FIXTURE(Family, "a merge that was revoked or corrected away no longer leads on") {
  const Accepted merged = added(merge("m1", a, b));
  Draft revoke = revocation("m2", a, merged.transaction_id, kBamf);
  revoke.transaction.status = kMerge;
  CHECK(added(revoke).procedure == a);
  CHECK(added(draft("e1", by({azr("1")}))).procedure == a);

  const Accepted second = added(merge("m3", a, b));
  Draft replace = merge("m4", a, c);
  replace.corrects = second.transaction_id;
  CHECK(added(replace).merged_into == c);
  CHECK(find({azr("1")}) == c);
}

TEST_CASE_FIXTURE(Family, "a new identifier that both sides of a merge name is the first one's") {
  const Accepted merged =
      added(merge("m1", by({azr("1"), eurodac("E9")}), by({azr("2"), eurodac("E9")})));
  CHECK(find({eurodac("E9")}) == b);
  Draft revoke = revocation("m2", a, merged.transaction_id, kBamf);
  revoke.transaction.status = kMerge;
  added(revoke);
  CHECK(find({eurodac("E9")}) == a);
}
