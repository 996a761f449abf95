// Who may do what: each kind of authority and of client, each operation, own and foreign objects,
// each status. What is expected stands in tables that people wrote from the sources (*.csv); the
// engine, the policy and the catalogue are what is judged by them. A fault that is planted in the
// policy or the catalogue must be found by the same cells.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/policy/decision.h"
#include "openapi/document.h"

using namespace flora;
using namespace flora::policy;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + '/' + path);
  REQUIRE_MESSAGE(file.good(), path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A table with a header; its first columns name the row.
class Table {
 public:
  Table(const std::string& name, std::size_t keys) {
    std::istringstream lines(read("tests/policy/" + name));
    std::string line;
    REQUIRE(std::getline(lines, line));
    header_ = cells_of(line);
    while (std::getline(lines, line)) {
      const std::vector<std::string> cells = cells_of(line);
      REQUIRE_MESSAGE(cells.size() == header_.size(), line);
      REQUIRE_MESSAGE(!cells.back().empty(), "a row without its source: ", line);
      std::string key = cells[0];
      for (std::size_t i = 1; i < keys; ++i) key += ' ' + cells[i];
      REQUIRE_MESSAGE(rows_.emplace(key, cells).second, key, " stands there twice");
    }
  }

  const std::string& at(const std::string& row, const std::string& column) const {
    const auto found = std::ranges::find(header_, column);
    const auto cells = rows_.find(row);
    if (found == header_.end() || cells == rows_.end()) FAIL("no cell ", row, ", ", column);
    return cells->second[static_cast<std::size_t>(found - header_.begin())];
  }

  std::set<std::string> keys() const {
    std::set<std::string> keys;
    for (const auto& [key, cells] : rows_) keys.insert(key);
    return keys;
  }

 private:
  // The last cell is quoted; no other holds a comma.
  static std::vector<std::string> cells_of(const std::string& line) {
    const std::string plain = line.substr(0, line.find('"'));
    std::vector<std::string> cells;
    std::istringstream text(plain);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (plain.size() < line.size()) {
      cells.push_back(line.substr(plain.size() + 1, line.size() - plain.size() - 2));
    }
    return cells;
  }

  std::vector<std::string> header_;
  std::map<std::string, std::vector<std::string>> rows_;
};

// One kind of caller: an authority of config/policy.yaml, or a client of it.
struct Kind {
  std::string name;  // In the development header.
  std::string column;
  std::string authority;
  std::string role;
  std::string land;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = {
      {"999902", "AE", "999902", "AE", "DE-NI"},
      {"000160", "AE", "000160", "AE", "DE-NW"},
      {"999904", "LD", "999904", "LD", "DE-SN"},
      {"999903", "ABH", "999903", "ABH", "DE-NI"},
      {"999905", "ABH", "999905", "ABH", "DE-BB"},
      {"999901", "BAMF", "999901", "BAMF", "DE"},
      {"999990", "AUDITOR", "999990", "AUDITOR", "DE"},
      {"musterstadt-datenschutz", "DATA_PROTECTION", "999902", "AE", "DE-NI"},
      {"bamf-datenschutz", "DATA_PROTECTION", "999901", "BAMF", "DE"},
      {"bamf-loeschung", "ERASURE", "999901", "BAMF", "DE"},
  };
  return list;
}

struct Tables {
  Table operations{"operations.csv", 1};
  Table objects{"objects.csv", 2};
  Table statuses{"statuses.csv", 1};
};

const std::set<std::string> kOfProcedures = {"searchProcedures", "getProcedure", "getHistory",
                                             "createSubjectReport"};
const std::set<std::string> kOfTransactions = {"getTransaction", "getReceipt",
                                               "listFailedTransactions", "retryTransaction"};

EntryFacts entry(std::string status, std::string authority, std::string land,
                 bool effective = true) {
  return {std::move(status), std::move(authority), std::move(land), effective, {}, {}};
}

EntryFacts handed(const std::string& land, const std::string& authority, bool effective = true) {
  return {"ZUWEISUNG_KOMMUNE", "000001", "DE-HH", effective, land, authority};
}

// The entries by which a caller stands to a procedure as the row says. 000001 and 000002 are
// foreign authorities, 000003 is another one of the caller's Land.
std::vector<EntryFacts> relation_of(const std::string& row, const Kind& kind) {
  const EntryFacts foreign = entry("REGISTRIERUNG_ABGESCHLOSSEN", "000001", "DE-HH");
  const std::map<std::string, std::vector<EntryFacts>> rows = {
      {"registered_by_itself", {entry("REGISTRIERUNG_ABGESCHLOSSEN", kind.authority, kind.land)}},
      {"registered_in_its_land", {entry("REGISTRIERUNG_ABGESCHLOSSEN", "000003", kind.land)}},
      {"handed_to_itself", {foreign, handed(kind.land, kind.authority)}},
      {"handed_to_its_land", {foreign, handed(kind.land, "000003")}},
      {"only_reported", {foreign, entry("AVB_ANGEBOTEN", kind.authority, kind.land)}},
      {"foreign", {foreign, handed("DE-SL", "000002")}},
      {"registration_revoked",
       {foreign, entry("REGISTRIERUNG_ABGESCHLOSSEN", kind.authority, kind.land, false)}},
      {"handing_over_revoked", {foreign, handed(kind.land, kind.authority, false)}},
  };
  return rows.at(row);
}

// Counts the cells and collects those that are not as the tables say.
class Judge {
 public:
  Judge(const Policy& policy, const Catalogue& catalogue, const Tables& tables)
      : policy_(policy), catalogue_(catalogue), tables_(tables) {}

  void all() {
    for (const Kind& kind : kinds()) {
      const auto caller = policy_.authenticate({std::nullopt, kind.name}, true);
      expect(caller.has_value(), kind.name + " is a caller");
      if (!caller) continue;
      expect(to_string(caller->role) == kind.role && caller->land == kind.land &&
                 caller->authorities == std::vector<std::string>{kind.authority},
             kind.name + " is " + kind.role + " of " + kind.land);
      for (const std::string& operation : tables_.operations.keys()) {
        judge_operation(kind, *caller, operation);
      }
      for (const std::string& status : tables_.statuses.keys()) {
        judge_report(kind, *caller, status);
      }
    }
  }

  std::size_t cells() const { return cells_; }
  const std::vector<std::string>& mismatches() const { return mismatches_; }

 private:
  void expect(bool as_expected, const std::string& cell) {
    ++cells_;
    if (!as_expected) mismatches_.push_back(cell);
  }

  void judge_operation(const Kind& kind, const Caller& caller, const std::string& operation) {
    const bool open = tables_.operations.at(operation, kind.column) == "YES";
    expect(decide(policy_, caller, operation, {}).permitted == open, kind.name + ' ' + operation);
    const bool reads_procedures = open && kOfProcedures.contains(operation);
    const bool reads_transactions = open && kOfTransactions.contains(operation);
    for (const std::string& row : tables_.objects.keys()) {
      const std::string relation = row.substr(row.find(' ') + 1);
      const bool of_procedure = row.starts_with("procedure ");
      if (of_procedure ? !reads_procedures : !reads_transactions) continue;
      const auto base = of_procedure ? relation_of(relation, kind) : std::vector<EntryFacts>();
      for (const std::string& status : tables_.statuses.keys()) {
        const std::string cell = kind.name + ' ' + operation + ' ' + relation + ' ' + status;
        if (of_procedure) {
          judge_procedure(kind, caller, operation, relation, base, status, cell);
        } else {
          judge_transaction(kind, caller, operation, relation, status, cell);
        }
      }
    }
  }

  // The status of another authority, before and after service; and as an own report.
  void judge_procedure(const Kind& kind, const Caller& caller, const std::string& operation,
                       const std::string& relation, const std::vector<EntryFacts>& base,
                       const std::string& status, const std::string& cell) {
    const std::string& scope = tables_.objects.at("procedure " + relation, kind.role);
    for (const bool served : {false, true}) {
      std::vector<EntryFacts> entries = base;
      entries.push_back(entry("BESCHEID_ERLASSEN", "099045", "DE"));
      const std::size_t at = entries.size();
      const bool counts = served || status != "BESCHEID_ZUGESTELLT";
      entries.push_back(entry(status, "099045", "DE", counts));
      if (served) entries.push_back(entry("BESCHEID_ZUGESTELLT", "099045", "DE"));
      const Decision decision = decide(policy_, caller, operation, entries);
      const std::string when = served ? " after service" : " before service";
      expect(decision.permitted && decision.relation.has_value() == (scope != "NOTHING"),
             cell + when + ", seen at all");
      expect(to_string(decision.entries.at(at).show) == shown(kind, scope, status, served),
             cell + when);
    }
    if (tables_.statuses.at(status, kind.role + " reports") != "YES") return;
    std::vector<EntryFacts> entries = base;
    entries.push_back(entry(status, kind.authority, kind.land));
    expect(decide(policy_, caller, operation, entries).entries.back().show == Show::whole,
           cell + ", an own report");
  }

  std::string shown(const Kind& kind, const std::string& scope, const std::string& status,
                    bool served) const {
    if (scope != "ALL") return "HIDDEN";
    const std::string suffix = kind.role != "ABH" ? ""
                               : served           ? " after service"
                                                  : " before service";
    return tables_.statuses.at(status, kind.role + " sees" + suffix);
  }

  void judge_transaction(const Kind& kind, const Caller& caller, const std::string& operation,
                         const std::string& relation, const std::string& status,
                         const std::string& cell) {
    const bool own = relation == "own";
    const bool seen = tables_.objects.at("transaction " + relation, kind.role) == "ALL";
    const Decision decision =
        decide(policy_, caller, operation,
               {own ? entry(status, kind.authority, kind.land) : entry(status, "000001", "DE-HH")});
    expect(decision.relation.has_value() == seen, cell + ", seen at all");
    expect((decision.entries.front().show == Show::whole) == seen, cell);
  }

  // For the own and for a foreign authority.
  void judge_report(const Kind& kind, const Caller& caller, const std::string& name) {
    const Status* status = catalogue_.find(name);
    expect(status != nullptr, "the catalogue has " + name);
    if (status == nullptr) return;
    const bool reports = kind.column == kind.role && kind.role != "AUDITOR";
    const bool may = reports && tables_.statuses.at(name, kind.column + " reports") == "YES";
    const auto denial = may_report(policy_, caller, {kind.authority, {}, {}, {}}, *status);
    expect(denial.has_value() != may, kind.name + " reports " + name);
    const std::string other = kind.authority == "000250" ? "000160" : "000250";
    expect(may_report(policy_, caller, {other, {}, {}, {}}, *status) == Denial::not_your_authority,
           kind.name + " reports " + name + " for another authority");
  }

  const Policy& policy_;
  const Catalogue& catalogue_;
  const Tables& tables_;
  std::size_t cells_ = 0;
  std::vector<std::string> mismatches_;
};

Judge judged(const std::string& policy_text, const std::string& statuses_text, const Tables& tables,
             Policy& policy, Catalogue& catalogue) {
  auto parsed = Policy::parse(policy_text, "policy.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  policy = std::move(*parsed);
  auto read = Catalogue::parse(statuses_text, "statuses.yaml");
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  catalogue = std::move(*read);
  Judge judge(policy, catalogue, tables);
  judge.all();
  return judge;
}

struct Fault {
  const char* name;
  const char* file;   // Of config/.
  const char* after;  // The change is made behind this text.
  const char* from;
  const char* to;
};

constexpr const char* kPolicyFile = "policy.yaml";
constexpr const char* kStatusFile = "statuses.yaml";

const std::vector<Fault>& faults() {
  static const std::vector<Fault> list = {
      {"an auditor reads procedures", kPolicyFile, "role: AUDITOR\n", "log_entries: [ALL]",
       "log_entries: [ALL]\n    procedures: [ALL]"},
      {"an auditor reads receipts", kPolicyFile, "role: AUDITOR\n", "log_entries: [ALL]",
       "log_entries: [ALL]\n    transactions: [ALL]"},
      {"an auditor reads nothing", kPolicyFile, "role: AUDITOR\n", "log_entries: [ALL]",
       "log_entries: []"},
      {"an AE reads entry bundles", kPolicyFile, "- role: AE\n", "transactions: [REPORTER]",
       "transactions: [REPORTER]\n    log_entries: [ALL]"},
      {"the BAMF reads entry bundles", kPolicyFile, "- role: BAMF\n", "transactions: [ALL]",
       "transactions: [ALL]\n    log_entries: [ALL]"},
      {"an AE reads all procedures", kPolicyFile, "- role: AE\n", "[REGISTERING_LAND",
       "[ALL, REGISTERING_LAND"},
      {"an AE loses what its Land registered", kPolicyFile, "- role: AE\n", "REGISTERING_LAND",
       "REGISTERING_AUTHORITY"},
      {"an AE loses what came to its Land", kPolicyFile, "- role: AE\n", "RECEIVING_LAND",
       "RECEIVING_AUTHORITY"},
      {"an AE loses its own reports", kPolicyFile, "- role: AE\n", ", REPORTER]", "]"},
      {"an AE reads foreign receipts", kPolicyFile, "- role: AE\n", "transactions: [REPORTER]",
       "transactions: [ALL]"},
      {"an AE sees decisions", kPolicyFile, "- role: AE\n", "[BESCHEID_ERLASSEN, ", "["},
      {"an AE sees when a decision was made that was served", kPolicyFile, "- role: AE\n",
       "BESCHEID_ZUGESTELLT, ", ""},
      {"an AE sees applications for interim relief", kPolicyFile, "- role: AE\n",
       "EILANTRAG_EINGEGANGEN, ", ""},
      {"an AE does not see that a decision was made", kPolicyFile, "- role: AE\n", "what: DETAILS",
       "what: ENTRY"},
      {"an AE sees that a title was granted", kPolicyFile, "- role: AE\n", "what: ENTRY",
       "what: DETAILS"},
      {"an AE sees decisions once they are served", kPolicyFile, "- role: AE\n", "what: DETAILS",
       "what: DETAILS\n        when: BEFORE_SERVICE"},
      {"a Landesdirektion reads the whole country", kPolicyFile, "- role: LD\n",
       "[REGISTERING_LAND", "[ALL"},
      {"a Landesdirektion sees how persons left", kPolicyFile, "- role: LD\n",
       "RECHTSKRAFT_AUFGEHOBEN, AUSREISE_VOLLZOGEN]", "RECHTSKRAFT_AUFGEHOBEN]"},
      {"an ABH reads what its Land registered", kPolicyFile, "- role: ABH\n",
       "[RECEIVING_AUTHORITY", "[REGISTERING_LAND, RECEIVING_AUTHORITY"},
      {"an ABH reads what another ABH of its Land was given", kPolicyFile, "- role: ABH\n",
       "RECEIVING_AUTHORITY", "RECEIVING_LAND"},
      {"an ABH is never competent", kPolicyFile, "- role: ABH\n", "RECEIVING_AUTHORITY, ", ""},
      {"an ABH never sees a decision", kPolicyFile, "- role: ABH\n", "when: BEFORE_SERVICE",
       "when: ALWAYS"},
      {"an ABH sees before service that there is a decision", kPolicyFile, "- role: ABH\n",
       "what: ENTRY", "what: DETAILS"},
      {"an ABH sees finality before service", kPolicyFile, "- role: ABH\n",
       "RECHTSKRAFT, TEILRECHTSKRAFT", "TEILRECHTSKRAFT"},
      {"the BAMF reads its own reports alone", kPolicyFile, "- role: BAMF\n", "procedures: [ALL]",
       "procedures: [REPORTER]"},
      {"the BAMF reads its own receipts alone", kPolicyFile, "- role: BAMF\n",
       "transactions: [ALL]", "transactions: [REPORTER]"},
      {"a data protection officer works on cases", kPolicyFile, "musterstadt-datenschutz",
       ", duty: DATA_PROTECTION", ""},
      {"who erases works on cases", kPolicyFile, "bamf-loeschung", ", duty: ERASURE", ""},
      {"an ABH is written as an AE", kPolicyFile, "\"999903\"", "role: ABH", "role: AE"},
      {"an AE is written into another Land", kPolicyFile, "\"999902\"", "land: DE-NI",
       "land: DE-HB"},
      {"an AE reports decisions", kStatusFile, "BESCHEID_ERLASSEN\n", "[BAMF]", "[BAMF, AE]"},
      {"an ABH registers", kStatusFile, "REGISTRIERUNG_ABGESCHLOSSEN\n", "[AE, LD]",
       "[AE, LD, ABH]"},
      {"an AE may not report arrivals", kStatusFile, "ANKUNFT_AE\n", "[AE]", "[LD]"},
      {"an AE issues titles", kStatusFile, "AUFENTHALTSTITEL_ERTEILT\n", "[ABH]", "[ABH, AE]"},
      {"a Land merges procedures", kStatusFile, "VERFAHREN_ZUSAMMENGEFUEHRT\n", "[BAMF]",
       "[BAMF, LD]"},
      {"an ABH assigns persons to itself", kStatusFile, "ZUWEISUNG_KOMMUNE\n", "[AE, LD]",
       "[AE, LD, ABH]"},
      {"an ABH may not report withdrawals", kStatusFile, "RUECKNAHME\n", "[AE, ABH]", "[AE]"},
  };
  return list;
}

std::string planted(std::string text, const Fault& fault) {
  const std::size_t behind = text.find(fault.after);
  REQUIRE_MESSAGE(behind != text.npos, fault.name);
  const std::size_t at = text.find(fault.from, behind);
  REQUIRE_MESSAGE(at != text.npos, fault.name);
  return text.replace(at, std::string_view(fault.from).size(), fault.to);
}

}  // namespace

TEST_CASE("the policy and the catalogue decide each cell as the tables say") {
  Policy policy;
  Catalogue catalogue;
  const Tables tables;
  const Judge judge =
      judged(read("config/policy.yaml"), read("config/statuses.yaml"), tables, policy, catalogue);
  for (const std::string& cell : judge.mismatches()) FAIL_CHECK(cell);
  CHECK(judge.cells() > 10'000);
  MESSAGE(judge.cells(), " cells");
}

TEST_CASE("the tables have each operation that asks for a caller, and each status") {
  const Tables tables;
  auto document = openapi::Document::load();
  REQUIRE(document.has_value());
  std::set<std::string> operations;
  for (const openapi::Operation& one : document->operations()) {
    const bool is_public = one.listener == openapi::Listener::public_;
    if (is_public && one.access != openapi::Access::open) operations.insert(one.id);
  }
  CHECK(tables.operations.keys() == operations);
  auto catalogue = Catalogue::parse(read("config/statuses.yaml"), "statuses.yaml");
  REQUIRE(catalogue.has_value());
  std::set<std::string> statuses;
  for (const Status& status : catalogue->statuses()) statuses.insert(status.name);
  CHECK(tables.statuses.keys() == statuses);
}

TEST_CASE("each planted fault of the policy and the catalogue is found") {
  const Tables tables;
  CHECK(faults().size() >= 20);
  for (const Fault& fault : faults()) {
    CAPTURE(fault.name);
    std::map<std::string, std::string> texts;
    for (const char* file : {kPolicyFile, kStatusFile}) {
      const std::string text = read("config/" + std::string(file));
      texts[file] = file == std::string(fault.file) ? planted(text, fault) : text;
    }
    Policy policy;
    Catalogue catalogue;
    const Judge judge = judged(texts[kPolicyFile], texts[kStatusFile], tables, policy, catalogue);
    CHECK_FALSE(judge.mismatches().empty());
  }
}
