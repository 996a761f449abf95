// The list of formats.
#include "adapters/formats/csv_reader.h"
#include "adapters/formats/fixed_reader.h"
#include "adapters/formats/json_reader.h"
#include "adapters/formats/soap_reader.h"
#include "adapters/formats/xml_reader.h"

namespace flora::adapter {

std::unique_ptr<Format> find_format(std::string_view name, const std::vector<std::string>& spaces) {
  if (name == "xml") return std::make_unique<XmlReader>(spaces);
  if (name == "soap") return std::make_unique<SoapReader>(spaces);
  if (name == "json") return std::make_unique<JsonReader>();
  if (name == "csv") return std::make_unique<CsvReader>();
  if (name == "fixed") return std::make_unique<FixedReader>();
  return nullptr;
}

}  // namespace flora::adapter
