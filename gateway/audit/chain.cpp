#include "gateway/audit/chain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace flora::audit {
namespace {

constexpr std::string_view kFormat = "flora-audit v1";

// A head as the notes write it: number and hash.
std::string text_of(const AuditHead& head) {
  return std::to_string(head.number) + ' ' + to_hex(head.hash);
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  return value;
}

std::optional<AuditHead> head_in(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == text.npos) return std::nullopt;
  const auto number = number_in(text.substr(0, space));
  const auto hash = from_hex(text.substr(space + 1));
  AuditHead head;
  if (!number || !hash || hash->size() != head.hash.size()) return std::nullopt;
  head.number = *number;
  std::ranges::copy(as_bytes(*hash), head.hash.begin());
  return head;
}

std::string text_of(std::string_view origin, const AuditSegment& segment) {
  std::string text(kFormat);
  text += " segment\n";
  text += origin;
  text += "\nnumber " + std::to_string(segment.number);
  text += "\nfirst " + std::to_string(segment.first);
  text += "\nbefore " + text_of(segment.before);
  text += "\nlast " + text_of(segment.last);
  text += "\nbegin " + to_string(segment.begin);
  text += "\nend " + to_string(segment.end);
  return text + '\n';
}

std::string text_of(std::string_view origin, const ExportStatement& statement) {
  std::string text(kFormat);
  text += " export\n";
  text += origin;
  text += "\nat " + to_string(statement.at);
  text += "\nhead " + text_of(statement.head);
  text += "\nfirst " + std::to_string(statement.first);
  text += "\nlast " + std::to_string(statement.last);
  text += "\nscope " + statement.scope;
  text += "\nquery " + statement.query;
  text += "\ncontent " + text_of(AuditHead{statement.lines, statement.content});
  return text + '\n';
}

std::string text_of(std::string_view origin, const AuditHead& head) {
  std::string text(kFormat);
  text += " head\n";
  text += origin;
  text += "\nlast " + text_of(head);
  return text + '\n';
}

// The values of the lines behind format and origin; what stands before the first space is the name.
std::vector<std::string_view> values_in(std::string_view text) {
  std::vector<std::string_view> values;
  for (std::size_t line = 0; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line >= 2) values.push_back(one.substr(std::min(one.find(' ') + 1, one.size())));
  }
  return values;
}

Error not_ours() { return {Errc::invalid, "not a signed head of this audit trail"}; }

}  // namespace

AuditHead first_head(std::string_view origin) {
  std::string text(kFormat);
  text += '\n';
  text += origin;
  return {0, crypto::sha256(text)};
}

Digest next_hash(const Digest& head, std::string_view record) {
  std::array<std::byte, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::byte>(record.size() >> (8 * (length.size() - 1 - i)));
  }
  return crypto::sha256({head, length, as_bytes(record)});
}

std::string seal(std::string_view origin, const crypto::Ed25519Key& key,
                 const AuditSegment& segment) {
  return ledger::sign_note(text_of(origin, segment), origin, key);
}

std::string sign(std::string_view origin, const crypto::Ed25519Key& key, const AuditHead& head) {
  return ledger::sign_note(text_of(origin, head), origin, key);
}

std::string sign(std::string_view origin, const crypto::Ed25519Key& key,
                 const ExportStatement& statement) {
  return ledger::sign_note(text_of(origin, statement), origin, key);
}

Result<AuditSegment> open_seal(std::string_view note, const ledger::NoteVerifier& verifier) {
  FLORA_ASSIGN(const std::string text, ledger::open_note(note, verifier));
  const auto values = values_in(text);
  if (values.size() != 6) return not_ours();
  const auto number = number_in(values[0]);
  const auto first = number_in(values[1]);
  const auto before = head_in(values[2]);
  const auto last = head_in(values[3]);
  const auto begin = parse_instant(values[4]);
  const auto end = parse_instant(values[5]);
  if (!number || !first || !before || !last || !begin || !end) return not_ours();
  const AuditSegment segment{*number, *first, *before, *last, *begin, *end};
  // One form only: what is written again is the same text.
  if (text_of(verifier.name, segment) != text) return not_ours();
  return segment;
}

Result<AuditHead> open_head(std::string_view note, const ledger::NoteVerifier& verifier) {
  FLORA_ASSIGN(const std::string text, ledger::open_note(note, verifier));
  const auto values = values_in(text);
  const auto head = values.size() == 1 ? head_in(values[0]) : std::nullopt;
  if (!head || text_of(verifier.name, *head) != text) return not_ours();
  return *head;
}

Result<ExportStatement> open_statement(std::string_view note,
                                       const ledger::NoteVerifier& verifier) {
  FLORA_ASSIGN(const std::string text, ledger::open_note(note, verifier));
  const auto values = values_in(text);
  if (values.size() != 7) return not_ours();
  const auto at = parse_instant(values[0]);
  const auto head = head_in(values[1]);
  const auto first = number_in(values[2]);
  const auto last = number_in(values[3]);
  const auto content = head_in(values[6]);
  if (!at || !head || !first || !last || !content) return not_ours();
  const ExportStatement statement{*at,
                                  *head,
                                  *first,
                                  *last,
                                  std::string(values[4]),
                                  std::string(values[5]),
                                  content->number,
                                  content->hash};
  if (text_of(verifier.name, statement) != text) return not_ours();
  return statement;
}

}  // namespace flora::audit
