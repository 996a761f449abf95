// Our side of comparisons with other tools.
//   schema_check yaml | json | json-3.0   prints the embedded document in this form
//   schema_check verdicts                 reads lines {"schema": "#/components/schemas/X", "value":
//   …}
//                                         and answers each with `valid` or `invalid`
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "openapi/document.h"

namespace flora::openapi {
namespace {

int verdicts(const Document& document) {
  json::Document parsed;
  std::vector<Violation> violations;
  std::map<std::string, Schema, std::less<>> schemas;
  for (std::string line; std::getline(std::cin, line);) {
    if (!parsed.parse(line)) {
      std::cout << "unreadable\n";
      continue;
    }
    const std::string pointer(parsed.root().find("schema")->string());
    auto known = schemas.find(pointer);
    if (known == schemas.end()) {
      auto schema = document.schema(pointer);
      if (!schema) return 2;
      known = schemas.emplace(pointer, std::move(schema).value()).first;
    }
    violations.clear();
    const bool valid = known->second.validate(*parsed.root().find("value"), violations);
    std::cout << (valid ? "valid\n" : "invalid\n");
  }
  return 0;
}

int run(std::string_view command) {
  const auto document = Document::load();
  if (!document) {
    std::cerr << document.error().message << "\n";
    return 1;
  }
  if (command == "verdicts") return verdicts(*document);
  if (command == "yaml") std::cout << document->yaml();
  if (command == "json") std::cout << document->json() << "\n";
  if (command == "json-3.0") std::cout << document->json_30() << "\n";
  return 0;
}

}  // namespace
}  // namespace flora::openapi

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: schema_check yaml|json|json-3.0|verdicts\n";
    return 2;
  }
  return flora::openapi::run(argv[1]);
}
