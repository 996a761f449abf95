#include "adapters/issues.h"

#include <algorithm>
#include <array>

namespace flora::adapter {
namespace {

constexpr std::array kIssues = {
    IssueKind{"message-too-large",
              "The sender splits the file, or `limits: bytes` in adapter.yaml is raised (at most "
              "64 MiB)."},
    IssueKind{"too-many-items",
              "The sender splits the message, or `limits: items` in adapter.yaml is raised. Rows "
              "of `each`, `count` and `pick` count too."},
    IssueKind{"message-unknown",
              "Add a message with this root to `messages`. If it looks known, compare the "
              "namespace URI letter by letter: a new release has a new one."},
    IssueKind{"xml-malformed",
              "The sender's software must write well-formed XML; nothing after this place was "
              "read. Look at the place and just before it."},
    IssueKind{"xml-doctype", "The sender leaves the DOCTYPE out; it is refused for safety."},
    IssueKind{"xml-entity",
              "The sender writes the character itself, or a numeric reference such as &#228;."},
    IssueKind{"xml-encoding", "The sender writes UTF-8 and says so, or says nothing."},
    IssueKind{"xml-too-deep",
              "No real message is nested so deeply; if this one is, raise `limits: depth`."},
    IssueKind{"xml-limit",
              "Raise `limits: attributes`, or the sender shortens names and declarations."},
    IssueKind{"value-missing",
              "The sender fills the place in. If it may be absent, take `required` away or give "
              "another source with `first`."},
    IssueKind{"value-malformed",
              "Compare the shape with what the rule asks for. If the sender's form is right, "
              "change the functions of the rule; an empty value can be taken as absent by "
              "`on_malformed: absent`."},
    IssueKind{"value-repeated",
              "The place may occur once. If several are meant, go over them by `for_each` or "
              "`each`, or choose one by `pick`."},
    IssueKind{"value-structured",
              "The place holds elements, not a text: the path is one step too short."},
    IssueKind{"value-too-long",
              "The sender shortens the value, or `limits: value_bytes` is raised."},
    IssueKind{"value-unmapped",
              "Add the sender's word to the code list, or say `on_unmapped: absent` if the event "
              "is right without it."},
    IssueKind{"code-missing", "The sender writes the child `code` of the coded value."},
    IssueKind{"code-unknown",
              "Compare with the list: add the code to this version if it is official, else the "
              "sender's code is wrong."},
    IssueKind{"code-list-mismatch",
              "The sender names the list that belongs here; or the rule names the wrong list "
              "under `code`."},
    IssueKind{"code-version-missing", "The sender names the version of the list."},
    IssueKind{"code-version-unknown",
              "Add the version with its codes to the list in adapter.yaml, once it is official."},
    IssueKind{"identifier-missing",
              "The message gives none of the identifiers that the event takes. Without one "
              "nobody's procedure is meant."},
    IssueKind{"time-missing", "The message gives neither the day nor the instant of the event."},
    IssueKind{"time-ambiguous",
              "The message gives a day and an instant. Guard one of the two by `when`."},
    IssueKind{"no-event",
              "No event rule applies. Look at their `when`; if the message is right without an "
              "event, say so by `skip` or `on_no_event: skip`."},
};

}  // namespace

std::span<const IssueKind> issue_kinds() { return kIssues; }

std::string_view advice_for(std::string_view code) {
  const auto* found = std::find_if(kIssues.begin(), kIssues.end(),
                                   [&](const IssueKind& kind) { return kind.code == code; });
  if (found != kIssues.end()) return found->advice;
  return "The bundle itself gives this reason: see the rule, and the README of the bundle.";
}

}  // namespace flora::adapter
