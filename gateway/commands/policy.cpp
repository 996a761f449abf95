// `flora-gateway policy explain`: what the policy lets somebody do, and by which rule. The decision
// is the one that the gateway makes; the facts are those of the command line or of the ledger.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/api/access.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/open_ledger.h"
#include "gateway/policy/decision.h"

namespace flora::commands {
namespace {

constexpr std::size_t kReadAhead = 1024;
constexpr const char* kPolicyForms =
    "policy explain --as <authority or client> --operation <operationId> [--json]\n"
    "  of a report:   --status <status> [--reporter <authority>]\n"
    "  of a reading:  --procedure <pseudonym>, or for each entry, in the order of time,\n"
    "                 --entry <status>:<authority>[:<receiving authority>]";

// What is asked, and against what.
struct Asked {
  const Definitions& definitions;
  const policy::Policy& policy;
  policy::Caller caller;
  std::string operation;
};

struct Explained {
  std::string_view answer;  // ALLOWED, REFUSED (403), AS_IF_UNKNOWN (404).
  std::string reason;
  std::vector<policy::EntryFacts> facts;
  std::vector<policy::Shown> entries;  // One for each of the facts, or none.
};

Result<policy::EntryFacts> facts_of(const std::string& text, const Asked& asked) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == text.npos ? text.npos : text.find(':', first + 1);
  policy::EntryFacts facts;
  facts.status = text.substr(0, first);
  if (asked.definitions.catalogue.find(facts.status) == nullptr || first == text.npos) {
    return Error{Errc::invalid, "--entry needs a status of the catalogue and an authority"};
  }
  const policy::Authority* reporter =
      asked.policy.authority(text.substr(first + 1, second - first - 1));
  if (reporter == nullptr) return Error{Errc::invalid, "--entry: no such authority"};
  facts.authority = reporter->id;
  facts.land = reporter->land;
  if (second == text.npos) return facts;
  const policy::Authority* receiver = asked.policy.authority(text.substr(second + 1));
  if (receiver == nullptr) return Error{Errc::invalid, "--entry: no such receiving authority"};
  facts.receiving_authority = receiver->id;
  facts.receiving_land = receiver->land;
  return facts;
}

// The entries of some procedures. Names of further ones that merges could join to them are added.
Result<std::vector<view::HistoryEntry>> entries_of(std::set<Uuid>& procedures, Ledger& ledger) {
  std::vector<view::HistoryEntry> found;
  std::set<Uuid> buried;  // Whom nobody reads any more.
  const bool is_ordered = ledger.numbering().empty();
  for (std::uint64_t next = 0;;) {
    FLORA_ASSIGN(const auto entries, ledger.read(next, kReadAhead));
    if (entries.empty()) break;
    for (const CommittedEntry& entry : entries) {
      FLORA_ASSIGN(EntryContent content, parse_entry(entry.body));
      if (const auto* tombstone = std::get_if<Tombstone>(&content)) {
        buried.insert(tombstone->procedure);
        continue;
      }
      view::HistoryEntry one;
      one.index = entry.index;
      one.is_ordered = is_ordered;
      one.transaction = std::move(std::get<Transaction>(content));
      const Uuid from = one.transaction.procedure;
      const Uuid into = one.transaction.merged_into.value_or(from);
      if (procedures.contains(from) || procedures.contains(into)) procedures.insert({from, into});
      if (procedures.contains(from)) found.push_back(std::move(one));
    }
    next += entries.size();
  }
  std::erase_if(found, [&buried](const view::HistoryEntry& one) {
    return buried.contains(one.transaction.procedure);
  });
  return found;
}

Result<std::vector<policy::EntryFacts>> facts_on_ledger(const std::string& text,
                                                        const settings::Settings& settings) {
  const auto procedure = parse_uuid(text);
  if (!procedure) return Error{Errc::invalid, "--procedure needs a pseudonym (UUID)"};
  FLORA_ASSIGN(const auto ledger, read_ledger(settings));
  std::set<Uuid> joined = {*procedure};
  std::vector<view::HistoryEntry> entries;
  for (std::size_t known = 0; known != joined.size();) {
    known = joined.size();
    FLORA_ASSIGN(entries, entries_of(joined, *ledger));
  }
  view::settle(entries);
  view::keep_read(entries, *procedure);
  return api::facts_of(entries);
}

Result<std::vector<policy::EntryFacts>> facts_of(const CommandLine& line, const Asked& asked,
                                                 const settings::Settings& settings) {
  if (const auto procedure = line.option("--procedure")) {
    return facts_on_ledger(*procedure, settings);
  }
  std::vector<policy::EntryFacts> facts;
  for (const auto& [option, value] : line.options) {
    if (option != "--entry") continue;
    FLORA_ASSIGN(facts.emplace_back(), facts_of(value, asked));
  }
  return facts;
}

Explained explain_reading(const Asked& asked, std::vector<policy::EntryFacts> facts) {
  const policy::Decision decision =
      policy::decide(asked.policy, asked.caller, asked.operation, facts);
  const bool hidden = decision.permitted && decision.object && !decision.relation;
  Explained explained;
  explained.answer = !decision.permitted ? "REFUSED" : hidden ? "AS_IF_UNKNOWN" : "ALLOWED";
  explained.reason = policy::explain(asked.policy, asked.caller, asked.operation, decision);
  if (decision.permitted) explained.entries = decision.entries;
  explained.facts = std::move(facts);
  return explained;
}

Result<Explained> explain_report(const Asked& asked, const std::string& name,
                                 const std::string& reporter) {
  const Status* status = asked.definitions.catalogue.find(name);
  if (status == nullptr) return Error{Errc::invalid, "--status: the catalogue has no such status"};
  const auto denial =
      policy::may_report(asked.policy, asked.caller, {reporter, {}, {}, {}}, *status);
  Explained explained;
  explained.answer = denial ? "REFUSED" : "ALLOWED";
  explained.reason = denial ? policy::explain(*denial, asked.caller, *status)
                            : "The catalogue lets the role report the status.";
  return explained;
}

void print_json(const Asked& asked, const Explained& explained) {
  nlohmann::ordered_json out = {{"operation", asked.operation},
                                {"client", asked.caller.client},
                                {"authorities", asked.caller.authorities},
                                {"role", to_string(asked.caller.role)},
                                {"land", asked.caller.land},
                                {"duty", to_string(asked.caller.duty)},
                                {"answer", explained.answer},
                                {"reason", explained.reason},
                                {"entries", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < explained.entries.size(); ++i) {
    out["entries"].push_back({{"status", explained.facts[i].status},
                              {"authority", explained.facts[i].authority},
                              {"show", to_string(explained.entries[i].show)},
                              {"reason", policy::explain(explained.entries[i])}});
  }
  std::cout << out.dump(2) << '\n';
}

void print_text(const Asked& asked, const Explained& explained) {
  std::cout << asked.operation << " by " << asked.caller.client << " ("
            << to_string(asked.caller.role) << ", " << asked.caller.land << ", "
            << to_string(asked.caller.duty) << "): " << explained.answer << "\n  "
            << explained.reason << '\n';
  for (std::size_t i = 0; i < explained.entries.size(); ++i) {
    std::cout << "  " << i + 1 << ' ' << explained.facts[i].status << " by "
              << explained.facts[i].authority << ": " << to_string(explained.entries[i].show)
              << ". " << policy::explain(explained.entries[i]) << '\n';
  }
}

Result<Explained> explain(const Asked& asked, const CommandLine& line,
                          const settings::Settings& settings) {
  if (const auto status = line.option("--status")) {
    const std::string reporter = line.option("--reporter").value_or(asked.caller.payer());
    return explain_report(asked, *status, reporter);
  }
  FLORA_ASSIGN(auto facts, facts_of(line, asked, settings));
  return explain_reading(asked, std::move(facts));
}

bool is_operation(const openapi::Document& document, const std::string& id) {
  return std::ranges::any_of(document.operations(),
                             [&id](const openapi::Operation& one) { return one.id == id; });
}

}  // namespace

int policy(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const bool explains = line.words.size() == 2 && line.words[1] == "explain";
  if (!explains || !line.has("--as") || !line.has("--operation")) {
    return fail({Errc::invalid, kPolicyForms});
  }
  const auto definitions = load_definitions(settings, env);
  if (!definitions) return fail(definitions.error());
  const auto in_force = (*definitions)->policy->get();
  const auto caller = in_force->authenticate({std::nullopt, *line.option("--as")}, true);
  if (!caller) return fail({Errc::invalid, "--as: the policy has no such authority or client"});
  const Asked asked{**definitions, *in_force, *caller, *line.option("--operation")};
  if (!is_operation((*definitions)->document, asked.operation)) {
    return fail({Errc::invalid, "--operation: the document has no such operationId"});
  }
  const auto explained = explain(asked, line, settings);
  if (!explained) return fail(explained.error());
  line.has("--json") ? print_json(asked, *explained) : print_text(asked, *explained);
  return kDone;
}

}  // namespace flora::commands
