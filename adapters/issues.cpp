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
    IssueKind{"too-many-rejected",
              "More items are rejected than `errors: max_rejected` allows, so nothing of the "
              "message is taken. Look at the reasons of the items first; raise the share only if "
              "the sender cannot do better."},
    IssueKind{"message-unknown",
              "Add a message with this root to `messages`. If it looks known, compare the "
              "namespace URI letter by letter: a new release has a new one."},
    IssueKind{"xml-malformed",
              "The sender's software must write well-formed XML in UTF-8; nothing after this place "
              "was read. Look at the place and just before it."},
    IssueKind{"xml-doctype", "The sender leaves the DOCTYPE out; it is refused for safety."},
    IssueKind{"xml-entity",
              "The sender writes the character itself, or a numeric reference such as &#228;."},
    IssueKind{
        "xml-encoding",
        "The document declares another encoding: the sender writes UTF-8 and says so, or says "
        "nothing."},
    IssueKind{"xml-too-deep",
              "No real message is nested so deeply; if this one is, raise `limits: depth`."},
    IssueKind{"xml-limit",
              "Raise `limits: attributes`, or the sender shortens names and declarations."},
    IssueKind{"soap-envelope",
              "The sender writes a SOAP 1.1 or 1.2 envelope: perhaps one Header, and one Body. If "
              "it sends the bare document, the format is xml."},
    IssueKind{"soap-body", "The sender puts exactly one element and no text into the body."},
    IssueKind{"soap-must-understand",
              "The sender takes mustUnderstand away from headers that are not about the message "
              "itself, or sends without them."},
    IssueKind{"json-malformed",
              "The sender's software must write JSON (RFC 8259); nothing after this place was "
              "read. Look at the place and just before it."},
    IssueKind{"json-duplicate-name", "The sender writes each name of an object once."},
    IssueKind{"json-encoding",
              "The sender writes well-formed UTF-8, without U+0000 and halves of surrogate pairs."},
    IssueKind{"json-too-deep",
              "No real message is nested so deeply; if this one is, raise `limits: depth`."},
    IssueKind{"json-array-expected",
              "The sender writes an array here, also for one item. If both are right, a rule reads "
              "the member of the object as well."},
    IssueKind{"json-limit", "An object may have 1,024 members; the sender makes several of it."},
    IssueKind{"charset-violated",
              "The file is in another character set than `input: charset` says, or damaged. "
              "Compare with the sender's export settings."},
    IssueKind{"csv-column-missing",
              "The file lacks a column of `input: csv: columns`. Other names and other columns "
              "are another release: compare with the sender's description."},
    IssueKind{"csv-column-unknown",
              "The file has a column that adapter.yaml does not know. Add it to `columns` if "
              "rules need it, or say how other columns are taken (`other_columns`)."},
    IssueKind{"csv-column-repeated", "The sender gives each column a name of its own."},
    IssueKind{"csv-columns",
              "The record has another number of fields than the header. Often a delimiter stands "
              "inside a text: the sender must put the text in quotes."},
    IssueKind{"csv-too-many-columns",
              "The record has more fields than are possible. Is the delimiter right?"},
    IssueKind{"csv-stray-quote",
              "The sender puts the whole field in quotes and doubles each quote inside it."},
    IssueKind{"csv-text-after-quote",
              "The sender doubles quotes inside a quoted field; a single one ends it."},
    IssueKind{"csv-unclosed-quote",
              "A quoted field is open at the end of the file, which may be cut off. The place is "
              "where the quote opens."},
    IssueKind{"csv-empty-record", "The sender leaves empty lines out."},
    IssueKind{"csv-bare-cr", "The sender ends lines with LF or CR LF."},
    IssueKind{"csv-nul", "The file is damaged, or not of this character set (UTF-16?)."},
    IssueKind{"csv-record-too-long",
              "Raise `limits: record_bytes`, or look for a quote that is not closed."},
    IssueKind{"csv-unexpected-bom",
              "The file says that it is UTF-8 and adapter.yaml says otherwise: one of the two is "
              "wrong."},
    IssueKind{"fixed-length",
              "The record is shorter or longer than `input: fixed` declares. Some editors strip "
              "spaces at the end of lines; a file of another character set has other lengths."},
    IssueKind{"fixed-control", "The file is damaged, or its line ends are mixed."},
    IssueKind{"fixed-unexpected-bom",
              "The file says that it is UTF-8 and adapter.yaml says otherwise: one of the two is "
              "wrong."},
    IssueKind{"header-missing",
              "The file does not begin with the record that `header` describes: it is another "
              "kind of file, or its begin is lost."},
    IssueKind{
        "record-missing",
        "The file has no record of data. If a file of none is right, the sender ends it with a "
        "last record that says so (`footer`)."},
    IssueKind{"footer-missing",
              "The file does not end with the record that `footer` describes: it was probably "
              "cut off. The sender sends it again, whole."},
    IssueKind{"footer-count",
              "The last record counts other records than there are: some are lost or doubled. "
              "The sender sends the file again."},
    IssueKind{"footer-not-last",
              "Something stands behind the last record, such as a second export. The sender sends "
              "each as a file of its own."},
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
