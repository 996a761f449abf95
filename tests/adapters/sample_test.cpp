// What `adapter new` sees in a sample: never a value, and nothing breaks on any bytes.
#include <doctest/doctest.h>
#include <re2/re2.h>

#include "adapters/fixtures.h"
#include "adapters/skeleton.h"
#include "tests/adapters/installed_bundles.h"

namespace flora::adapter {
namespace {

std::string skeleton_of(const std::string& message) {
  const Result<Sample> sample = describe_sample(guess_format(message), message);
  return sample ? make_skeleton("de-xx-new", "DE-SN", *sample, "sample").adapter_yaml : "";
}

// The numbers of a text that are long enough to be told from others.
std::vector<std::string> numbers_in(const std::string& text) {
  const re2::RE2 expression("([0-9]{7,})");
  re2::StringPiece rest(text);
  std::vector<std::string> found;
  for (std::string number; re2::RE2::FindAndConsume(&rest, expression, &number);) {
    found.push_back(number);
  }
  return found;
}

std::vector<std::string> messages() {
  std::vector<std::string> all;
  for (const std::string& folder : bundle_folders()) {
    for (const Fixture& fixture : find_fixtures(folder).fixtures) {
      all.push_back(read_whole(fixture.message));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("formats are told by their look") {
  CHECK(guess_format("\xEF\xBB\xBF <m/>") == "xml");
  CHECK(guess_format("<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>") == "soap");
  CHECK(guess_format("<Envelope/>") == "xml");
  CHECK(guess_format("\n{}") == "json");
  CHECK(guess_format("[]") == "json");
  CHECK(guess_format("a;b\n") == "csv");
  CHECK(guess_format("a b\n1;2") == "fixed");
  CHECK(guess_format("") == "fixed");
  CHECK(!describe_sample("fixed", ""));
  CHECK(describe_sample("yml", "").error().code == Errc::not_found);
}

TEST_CASE("no number of a message stands in its skeleton") {
  std::size_t compared = 0;
  for (const std::string& message : messages()) {
    const std::string skeleton = skeleton_of(message);
    for (const std::string& number : numbers_in(message)) {
      CHECK_MESSAGE(skeleton.find(number) == std::string::npos, number);
      compared += !skeleton.empty();
    }
  }
  CHECK(compared > 300);
}

TEST_CASE("a sample that ends early or has bytes changed gives a skeleton or a place") {
  for (const std::string& message : messages()) {
    for (std::size_t i = 0; i < message.size(); i += 1 + message.size() / 64) {
      std::string other = message;
      other[i] = '\xC3';
      for (const std::string& text : {message.substr(0, i), other}) {
        const Result<Sample> sample = describe_sample(guess_format(text), text);
        if (!sample) CHECK(sample.error().message.starts_with("line "));
      }
    }
  }
}

TEST_CASE("the character set of a file is guessed by its bytes") {
  const auto charset = [](const std::string& text) {
    return describe_sample("csv", text)->input.at(0);
  };
  CHECK(charset("a;b\n\xC3\xA4;1\n") == "charset: utf-8");
  CHECK(charset("a;b\n\xE4;1\n") == "charset: iso-8859-1");
  CHECK(charset("a;b\n\x80;1\n") == "charset: windows-1252");
}

TEST_CASE("fields of fixed records are guessed from the record in the middle, counted from 1") {
  const Result<Sample> sample =
      describe_sample("fixed", "HEAD      \nA1  \xFC\xFC  Z \nB2  o   Z \nEND 2     \n");
  REQUIRE(sample);
  const std::string yaml = make_skeleton("de-xx-new", "DE-SN", *sample, "sample").adapter_yaml;
  CHECK(yaml.find("length: 10\n") != std::string::npos);
  CHECK(yaml.find("…: { at: 1, length: 4 }   # A9\n") != std::string::npos);
  CHECK(yaml.find("…: { at: 5, length: 4 }   # a\n") != std::string::npos);
  CHECK(yaml.find("…: { at: 9, length: 2 }   # A\n") != std::string::npos);
}

}  // namespace flora::adapter
