#include "gateway/api/audit_pages.h"

#include <charconv>

#include "gateway/base/bytes.h"

namespace flora::api {
namespace {

std::string encode(const AuditRange& rest) {
  const std::string text = std::to_string(rest.next) + '-' + std::to_string(rest.last);
  std::string cursor = to_base64(as_bytes(text));
  while (!cursor.empty() && cursor.back() == '=') cursor.pop_back();
  return cursor;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 1) return std::nullopt;
  return value;
}

}  // namespace

audit::Scope scope_of(const policy::Caller& caller, bool owns_procedure) {
  if (caller.role == Role::bamf) return {};
  return {caller.authorities, owns_procedure};
}

Result<AuditPage> audit_page(const store::Store& store, const audit::Filter& filter,
                             const std::optional<AuditRange>& rest, std::size_t limit) {
  FLORA_ASSIGN(store::AuditReader reader, store.audit_reader());
  FLORA_ASSIGN(AuditScan scan, rest ? AuditScan::resume(std::move(reader), filter, *rest)
                                    : AuditScan::begin(std::move(reader), filter));
  AuditPage page;
  page.looked = scan.rest();
  FLORA_ASSIGN(page.records, scan.some(limit));
  page.rest = scan.rest();
  page.looked.last = page.rest.next - 1;
  return page;
}

void write_page(JsonWriter& json, const AuditPage& page) {
  json.name("records").begin_array();
  for (const std::string& record : page.records) json.raw(record);
  json.end_array();
  if (!page.rest.is_empty()) json.member("next", encode(page.rest));
}

std::optional<AuditRange> decode_audit_cursor(std::string_view cursor) {
  std::string text(cursor);
  while (text.size() % 4 != 0) text += '=';
  const auto decoded = from_base64(text);
  if (!decoded) return std::nullopt;
  const std::size_t dash = decoded->find('-');
  if (dash == decoded->npos) return std::nullopt;
  const auto next = number_in(std::string_view(*decoded).substr(0, dash));
  const auto last = number_in(std::string_view(*decoded).substr(dash + 1));
  if (!next || !last || *next > *last) return std::nullopt;
  return AuditRange{*next, *last};
}

}  // namespace flora::api
