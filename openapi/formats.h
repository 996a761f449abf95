// The string formats of the schema subset, checked strictly. Internal to openapi.
#pragma once

#include <string_view>

namespace flora::openapi {

/// A day of the Gregorian calendar, YYYY-MM-DD (RFC 3339 full-date).
bool is_date(std::string_view text);

/// An instant, RFC 3339 date-time: upper-case T and Z, one to nine decimals or none, seconds up to
/// 59, an offset within a day.
bool is_date_time(std::string_view text);

/// 36 characters as in RFC 9562 §4, either case, any version.
bool is_uuid(std::string_view text);

}  // namespace flora::openapi
