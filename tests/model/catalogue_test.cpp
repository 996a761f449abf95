#include "gateway/model/catalogue.h"

#include <doctest/doctest.h>

#include <set>

#include "gateway/base/env.h"

namespace flora {
namespace {

TEST_CASE("the catalogue that is delivered is read") {
  const auto text = Env::system().read_file(FLORA_SOURCE_DIR "/config/statuses.yaml", 1 << 20);
  REQUIRE(text);
  const auto catalogue = Catalogue::parse(*text, "statuses.yaml");
  if (!catalogue) FAIL(catalogue.error().message);
  CHECK(catalogue->statuses().size() > 40);
  const Status* status = catalogue->find("ZUWEISUNG_KOMMUNE");
  REQUIRE(status != nullptr);
  CHECK(status->hands_over);
  CHECK(status->may_be_reported_by(Role::ae));
  CHECK_FALSE(status->may_be_reported_by(Role::bamf));
  CHECK(catalogue->find("NONE") == nullptr);
}

TEST_CASE("mistakes are reported with their place") {
  const std::string head = "version: \"1\"\nstatuses:\n";
  const std::string good =
      "  - name: A\n    label: {de: a, en: a}\n    subprocess: I\n    details: D\n    reporters: "
      "[AE]\n";
  REQUIRE(Catalogue::parse(head + good, "f"));
  for (const auto& [document, where] :
       {std::pair{head + good + good, "f:8:5: the status A is listed twice"},
        std::pair{head + good + "    colour: red\n", "f:8:5: unknown key"},
        std::pair{head + "  - name: A\n", "f:3:5: \"details\" is missing"},
        std::pair{head +
                      "  - name: A\n    label: {de: a, en: a}\n    subprocess: I\n    details: D\n"
                      "    reporters: [AUDITOR]\n",
                  "f:7:17: \"AUDITOR\" is no reporting role"}}) {
    const std::string text = document;
    CAPTURE(text);
    const auto result = Catalogue::parse(text, "f");
    REQUIRE_FALSE(result);
    CHECK(result.error().message.substr(0, std::string_view(where).size()) == where);
  }
}

TEST_CASE("each Land has its own key of two digits, the federation has none") {
  std::set<std::string_view> keys;
  for (const char* code :
       {"DE-BB", "DE-BE", "DE-BW", "DE-BY", "DE-HB", "DE-HE", "DE-HH", "DE-MV", "DE-NI", "DE-NW",
        "DE-RP", "DE-SH", "DE-SL", "DE-SN", "DE-ST", "DE-TH"}) {
    CAPTURE(code);
    CHECK(is_land(code));
    CHECK(land_key(code).size() == 2);
    keys.insert(land_key(code));
  }
  CHECK(keys.size() == 16);
  CHECK(land_key("DE-SH") == "01");
  CHECK(land_key("DE-TH") == "16");
  CHECK(is_land("DE"));
  CHECK(land_key("DE").empty());
  CHECK_FALSE(is_land("DE-XX"));
  CHECK(land_key("DE-XX").empty());
}

}  // namespace
}  // namespace flora
