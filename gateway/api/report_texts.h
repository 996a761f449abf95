// What the data-subject report says in plain words, German first: what each of its sections is
// about, for the person whose data it is.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/model/period.h"

namespace flora::api {

struct ReportText {
  std::string_view section;  ///< `MAPPING` …, as the document lists them.
  std::string_view de;
  std::string_view en;
};

/// The result, first: that something is stored, or that there is nothing to tell.
const ReportText& report_result(bool anything);

/// One for each section, in their order; for how long comes behind them.
std::span<const ReportText> report_texts();

/// For how long what is stored stays, as the settings have it.
struct RetentionText {
  std::string de;
  std::string en;
};
RetentionText retention_text(const RetentionPeriods& periods);

}  // namespace flora::api
