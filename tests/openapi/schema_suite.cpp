// Runs the schema validator against the JSON Schema Test Suite, in so far as its schemas keep to
// our subset. Usage: schema_suite <folder of draft2020-12>. Fails on any verdict that differs, but
// for the cases in kStricter, and if suspiciously few cases apply.
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "openapi/schema.h"

namespace flora::openapi {
namespace {

struct Stricter {
  std::string_view group;
  std::string_view test;
  std::string_view reason;
};

constexpr std::string_view kLeap = "the ledger's clock knows no leap second";
constexpr std::string_view kCase = "instants are written with upper-case T and Z";
constexpr std::string_view kWidth = "handlers read 64 bits";
constexpr std::string_view kInteger = "handlers read integers; 1.0 is not written as one";

/// Where we refuse on purpose what JSON Schema accepts.
constexpr std::array kStricter = {
    Stricter{"integer type matches integers", "a float with zero fractional part is an integer",
             kInteger},
    Stricter{"integer", "a bignum is an integer", kWidth},
    Stricter{"integer", "a negative bignum is an integer", kWidth},
    Stricter{"validation of date-time strings", "a valid date-time with a leap second, UTC", kLeap},
    Stricter{"validation of date-time strings",
             "a valid date-time with a leap second, with minus offset", kLeap},
    Stricter{"validation of date-time strings", "case-insensitive T and Z", kCase},
};

/// A JSON value as the tree that the compiler reads.
yaml::Node to_node(const nlohmann::json& value) {
  yaml::Node node;
  if (value.is_object()) {
    node.kind = yaml::Kind::mapping;
    for (const auto& [name, member] : value.items()) {
      if (name == "$schema") continue;
      node.members.push_back({name, to_node(member)});
      node.member_at.emplace_back();
    }
  } else if (value.is_array()) {
    node.kind = yaml::Kind::sequence;
    for (const auto& item : value) node.items.push_back(to_node(item));
  } else if (!value.is_null()) {
    node.kind = yaml::Kind::scalar;
    node.quoted = value.is_string();
    node.text = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return node;
}

class Suite {
 public:
  void run(const std::filesystem::path& file) {
    std::ifstream stream(file);
    for (const auto& group : nlohmann::json::parse(stream)) run_group(file, group);
  }

  int finish() const {
    std::cout << cases_ << " cases agree, " << stricter_ << " are stricter on purpose, " << skipped_
              << " groups are outside the subset, " << failed_ << " differ\n";
    return failed_ == 0 && cases_ > 200 && stricter_ == kStricter.size() ? 0 : 1;
  }

 private:
  void run_group(const std::filesystem::path& file, const nlohmann::json& group) {
    const yaml::Node root = to_node(group["schema"]);
    const auto schema = Schema::compile(root, "#", file.filename().string());
    if (!schema) {
      ++skipped_;
      return;
    }
    for (const auto& test : group["tests"]) run_case(*schema, group, test);
  }

  void run_case(const Schema& schema, const nlohmann::json& group, const nlohmann::json& test) {
    const std::string text = test["data"].dump();
    json::Document document;
    std::vector<Violation> violations;
    const bool verdict = document.parse(text) && schema.validate(document.root(), violations);
    if (verdict == test["valid"].get<bool>()) {
      ++cases_;
    } else if (is_stricter(group["description"], test["description"]) && !verdict) {
      ++stricter_;
    } else {
      ++failed_;
      std::cout << "differs: " << group["description"] << " / " << test["description"] << "\n";
    }
  }

  static bool is_stricter(const std::string& group, const std::string& test) {
    for (const Stricter& entry : kStricter) {
      if (entry.group == group && entry.test == test) return true;
    }
    return false;
  }

  std::size_t cases_ = 0;
  std::size_t stricter_ = 0;
  std::size_t skipped_ = 0;
  std::size_t failed_ = 0;
};

int run(const std::filesystem::path& folder) {
  Suite suite;
  for (const char* name : {"additionalProperties",
                           "allOf",
                           "anyOf",
                           "const",
                           "default",
                           "enum",
                           "items",
                           "maxItems",
                           "maxLength",
                           "maximum",
                           "minItems",
                           "minLength",
                           "minimum",
                           "oneOf",
                           "pattern",
                           "properties",
                           "ref",
                           "required",
                           "type",
                           "uniqueItems",
                           "optional/format/date",
                           "optional/format/date-time",
                           "optional/format/uuid",
                           "optional/bignum"}) {
    suite.run(folder / (std::string(name) + ".json"));
  }
  return suite.finish();
}

}  // namespace
}  // namespace flora::openapi

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: schema_suite <folder of draft2020-12>\n";
    return 2;
  }
  return flora::openapi::run(argv[1]);
}
