#include "gateway/model/identifiers.h"

#include <doctest/doctest.h>
#include <re2/re2.h>

#include <array>
#include <random>
#include <string>
#include <utility>

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
// The patterns as they are published (domain model §3), for RE2.
constexpr std::array kPublished = {
    std::pair{IdentifierType::bamf_aktenzeichen, R"(\d{7,10}(-\d{1,2}){0,10})"},
    std::pair{IdentifierType::azr_nummer, R"(\d{2}(0\d|1[0-2])([0-2]\d|3[01])\d{6})"},
    std::pair{IdentifierType::eurodac_nummer, R"(DE[1-3]\d{6}[A-Z0-9]{3,4}\d{5})"},
    std::pair{IdentifierType::optionsnummer, R"([A-Z]{2}-\d{6}-[a-z0-9|]{7}-\d{2})"},
    std::pair{IdentifierType::easy_optionsnummer, R"([A-Z]{2}(\d{7}|\d{5}))"},
    std::pair{IdentifierType::ankunftsnachweis, R"([A-Z]\d{7})"},
    std::pair{IdentifierType::d_nummer, R"([A-Z0-9/-]{1,20})"},
};

TEST_CASE("forms are those of the published patterns, for good values and for changed ones") {
  const std::array<std::string, 12> good = {"9912345",
                                            "9912345678-1-22-3",
                                            "990630004102",
                                            "991231999999",
                                            "DE1123456ABC12345",
                                            "DE3123456AB9D12345",
                                            "NI-123456-a1b|2c3-99",
                                            "NI1234567",
                                            "NI12345",
                                            "A1234567",
                                            "D/17-4",
                                            "1234567-1-2-3-4-5-6-7-8-9-10"};
  std::mt19937 random(3);
  const std::string_view letters = "0123456789ABDEIN-/|abz ";
  for (const auto& [named, published] : kPublished) {
    const IdentifierType type = named;
    const re2::RE2 pattern(published);
    std::size_t taken = 0;
    for (int i = 0; i < 60000; ++i) {
      std::string text = good[random() % good.size()];
      for (auto changes = random() % 4; changes > 0 && !text.empty(); --changes) {
        const std::size_t at = random() % text.size();
        const char c = letters[random() % letters.size()];
        switch (random() % 3) {
          case 0:
            text[at] = c;
            break;
          case 1:
            text.insert(at, 1, c);
            break;
          default:
            text.erase(at, 1);
        }
      }
      // What the normal form takes away is put aside first.
      if (text.find(' ') != text.npos || text.find_first_of("abz") != text.npos) continue;
      const std::size_t n = text.size();
      const bool country = n >= 4 && text[n - 4] == '-' && text.find('-', n - 3) == text.npos &&
                           text.find_first_not_of("0123456789", n - 3) == text.npos;
      if (type == IdentifierType::bamf_aktenzeichen && country) continue;
      const bool expected = re2::RE2::FullMatch(text, pattern);
      taken += expected;
      CHECK_MESSAGE(has_form(type, text) == expected, to_string(type) << " " << text);
      CHECK(normal_form(type, text).has_value() == expected);
    }
    CHECK_MESSAGE((type == IdentifierType::optionsnummer || taken > 100), to_string(type));
  }
  CHECK(has_form(IdentifierType::optionsnummer, "NI-123456-a1b|2c3-99"));
  CHECK_FALSE(has_form(IdentifierType::d_nummer, std::string(1000, '1')));
  CHECK_FALSE(has_form(IdentifierType::d_nummer, ""));
}

}  // namespace flora
