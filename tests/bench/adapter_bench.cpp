// Events per second of one core through the bundle de-ni-xauslaender, against a bare expat parse
// (with namespaces, empty handlers) and the bare scan of the same bytes in the same run.
// Interleaved rounds, medians. Argument: seconds for each measurement, default 0.5.
#include <expat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/adapter.h"
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
double rate(double seconds, const Work& work) {
  const double begin = processor_seconds();
  std::size_t runs = 0;
  double passed = 0;
  do {
    for (int i = 0; i < 20; ++i) work();
    runs += 20;
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
  return 0;
}
