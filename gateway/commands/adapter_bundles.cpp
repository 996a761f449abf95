// `adapter lint`, `adapter test`: what concerns a bundle as a whole.
#include <iostream>

#include "adapters/fixtures.h"
#include "adapters/negatives.h"
#include "gateway/commands/adapter_tools.h"

namespace flora::commands::tools {
namespace {

struct Tested {
  std::string folder;
  std::vector<adapter::Finding> findings;
  std::size_t written = 0;
  adapter::FixtureRun run;
  adapter::NegativeRun generated;

  bool good() const {
    return findings.empty() && run.failures.empty() && generated.failures.empty();
  }
  std::size_t failures() const {
    return findings.size() + run.failures.size() + generated.failures.size();
  }
};

Result<Tested> test_bundle(const std::string& folder, const Types& types, bool write,
                           const adapter::EventCheck& check) {
  Tested tested;
  tested.folder = folder;
  tested.findings = adapter::lint({folder}, &types.types);
  if (!tested.findings.empty()) return tested;
  FLORA_ASSIGN(const auto bundle, adapter::Adapter::load(folder, &types.types));
  if (write) {
    FLORA_ASSIGN(tested.written, adapter::write_expected(*bundle, folder));
  }
  tested.run = adapter::run_fixtures(*bundle, folder, check);
  if (!tested.good()) return tested;  // What is generated is made from fixtures that are good.
  FLORA_ASSIGN(tested.generated, adapter::run_negatives(folder, &types.types, check));
  return tested;
}

Json to_json(const Tested& tested) {
  return {{"folder", tested.folder},
          {"good", tested.good()},
          {"fixtures", tested.run.fixtures},
          {"written", tested.written},
          {"failures", tested.run.failures},
          {"findings", tools::to_json(tested.findings)},
          {"generated",
           {{"messages", tested.generated.messages}, {"failures", tested.generated.failures}}}};
}

void print_text(const Tested& tested, bool write) {
  tools::print_text(tested.findings);
  for (const std::string& failure : tested.run.failures) {
    std::cout << tested.folder << "/fixtures/" << failure << '\n';
  }
  std::size_t generated = 0;
  for (const auto& [kind, count] : tested.generated.messages) generated += count;
  for (const std::string& failure : tested.generated.failures) {
    std::cout << tested.folder << ": " << failure << '\n';
  }
  std::cout << tested.folder << ": " << number_of(tested.run.fixtures, "fixture") << ", "
            << number_of(generated, "generated message") << ", "
            << number_of(tested.failures(), "failure");
  if (write) std::cout << ", " << tested.written << " expected results written anew: read them";
  std::cout << '\n';
}

}  // namespace

int lint(const Call& call) {
  const Result<Types> types = load_types(call);
  if (!types) return fail(types.error());
  const std::vector<adapter::Finding> findings = adapter::lint(call.words, &types->types);
  if (call.json) {
    print(to_json(findings));
    return findings.empty() ? 0 : 1;
  }
  print_text(findings);
  std::cout << number_of(call.words.size(), "bundle") << ", "
            << number_of(findings.size(), "mistake");
  if (!findings.empty()) {
    std::cout << "; flora-gateway adapter explain " << findings.front().number
              << " says more about the first";
  }
  std::cout << '\n';
  return findings.empty() ? 0 : 1;
}

int test(const Call& call) {
  const Result<Types> types = load_types(call);
  if (!types) return fail(types.error());
  const Result<intake::EventParser> parser =
      intake::EventParser::make(types->canonical.document, types->canonical.catalogue);
  if (!parser) return fail(parser.error());
  const bool write = call.line->has("--write");
  bool good = true;
  Json out = Json::array();
  for (const std::string& folder : call.words) {
    const Result<Tested> tested = test_bundle(folder, *types, write, canonical_check(*parser));
    if (!tested) return fail(tested.error());
    good = good && tested->good();
    if (call.json) {
      out.push_back(to_json(*tested));
    } else {
      print_text(*tested, write);
    }
  }
  if (call.json) print(out);
  return good ? 0 : 1;
}

}  // namespace flora::commands::tools
