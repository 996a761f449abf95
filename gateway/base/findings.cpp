#include "gateway/base/findings.h"

#include <algorithm>
#include <utility>

namespace flora {
namespace {

bool is_error(const Finding& finding) { return finding.weight == Finding::Weight::error; }

}  // namespace

std::string to_string(const Finding& finding) {
  std::string out = finding.place.file;
  if (finding.place.at.line > 0) {
    out +=
        ':' + std::to_string(finding.place.at.line) + ':' + std::to_string(finding.place.at.column);
  }
  return out + (is_error(finding) ? ": " : ": warning: ") + finding.what;
}

void Findings::error(Place place, std::string what) {
  found_.insert({std::move(place), Finding::Weight::error, std::move(what)});
}

void Findings::warning(Place place, std::string what) {
  found_.insert({std::move(place), Finding::Weight::warning, std::move(what)});
}

bool Findings::has_errors() const { return std::ranges::any_of(found_, is_error); }

Error Findings::to_error() const {
  Error error{Errc::invalid, {}};
  for (const Finding& finding : found_) {
    if (!is_error(finding)) continue;
    if (!error.message.empty()) error.message += '\n';
    error.message += to_string(finding);
  }
  return error;
}

}  // namespace flora
