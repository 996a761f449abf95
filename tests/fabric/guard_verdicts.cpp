// What the gateway's guard says of many texts, most of them broken in one place or several: the
// chaincode must say the same (ledger-client/fabric/chaincode/parity_test.go).
//   guard_verdicts <count>   prints a line for each text: `valid` or `invalid`, and its bytes in
//   hex
// The texts are the same in every run.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "gateway/base/bytes.h"
#include "gateway/base/json.h"
#include "gateway/policy/policy.h"
#include "gateway/privacy/guard.h"
#include "tests/fake_env.h"
#include "tests/gateway/details_examples.h"

namespace flora {
namespace {

using Random = std::mt19937_64;
constexpr std::size_t kMaxBytes = 65535;  // As ledger-client/fabric/chaincode/guard.go.

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(result).value();
  std::cerr << result.error().message << "\n";
  std::exit(1);
}

std::string read_config(const std::string& name) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <typename T>
const T& pick(Random& random, const std::vector<T>& from) {
  return from[random() % from.size()];
}

bool one_in(Random& random, unsigned n) { return random() % n == 0; }

/// The gateway's guard for texts, as they come to the ledger.
class TextGuard {
 public:
  TextGuard()
      : catalogue_(need(Catalogue::parse(read_config("statuses.yaml"), "statuses.yaml"))),
        policy_(need(policy::Policy::parse(read_config("policy.yaml"), "policy.yaml"))),
        document_(need(openapi::Document::load())) {}

  const Catalogue& catalogue() const { return catalogue_; }
  const policy::Policy& policy() const { return policy_; }

  bool allows(const std::string& text) const {
    json::Document parsed;
    if (text.size() > kMaxBytes || !parsed.parse(text)) return false;
    std::string canonical;
    json::append_canonical(canonical, parsed.root());
    if (canonical != text) return false;
    const auto content = parse_entry(text);
    if (!content) return false;
    return std::visit([this](const auto& one) { return check(one); }, *content);
  }

 private:
  // Every adapter is known: the chaincode judges only the form of its mark.
  privacy::Guard guard_for(const privacy::KnownAdapters& adapters) const {
    return need(privacy::Guard::make(document_, catalogue_,
                                     {{"default"}, {catalogue_.version()}, &adapters}));
  }
  bool check(const Transaction& t) const {
    if (t.adapter) adapters_.add(*t.adapter);
    return guard_.check(t, StatusEvent{}, {policy_.ids(), policy_.sites()}).has_value();
  }
  bool check(const Tombstone& t) const {
    return guard_.check(t, {policy_.ids(), policy_.sites()}).has_value();
  }

  Catalogue catalogue_;
  policy::Policy policy_;
  openapi::Document document_;
  mutable privacy::KnownAdapters adapters_;
  privacy::Guard guard_ = guard_for(adapters_);
};

/// Makes texts that pass, and changes them.
class Texts {
 public:
  Texts(Random& random, const TextGuard& guard)
      : random_(random),
        statuses_(guard.catalogue().statuses()),
        authorities_(guard.policy().ids().begin(), guard.policy().ids().end()),
        sites_(guard.policy().sites().begin(), guard.policy().sites().end()) {}

  std::string next() {
    const std::string good = one_in(random_, 8) ? to_canonical(tombstone()) : to_canonical(full());
    switch (random_() % 7) {
      case 0:
        return good;
      case 1:
      case 2:
        return with_other_members(good);
      case 3:
        return with_other_bytes(good);
      case 4:
        return with_other_order(good);
      case 5:
        return with_other_digits(good);
      default:
        return with_other_details();
    }
  }

 private:
  Instant instant() {
    return {static_cast<std::int64_t>(random_() % 4'102'444'800'000)};  // To the year 2100.
  }

  Transaction full() {
    Transaction t;
    t.id = random_uuid(env_);
    t.procedure = random_uuid(env_);
    env_.random(t.salt);
    const Status& status = pick(random_, statuses_);
    t.status = status.name;
    t.details = pick(random_, details_examples().at(status.name));
    if (!one_in(random_, 3)) t.regime = one_in(random_, 2) ? "ALT" : "GEAS";
    t.occurred = instant();
    if (one_in(random_, 2)) t.occurred = Day{static_cast<std::int32_t>(random_() % 40'000)};
    if (one_in(random_, 2)) t.source_sequence = static_cast<std::int32_t>(random_() % 10'000);
    t.recorded_at = instant();
    t.authority = pick(random_, authorities_);
    t.role = pick(random_, roles_);
    t.land = pick(random_, lands_);
    if (one_in(random_, 2)) t.site = pick(random_, sites_);
    t.channel = "default";
    t.catalogue = "2026-11";
    if (one_in(random_, 4)) t.corrects = random_uuid(env_);
    if (one_in(random_, 4)) t.revokes = random_uuid(env_);
    if (one_in(random_, 4)) t.merged_into = random_uuid(env_);
    if (one_in(random_, 2)) t.adapter = {"de-ni-xauslaender", "1.0.0", std::string(64, 'a')};
    return t;
  }

  Tombstone tombstone() {
    Tombstone t;
    t.id = random_uuid(env_);
    t.procedure = random_uuid(env_);
    t.recorded_at = instant();
    t.authority = pick(random_, authorities_);
    t.channel = "default";
    env_.random(t.salt);
    return t;
  }

  /// A value that may stand somewhere, or nowhere.
  nlohmann::json any_value() {
    switch (random_() % 8) {
      case 0:
        return pick(random_, statuses_).name;
      case 1:
        return pick(random_, authorities_);
      case 2:
        return pick(random_, integers_);
      case 3:
        return one_in(random_, 2);
      case 4:
        return to_string(random_uuid(env_));
      case 5:
        return nlohmann::json::parse(pick(random_, others_));
      default:
        return pick(random_, words_);
    }
  }

  std::string with_other_members(const std::string& good) {
    nlohmann::json tree = nlohmann::json::parse(good);
    const std::size_t changes = 1 + random_() % 2;
    for (std::size_t i = 0; i < changes; ++i) change(tree);
    return tree.dump();
  }

  void change(nlohmann::json& object) {
    const std::string name = pick(random_, names_);
    if (one_in(random_, 3) && object.contains("details")) {
      change(object["details"]);
    } else if (object.is_object() && one_in(random_, 3)) {
      object.erase(name);
    } else if (object.is_object()) {
      object[name] = any_value();
    } else {
      object = any_value();
    }
  }

  std::string with_other_bytes(std::string text) {
    const std::size_t changes = 1 + random_() % 3;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t at = random_() % text.size();
      const auto byte =
          one_in(random_, 2) ? static_cast<char>(random_() % 256) : pick(random_, bytes_);
      if (one_in(random_, 3)) {
        text.erase(at, 1);
      } else if (one_in(random_, 2)) {
        text.insert(at, 1, byte);
      } else {
        text[at] = byte;
      }
    }
    if (one_in(random_, 20)) text += std::string(random_() % (2 * kMaxBytes), ' ');
    return text;
  }

  /// The same content in another text: another order, a member twice, or white space.
  std::string with_other_order(const std::string& good) {
    const nlohmann::json tree = nlohmann::json::parse(good);
    if (one_in(random_, 3)) return tree.dump(1);
    std::vector<std::string> members;
    for (const auto& [name, member] : tree.items()) {
      members.push_back(nlohmann::json(name).dump() + ":" + member.dump());
    }
    std::swap(members[random_() % members.size()], members[random_() % members.size()]);
    if (one_in(random_, 4)) members.push_back(pick(random_, members));
    std::string text = "{";
    for (const std::string& member : members) text += (text.size() > 1 ? "," : "") + member;
    return text + "}";
  }

  /// The same form with other digits: another authority, day or code, which may be none.
  std::string with_other_digits(std::string text) {
    const std::size_t from = random_() % (text.size() + 1);
    const std::size_t at = text.find_first_of("0123456789", from);
    if (at != text.npos) text[at] = static_cast<char>('0' + random_() % 10);
    return text;
  }

  /// Details of another status, which may fit, changed in two of three.
  std::string with_other_details() {
    Transaction t = full();
    if (one_in(random_, 2))
      t.details = pick(random_, details_examples().at(pick(random_, statuses_).name));
    if (t.details.empty()) return to_canonical(t);
    const std::uint64_t change = random_() % 3;
    if (change == 0) return to_canonical(t);
    if (change == 1) {
      t.details = with_other_digits(t.details);
      return to_canonical(t);
    }
    nlohmann::json tree = nlohmann::json::parse(t.details);
    const auto member =
        std::next(tree.begin(), static_cast<std::ptrdiff_t>(random_() % tree.size()));
    if (member->is_object() && one_in(random_, 2)) {
      (*member)[pick(random_, names_)] = any_value();
    } else {
      *member = any_value();
    }
    t.details = tree.dump();
    return to_canonical(t);
  }

  Random& random_;
  FakeEnv env_;
  const std::vector<Status>& statuses_;
  const std::vector<std::string> authorities_;
  const std::vector<std::string> sites_;
  const std::vector<std::string> lands_ = {"DE", "DE-BB", "DE-NI", "DE-NW", "DE-SN", "DE-TH"};
  const std::vector<std::string> roles_ = {"AE", "LD", "ABH", "BAMF"};
  const std::vector<std::string> names_ = {
      "adapter",        "authority",  "catalogue",      "channel",    "code",
      "corrects",       "details",    "grund",          "hash",       "id",
      "kind",           "land",       "list",           "mergedInto", "empfaengerBehoerde",
      "empfaengerLand", "name",       "occurredAt",     "stufe",      "occurredOn",
      "procedure",      "recordedAt", "regime",         "revokes",    "role",
      "salt",           "site",       "sourceSequence", "status",     "terminAm",
      "terminUm",       "v",          "version",        "",           "\u00e4z",
      "\U0001f600"};
  const std::vector<std::int64_t> integers_ = {-1, 0, 1, 2, 3, 9999, 10000, 4294967296};
  const std::vector<std::string> others_ = {"null", "1.5",      "[]",
                                            "{}",   "[1]",      R"({"name":"x"})",
                                            "1e3",  "[[[[]]]]", "18446744073709551615"};
  const std::vector<std::string> words_ = {
      "",
      "ALT",
      "GEAS",
      "DE-NI",
      "DE-XX",
      "BAMF",
      "AUDITOR",
      "MUSTERSTADT",
      "DORTMUND",
      "default",
      "other",
      "2026-11",
      "2026-12",
      "1.0.0",
      "2026-11-20",
      "2026-02-29",
      "2024-02-29",
      "2026-11-20T09:30:00.000Z",
      "2026-11-20T09:30:00Z",
      "2026-11-20T09:30:00.000+01:00",
      "2026-11-20T24:00:00.000Z",
      "2026-11-20t09:30:00.000z",
      "0000-01-01T00:00:00.000Z",
      "123456",
      "09:30",
      "24:00",
      "01",
      "ERASURE",
      "NICHT_ERSCHIENEN",
      "5F0C1F5E-8A4B-4C63-9F0E-2D1C7A9B6E10",
      "00112233445566778899aabbccddeeff",
      "urn:xoev-de:xauslaender:codeliste:asyl:abschlusssachverhalt",
      "M\u00fcller, Anna",
      "\u0001\n\"\\"};
  const std::vector<char> bytes_ = {'0', '9', 'a', 'A', '"', '\\', '{', '}', '[', ']',
                                    ',', ':', ' ', '-', '.', 'e',  'Z', '_', '\n'};
};

int run(std::size_t count) {
  const TextGuard guard;
  Random random(20261127);
  Texts texts(random, guard);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = texts.next();
    std::cout << (guard.allows(text) ? "valid " : "invalid ") << to_hex(as_bytes(text)) << "\n";
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace flora

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: guard_verdicts <count>\n";
    return 2;
  }
  return flora::run(std::strtoul(argv[1], nullptr, 10));
}
