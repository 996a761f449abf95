// The bare scan of generated files by the scanners of adapters/formats, against a search for one
// byte of each record. Interleaved rounds, medians. Argument: seconds for each measurement, default
// 0.5.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "tests/bench/processor_time.h"

namespace {

using namespace flora::adapter;
using flora::bench::median;
using flora::bench::rate;
constexpr int kRounds = 5;
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
    scanned.push_back(rate(seconds, 1, [&] { expect_all(whole(file)); }));
    searched.push_back(rate(seconds, 1, [&] { expect_all(search(file, mark)); }));
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
  measure_scan(csv_file(""), '\n', "csv, no quotes", seconds, scan_csv);
  measure_scan(csv_file("\""), '\n', "csv, three fields quoted", seconds, scan_csv);
  measure_scan(fixed_file(), '\n', "fixed, 116 characters", seconds, scan_fixed);
  measure_scan(json_file("", ""), '#', "json, compact", seconds, scan_json);
  measure_scan(json_file("\n    ", " "), '#', "json, pretty", seconds, scan_json);
  measure_scan(json_file("", ""), '#', "json, compact, passed over", seconds, skip_json);
  measure_scan(json_file("\n    ", " "), '#', "json, pretty, passed over", seconds, skip_json);
  return 0;
}
