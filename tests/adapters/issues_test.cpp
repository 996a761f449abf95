// Each issue code has advice and stands in the README.
#include <doctest/doctest.h>
#include <re2/re2.h>

#include <filesystem>
#include <set>

#include "adapters/engine/mistakes.h"
#include "adapters/issues.h"
#include "tests/adapters/golden.h"

namespace flora::adapter {
namespace {

const std::filesystem::path kAdapters = std::string(FLORA_SOURCE_DIR) + "/adapters";

std::set<std::string> matches(const std::string& text, const char* pattern) {
  const re2::RE2 expression(pattern);
  re2::StringPiece rest(text);
  std::set<std::string> found;
  for (std::string word; re2::RE2::FindAndConsume(&rest, expression, &word);) found.insert(word);
  return found;
}

// The words in kebab case that stand in quotes in the sources: issue codes, and names of mistakes.
std::set<std::string> codes_in_sources() {
  std::set<std::string> codes =
      matches(read_whole(kAdapters / "adapter.cpp"), "\"([a-z]+(?:-[a-z]+)+)\"");
  for (const char* folder : {"engine", "formats"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kAdapters / folder)) {
      codes.merge(matches(read_whole(entry.path()), "\"([a-z]+(?:-[a-z]+)+)\""));
    }
  }
  for (const MistakeKind& kind : mistake_kinds()) codes.erase(std::string(kind.name));
  return codes;
}

std::set<std::string> codes_with_advice() {
  std::set<std::string> codes;
  for (const IssueKind& kind : issue_kinds()) {
    CHECK_MESSAGE(codes.insert(std::string(kind.code)).second, kind.code);
    CHECK_MESSAGE(kind.advice.size() > 30, kind.code);
    CHECK(advice_for(kind.code) == kind.advice);
  }
  return codes;
}

}  // namespace

TEST_CASE("each issue code of the engine and the formats has advice, and no other") {
  const std::set<std::string> sources = codes_in_sources();
  const std::set<std::string> advice = codes_with_advice();
  for (const std::string& code : sources) CHECK_MESSAGE(advice.contains(code), code);
  for (const std::string& code : advice) CHECK_MESSAGE(sources.contains(code), code);
  CHECK(advice_for("reason-of-a-bundle").starts_with("The bundle itself"));
}

TEST_CASE("the README lists each issue code") {
  const std::string readme = read_whole(kAdapters / "README.md");
  const std::size_t begin = readme.find("## Issue codes");
  REQUIRE(begin != std::string::npos);
  const std::string section = readme.substr(begin, readme.find("\n## ", begin + 1) - begin);
  const std::set<std::string> listed = matches(section, "`([a-z]+(?:-[a-z]+)+)`");
  for (const std::string& code : codes_with_advice()) CHECK_MESSAGE(listed.contains(code), code);
}

}  // namespace flora::adapter
