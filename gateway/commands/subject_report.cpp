// `flora-gateway subject-report`: for operators whom a data protection officer asks. Reads the
// files beside a running gateway; unlike the operation of the same name it looks at all of the
// trail.
#include "gateway/api/subject_report.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <limits>

#include "gateway/commands/commands.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/mapping_keys.h"
#include "gateway/commands/open_ledger.h"

namespace flora::commands {
namespace {

constexpr std::size_t kMostIdentifiers = 8;

// The message never shows what was read.
Result<std::vector<Identifier>> read_identifiers(std::istream& input) {
  std::vector<Identifier> identifiers;
  for (std::string line; std::getline(input, line);) {
    if (line.empty()) continue;
    const std::string place = "line " + std::to_string(identifiers.size() + 1) + " of stdin: ";
    const std::size_t space = line.find(' ');
    const auto type = parse_identifier_type(std::string_view(line).substr(0, space));
    if (!type || space == line.npos || identifiers.size() == kMostIdentifiers) {
      return Error{Errc::invalid, place +
                                      "at most 8 lines `<type> <value>`, such as AZR_NUMMER and "
                                      "the number"};
    }
    auto value = normal_form(*type, std::string_view(line).substr(space + 1));
    if (!value) return Error{Errc::invalid, place + value.error().message};
    identifiers.push_back({*type, std::move(*value)});
  }
  if (identifiers.empty()) return Error{Errc::invalid, "no identifier stands on stdin"};
  return identifiers;
}

Result<std::vector<view::HistoryEntry>> entries_of(Ledger& ledger, const store::Holding& held) {
  std::vector<view::HistoryEntry> entries;
  for (const store::HeldSubmission& one : held.submissions) {
    FLORA_ASSIGN(const auto index, ledger.find(one.transaction_id));
    if (!index) continue;
    FLORA_ASSIGN(const auto read, ledger.read(*index, 1));
    if (read.size() != 1) return Error{Errc::corrupt, "an entry of the ledger is not there"};
    view::HistoryEntry entry;
    entry.index = *index;
    entry.is_ordered = ledger.numbering().empty();
    FLORA_ASSIGN(entry.transaction, parse_transaction(read.front().body));
    entries.push_back(std::move(entry));
  }
  view::settle(entries);
  return entries;
}

Result<api::AuditPage> accesses_to(const sql::Place& place, const store::Holding& held) {
  audit::Query query;
  query.procedure = held.procedure;
  query.from = api::begin_of(held).value_or(Instant{});
  FLORA_ASSIGN(store::AuditReader reader, store::AuditReader::open(place));
  FLORA_ASSIGN(api::AuditScan scan,
               api::AuditScan::begin(std::move(reader), audit::Filter(query, audit::Scope())));
  api::AuditPage page;
  while (!scan.rest().is_empty()) {
    FLORA_ASSIGN(auto records, scan.some(std::numeric_limits<std::size_t>::max()));
    std::ranges::move(records, std::back_inserter(page.records));
  }
  page.rest = scan.rest();
  return page;
}

Result<api::SubjectReport> report_of(const settings::Settings& settings, std::istream& input,
                                     Env& env) {
  FLORA_ASSIGN(const auto identifiers, read_identifiers(input));
  FLORA_ASSIGN(const std::vector<privacy::Keys> keys, load_lookup_keys(settings, env));
  FLORA_ASSIGN(const auto ledger, read_ledger(settings));
  api::SubjectReport report;
  report.at = {env.now_ms()};
  report.periods = settings.retention.periods;
  for (const Identifier& identifier : identifiers) {
    report.types.push_back(identifier.type);
    std::vector<Digest> hashes;
    for (const privacy::Keys& key : keys) hashes.push_back(key.identifier_hash(identifier));
    FLORA_ASSIGN(auto holdings, store::holdings_of(settings.store_place(), hashes));
    for (store::Holding& held : holdings) {
      const auto is_it = [&held](const api::ReportedProcedure& one) {
        return one.held.procedure == held.procedure;
      };
      if (std::ranges::any_of(report.procedures, is_it)) continue;
      FLORA_ASSIGN(auto entries, entries_of(*ledger, held));
      FLORA_ASSIGN(auto audit, accesses_to(settings.store_place(), held));
      report.procedures.push_back({std::move(held), std::move(entries), std::move(audit)});
    }
  }
  return report;
}

}  // namespace

int subject_report(const settings::Settings& settings, std::istream& input, Env& env) {
  const auto report = report_of(settings, input, env);
  if (!report) return fail(report.error());
  std::cout << api::to_json(*report) << '\n';
  return std::cout ? kDone : fail({Errc::unavailable, "the output cannot be written"});
}

}  // namespace flora::commands
