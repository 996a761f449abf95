#include "adapters/formats/soap_reader.h"

#include "adapters/engine/walk.h"
#include "adapters/formats/text_position.h"
#include "adapters/formats/xml_scanner.h"

namespace flora::adapter {
namespace {

constexpr std::string_view kEnvelope11 = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view kEnvelope12 = "http://www.w3.org/2003/05/soap-envelope";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

// The envelope around the payload (SOAP 1.1 §4, SOAP 1.2 Part 1 §5): Envelope, perhaps a Header,
// one Body with one element.
class Envelope {
 public:
  Envelope(XmlScanner& scanner, Walk& walk) : scanner_(scanner), walk_(walk) {}

  // Each returns a problem's code, or empty.
  std::string_view start() {
    ++depth_;
    if (part_ == Part::payload) {
      tell_walk();
      return {};
    }
    if (depth_ == 1) return begin_envelope();
    if (depth_ == 2) return begin_part();
    if (part_ == Part::header) return depth_ == 3 ? header_block() : std::string_view();
    if (payloads_++ > 0) return "soap-body";
    part_ = Part::payload;
    tell_walk();
    return {};
  }

  std::string_view end() {
    if (part_ == Part::payload) walk_.close();
    --depth_;
    if (part_ == Part::payload && depth_ == 2) part_ = Part::body;
    if (depth_ == 1) part_ = Part::none;
    if (depth_ == 1 && bodies_ > 0 && payloads_ == 0) return "soap-body";
    if (depth_ == 0 && bodies_ == 0) return "soap-envelope";
    return {};
  }

  std::string_view text() {
    if (part_ == Part::payload) {
      walk_.text(scanner_.text());
    } else if (part_ != Part::header && !is_blank(scanner_.text())) {
      return part_ == Part::body ? "soap-body" : "soap-envelope";
    }
    return {};
  }

 private:
  enum class Part : std::uint8_t { none, header, body, payload };

  std::string_view begin_envelope() {
    space_ = scanner_.uri() == kEnvelope11 ? kEnvelope11 : kEnvelope12;
    const bool good = scanner_.uri() == space_ && scanner_.local() == "Envelope";
    return good ? std::string_view() : "soap-envelope";
  }

  std::string_view begin_part() {
    const bool header = scanner_.local() == "Header" && headers_ == 0 && bodies_ == 0;
    const bool body = scanner_.local() == "Body" && bodies_ == 0;
    if (scanner_.uri() != space_ || !(header || body)) return "soap-envelope";
    headers_ += header;
    bodies_ += body;
    part_ = header ? Part::header : Part::body;
    return {};
  }

  std::string_view header_block() const {
    for (const XmlScanner::Attribute& attribute : scanner_.attributes()) {
      const bool must = attribute.local == "mustUnderstand" && attribute.uri == space_;
      if (must && attribute.value != "0" && attribute.value != "false")
        return "soap-must-understand";
    }
    return {};
  }

  void tell_walk() {
    walk_.open(scanner_.space(), scanner_.uri(), scanner_.local(), scanner_.begin_offset());
    for (const XmlScanner::Attribute& attribute : scanner_.attributes()) {
      walk_.attribute(attribute.space, attribute.local, attribute.value, attribute.offset);
    }
  }

  XmlScanner& scanner_;
  Walk& walk_;
  std::string_view space_;  // One of the two constants.
  Part part_ = Part::none;
  int depth_ = 0;
  int headers_ = 0;
  int bodies_ = 0;
  int payloads_ = 0;
};

std::string_view sentence_of(std::string_view code) {
  if (code == "soap-envelope") {
    return "A SOAP 1.1 or 1.2 envelope is expected: Envelope, perhaps one Header, and one Body.";
  }
  if (code == "soap-body") return "The body of the envelope holds one element and no text.";
  return "The header asks for something that the gateway does not do.";
}

}  // namespace

std::optional<Issue> SoapReader::read(std::string_view message, const MessageLimits& limits,
                                      Walk& walk) const {
  thread_local XmlScanner scanner;
  scanner.reset(message, spaces_, {.depth = limits.depth, .attributes = limits.attributes});
  Envelope envelope(scanner, walk);
  for (;;) {
    std::string_view problem;
    switch (scanner.next()) {
      case XmlScanner::Token::start:
        problem = envelope.start();
        break;
      case XmlScanner::Token::end:
        problem = envelope.end();
        break;
      case XmlScanner::Token::text:
        problem = envelope.text();
        break;
      case XmlScanner::Token::done:
        return std::nullopt;
      case XmlScanner::Token::error:
        return issue_of(scanner.error(), message);
    }
    if (problem.empty()) continue;
    const TextPosition at = position_in(message, scanner.begin_offset());
    return Issue{
        std::string(problem), std::string(sentence_of(problem)), {at.line, at.column, {}}, {}};
  }
}

}  // namespace flora::adapter
