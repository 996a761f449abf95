// The structural guard: it refuses no good data, and every member that is loosened.
#include "gateway/privacy/guard.h"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "gateway/base/bytes.h"
#include "tests/fake_env.h"
#include "tests/gateway/details_examples.h"
#include "tests/slow_build.h"

using namespace flora;
using privacy::Guard;

namespace {

Catalogue read_catalogue() {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = Catalogue::parse(text.str(), "statuses.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return std::move(*parsed);
}

const std::string kHash(64, 'a');

struct Fixture {
  Fixture() : catalogue(read_catalogue()), document(load()), guard(make()) {
    adapters.add({"de-ni-xauslaender", "1.0.0", kHash});
  }

  static openapi::Document load() {
    auto loaded = openapi::Document::load();
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    return std::move(*loaded);
  }

  Guard make() const {
    privacy::ClosedLists lists;
    lists.channels = {"default"};
    lists.catalogues = {"2026-11"};
    lists.adapters = &adapters;
    auto made = Guard::make(document, catalogue, std::move(lists));
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return std::move(*made);
  }

  Result<void> check(const Transaction& t, const StatusEvent& event) const {
    return guard.check(t, event, {authorities, sites});
  }

  const std::set<std::string, std::less<>> authorities = {"000250", "000160", "099045", "999905"};
  const std::set<std::string, std::less<>> sites = {"MUSTERSTADT", "DRESDEN"};
  privacy::KnownAdapters adapters;
  Catalogue catalogue;
  openapi::Document document;
  Guard guard;
};

/// A transaction with every member, of a status with an appointment.
Transaction full() {
  Transaction t;
  t.status = "AVB_TERMIN_GEPLANT";
  t.regime = "GEAS";
  t.occurred = *parse_instant("2026-11-03T08:15:30.123Z");
  t.source_sequence = 9999;
  t.authority = "000250";
  t.role = "AE";
  t.land = "DE-NI";
  t.site = "MUSTERSTADT";
  t.channel = "default";
  t.catalogue = "2026-11";
  t.details = R"({"stufe":2,"terminUm":"2026-11-20T09:30:00.000Z"})";
  t.adapter = AdapterMark{"de-ni-xauslaender", "1.0.0", kHash};
  return t;
}

StatusEvent event_of(const std::string& value = "") {
  StatusEvent event;
  event.identity = {"urn:example:land-system", "e-4711"};
  if (value.empty()) return event;
  event.procedure.identifiers.push_back({IdentifierType::azr_nummer, value});
  event.procedure.written.push_back(value);
  return event;
}

std::string random_digits(std::mt19937_64& random, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += static_cast<char>('0' + random() % 10);
  return out;
}

template <typename T>
const T& pick(std::mt19937_64& random, const std::vector<T>& from) {
  return from[random() % from.size()];
}

/// Identifiers as they may come with an event, in forms that their types have.
StatusEvent random_event(std::mt19937_64& random) {
  StatusEvent event;
  const auto add = [](ProcedureReference& to, IdentifierType type, const std::string& text) {
    const auto normal = normal_form(type, text);
    REQUIRE(normal.has_value());
    to.identifiers.push_back({type, *normal});
    to.written.push_back(text);
  };
  add(event.procedure, IdentifierType::azr_nummer,
      "260" + std::to_string(1 + random() % 9) + "15" + random_digits(random, 6));
  add(event.procedure, IdentifierType::bamf_aktenzeichen, random_digits(random, 8) + "-475");
  add(event.procedure, IdentifierType::eurodac_nummer,
      "DE1" + random_digits(random, 6) + "NI1" + random_digits(random, 5));
  event.merged_into.emplace();
  add(*event.merged_into, IdentifierType::ankunftsnachweis, "A " + random_digits(random, 7));
  event.identity = {"urn:example:" + random_digits(random, 6),
                    "az-" + random_digits(random, 7) + "/" + std::to_string(random() % 100)};
  return event;
}

Transaction random_transaction(std::mt19937_64& random, FakeEnv& env, const Catalogue& catalogue) {
  static const std::vector<std::string> authorities = {"000250", "000160", "099045", "999905"};
  static const std::vector<std::string> lands = {"DE-NI", "DE-NW", "DE", "DE-BB", "DE-TH"};
  static const std::vector<std::string> roles = {"AE", "LD", "ABH", "BAMF"};
  static const std::vector<std::string> regimes = {"", "ALT", "GEAS"};
  static const std::vector<std::string> sites = {"", "MUSTERSTADT", "DRESDEN"};
  Transaction t;
  t.id = random_uuid(env);
  t.procedure = random_uuid(env);
  env.random(t.salt);
  const Status& status = pick(random, catalogue.statuses());
  t.status = status.name;
  t.details = pick(random, details_examples().at(status.name));
  t.regime = pick(random, regimes);
  if (random() % 2 == 0) {
    t.occurred = Day{static_cast<std::int32_t>(18'000 + random() % 4000)};
  } else {
    t.occurred = Instant{static_cast<std::int64_t>(1'600'000'000'000 + random() % 300'000'000'000)};
  }
  if (random() % 2 == 0) t.source_sequence = static_cast<std::int32_t>(random() % 10'000);
  t.recorded_at = Instant{static_cast<std::int64_t>(1'793'690'130'123 + random() % 1'000'000'000)};
  t.authority = pick(random, authorities);
  t.role = pick(random, roles);
  t.land = pick(random, lands);
  t.site = pick(random, sites);
  t.channel = "default";
  t.catalogue = "2026-11";
  if (random() % 4 == 0) t.corrects = random_uuid(env);
  if (random() % 4 == 1) t.merged_into = random_uuid(env);
  if (random() % 2 == 0) t.adapter = AdapterMark{"de-ni-xauslaender", "1.0.0", kHash};
  return t;
}

}  // namespace

TEST_CASE("the examples cover the statuses of the catalogue") {
  const Catalogue catalogue = read_catalogue();
  CHECK(details_examples().size() == catalogue.statuses().size());
  for (const Status& status : catalogue.statuses()) {
    CAPTURE(status.name);
    CHECK(details_examples().contains(status.name));
  }
}

TEST_CASE("many good transactions with generated ids, hashes and identifiers pass") {
  Fixture fixture;
  std::mt19937_64 random(4711);
  FakeEnv env;
  for (int i = 0; i < (flora::test::kSlowBuild ? 10'000 : 100'000); ++i) {
    const Transaction t = random_transaction(random, env, fixture.catalogue);
    const StatusEvent event = random_event(random);
    const auto allowed = fixture.check(t, event);
    if (!allowed) FAIL(allowed.error().message, ": ", to_canonical(t));
  }
}

TEST_CASE("a transaction whose generated members are still empty passes") {
  Fixture fixture;
  CHECK(fixture.check(full(), event_of("260815123456")).has_value());
}

TEST_CASE("each loosened member is refused, and the refusal shows no value") {
  Fixture fixture;
  const std::string secret = "Erika Mustermann";
  const std::vector<std::pair<const char*, std::function<void(Transaction&)>>> cases = {
      {"status", [&](Transaction& t) { t.status = secret; }},
      {"a status of no catalogue", [](Transaction& t) { t.status = "ERFUNDEN"; }},
      {"regime", [&](Transaction& t) { t.regime = secret; }},
      {"authority", [&](Transaction& t) { t.authority = secret; }},
      {"an unknown authority", [](Transaction& t) { t.authority = "123456"; }},
      {"role", [&](Transaction& t) { t.role = secret; }},
      {"an unknown role", [](Transaction& t) { t.role = "POLIZEI"; }},
      {"land", [&](Transaction& t) { t.land = secret; }},
      {"an unknown Land", [](Transaction& t) { t.land = "DE-XX"; }},
      {"site", [&](Transaction& t) { t.site = secret; }},
      {"an unknown site", [](Transaction& t) { t.site = "ERIKA"; }},
      {"channel", [](Transaction& t) { t.channel = "erika"; }},
      {"catalogue", [](Transaction& t) { t.catalogue = "2026-12"; }},
      {"sequence 10000", [](Transaction& t) { t.source_sequence = 10'000; }},
      {"sequence -1", [](Transaction& t) { t.source_sequence = -1; }},
      {"adapter id", [](Transaction& t) { t.adapter->id = "de-by-anderes"; }},
      {"adapter version", [](Transaction& t) { t.adapter->version = "1.0.1"; }},
      {"adapter hash", [](Transaction& t) { t.adapter->hash = std::string(64, 'b'); }},
      {"details of another status",
       [](Transaction& t) { t.details = R"({"bescheidVom":"2026-10-30"})"; }},
      {"an unknown member", [](Transaction& t) { t.details = R"({"name":"Erika","stufe":2})"; }},
      {"free text", [](Transaction& t) { t.details = R"({"stufe":"Erika Mustermann"})"; }},
      {"a number out of bounds", [](Transaction& t) { t.details = R"({"stufe":10000})"; }},
      {"a text that is no day",
       [](Transaction& t) { t.details = R"({"stufe":2,"terminAm":"2026-02-30"})"; }},
      {"a text behind an instant",
       [](Transaction& t) {
         t.details = R"({"stufe":2,"terminUm":"2026-11-20T09:30:00Z Erika"})";
       }},
      {"nested text", [](Transaction& t) { t.details = R"({"stufe":{"name":"Erika"}})"; }},
      {"an unknown receiving authority",
       [](Transaction& t) {
         t.status = "WEITERLEITUNG";
         t.details = R"({"empfaengerBehoerde":"123456","empfaengerLand":"DE-BB"})";
       }},
      {"a code of no list",
       [](Transaction& t) {
         t.status = "EINSTELLUNG";
         t.details = R"({"grund":)" + coded("asyl.einstellungsgrund", "2", "77") + "}";
       }},
      {"a list that is not known",
       [](Transaction& t) {
         t.status = "EINSTELLUNG";
         t.details = R"({"grund":)" + coded("erika", "2", "01") + "}";
       }},
  };
  for (const auto& loosened : cases) {
    const std::string_view what = loosened.first;
    CAPTURE(what);
    Transaction t = full();
    loosened.second(t);
    const auto allowed = fixture.check(t, event_of());
    CHECK_FALSE(allowed.has_value());
    if (allowed) continue;
    CHECK(allowed.error().code == Errc::invalid);
    for (const char* value : {"Erika", "123456", "10000", "ERFUNDEN", "POLIZEI"}) {
      CHECK(allowed.error().message.find(value) == std::string::npos);
    }
  }
}

TEST_CASE("an identifier of the event is refused in site and details, however it is written") {
  Fixture fixture;
  // The decimals of an instant are the one place where a schema lets foreign digits stand.
  const auto with_digits = [](const std::string& digits) {
    Transaction t = full();
    t.details = R"({"stufe":2,"terminUm":"2026-11-20T09:30:00.)" + digits + R"(Z"})";
    return t;
  };
  const auto check = [&](const Transaction& t, IdentifierType type, const std::string& written) {
    CAPTURE(written);
    StatusEvent event = event_of();
    event.procedure.identifiers.push_back({type, *normal_form(type, written)});
    event.procedure.written.push_back(written);
    CHECK_FALSE(fixture.check(t, event).has_value());
    // The same for the procedure that remains of two.
    std::swap(event.procedure.identifiers, event.merged_into.emplace().identifiers);
    std::swap(event.procedure.written, event.merged_into->written);
    CHECK_FALSE(fixture.check(t, event).has_value());
  };
  REQUIRE(fixture.check(with_digits("123456789"), event_of("123456788")).has_value());
  check(with_digits("1234567"), IdentifierType::bamf_aktenzeichen, "1234567");
  check(with_digits("1234567"), IdentifierType::bamf_aktenzeichen, "1234567-475");
  check(with_digits("12345671"), IdentifierType::bamf_aktenzeichen, "1234567-1");
  check(with_digits("912345679"), IdentifierType::bamf_aktenzeichen, " 1234567-475 ");
  check(with_digits("123456789"), IdentifierType::d_nummer, "12-34/56 789");

  Transaction with_site = full();
  for (const char* site : {"D1234567", "A 1234567", "A1234567"}) {
    with_site.site = site;
    check(with_site, IdentifierType::ankunftsnachweis, "a1234567");
  }
}

TEST_CASE("the sender's own id and source are refused in site and details") {
  Fixture fixture;
  Transaction t = full();
  t.details = R"({"stufe":2,"terminUm":"2026-11-20T09:30:00.7654321Z"})";
  StatusEvent event = event_of();
  CHECK(fixture.check(t, event).has_value());
  event.identity.id = "7654321";
  CHECK_FALSE(fixture.check(t, event).has_value());
  event.identity = {"765-43-21", "e1"};
  CHECK_FALSE(fixture.check(t, event).has_value());
  // An id that is a day is no trace of a person.
  t.details = R"({"stufe":2,"terminAm":"2026-11-20"})";
  event.identity = {"urn:example", "2026-11-20"};
  CHECK(fixture.check(t, event).has_value());
}

TEST_CASE("a catalogue that names a schema which the document lacks is refused") {
  Fixture fixture;
  const auto catalogue = Catalogue::parse(
      "version: 2026-11\nstatuses:\n  - {name: A, label: {de: a, en: a}, subprocess: I, "
      "reporters: [AE], details: DetailsErfunden}\n",
      "x.yaml");
  REQUIRE(catalogue.has_value());
  const auto guard = Guard::make(fixture.document, *catalogue, {});
  REQUIRE_FALSE(guard.has_value());
  CHECK(guard.error().code == Errc::not_found);
}

TEST_CASE("a tombstone names a known authority and channel, and nothing else") {
  const Fixture fixture;
  Tombstone tombstone;
  tombstone.authority = "099045";
  tombstone.channel = "default";
  const auto check = [&fixture](const Tombstone& one) {
    return fixture.guard.check(one, {fixture.authorities, fixture.sites});
  };
  CHECK(check(tombstone).has_value());
  for (const char* authority : {"000999", "2608150", "x"}) {
    Tombstone loosened = tombstone;
    loosened.authority = authority;
    const auto refused = check(loosened);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find(authority) == std::string::npos);
  }
  Tombstone elsewhere = tombstone;
  elsewhere.channel = "another";
  CHECK_FALSE(check(elsewhere).has_value());
}
