// `flora-gateway policy explain` says what the gateway would decide, and by which rule.
#include <doctest/doctest.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "ledger-client/embedded/embedded_ledger.h"
#include "tests/fake_env.h"
#include "tests/temporary_folder.h"

using namespace flora;
using namespace flora::commands;

namespace {

using Json = nlohmann::json;
using Options = std::vector<std::pair<std::string, std::string>>;

// What a command writes to a stream while it lives.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Captured() { stream_.rdbuf(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* before_;
};

struct Fixture {
  Fixture() {
    auto loaded = settings::load(std::string(FLORA_SOURCE_DIR) + "/config/gateway.yaml",
                                 {folder.path(), 0, 0}, env);
    REQUIRE(loaded.has_value());
    settings = std::move(*loaded);
  }

  std::string explain(const Options& options) {
    const Captured out(std::cout);
    REQUIRE(commands::policy(settings, {{"policy", "explain"}, options}, env) == kDone);
    return out.text();
  }

  Json explain_json(Options options) {
    options.emplace_back("--json", "");
    return Json::parse(explain(options));
  }

  std::string mistake(const Options& options) {
    const Captured error(std::cerr);
    CHECK(commands::policy(settings, {{"policy", "explain"}, options}, env) == kUsage);
    return error.text();
  }

  FakeEnv env;
  TemporaryFolder folder;
  settings::Settings settings;
};

Options reading(const std::string& who, const std::vector<std::string>& entries) {
  Options options = {{"--as", who}, {"--operation", "getHistory"}};
  for (const std::string& entry : entries) options.emplace_back("--entry", entry);
  return options;
}

Transaction entry(std::uint8_t number, std::string status, std::string authority, std::string role,
                  std::string land) {
  Transaction made;
  made.id.bytes[6] = std::byte(0x70);
  made.id.bytes[8] = std::byte(0x80);
  made.id.bytes[15] = std::byte(number);
  made.procedure.bytes[6] = std::byte(0x40);
  made.procedure.bytes[8] = std::byte(0x80);
  made.procedure.bytes[15] = std::byte(0x2a);
  made.status = std::move(status);
  made.occurred = Day{20'000 + number};
  made.recorded_at = Instant{1'800'000'000'000 + number};
  made.authority = std::move(authority);
  made.role = std::move(role);
  made.land = std::move(land);
  made.channel = "default";
  made.catalogue = "2026-11";
  return made;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a reading is explained entry by entry") {
  const std::string text =
      explain(reading("999903", {"REGISTRIERUNG_ABGESCHLOSSEN:999902",
                                 "ZUWEISUNG_KOMMUNE:999902:999903", "BESCHEID_ERLASSEN:999901"}));
  CHECK(text ==
        "getHistory by development-999903 (ABH, DE-NI, CASEWORK): ALLOWED\n"
        "  The role ABH reads PROCEDURES by RECEIVING_AUTHORITY, REPORTER; RECEIVING_AUTHORITY "
        "holds. Source: contract.md, Competence: the receiving authority.\n"
        "  1 REGISTRIERUNG_ABGESCHLOSSEN by 999902: WHOLE. Nothing withholds it.\n"
        "  2 ZUWEISUNG_KOMMUNE by 999902: WHOLE. Nothing withholds it.\n"
        "  3 BESCHEID_ERLASSEN by 999901: HIDDEN. Withheld until the decision is served. Source: "
        "domain.md §2: the ABH may act on a decision only after service.\n");
}

TEST_CASE_FIXTURE(Fixture, "machines get the same as JSON") {
  const Json hidden = explain_json(reading("000160", {"REGISTRIERUNG_ABGESCHLOSSEN:999902"}));
  CHECK(hidden["answer"] == "AS_IF_UNKNOWN");
  CHECK(hidden["entries"][0]["show"] == "HIDDEN");
  CHECK(hidden["role"] == "AE");
  CHECK(explain_json(reading("999990", {}))["answer"] == "REFUSED");
  const Json officer = explain_json(reading("musterstadt-datenschutz", {}));
  CHECK(officer["answer"] == "REFUSED");
  CHECK(officer["duty"] == "DATA_PROTECTION");
  CHECK(officer["reason"] ==
        "The operation getHistory is not open to clients of the duty DATA_PROTECTION.");
}

TEST_CASE_FIXTURE(Fixture, "a report is explained by the catalogue") {
  const auto report = [this](const std::string& who, const std::string& status,
                             const std::string& reporter) {
    return explain_json({{"--as", who},
                         {"--operation", "submitStatusEvents"},
                         {"--status", status},
                         {"--reporter", reporter}});
  };
  CHECK(report("999902", "ANKUNFT_AE", "999902")["answer"] == "ALLOWED");
  CHECK(report("999902", "ANKUNFT_AE", "000160")["reason"] ==
        "The client may not report for this authority.");
  const Json refused = report("999902", "BESCHEID_ERLASSEN", "999902");
  CHECK(refused["answer"] == "REFUSED");
  CHECK(refused["reason"] ==
        "The role AE does not report BESCHEID_ERLASSEN; the catalogue names BAMF.");
  CHECK(report("bamf-loeschung", "ID_CHECK_ABGESCHLOSSEN", "999901")["answer"] == "REFUSED");
}

TEST_CASE_FIXTURE(Fixture, "the facts may be those of the ledger") {
  {
    auto ledger = ledger::EmbeddedLedger::open(
        {settings.ledger_database(), settings.ledger_checkpoint_file, settings.ledger_origin,
         std::move(*crypto::Ed25519Key::from_seed(as_bytes(std::string(32, 'l'))))},
        env);
    REQUIRE_MESSAGE(ledger.has_value(), ledger.error().message);
    std::vector<LedgerEntry> entries;
    for (const Transaction& one : {entry(1, "REGISTRIERUNG_ABGESCHLOSSEN", "999902", "AE", "DE-NI"),
                                   entry(2, "EILANTRAG_EINGEGANGEN", "999901", "BAMF", "DE")}) {
      entries.push_back({one.id, to_canonical(one)});
    }
    (*ledger)->submit(std::move(entries), [](auto) {});
  }
  const Options options = {{"--as", "999902"},
                           {"--operation", "getHistory"},
                           {"--procedure", "00000000-0000-4000-8000-00000000002a"}};
  const Json explained = explain_json(options);
  REQUIRE(explained["entries"].size() == 2);
  CHECK(explained["entries"][0]["show"] == "WHOLE");
  CHECK(explained["entries"][1]["show"] == "HIDDEN");
  Options other = options;
  other.back().second = "00000000-0000-4000-8000-00000000002b";
  CHECK(explain_json(other)["answer"] == "AS_IF_UNKNOWN");
}

TEST_CASE_FIXTURE(Fixture, "what cannot be explained is said") {
  CHECK(mistake({}).find("policy explain --as") != std::string::npos);
  CHECK(mistake(reading("123456", {})).find("--as: ") != std::string::npos);
  CHECK(mistake(reading("999902", {"ANKUNFT_AE"})).find("--entry needs") != std::string::npos);
  CHECK(mistake(reading("999902", {"ANKUNFT:999902"})).find("--entry needs") != std::string::npos);
  CHECK(mistake(reading("999902", {"ANKUNFT_AE:123456"})).find("no such authority") !=
        std::string::npos);
  CHECK(mistake({{"--as", "999902"}, {"--operation", "readAll"}}).find("--operation: ") !=
        std::string::npos);
  CHECK(mistake({{"--as", "999902"}, {"--operation", "submitStatusEvents"}, {"--status", "X"}})
            .find("--status: ") != std::string::npos);
  CHECK(mistake({{"--as", "999902"}, {"--operation", "getHistory"}, {"--procedure", "x"}})
            .find("--procedure needs") != std::string::npos);
}
