// Events per second of one core through the bundle de-ni-xauslaender, against a bare expat parse
// (with namespaces, empty handlers) and the bare scan of the same bytes in the same run.
// Then the bare scan of generated files of records, against a search for one byte of each record.
// Interleaved rounds, medians. Argument: seconds for each measurement, default 0.5.
#include <expat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "adapters/formats/xml_scanner.h"

namespace {

using namespace flora::adapter;
constexpr int kRounds = 5;

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// Seconds of the processor that this thread has had: other processes do not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// How often `work` runs in a second of the processor.
template <typename Work>
double rate(double seconds, const Work& work, std::size_t at_once = 20) {
  const double begin = processor_seconds();
  std::size_t runs = 0;
  double passed = 0;
  do {
    for (std::size_t i = 0; i < at_once; ++i) work();
    runs += at_once;
    passed = processor_seconds() - begin;
  } while (passed < seconds);
  return static_cast<double>(runs) / passed;
}

void scan(const std::string& message) {
  static XmlScanner scanner;
  scanner.reset(message);
  XmlScanner::Token token = scanner.next();
  while (token != XmlScanner::Token::done && token != XmlScanner::Token::error)
    token = scanner.next();
}

void expat_start(void*, const XML_Char*, const XML_Char**) {}
void expat_end(void*, const XML_Char*) {}
void expat_text(void*, const XML_Char*, int) {}

void parse_with_expat(const std::string& message) {
  static XML_Parser parser = XML_ParserCreateNS(nullptr, '\x01');
  XML_ParserReset(parser, nullptr);
  XML_SetElementHandler(parser, expat_start, expat_end);
  XML_SetCharacterDataHandler(parser, expat_text);
  if (XML_Parse(parser, message.data(), static_cast<int>(message.size()), XML_TRUE) !=
      XML_STATUS_OK) {
    std::abort();
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(const Adapter& adapter, const std::string& name, double seconds) {
  const std::string message =
      read_whole(std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender/fixtures/accepted/" +
                 name + ".xml");
  const auto events = static_cast<double>(adapter.translate(message).items.size());
  std::vector<double> translated, scanned, parsed;
  for (int round = 0; round < kRounds; ++round) {
    translated.push_back(rate(seconds, [&] { (void)adapter.translate(message); }));
    scanned.push_back(rate(seconds, [&] { scan(message); }));
    parsed.push_back(rate(seconds, [&] { parse_with_expat(message); }));
  }
  const double whole = median(translated), bare = median(scanned), expat = median(parsed);
  std::printf(
      "%-28s %6zu B %3.0f ev  %9.0f msg/s %9.0f ev/s  scan %9.0f/s  expat %9.0f/s  whole/expat "
      "%.2f\n",
      name.c_str(), message.size(), events, whole, whole * events, bare, expat, whole / expat);
}

constexpr int kRecords = 50000;

// Invented records of about 120 bytes each. With `quote`, text fields stand in quotes.
std::string csv_file(const std::string& quote) {
  std::string file;
  for (int i = 0; i < kRecords; ++i) {
    char record[256];
    std::snprintf(record, sizeof record,
                  "%07d-%02d;%012d;AKTENANLAGE_ERFOLGT;%02d.%02d.2026;%02d:%02d;000250;"
                  "%sLandesaufnahmebeh\xF6rde%s;%sM\xFCller-%d%s;DE-NI;%s%s;%d\r\n",
                  8000000 + i, i % 90, 900000000 + i, 1 + i % 28, 1 + i % 12, i % 24, i % 60,
                  quote.c_str(), quote.c_str(), quote.c_str(), i, quote.c_str(), quote.c_str(),
                  quote.c_str(), i % 7);
    file += record;
  }
  return file;
}

std::string fixed_file() {
  std::string file;
  for (int i = 0; i < kRecords; ++i) {
    char record[256];
    std::snprintf(record, sizeof record, "%010d%012d%-30s%02d%02d2026%06d%-50s\r\n", 8000000 + i,
                  900000000 + i, "AKTENANLAGE_ERFOLGT", 1 + i % 28, 1 + i % 12, 250, "M\xFCller");
    file += record;
  }
  return file;
}

// An array of objects; each has one `#`. White space before members and before values.
std::string json_file(const std::string& line_end, const std::string& gap) {
  std::string file = "[";
  const auto member = [&](const char* name, const std::string& value) {
    file += (file.back() == '{' ? "" : ",") + line_end + '"' + name + "\":" + gap + value;
  };
  for (int i = 0; i < kRecords; ++i) {
    file += (i == 0 ? "{" : ",{");
    member("vorgang", "\"V#" + std::to_string(8000000 + i) + "\"");
    member("azrNummer", "\"" + std::to_string(900000000000 + i) + "\"");
    member("status", "\"AKTENANLAGE_ERFOLGT\"");
    member("datum", "\"2026-03-" + std::to_string(10 + i % 20) + "\"");
    member("behoerde", "{");
    member("kennzeichen", "\"000250\"");
    member("name", "\"Landesaufnahmebeh\xC3\xB6rde\"");
    file += line_end + "}";
    member("laufendeNummer", std::to_string(i));
    member("eilig", i % 3 == 0 ? "true" : "false");
    member("bemerkung", "null");
    file += line_end + "}";
  }
  return file + "]";
}

// Each returns the number of records.
std::size_t scan_csv(const std::string& file) {
  static CsvScanner scanner;
  scanner.reset(file, Charset::windows_1252);
  std::size_t records = 0;
  for (; scanner.next() == RecordToken::record; ++records) {
    if (scanner.fields().size() != 11) std::abort();
  }
  return records;
}

std::size_t scan_fixed(const std::string& file) {
  FixedScanner scanner;
  scanner.reset(file, Charset::windows_1252, 116);
  std::size_t records = 0;
  while (scanner.next() == RecordToken::record) ++records;
  return records;
}

std::size_t scan_json(const std::string& file) {
  static JsonScanner scanner;
  scanner.reset(file);
  std::size_t objects = 0;
  for (;;) {
    const JsonScanner::Token token = scanner.next();
    if (token == JsonScanner::Token::begin_object) ++objects;
    if (token == JsonScanner::Token::error) std::abort();
    if (token == JsonScanner::Token::done) return objects / 2;
  }
}

std::size_t skip_json(const std::string& file) {
  static JsonScanner scanner;
  scanner.reset(file);
  scanner.next();
  std::size_t records = 0;
  while (scanner.skip_value() == JsonScanner::Token::begin_object) ++records;
  return records;
}

std::size_t search(const std::string& file, char mark) {
  const char* p = file.data();
  const char* end = p + file.size();
  std::size_t found_marks = 0;
  for (const void* found = nullptr;
       (found = std::memchr(p, mark, static_cast<std::size_t>(end - p))) != nullptr;
       ++found_marks) {
    p = static_cast<const char*>(found) + 1;
  }
  return found_marks;
}

void expect_all(std::size_t records) {
  if (records != kRecords) std::abort();
}

template <typename Scan>
void measure_scan(const std::string& file, char mark, const char* name, double seconds,
                  const Scan& whole) {
  std::vector<double> scanned, searched;
  for (int round = 0; round < kRounds; ++round) {
    scanned.push_back(rate(
        seconds, [&] { expect_all(whole(file)); }, 1));
    searched.push_back(rate(
        seconds, [&] { expect_all(search(file, mark)); }, 1));
  }
  const double megabytes = static_cast<double>(file.size()) / 1e6;
  const double scans = median(scanned), searches = median(searched);
  std::printf("%-28s %6.1f MB %7.0f MB/s %10.0f records/s  search %7.0f MB/s  scan/search %.2f\n",
              name, megabytes, scans * megabytes, scans * kRecords, searches * megabytes,
              scans / searches);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  auto adapter = Adapter::load(std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender");
  if (!adapter) {
    std::fprintf(stderr, "%s\n", adapter.error().message.c_str());
    return 1;
  }
  for (const char* name : {"111211-late", "110202-three-persons", "110301-court-all-blocks"}) {
    measure(**adapter, name, seconds);
  }
  measure_scan(csv_file(""), '\n', "csv, no quotes", seconds, scan_csv);
  measure_scan(csv_file("\""), '\n', "csv, three fields quoted", seconds, scan_csv);
  measure_scan(fixed_file(), '\n', "fixed, 116 characters", seconds, scan_fixed);
  measure_scan(json_file("", ""), '#', "json, compact", seconds, scan_json);
  measure_scan(json_file("\n    ", " "), '#', "json, pretty", seconds, scan_json);
  measure_scan(json_file("", ""), '#', "json, compact, passed over", seconds, skip_json);
  measure_scan(json_file("\n    ", " "), '#', "json, pretty, passed over", seconds, skip_json);
  return 0;
}
