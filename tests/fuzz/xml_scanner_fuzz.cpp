// Any bytes: no crash, and nothing is taken that expat refuses.
#include <expat.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/formats/xml_scanner.h"

namespace {

using flora::adapter::XmlScanner;

bool scanner_takes(std::string_view document) {
  static XmlScanner scanner;
  scanner.reset(document);
  for (;;) {
    const XmlScanner::Token token = scanner.next();
    if (scanner.begin_offset() > scanner.end_offset() || scanner.end_offset() > document.size()) {
      std::abort();
    }
    if (token == XmlScanner::Token::done) return true;
    if (token != XmlScanner::Token::error) continue;
    if (scanner.error().offset > document.size()) std::abort();
    return false;
  }
}

bool expat_takes(std::string_view document) {
  XML_Parser parser = XML_ParserCreateNS(nullptr, '\x01');
  const bool taken = XML_Parse(parser, document.data(), static_cast<int>(document.size()),
                               XML_TRUE) == XML_STATUS_OK;
  XML_ParserFree(parser);
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  if (scanner_takes(document) && !expat_takes(document)) std::abort();
  return 0;
}
