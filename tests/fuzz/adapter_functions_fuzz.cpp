// Any bytes as the text that each function of `do` is applied to, twice: the result is the same,
// and what was UTF-8 stays UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "adapters/engine/functions.h"
#include "gateway/base/bytes.h"
#include "gateway/base/env.h"

namespace {

using namespace flora;
using namespace flora::adapter;

const Plan& plan() {
  static const std::unique_ptr<Plan> compiled = [] {
    BundleFiles files;
    const auto yaml = Env::system().read_file(
        FLORA_SOURCE_DIR "/tests/fuzz/adapter_compile_corpus/functions.yaml", 1 << 16);
    if (!yaml) std::abort();
    files.adapter_yaml = *yaml;
    files.code_lists["words.map.csv"] = "source;target;comment\nA;ANKUNFT_AE;\n";
    auto result = compile(files, nullptr);
    if (!result) std::abort();
    return std::move(*result);
  }();
  return *compiled;
}

Trouble run(const Call& call, std::string_view& text, Scratch& scratch) {
  if (call.function != Function::map) return apply(call, text, scratch);
  return look_up(plan().maps[call.number], {}, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const bool utf8 = is_utf8(text);
  Scratch scratch;
  for (const MessagePlan& message : plan().messages) {
    for (const Expression& e : message.expressions) {
      for (const Call& call : e.calls) {
        std::string_view first = text;
        std::string_view second = text;
        const Trouble trouble = run(call, first, scratch);
        if (trouble != run(call, second, scratch) || first != second) std::abort();
        if (trouble == Trouble::none && utf8 && !is_utf8(first)) std::abort();
      }
    }
  }
  return 0;
}
