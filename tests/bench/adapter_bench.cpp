// Events per second of one core through the bundles, by Adapter::open and Cursor::next with all
// checks; against the bare scan of the same bytes by the bundle's own scanner, and against a parser
// that is not ours: expat with namespaces and empty handlers, simdjson's DOM, a search for line
// ends. Processor time of the thread, interleaved rounds, medians.
// Arguments: seconds for each measurement (default 0.5), and the begin of the names to measure.
#include <expat.h>
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "adapters/formats/xml_scanner.h"
#include "tests/adapters/many_events.h"
#include "tests/bench/processor_time.h"
#include "tests/temporary_folder.h"

namespace {

using namespace flora::adapter;
using flora::bench::median;
using flora::bench::rate;
constexpr int kRounds = 5;

// What the prototype reached on one core, in events per second (shared knowledge: adapters.md).
constexpr double kPrototypeCsv = 780'000;
constexpr double kPrototypeJson = 640'000;
constexpr double kPrototypeXml = 250'000;

using Bare = void (*)(const std::string& message);

struct Subject {
  std::string name;
  std::string folder;
  std::string message;
  Bare scan;
  std::string parser;
  Bare parse;
  double prototype = 0;  // 0: the prototype did not have the format.
};

void require(bool good) {
  if (!good) std::abort();
}

void scan_csv(const std::string& message) {
  static CsvScanner scanner;
  scanner.reset(message, Charset::iso_8859_1);
  RecordToken token = scanner.next();
  while (token == RecordToken::record) token = scanner.next();
  require(token == RecordToken::done);
}

void scan_fixed(const std::string& message) {
  static FixedScanner scanner;
  scanner.reset(message, Charset::windows_1252, 72);
  RecordToken token = scanner.next();
  while (token == RecordToken::record) token = scanner.next();
  require(token == RecordToken::done);
}

void scan_json(const std::string& message) {
  using Token = JsonScanner::Token;
  static JsonScanner scanner;
  scanner.reset(message);
  Token token = scanner.next();
  while (token != Token::done && token != Token::error) token = scanner.next();
  require(token == Token::done);
}

void scan_xml(const std::string& message) {
  using Token = XmlScanner::Token;
  static XmlScanner scanner;
  scanner.reset(message);
  Token token = scanner.next();
  while (token != Token::done && token != Token::error) token = scanner.next();
  require(token == Token::done);
}

void find_line_ends(const std::string& message) {
  const char* p = message.data();
  const char* const end = p + message.size();
  while (p != end) {
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    require(p != nullptr);
    ++p;
  }
}

void parse_with_simdjson(const std::string& message) {
  static simdjson::dom::parser parser;
  require(parser.parse(message.data(), message.size(), false).error() == simdjson::SUCCESS);
}

void expat_start(void*, const XML_Char*, const XML_Char**) {}
void expat_end(void*, const XML_Char*) {}
void expat_text(void*, const XML_Char*, int) {}

void parse_with_expat(const std::string& message) {
  static XML_Parser parser = XML_ParserCreateNS(nullptr, '\x01');
  XML_ParserReset(parser, nullptr);
  XML_SetElementHandler(parser, expat_start, expat_end);
  XML_SetCharacterDataHandler(parser, expat_text);
  require(XML_Parse(parser, message.data(), static_cast<int>(message.size()), XML_TRUE) ==
          XML_STATUS_OK);
}

std::size_t translate(const Adapter& adapter, const std::string& message, Item& item) {
  std::size_t events = 0;
  for (Cursor cursor = adapter.open(message); cursor.next(item); ++events) {
    require(item.outcome == Item::Outcome::event);
  }
  return events;
}

void measure(const Subject& subject, double seconds) {
  const auto adapter = Adapter::load(subject.folder);
  require(adapter.has_value());
  std::string message = subject.message;
  message.reserve(message.size() + simdjson::SIMDJSON_PADDING);
  Item item;
  const auto events = static_cast<double>(translate(**adapter, message, item));
  require(events > 0);
  const std::size_t at_once = 1 + 100'000 / message.size();
  std::vector<double> translated, scanned, parsed, of_scan, of_parser;
  for (int round = 0; round < kRounds; ++round) {
    translated.push_back(rate(seconds, at_once, [&] { translate(**adapter, message, item); }));
    scanned.push_back(rate(seconds, at_once, [&] { subject.scan(message); }));
    parsed.push_back(rate(seconds, at_once, [&] { subject.parse(message); }));
    of_scan.push_back(translated.back() / scanned.back());
    of_parser.push_back(translated.back() / parsed.back());
  }
  const double megabytes = static_cast<double>(message.size()) / 1e6;
  const double rate_of_events = median(translated) * events;
  std::printf("%-22s %9.0f bytes %6.0f events %9.0f events/s %6.0f MB/s", subject.name.c_str(),
              megabytes * 1e6, events, rate_of_events, median(translated) * megabytes);
  std::printf("  scan %6.0f MB/s, of it %.3f  %s %6.0f MB/s, of it %.3f",
              median(scanned) * megabytes, median(of_scan), subject.parser.c_str(),
              median(parsed) * megabytes, median(of_parser));
  if (subject.prototype > 0) std::printf("  of prototype %.2f", rate_of_events / subject.prototype);
  std::printf("\n");
}

std::string bundle(const std::string& id) {
  return std::string(FLORA_SOURCE_DIR) + "/adapters/" + id;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  const std::string chosen = argc > 2 ? argv[2] : "";
  const flora::TemporaryFolder fixed;
  many::write_fixed_bundle(fixed.path());
  const std::vector<Subject> subjects = {
      {"csv", bundle("de-bb-export"), many::csv_file(20000), scan_csv, "line ends", find_line_ends,
       kPrototypeCsv},
      {"fixed", fixed.path(), many::fixed_file(20000), scan_fixed, "line ends", find_line_ends},
      {"json", bundle("de-sn-assist"), many::json_message(4000), scan_json, "simdjson",
       parse_with_simdjson, kPrototypeJson},
      {"xml, many persons", bundle("de-ni-xauslaender"), many::xml_message(4000), scan_xml, "expat",
       parse_with_expat, kPrototypeXml},
      {"xml, three persons", bundle("de-ni-xauslaender"), many::xml_message(3), scan_xml, "expat",
       parse_with_expat, kPrototypeXml},
      {"xml, one person", bundle("de-ni-xauslaender"), many::xml_message(1), scan_xml, "expat",
       parse_with_expat, kPrototypeXml}};
  for (const Subject& subject : subjects) {
    if (subject.name.starts_with(chosen)) measure(subject, seconds);
  }
  return 0;
}
