// Any bytes as adapter.yaml: it compiles or is refused with a place, and nothing breaks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "adapters/engine/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flora::adapter::BundleFiles files;
  files.adapter_yaml.assign(reinterpret_cast<const char*>(data), size);
  files.code_lists["words.map.csv"] = "source;target;comment\nA;ANKUNFT_AE;\n";
  const auto plan = flora::adapter::compile(files, nullptr);
  if (!plan && plan.error().message.empty()) std::abort();
  return 0;
}
