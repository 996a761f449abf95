// Files of records of fixed length. A place is the name of a field that the bundle cuts out of the
// record. Blanks at the end of a field are padding, and a blank field is absent.
#pragma once

#include "adapters/formats/reader.h"

namespace flora::adapter {

/// Issue codes besides those of record_scanner.h: header-missing, footer-missing, footer-count,
/// footer-not-last, charset-violated.
class FixedReader final : public RecordReader {
 public:
  std::vector<std::string> media_types() const override { return {"text/plain"}; }
  std::unique_ptr<RecordCursor> records(const Plan& plan) const override;
};

}  // namespace flora::adapter
