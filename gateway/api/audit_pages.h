// What a data protection officer may see of the audit trail, page by page.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/audit_scan.h"
#include "gateway/api/json_writer.h"
#include "gateway/policy/policy.h"
#include "gateway/store/store.h"

namespace flora::api {

/// The BAMF runs the network and sees all. Everybody else sees what was done for the own
/// authorities and, of the query's procedure, if it is theirs, who was told of it.
audit::Scope scope_of(const policy::Caller& caller, bool owns_procedure);

struct AuditPage {
  std::vector<std::string> records;  ///< As they stand in the trail.
  AuditRange looked;                 ///< The records among which they were.
  AuditRange rest;                   ///< Those that the next page is about.
};

/// The records from `rest` on, without it from the first one that the query can be about: up to
/// `limit`, fewer where a bounded number was looked at. Blocks on the disk.
Result<AuditPage> audit_page(const store::Store& store, const audit::Filter& filter,
                             const std::optional<AuditRange>& rest, std::size_t limit);

/// The members `records` and, if there is more, `next`.
void write_page(JsonWriter& json, const AuditPage& page);

/// Of `next`. Nothing if it is none of ours.
std::optional<AuditRange> decode_audit_cursor(std::string_view cursor);

}  // namespace flora::api
