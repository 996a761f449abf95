// `flora-gateway retention status`: what is due, and when. It changes nothing.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/open_ledger.h"
#include "gateway/erasure/copies.h"
#include "gateway/erasure/expiry.h"

namespace flora::commands {
namespace {

constexpr std::size_t kPage = 1024;

struct Status {
  std::uint64_t ended = 0;      // Procedures that have ended; joined ones are one.
  std::uint64_t due = 0;        // Of these, whose period is over.
  std::optional<Instant> next;  // When the next one is due.
  std::vector<erasure::Copy> copies;
  bool on_server = false;  // The store: what copies there are is the server's matter.
};

Result<void> count_mappings(const settings::Settings& settings, const Catalogue& catalogue,
                            Instant now, Status& status) {
  FLORA_ASSIGN(const auto ledger, read_ledger(settings));
  FLORA_ASSIGN(const auto index, view::ProcedureIndex::open_as_it_is(settings.view_database(),
                                                                     *ledger, catalogue.ending()));
  std::set<Uuid> seen;
  std::optional<view::EndingEntry> after;
  while (true) {
    FLORA_ASSIGN(const auto page, index->ending_entries(after, kPage));
    if (page.empty()) return {};
    after = page.back();
    for (const view::EndingEntry& one : page) {
      if (!seen.insert(one.procedure).second) continue;
      FLORA_ASSIGN(const auto entries,
                   view::joined_entries({index.get(), ledger.get()}, one.procedure));
      const auto expiry =
          erasure::expiry_of(entries, catalogue, *settings.retention.periods.mapping);
      if (!expiry) continue;
      seen.insert(expiry->procedures.begin(), expiry->procedures.end());
      ++status.ended;
      if (expiry->at <= now) {
        ++status.due;
      } else {
        status.next = std::min(status.next.value_or(expiry->at), expiry->at);
      }
    }
  }
}

Result<Status> status_of(const settings::Settings& settings, Instant now, Env& env) {
  Status status;
  status.on_server = settings.store_server.has_value();
  if (settings.retention.periods.mapping) {
    FLORA_ASSIGN(const Canonical canonical, load_canonical(settings.statuses_file, env));
    FLORA_TRY(count_mappings(settings, canonical.catalogue, now, status));
  }
  for (const std::string& database : {settings.store_database(), settings.ledger_database()}) {
    FLORA_ASSIGN(const auto copies, erasure::copies_beside(database));
    status.copies.insert(status.copies.end(), copies.begin(), copies.end());
  }
  return status;
}

void print(const Status& status, const RetentionPeriods& periods, Instant now) {
  if (periods.mapping) {
    std::cout << "mappings: " << to_string(*periods.mapping) << " after the end; " << status.ended
              << " procedures have ended, " << status.due << " are due";
    if (status.next) std::cout << "; the next one is due on " << to_string(*status.next);
    std::cout << '\n';
  } else {
    std::cout << "mappings: no period, erased on order only\n";
  }
  std::cout << "copies: " << to_string(periods.copies) << '\n';
  if (status.on_server) {
    std::cout
        << "  of the store: the archive and the backups of its server, which are to be deleted "
           "there\n";
  }
  for (const erasure::Copy& copy : status.copies) {
    const Instant expires = end_of(copy.made, periods.copies);
    std::cout << "  " << copy.path << ": " << (expires <= now ? "due since " : "expires ")
              << to_string(expires) << '\n';
  }
}

void print_json(const Status& status, const RetentionPeriods& periods) {
  nlohmann::json copies = nlohmann::json::array();
  for (const erasure::Copy& copy : status.copies) {
    copies.push_back(
        {{"path", copy.path}, {"expires", to_string(end_of(copy.made, periods.copies))}});
  }
  nlohmann::json out = {{"copiesPeriod", to_string(periods.copies)}, {"copies", copies}};
  if (periods.mapping) {
    out["mappings"] = {
        {"period", to_string(*periods.mapping)}, {"ended", status.ended}, {"due", status.due}};
    if (status.next) out["mappings"]["next"] = to_string(*status.next);
  }
  std::cout << out.dump(2) << '\n';
}

}  // namespace

int retention(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const std::string action = line.words.size() > 1 ? line.words[1] : "";
  if (action != "status" || line.words.size() != 2) {
    return fail({Errc::invalid, "retention status [--json]"});
  }
  const Instant now{env.now_ms()};
  const auto status = status_of(settings, now, env);
  if (!status) return fail(status.error());
  if (line.has("--json")) {
    print_json(*status, settings.retention.periods);
  } else {
    print(*status, settings.retention.periods, now);
  }
  return kDone;
}

}  // namespace flora::commands
