// Corrections, revocations and merges, in whatever order they come: the store accepts the same
// events, and what they amount to is the same. Sets of events are made at random and sent in every
// order (small ones) or in many (larger ones), each order about persons of its own. With
// FLORA_SOAK=1 many more; FLORA_SEED repeats a run.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "gateway/model/history.h"
#include "tests/gateway/memory_ledger.h"
#include "tests/gateway/store_fixture.h"
#include "tests/slow_build.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;

namespace {

constexpr std::size_t kPersons = 4;
constexpr std::size_t kNone = ~std::size_t{0};

/// One event of a set. Events refer to earlier ones of the list by their place in it.
struct Event {
  std::size_t person = 0;
  bool by_bamf = false;
  std::string status = "AKTENANLAGE_ERFOLGT";
  std::int32_t day = 0;
  std::optional<std::int32_t> sequence;
  std::size_t corrects = kNone;
  std::size_t revokes = kNone;
  std::size_t merged_into = kNone;  // A person.
  bool second_identifier = false;
};

using Set = std::vector<Event>;
using Order = std::vector<std::size_t>;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Set set(std::size_t size) {
    Set made;
    while (made.size() < size) made.push_back(event(made));
    std::vector<std::int32_t> numbers(size);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::shuffle(numbers.begin(), numbers.end(), random_);
    for (std::size_t i = 0; i < size; ++i) made[i].sequence = numbers[i];
    return made;
  }

  Order order(std::size_t size) {
    Order made(size);
    std::iota(made.begin(), made.end(), std::size_t{0});
    std::shuffle(made.begin(), made.end(), random_);
    return made;
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  Event event(const Set& earlier) {
    Event made;
    made.person = below(kPersons);
    made.day = 20'000 + static_cast<std::int32_t>(below(5));
    made.second_identifier = below(3) == 0;
    const std::size_t kind = below(10);
    if (earlier.empty() || kind < 2) {
      made.by_bamf = below(2) == 0;
      if (below(2) == 0) made.status = "ANHOERUNG_ERFOLGT";
    } else if (kind < 5) {
      merge(made);
    } else {
      refer(made, earlier, kind < 8);
    }
    return made;
  }

  void merge(Event& made) {
    made.by_bamf = true;
    made.status = kMerge;
    made.merged_into = (made.person + 1 + below(kPersons - 1)) % kPersons;
  }

  // What came before another is reported by the same authority: nobody else knows its identity.
  void refer(Event& made, const Set& earlier, bool revokes) {
    const std::size_t target = below(earlier.size());
    made.person = earlier[target].person;
    made.by_bamf = earlier[target].by_bamf;
    made.status = earlier[target].status;
    (revokes ? made.revokes : made.corrects) = target;
    if (revokes) return;
    if (made.status == kMerge) {
      merge(made);
    } else if (below(2) == 0) {
      made.status = "ANKUNFT_AE";
    }
  }

  std::mt19937 random_;
};

/// The store with the ledger behind it. Each world has persons and events of its own.
struct World {
  explicit World(std::size_t number) : name("w" + std::to_string(number)) {}

  Identifier person(std::size_t which) const { return azr(name + "-" + std::to_string(which)); }
  std::string id(std::size_t event) const { return name + "-e" + std::to_string(event); }

  Draft draft_of(const Set& set, std::size_t which) const {
    const Event& event = set[which];
    const std::string_view authority = event.by_bamf ? kBamf : kAe;
    std::vector<Identifier> identifiers = {person(event.person)};
    if (event.second_identifier) {
      identifiers.push_back(eurodac(name + "-" + std::to_string(event.person)));
    }
    Draft made = draft(id(which), by(std::move(identifiers)), authority);
    if (event.corrects != kNone) made.corrects = identity_of(id(event.corrects), authority);
    if (event.revokes != kNone) made.revokes = identity_of(id(event.revokes), authority);
    if (event.merged_into != kNone) made.merged_into = by({person(event.merged_into)});
    Transaction& t = made.transaction;
    t.status = event.status;
    t.occurred = Day{event.day};
    t.source_sequence = event.sequence;
    return made;
  }

  std::string name;
  std::map<Uuid, std::size_t> events;             // By transaction id.
  std::map<Uuid, std::set<std::size_t>> persons;  // By pseudonym.
  std::map<Uuid, std::vector<HistoryEntry>> entries;
  std::vector<bool> accepted;
};

struct Fixture : TestStore {
  Fixture() {
    options.ledger = &ledger;
    reopen();
  }

  // What is accepted goes on to the ledger.
  std::vector<Outcome> send_on(std::vector<Draft> drafts) {
    std::vector<Outcome> outcomes = send(std::move(drafts));
    for (const Outcome& outcome : outcomes) {
      const auto* one = std::get_if<Accepted>(&outcome);
      if (one == nullptr || one->repeat) continue;
      ledger.append(one->transaction_id, one->body);
      store->committed_through(one->number);
    }
    // The outbox forgets it with the next commit.
    REQUIRE(refused(draft("x", random_uuid(env))) == Refusal::procedure_unknown);
    return outcomes;
  }

  flora::test::MemoryLedger ledger;
};

void note(World& world, const Set& set, std::size_t which, const Outcome& outcome,
          std::uint64_t index) {
  const auto* accepted = std::get_if<Accepted>(&outcome);
  world.accepted[which] = accepted != nullptr;
  if (accepted == nullptr) return;
  Transaction t = transaction_of(*accepted);
  world.events[t.id] = which;
  world.persons[t.procedure].insert(set[which].person);
  if (t.merged_into) world.persons[*t.merged_into].insert(set[which].merged_into);
  world.entries[t.procedure].push_back({index, true, std::move(t), true, {}, {}});
}

std::string name_of(const World& world, const std::optional<Uuid>& event) {
  if (!event) return "-";
  const auto known = world.events.find(*event);
  return known == world.events.end() ? "?" : std::to_string(known->second);
}

/// The person that a procedure is about.
std::string person_of(const World& world, const std::optional<Uuid>& procedure) {
  if (!procedure) return "-";
  const auto known = world.persons.find(*procedure);
  REQUIRE(known != world.persons.end());
  REQUIRE(known->second.size() == 1);
  return std::to_string(*known->second.begin());
}

/// All that must not depend on the order, in words.
std::string state_of(World& world, Fixture& fixture) {
  std::string text = "accepted ";
  for (const bool one : world.accepted) text += one ? '+' : '-';
  std::vector<HistoryEntry> all;
  for (const auto& [procedure, entries] : world.entries) {
    all.insert(all.end(), entries.begin(), entries.end());
  }
  settle(all);
  const std::map<Uuid, Uuid> leads = remaining(merges_in_effect(all));
  for (const HistoryEntry& entry : all) {
    const Transaction& t = entry.transaction;
    text += "\n" + name_of(world, t.id) + " of " + person_of(world, t.procedure) + " " + t.status +
            " corrects " + name_of(world, t.corrects) + " revokes " + name_of(world, t.revokes) +
            " into " + person_of(world, t.merged_into) + (entry.effective ? " holds" : "") +
            " replaced " + name_of(world, entry.replaced_by) + " revoked " +
            name_of(world, entry.revoked_by);
  }
  for (std::size_t person = 0; person < kPersons; ++person) {
    const auto found = fixture.find({world.person(person)});
    const auto second = fixture.find({eurodac(world.name + "-" + std::to_string(person))});
    if (second) CHECK(second == found);
    text += "\nperson " + std::to_string(person) + " is " + person_of(world, found);
  }
  // The mapping and the read model agree.
  for (const auto& [procedure, persons] : world.persons) {
    const auto led = leads.find(procedure);
    const Uuid remains = led == leads.end() ? procedure : led->second;
    CHECK(fixture.find({world.person(*persons.begin())}) == remains);
  }
  return text;
}

/// Sends the set in each of the orders; a part of each goes to the ledger before the rest comes.
std::vector<std::string> states_of(Fixture& fixture, Generator& generator, const Set& set,
                                   const std::vector<Order>& orders, std::size_t& number) {
  std::vector<World> worlds;
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    worlds.emplace_back(number++);
    worlds.back().accepted.resize(set.size());
    cuts.push_back(generator.below(set.size() + 1));
  }
  for (const bool before : {true, false}) {
    std::vector<Draft> drafts;
    std::vector<std::pair<std::size_t, std::size_t>> sent;
    for (std::size_t world = 0; world < worlds.size(); ++world) {
      const std::size_t first = before ? 0 : cuts[world];
      const std::size_t last = before ? cuts[world] : set.size();
      for (std::size_t place = first; place < last; ++place) {
        drafts.push_back(worlds[world].draft_of(set, orders[world][place]));
        sent.emplace_back(world, orders[world][place]);
      }
    }
    const std::uint64_t size = fixture.ledger.size();
    const auto outcomes = fixture.send_on(std::move(drafts));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      note(worlds[sent[i].first], set, sent[i].second, outcomes[i], size + i);
    }
  }
  std::vector<std::string> states;
  for (World& world : worlds) states.push_back(state_of(world, fixture));
  return states;
}

std::string text_of(const Order& order) {
  std::string text;
  for (const std::size_t one : order) text += std::to_string(one) + " ";
  return text;
}

std::vector<Order> every_order(std::size_t size) {
  Order order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<Order> orders;
  do {
    orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return orders;
}

unsigned seed() {
  const char* given = std::getenv("FLORA_SEED");
  const unsigned value = given == nullptr ? std::random_device{}()
                                          : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  MESSAGE("FLORA_SEED=", value);
  return value;
}

std::size_t rounds(std::size_t count) {
  if (std::getenv("FLORA_SOAK") != nullptr) return count * 20;
  return flora::test::kSlowBuild ? count / 5 : count;
}

void expect_same(Fixture& fixture, Generator& generator, const Set& set,
                 const std::vector<Order>& orders, std::size_t& number) {
  const auto states = states_of(fixture, generator, set, orders, number);
  REQUIRE(states.front().starts_with("accepted " + std::string(set.size(), '+')));
  for (std::size_t i = 1; i < states.size(); ++i) {
    CAPTURE(text_of(orders[i]));
    REQUIRE(states[i] == states.front());
  }
}

/// How many are accepted in each order, and which one is not: its place in that order.
std::set<std::size_t> places_refused(Fixture& fixture, const Set& set) {
  Generator generator(1);
  std::size_t number = 0;
  const auto orders = every_order(set.size());
  const auto states = states_of(fixture, generator, set, orders, number);
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const std::string_view accepted = std::string_view(states[i]).substr(9, set.size());
    REQUIRE(std::ranges::count(accepted, '-') <= 1);
    const std::size_t refused = accepted.find('-');
    places.insert(
        refused == accepted.npos
            ? kNone
            : static_cast<std::size_t>(std::ranges::find(orders[i], refused) - orders[i].begin()));
  }
  return places;
}

Event about(std::size_t person) {
  Event made;
  made.person = person;
  return made;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a few events amount to the same in every order of arrival") {
  Generator generator(seed());
  std::size_t number = 0;
  for (std::size_t round = 0; round < rounds(30); ++round) {
    const std::size_t size = 2 + generator.below(4);
    expect_same(*this, generator, generator.set(size), every_order(size), number);
  }
}

TEST_CASE_FIXTURE(Fixture, "many events amount to the same in any order of arrival") {
  Generator generator(seed());
  std::size_t number = 0;
  for (std::size_t round = 0; round < rounds(40); ++round) {
    const std::size_t size = 8 + generator.below(12);
    const Set set = generator.set(size);
    std::vector<Order> orders = {every_order(1).front()};
    orders.front().resize(size);
    std::iota(orders.front().begin(), orders.front().end(), std::size_t{0});
    orders.push_back({orders.front().rbegin(), orders.front().rend()});
    for (int more = 0; more < 18; ++more) orders.push_back(generator.order(size));
    expect_same(*this, generator, set, orders, number);
  }
}

TEST_CASE(
    "where not all events fit each other, the one that comes last is refused, whichever it is") {
  // Three that correct each other in a circle.
  Set circle(3, about(0));
  for (std::size_t i = 0; i < 3; ++i) circle[i].corrects = (i + 1) % 3;
  CHECK(places_refused(*std::make_unique<Fixture>(), circle) == std::set<std::size_t>{2});

  // A revocation that does not repeat the status.
  Set other_status(2, about(0));
  other_status[1].revokes = 0;
  other_status[1].status = "ANHOERUNG_ERFOLGT";
  CHECK(places_refused(*std::make_unique<Fixture>(), other_status) == std::set<std::size_t>{1});

  // A report that replaces a merge.
  Set no_merge(2, about(0));
  no_merge[0].by_bamf = no_merge[1].by_bamf = true;
  no_merge[0].status = kMerge;
  no_merge[0].merged_into = 1;
  no_merge[1].corrects = 0;
  CHECK(places_refused(*std::make_unique<Fixture>(), no_merge) == std::set<std::size_t>{1});

  // A correction about another person.
  Set other_person(2, about(0));
  other_person[1] = about(1);
  other_person[1].corrects = 0;
  CHECK(places_refused(*std::make_unique<Fixture>(), other_person) == std::set<std::size_t>{1});
}

TEST_CASE_FIXTURE(Fixture, "of rival corrections without numbers the one that came last holds") {
  Set set(3, about(0));
  set[1].corrects = set[2].corrects = 0;
  Generator generator(1);
  std::size_t number = 0;
  const auto orders = every_order(3);
  const auto states = states_of(*this, generator, set, orders, number);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const bool second_is_later =
        std::ranges::find(orders[i], std::size_t{2}) > std::ranges::find(orders[i], std::size_t{1});
    const std::string holds = second_is_later ? "\n2 of 0" : "\n1 of 0";
    const std::string line = states[i].substr(states[i].find(holds) + 1);
    CHECK(line.substr(0, line.find('\n')).find("holds") != line.npos);
  }
}
