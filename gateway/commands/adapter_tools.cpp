#include "gateway/commands/adapter_tools.h"

#include <iostream>
#include <sstream>

namespace flora::commands::tools {
namespace {

constexpr std::size_t kMostMessage = 64u << 20;
constexpr std::size_t kMostRules = 4u << 20;

Result<Subject> load_subject(const Call& call, const adapter::CanonicalTypes& types) {
  Subject subject;
  const std::string& folder = call.words[0];
  FLORA_ASSIGN(subject.adapter, adapter::Adapter::load(folder, &types));
  FLORA_ASSIGN(const std::string yaml, call.env->read_file(folder + "/adapter.yaml", kMostRules));
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) subject.rules.push_back(line);
  subject.file = call.words[1];
  FLORA_ASSIGN(subject.message, call.env->read_file(subject.file, kMostMessage));
  return subject;
}

}  // namespace

Result<Types> load_types(const Call& call) {
  Result<Canonical> canonical =
      load_canonical(call.line->option("--statuses").value_or("config/statuses.yaml"), *call.env);
  if (!canonical) {
    Error error = std::move(canonical).error();
    if (error.code == Errc::not_found) {
      error = {Errc::invalid, error.message + " (name the catalogue with --statuses <file>)"};
    }
    return error;
  }
  adapter::CanonicalTypes types = canonical_types(canonical->document, canonical->catalogue);
  return Types{std::move(*canonical), std::move(types)};
}

int with_subject(const Call& call, int (*run)(const Call& call, const Subject& subject)) {
  const Result<Types> types = load_types(call);
  if (!types) return fail(types.error());
  const std::vector<adapter::Finding> findings = adapter::lint({call.words[0]}, &types->types);
  if (!findings.empty()) {
    if (call.json) {
      print({{"findings", to_json(findings)}});
    } else {
      print_text(findings);
    }
    return 1;
  }
  const Result<Subject> subject = load_subject(call, types->types);
  if (!subject) return fail(subject.error());
  return run(call, *subject);
}

void print(const Json& json) {
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json to_json(const std::vector<adapter::Finding>& findings) {
  Json out = Json::array();
  for (const adapter::Finding& finding : findings) {
    out.push_back({{"file", finding.file},
                   {"line", finding.line},
                   {"column", finding.column},
                   {"number", finding.number},
                   {"message", finding.message}});
  }
  return out;
}

void print_text(const std::vector<adapter::Finding>& findings) {
  for (const adapter::Finding& finding : findings) std::cout << to_string(finding) << '\n';
}

Json to_json(const adapter::Location& at) {
  return {{"line", at.line}, {"column", at.column}, {"path", at.path}};
}

std::string to_text(const adapter::Location& at) {
  if (at.line == 0 && at.path.empty()) return "the message as a whole";
  if (at.line == 0) return at.path;
  return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) +
         (at.path.empty() ? "" : ", " + at.path);
}

std::string rule_text(const Subject& subject, adapter::RulePlace at) {
  if (at.line < 1 || static_cast<std::size_t>(at.line) > subject.rules.size()) return {};
  const std::string& line = subject.rules[static_cast<std::size_t>(at.line) - 1];
  std::size_t begin = 0;  // Columns count characters.
  for (int column = 0; begin < line.size(); ++begin) {
    if ((static_cast<unsigned char>(line[begin]) & 0xC0) != 0x80 && ++column == at.column) break;
  }
  begin = line.find_first_not_of(" \t\r", begin);
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

std::string number_of(std::size_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

int exit_code(const adapter::Translation& translation) {
  return translation.rejected > 0 || !translation.rejection.empty() ? 1 : 0;
}

std::string_view to_text(adapter::Item::Outcome outcome) {
  switch (outcome) {
    case adapter::Item::Outcome::event:
      return "event";
    case adapter::Item::Outcome::rejected:
      return "rejected";
    case adapter::Item::Outcome::skipped:
      return "skipped";
  }
  return {};
}

}  // namespace flora::commands::tools
