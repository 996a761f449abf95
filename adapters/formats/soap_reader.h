// SOAP 1.1 and 1.2 messages: the message that rules see is the one element in the envelope's body.
// Places are written as for XML, with that element as the root.
#pragma once

#include "adapters/formats/xml_reader.h"

namespace flora::adapter {

class SoapReader final : public XmlReader {
 public:
  using XmlReader::XmlReader;

  std::vector<std::string> media_types() const override {
    return {"application/soap+xml", "text/xml"};
  }
  /// Errors besides those of XML: soap-envelope, soap-must-understand (a header block that the
  /// sender says must be understood: none is), soap-body.
  std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                            Walk& walk) const override;
};

}  // namespace flora::adapter
