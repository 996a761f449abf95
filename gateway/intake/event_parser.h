// The one parser of canonical status events. JSON, CloudEvents in every mode, NDJSON and the
// output of adapters all end here, so that the same event gives the same transaction in each form.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/json.h"
#include "gateway/base/result.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/problem.h"
#include "gateway/model/status_event.h"
#include "gateway/policy/policy.h"
#include "openapi/document.h"

namespace flora::intake {

/// The envelope of a CloudEvent.
struct Envelope {
  std::string_view id;
  std::string_view source;
  std::optional<std::string_view> time;  ///< RFC 3339.
};

struct ParsedEvent {
  StatusEvent event;
  policy::ReporterClaim claim;
  const Status* status = nullptr;  ///< In the catalogue.
};

using ParseResult = std::variant<ParsedEvent, Problem>;

/// Immutable and thread-safe. Document and catalogue must outlive it.
class EventParser {
 public:
  /// Errors: invalid (the status sets of document and catalogue differ), not_found (a details
  /// schema that the catalogue names is not in the document).
  static Result<EventParser> make(const openapi::Document& document, const Catalogue& catalogue);

  /// A whole event, `id` and `source` included. Problems: malformed-json, validation-failed,
  /// identifier-malformed.
  ParseResult parse(std::string_view text) const;

  /// A CloudEvent in structured mode, as text or as an element of a batch.
  ParseResult parse_cloud_event(std::string_view text) const;
  ParseResult parse_cloud_event(const json::Value& value) const;

  /// The body of a search: identifiers in normal form.
  std::variant<std::vector<Identifier>, Problem> parse_search(std::string_view text) const;

  /// The data of a CloudEvent in binary mode.
  ParseResult parse_data(std::string_view text, const Envelope& envelope) const;

 private:
  EventParser() = default;
  ParseResult build(const json::Value& data, const std::optional<Envelope>& envelope,
                    std::string_view pointer) const;
  void check_details(const json::Value& data, std::string_view pointer, ParsedEvent& parsed,
                     Problem& problem) const;

  const Catalogue* catalogue_ = nullptr;
  openapi::Schema event_;
  openapi::Schema data_;
  openapi::Schema cloud_event_;
  openapi::Schema search_;
  std::map<std::string, openapi::Schema, std::less<>> details_;  // By status.
};

/// The problem for a text that is not JSON.
Problem malformed_json(const json::ParseError& error);

}  // namespace flora::intake
