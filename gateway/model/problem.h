// Problem details (RFC 9457): every refusal of the gateway is one of the kinds in one visible list.
// No text of a request stands in a problem; a value is shown by its shape at most.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flora {

/// One kind of problem; its page is served at /problems/<name>.
struct ProblemKind {
  std::string_view name;  ///< Kebab case.
  int status = 0;         ///< The HTTP status.
  std::string_view title;
  std::string_view explanation;  ///< What it means and what the client can do.
  bool is_registered = false;    ///< IANA has registered it: others use the same type.
};

/// The URI that names a kind: its page here, or that of the registry "HTTP Problem Types".
std::string type_of(const ProblemKind& kind);

/// All kinds, sorted by status and name.
std::span<const ProblemKind> problem_kinds();

/// nullptr if there is none.
const ProblemKind* find_problem_kind(std::string_view name);

/// One cause and its place: a JSON Pointer, or line and column.
struct ProblemCause {
  std::string code;     ///< A word for programs.
  std::string detail;   ///< One English sentence.
  std::string pointer;  ///< Into the body; meaningful if has_pointer.
  bool has_pointer = false;
  int line = 0;      ///< From 1; 0: not given.
  int column = 0;    ///< From 1; 0: not given.
  std::string path;  ///< In a native message; may be empty.
  std::string rule;  ///< Of an adapter, file:line:column; may be empty.
};

struct Problem {
  std::string_view name;  ///< Of a kind in the list.
  std::string detail;     ///< One English sentence, or empty.
  std::vector<ProblemCause> causes;
  std::string_view violated_policy = {};  ///< quota-exceeded only: as in RateLimit-Policy.

  int status() const;
};

/// Appends the problem as JSON. At most 64 causes are written.
void append_json(std::string& out, const Problem& problem);

/// Appends one cause as JSON; also the form of an adapter's issues.
void append_json(std::string& out, const ProblemCause& cause);

}  // namespace flora
