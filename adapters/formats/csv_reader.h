// Files of delimited records (CSV). A place is the name of a column.
#pragma once

#include "adapters/formats/reader.h"

namespace flora::adapter {

/// Issue codes besides those of record_scanner.h: csv-columns, csv-column-unknown,
/// csv-column-repeated, csv-column-missing, footer-missing, footer-count, footer-not-last,
/// charset-violated.
class CsvReader final : public RecordReader {
 public:
  std::vector<std::string> media_types() const override { return {"text/csv"}; }
  std::unique_ptr<RecordCursor> records(const Plan& plan) const override;
};

}  // namespace flora::adapter
