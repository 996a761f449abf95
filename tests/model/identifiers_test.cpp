#include "gateway/model/identifiers.h"

#include <doctest/doctest.h>

namespace flora {
namespace {

struct Row {
  IdentifierType type;
  const char* written;
  const char* normal;  // nullptr: refused.
};

TEST_CASE("each identifier type has one normal form") {
  using enum IdentifierType;
  const Row rows[] = {
      {bamf_aktenzeichen, " 1234567 ", "1234567"},
      {bamf_aktenzeichen, "1234567-475", "1234567"},
      {bamf_aktenzeichen, "1234567-1", "1234567-1"},
      {bamf_aktenzeichen, "1234567-1-475", "1234567-1"},
      {bamf_aktenzeichen, "0000042-12", "0000042-12"},
      {bamf_aktenzeichen, "123456", nullptr},
      {bamf_aktenzeichen, "12345678901", nullptr},
      {bamf_aktenzeichen, "1234567-4755", nullptr},
      {bamf_aktenzeichen, "1234567-475-475", nullptr},
      {bamf_aktenzeichen, "1234 567", nullptr},
      {azr_nummer, "991231000011", "991231000011"},
      {azr_nummer, "99 12 31 000011", "991231000011"},
      {azr_nummer, "991331000011", nullptr},
      {azr_nummer, "991232000011", nullptr},
      {azr_nummer, "99123100001", nullptr},
      {azr_nummer, "9912310000111", nullptr},
      {eurodac_nummer, "DE1260101ABC00001", "DE1260101ABC00001"},
      {eurodac_nummer, "de1 260101 abcd 00001", "DE1260101ABCD00001"},
      {eurodac_nummer, "DE4260101ABC00001", nullptr},
      {optionsnummer, "NI-123456-abc|123-01", "NI-123456-abc|123-01"},
      {optionsnummer, "ni-123456-abc|123-01", nullptr},
      {easy_optionsnummer, "NI1234567", "NI1234567"},
      {easy_optionsnummer, "ni12345", "NI12345"},
      {easy_optionsnummer, "NI123456", nullptr},
      {ankunftsnachweis, "a1234567", "A 1234567"},
      {ankunftsnachweis, "A 1234567", "A 1234567"},
      {ankunftsnachweis, "A 123456", nullptr},
      {d_nummer, "d 123/4", "D123/4"},
      {d_nummer, "", nullptr},
      {d_nummer, "D12345678901234567890", nullptr},
      {d_nummer, "Müller", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.written);
    const auto normal = normal_form(row.type, row.written);
    REQUIRE(normal.has_value() == (row.normal != nullptr));
    if (normal) {
      CHECK(*normal == row.normal);
      CHECK(*normal_form(row.type, *normal) == *normal);
    } else if (row.written[0] != '\0') {
      CHECK(normal.error().message.find(row.written) == std::string::npos);
    }
  }
}

TEST_CASE("types are known by name") {
  for (const IdentifierType type : kIdentifierTypes)
    CHECK(parse_identifier_type(to_string(type)) == type);
  CHECK(!parse_identifier_type("azr_nummer").has_value());
}

}  // namespace
}  // namespace flora
