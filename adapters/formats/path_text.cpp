#include "adapters/formats/path_text.h"

namespace flora::adapter {
namespace {

// Where the step that begins at `from` ends.
std::size_t end_of_step(std::string_view path, std::size_t from) {
  bool quoted = false;
  for (std::size_t i = from; i < path.size(); ++i) {
    if (path[i] == '"') quoted = !quoted;
    if (path[i] == '/' && !quoted && path.substr(from, i - from).find('[') == path.npos) return i;
    if (path[i] == ']' && !quoted) return i + 1;
  }
  return path.size();
}

Result<StepText> step_of(std::string_view text) {
  StepText out{text, {}, {}};
  const std::size_t open = text.find('[');
  if (open == text.npos) return out;
  const Error error{Errc::invalid, "\"" + std::string(text) + "\": a filter is [key=\"text\"]"};
  const std::size_t equals = text.find('=', open);
  if (equals == text.npos || !text.ends_with("\"]")) return error;
  const std::string_view value = text.substr(equals + 1, text.size() - equals - 2);
  out.name = text.substr(0, open);
  out.key = text.substr(open + 1, equals - open - 1);
  if (value.size() < 2 || value.front() != '"' || out.key.empty()) return error;
  out.text = value.substr(1, value.size() - 2);
  if (out.text.find('"') != out.text.npos) return error;
  return out;
}

}  // namespace

Result<std::vector<StepText>> steps_of(std::string_view path) {
  std::vector<StepText> out;
  for (std::size_t from = 0;;) {
    const std::size_t end = end_of_step(path, from);
    FLORA_ASSIGN(const StepText step, step_of(path.substr(from, end - from)));
    out.push_back(step);
    if (end == path.size()) return out;
    if (path[end] != '/') {
      return Error{Errc::invalid, "\"" + std::string(path) + "\": a `/` belongs behind a filter"};
    }
    from = end + 1;
  }
}

}  // namespace flora::adapter
