// The data-subject report (Art. 15 DSGVO): what is stored about an identifier, where, and who has
// read it. It holds pseudonyms and kinds of identifiers, never the value of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/api/audit_pages.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/period.h"
#include "gateway/store/holdings.h"
#include "gateway/view/history.h"

namespace flora::api {

/// One procedure, as far as the one who asks may be told of it.
struct ReportedProcedure {
  store::Holding held;
  std::vector<view::HistoryEntry> entries;  ///< Of the ledger, in the order of time.
  AuditPage audit;                          ///< Who has accessed it.
};

struct SubjectReport {
  Instant at;
  std::vector<IdentifierType> types;  ///< Of the identifiers that were asked about.
  std::vector<ReportedProcedure> procedures;
  RetentionPeriods periods;
};

/// `SubjectReport` of the document.
std::string to_json(const SubjectReport& report);

/// No record about a procedure is older: its first event has the time in its id. Nothing: it has
/// no event.
std::optional<Instant> begin_of(const store::Holding& held);

}  // namespace flora::api
