// The shorter way of matching agrees with RE2 wherever it is taken, and is not taken elsewhere.
#include "openapi/text_pattern.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace flora::openapi {
namespace {

const std::vector<std::string> kExpressions = {"^[0-9]{6}$",
                                               "^[0-9a-f]{64}$",
                                               "^[!-~]+$",
                                               "^[ -~]*$",
                                               R"(^[^\x00-\x1f\x7f]+$)",
                                               R"(^[^\x00]*$)",
                                               "^[A-Za-z0-9_-]+$",
                                               "^[^a]{2,3}$",
                                               R"(^[\[\]\\^-]{1,4}$)",
                                               "^[-a]+$",
                                               "^[a-]+$",
                                               "^[a-c]{0,2}$",
                                               "^[a^]*$",
                                               R"(^[^\r]*$)",
                                               R"(^[\d]+$)",
                                               "^[ä]+$",
                                               "^[]a]+$",
                                               "^[[:alpha:]]+$",
                                               "^[a]{2,}$",
                                               "^[a]+$|b",
                                               "^[a]$",
                                               "[a]+",
                                               "^a+$",
                                               R"(^\[[a]+$)",
                                               "^[a][b]$",
                                               R"(^[a\]$)",
                                               "^[a]{2}[b]$",
                                               R"(^[\x80-\xff]+$)",
                                               "^[a]??$",
                                               "^[a]+?$",
                                               R"(^[a]+\$)",
                                               "^[z-a]+$"};

std::vector<std::string> texts() {
  std::vector<std::string> out = {"",    "000250", "00025", "0002500", std::string(64, 'f'),
                                  "ab",  "aa",     "aaa",   "bb",      "ä",
                                  "bä",  "ää",     "[]",    "\\^-",    "a\nb",
                                  "a\n", "\n",     "a$",    "🙂",    "b🙂c",
                                  "z",   "a]",     "]",     "alpha",   std::string(1, '\0')};
  for (char c = 1; c > 0; ++c) {
    out.push_back(std::string(1, c));
    out.push_back(std::string("a") + c);
    if (c == 127) break;
  }
  return out;
}

}  // namespace

TEST_CASE("a pattern matches what RE2 matches, whichever way it goes") {
  int compiled = 0;
  for (const std::string& expression : kExpressions) {
    const auto pattern = TextPattern::compile(expression);
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 reference(expression, options);
    CHECK(pattern.has_value() == reference.ok());
    if (!pattern) continue;
    ++compiled;
    CHECK(pattern->expression() == expression);
    for (const std::string& text : texts()) {
      INFO(expression, " on ", text);
      CHECK(pattern->matches(text) == RE2::PartialMatch(text, reference));
    }
  }
  CHECK(compiled > 25);
}

}  // namespace flora::openapi
