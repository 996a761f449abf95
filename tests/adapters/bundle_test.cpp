// The bundle de-ni-xauslaender: its fixtures, and what must hold of every translation.
#include <doctest/doctest.h>
#include <algorithm>
#include <atomic>
#include <thread>

#include "adapters/adapter.h"
#include "adapters/formats/xml_scanner.h"
#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/json.h"
#include "tests/adapters/golden.h"

namespace flora::adapter {
namespace {

const Adapter& bundle() {
  static const std::unique_ptr<Adapter> loaded = [] {
    Result<std::unique_ptr<Adapter>> result = Adapter::load(bundle_folder());
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(result).value();
  }();
  return *loaded;
}

// All texts and attribute values of a message that are long enough to be told from others.
std::vector<std::string> contents(const std::string& message) {
  XmlScanner scanner;
  scanner.reset(message);
  std::vector<std::string> out;
  const auto keep = [&](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \r\n\t");
    if (first == std::string_view::npos) return;
    text = text.substr(first, text.find_last_not_of(" \r\n\t") + 1 - first);
    if (text.size() > 4 && text != "false") out.emplace_back(text);
  };
  for (;;) {
    const XmlScanner::Token token = scanner.next();
    if (token == XmlScanner::Token::done || token == XmlScanner::Token::error) return out;
    if (token == XmlScanner::Token::text) keep(scanner.text());
    if (token != XmlScanner::Token::start) continue;
    for (const XmlScanner::Attribute& attribute : scanner.attributes()) keep(attribute.value);
  }
}

void check_events(const Translation& translation) {
  CHECK((translation.items.empty() || translation.rejection.empty()));
  CHECK((!translation.items.empty() || !translation.rejection.empty()));
  json::Document document;
  for (const Item& item : translation.items) {
    if (item.outcome == Item::Outcome::event) {
      CHECK(document.parse(item.event));
      CHECK(item.issues.empty());
    } else {
      CHECK(item.event.empty());
      CHECK(!item.issues.empty());
    }
  }
}

}  // namespace

TEST_CASE("each fixture gives its expected result, in any order") {
  const FixtureRun run = run_fixtures(bundle(), bundle_folder());
  for (const std::string& failure : run.failures) FAIL_CHECK(failure);
  CHECK(run.fixtures > 90);
}

TEST_CASE("every translation is either items or a rejection with a place") {
  REQUIRE(fixtures("accepted").size() > 20);
  REQUIRE(fixtures("rejected").size() > 20);
  REQUIRE(fixtures("skipped").size() > 3);
  for (const auto& path : all_fixtures()) {
    const Translation translation = bundle().translate(read_whole(path));
    check_events(translation);
    for (const Issue& issue : translation.rejection) CHECK_MESSAGE(issue.at.line > 0, path);
  }
}

TEST_CASE("threads share one adapter") {
  std::vector<std::pair<std::string, std::string>> cases;
  for (const auto& path : all_fixtures()) {
    cases.emplace_back(read_whole(path), render(bundle().translate(read_whole(path))));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (const auto& [message, result] : cases)
        wrong += render(bundle().translate(message)) != result;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("no text of a message stands in what the sender is told") {
  for (const auto& path : all_fixtures()) {
    const std::string message = read_whole(path);
    const Translation translation = bundle().translate(message);
    std::string told;
    const auto tell = [&](const std::vector<Issue>& issues) {
      for (const Issue& issue : issues) {
        CHECK(issue.rule.starts_with("adapter.yaml:"));
        told += issue.code + "\n" + issue.detail + "\n" + issue.at.path + "\n" + issue.rule + "\n";
      }
    };
    tell(translation.rejection);
    for (const Item& item : translation.items) tell(item.issues);
    for (const std::string& text : contents(message)) {
      CHECK_MESSAGE(told.find(text) == std::string::npos, path);
    }
  }
}

TEST_CASE("a message that ends early is rejected, wherever it ends") {
  for (const char* name :
       {"110202-three-persons", "111211-awkward-text", "110301-court-all-blocks"}) {
    const std::string message = read_whole(bundle_folder() + "/fixtures/accepted/" + name + ".xml");
    const std::size_t end = message.rfind('>');
    for (std::size_t n = 0; n <= end; ++n) {
      const Translation translation = bundle().translate(std::string_view(message).substr(0, n));
      CHECK(translation.items.empty());
      REQUIRE(translation.rejection.size() == 1);
      CHECK(translation.rejection[0].at.line > 0);
    }
  }
}

TEST_CASE("a byte lost or changed never gives an ill-formed answer") {
  for (const char* name : {"110202-three-persons", "110209-merged"}) {
    const std::string message = read_whole(bundle_folder() + "/fixtures/accepted/" + name + ".xml");
    for (std::size_t i = 0; i < message.size(); ++i) {
      std::string other = message;
      other.erase(i, 1);
      check_events(bundle().translate(other));
      for (const char c : {'<', '9', '\0', '\xC3', '"'}) {
        other = message;
        other[i] = c;
        check_events(bundle().translate(other));
      }
    }
  }
}

TEST_CASE(
    "values that are too long are refused where a rule reads them, and passed over elsewhere") {
  const std::string path = bundle_folder() + "/fixtures/accepted/111211-late.xml";
  const std::string message = read_whole(path);
  const auto with = [&](const std::string& old, const std::string& fresh) {
    std::string other = message;
    other.replace(other.find(old), old.size(), fresh);
    return bundle().translate(other);
  };
  const std::string expected = essence(bundle().translate(message));
  CHECK(essence(with("Nirgendheim", std::string(3 << 20, 'x'))) == expected);
  CHECK(essence(with("<code>NB</code>", "<code>" + std::string(200000, 'N') + "</code>")) ==
        expected);
  const Translation azr = with("990630004102", std::string(1 << 20, '9'));
  REQUIRE(azr.items.size() == 1);
  CHECK(azr.items[0].issues[0].code == "value-too-long");
  const Translation date = with("2026-11-07", std::string(100000, ' ') + "2026-11-07");
  CHECK(date.items[0].issues[0].code == "value-too-long");
  const Translation uuid =
      with("nachrichtenUUID>9e8d", "nachrichtenUUID>" + std::string(5000, 'e'));
  REQUIRE(uuid.rejection.size() == 1);
  CHECK(uuid.rejection[0].code == "value-too-long");
  CHECK(bundle().translate(std::string((16u << 20) + 1, ' ')).rejection[0].code ==
        "message-too-large");
}

TEST_CASE("too many persons are refused as a whole") {
  const std::string message = read_whole(bundle_folder() + "/fixtures/accepted/111211-late.xml");
  const std::size_t begin = message.find("  <xa:person>");
  const std::size_t end = message.find("</xa:person>\n") + 13;
  std::string many = message.substr(0, begin);
  for (int i = 0; i < 5001; ++i) many += message.substr(begin, end - begin);
  many += message.substr(end);
  const Translation translation = bundle().translate(many);
  REQUIRE(translation.rejection.size() == 1);
  CHECK(translation.rejection[0].code == "too-many-items");
}

TEST_CASE("the bundle knows itself") {
  const BundleInfo& info = bundle().info();
  CHECK(info.id == "de-ni-xauslaender");
  CHECK(info.version == "1.0.0");
  CHECK(info.land == "DE-NI");
  CHECK(info.format == "xml");
  CHECK(info.media_types == std::vector<std::string>{"application/xml", "text/xml"});
  CHECK(!info.simulation);
  CHECK(info.code_lists.size() > 10);
  // As `sha256sum adapter.yaml *.map.csv | sha256sum` prints it.
  const auto line = [](const std::string& name) {
    return to_hex(crypto::sha256(read_whole(bundle_folder() + "/" + name))) + "  " + name + "\n";
  };
  CHECK(info.hash == to_hex(crypto::sha256(line("adapter.yaml") + line("releases.map.csv"))));
}

}  // namespace flora::adapter
