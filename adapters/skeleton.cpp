#include "adapters/skeleton.h"

#include <algorithm>

namespace flora::adapter {
namespace {

std::string prefix_of(std::string_view root) {
  return std::string(root.substr(0, root.find(':') == std::string_view::npos ? 0 : root.find(':')));
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Only the prefix of the root is used so far; a prefix that is not used is a mistake.
std::string namespaces(const Sample& sample) {
  if (sample.spaces.empty()) return {};
  const std::string used = prefix_of(sample.root);
  std::string out = "\n# A prefix may stand for the namespaces of several releases.\n";
  const bool any = !used.empty();
  out += any ? "namespaces:\n" : "# namespaces:\n";
  for (const auto& [prefix, uri] : sample.spaces) {
    out += (prefix == used ? "  " : "  # ") + prefix + ": [\"" + uri + "\"]\n";
  }
  return out;
}

std::string places(const Sample& sample) {
  if (sample.places.empty()) return {};
  std::string out =
      "\n# The places of the sample in its order, how often they occur, and the shape of the "
      "first\n"
      "# value: 9 for a digit, A and a for letters. Those without a shape hold other places; what "
      "is\n"
      "# repeated can be gone over by `for_each`.\n";
  constexpr std::size_t kMostWidth = 60;
  std::size_t width = 0;
  for (const SamplePlace& place : sample.places) {
    width = std::max(width, std::min(kMostWidth, characters(place.place)));
  }
  for (const SamplePlace& place : sample.places) {
    out += "#   " + place.place;
    out.append(width - std::min(width, characters(place.place)), ' ');
    if (place.count > 1) out += "  " + std::to_string(place.count) + " times";
    if (!place.shape.empty()) out += "  " + place.shape;
    out += '\n';
  }
  return out;
}

// `source` is known; the comments say what lint asks for.
std::string event(std::string_view id, const std::string& indent) {
  std::string out = indent + "- set:\n";
  const std::string inner = indent + "    ";
  out += inner + "source: { const: \"" + std::string(id) + "\" }\n";
  for (const char* line :
       {"# What the sender calls the event, the same whenever it is sent again:",
        "# id: { from: \"…\", do: [ trim ] }",
        "# What happened: a constant, or the sender's word by status.map.csv:",
        "# status: { from: \"…\", do: [ trim, { map: status } ], required: true }",
        "# When: a day (occurredOn) or an instant (occurredAt), as the sender says it:",
        "# occurredOn: { from: \"…\", do: [ { date: \"dd.MM.yyyy\" } ] }",
        "# Who it is about, and which authority reports it (six digits):",
        "# procedure.identifiers: [ { type: AZR_NUMMER, value: { from: \"…\", do: [ trim ] } } ]",
        "# reporter.authority: { const: \"…\" }"}) {
    out += inner + line + "\n";
  }
  return out;
}

std::string rules(std::string_view id, const Sample& sample) {
  if (sample.root.empty()) return "\nevents:\n" + event(id, "  ");
  return "\nmessages:\n  - root: \"" + sample.root + "\"\n    events:\n" + event(id, "      ");
}

std::string readme(std::string_view id, const Sample& sample, std::string_view sample_name) {
  const std::string name(id);
  return "# " + name +
         "\n\nWhat this bundle reads, whose software sends it, and where its description is "
         "published.\n\n"
         "**The dialect is a simulation until the sender has confirmed it.** What stands here was "
         "guessed from\none sample.\n\n"
         "## What becomes of a message\n"
         "How `id` and `source` are made, what `occurredOn` or `occurredAt` means, which words "
         "give "
         "which status\n(`status.map.csv`), what is skipped and what is rejected, and this "
         "bundle's "
         "own issue codes.\n\n"
         "## To do\n"
         "1. Replace every identifier in `fixtures/accepted/" +
         std::string(sample_name) +
         "` by an invented one. Fixtures\n   hold invented identifiers only.\n"
         "2. `flora-gateway adapter lint <this folder>` says what `adapter.yaml` still lacks.\n"
         "3. `flora-gateway adapter try <this folder> <message>` shows what it does.\n"
         "4. Add fixtures: accepted, rejected, and skipped if anything is.\n"
         "5. `flora-gateway adapter test <this folder> --write`; read what it wrote (" +
         sample.format + " messages beside\n   `.expected.json`).\n";
}

}  // namespace

Skeleton make_skeleton(std::string_view id, std::string_view land, const Sample& sample,
                       std::string_view sample_name) {
  Skeleton out;
  std::string& yaml = out.adapter_yaml;
  yaml = "# See README.md. The language is described in adapters/README.md.\nadapter:\n  id: " +
         std::string(id) + "\n  version: \"0.1.0\"\n";
  yaml += land.empty() ? "  # land: DE-…\n" : "  land: " + std::string(land) + "\n";
  yaml += "  title: \"" + std::string(id) +
          "\"\n  simulation: true\n\ninput:\n  format: " + sample.format + "\n";
  for (const std::string& line : sample.input) yaml += "  " + line + "\n";
  yaml += namespaces(sample);
  yaml += "\nmaps:\n  status: { file: status.map.csv, to: status }\n";
  yaml += places(sample);
  yaml += rules(id, sample);
  out.code_list = "source;target;comment\n";
  out.readme = readme(id, sample, sample_name);
  return out;
}

}  // namespace flora::adapter
