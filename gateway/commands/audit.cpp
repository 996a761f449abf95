// `flora-gateway audit …`: who has read and written which procedure, and whether the trail that
// says so is whole.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>

#include "gateway/api/audit_scan.h"
#include "gateway/audit/check.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "gateway/store/audit_reader.h"
#include "ledger-client/embedded/lock_file.h"

namespace flora::commands {
namespace {

namespace fs = std::filesystem;

using Trail = std::shared_ptr<const audit::Trail>;

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kMaxSeal = 1 << 16;
constexpr const char* kAuditForms =
    "audit verify [<folder> | <file>] | list [<filters>] | export --out <file> [<filters>] | "
    "export <segment> <folder> | accept-loss; filters: --procedure <pseudonym> --authority "
    "<number> "
    "--action <action> --client <name> --from <time> --to <time>; a time is an instant (RFC 3339) "
    "or a day (UTC)";

Result<audit::CheckReport> check_trail(const settings::Settings& settings, const Trail& trail) {
  audit::Check check(trail->verifier());
  // The file first: it never names a head that the database lacks.
  FLORA_ASSIGN(const auto head, store::read_signed_head(settings.audit.head_file));
  FLORA_ASSIGN(store::AuditReader reader, store::AuditReader::open(settings.store_place()));
  FLORA_TRY(reader.hold());
  check.signed_head(head);
  FLORA_ASSIGN(const auto segments, reader.segments());
  check.segments(segments);
  FLORA_TRY(reader.groups(kFirst, kLast, [&check](const AuditGroup& group) -> Result<void> {
    check.group(group);
    return {};
  }));
  return check.finish();
}

int verify(const settings::Settings& settings, const Trail& trail) {
  const auto report = check_trail(settings, trail);
  if (!report) return fail(report.error());
  for (const std::string& note : report->notes) std::cout << "NOTE " << note << '\n';
  for (const std::string& finding : report->findings) std::cout << "FINDING " << finding << '\n';
  std::cout << "audit verify: " << report->records << " records, the last is number "
            << report->head.number << "; " << report->segments << " sealed segments, "
            << report->deleted << " of them deleted; " << report->findings.size() << " findings\n";
  return report->clean() ? kDone : kFailed;
}

Result<void> check_exported(const fs::path& seal_file, const Trail& trail, Env& env) {
  FLORA_ASSIGN(const std::string note, env.read_file(seal_file.string(), kMaxSeal));
  const auto segment = trail->open_seal(note);
  if (!segment) return Error{Errc::corrupt, "the seal is " + segment.error().message};
  audit::SegmentCheck check(*segment);
  std::ifstream file(fs::path(seal_file).replace_extension(".ndjson"), std::ios::binary);
  for (std::string line; std::getline(file, line);) check.record(line);
  return check.finish();
}

int verify_folder(const std::string& folder, const Trail& trail, Env& env) {
  int segments = 0;
  int findings = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".seal") continue;
    ++segments;
    const auto checked = check_exported(entry.path(), trail, env);
    if (checked) continue;
    ++findings;
    std::cout << "FINDING " << entry.path().filename().string() << ": " << checked.error().message
              << '\n';
  }
  if (segments == 0) return fail({Errc::not_found, folder + ": no exported segment is there"});
  std::cout << "audit verify: " << segments << " exported segments, " << findings << " findings\n";
  return findings == 0 ? kDone : kFailed;
}

// An instant, or the begin of a day in UTC.
Result<Instant> time_of(const std::string& text, std::int64_t after_day) {
  if (const auto instant = parse_instant(text)) return *instant;
  if (const auto day = parse_day(text)) return Instant{day->days * kDayMs + after_day};
  return Error{Errc::invalid, "a time is an instant (RFC 3339) or a day (YYYY-MM-DD, UTC)"};
}

Result<audit::Query> query_of(const CommandLine& line) {
  audit::Query query;
  if (const auto text = line.option("--procedure")) {
    query.procedure = parse_uuid(*text);
    if (!query.procedure) return Error{Errc::invalid, "--procedure needs a pseudonym (UUID)"};
  }
  query.action = line.option("--action");
  query.client = line.option("--client");
  query.authority = line.option("--authority");
  if (const auto text = line.option("--from")) {
    FLORA_ASSIGN(query.from, time_of(*text, 0));
  }
  if (const auto text = line.option("--to")) {
    // A day is meant as a whole.
    FLORA_ASSIGN(query.before, time_of(*text, kDayMs));
  }
  return query;
}

// Whoever may read the files may see all of it.
Result<audit::Filter> filter_of(const CommandLine& line) {
  FLORA_ASSIGN(audit::Query query, query_of(line));
  return audit::Filter(std::move(query), audit::Scope());
}

Result<void> list(const settings::Settings& settings, const CommandLine& line) {
  constexpr std::size_t kLines = 1000;
  FLORA_ASSIGN(audit::Filter filter, filter_of(line));
  FLORA_ASSIGN(store::AuditReader reader, store::AuditReader::open(settings.store_place()));
  FLORA_ASSIGN(api::AuditScan scan, api::AuditScan::begin(std::move(reader), std::move(filter)));
  while (!scan.rest().is_empty()) {
    FLORA_ASSIGN(const auto records, scan.some(kLines));
    for (const std::string& record : records) std::cout << record << '\n';
    if (!std::cout) return Error{Errc::unavailable, "the output cannot be written"};
  }
  return {};
}

// The file has its name when it is complete.
Result<void> export_to(const settings::Settings& settings, const CommandLine& line,
                       const std::string& path, const Trail& trail, Env& env) {
  std::error_code error;
  if (fs::exists(path, error)) return Error{Errc::conflict, path + " is there already"};
  FLORA_ASSIGN(audit::Filter filter, filter_of(line));
  FLORA_ASSIGN(store::AuditReader reader, store::AuditReader::open(settings.store_place()));
  FLORA_ASSIGN(api::AuditExport lines, api::AuditExport::begin(std::move(reader), std::move(filter),
                                                               *trail, Instant{env.now_ms()}));
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::binary);
  while (!lines.is_done() && file) {
    FLORA_ASSIGN(const std::string text, lines.some());
    file << text;
  }
  file.close();
  if (file) fs::rename(part, path, error);
  if (!file || error) return Error{Errc::unavailable, "cannot write " + path};
  std::cout << path << ": records " << lines.range().next << " to " << lines.range().last
            << " were looked at\n";
  return {};
}

int verify_file(const std::string& path, const Trail& trail) {
  audit::ExportCheck check(trail->verifier());
  std::ifstream file(path, std::ios::binary);
  for (std::string text; std::getline(file, text);) check.line(text);
  const audit::ExportReport report = check.finish();
  for (const std::string& finding : report.findings) std::cout << "FINDING " << finding << '\n';
  const audit::ExportStatement& said = report.statement;
  if (report.clean()) {
    std::cout << "stated at " << to_string(said.at) << ": of records " << said.first << " to "
              << said.last << " those of scope " << said.scope << " and query " << said.query
              << "; the trail's head was " << said.head.number << '\n';
  }
  std::cout << "audit verify: " << report.records << " records; " << report.whole_segments
            << " segments whole by the hash chain, " << report.partial_segments
            << " in part, by the statement alone; " << report.findings.size() << " findings\n";
  return report.clean() ? kDone : kFailed;
}

Result<SealedSegment> find_segment(store::AuditReader& reader, const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return Error{Errc::invalid, kAuditForms};
  FLORA_ASSIGN(const auto segments, reader.segments());
  for (const SealedSegment& one : segments) {
    if (one.number != number) continue;
    if (!one.deleted) return one;
    return Error{Errc::not_found, "its records were deleted at " + to_string(*one.deleted)};
  }
  return Error{Errc::not_found, "there is no closed segment of this number"};
}

Result<void> write_segment(store::AuditReader& reader, const AuditSegment& segment,
                           const std::string& path) {
  audit::SegmentCheck check(segment);
  std::ofstream file(path, std::ios::binary);
  FLORA_TRY(reader.groups(
      segment.first, segment.last.number, [&](const AuditGroup& group) -> Result<void> {
        audit::for_each_record(group, [&check](std::string_view line) { check.record(line); });
        file << group.records;
        return {};
      }));
  file.close();
  if (!file) return Error{Errc::unavailable, "cannot write " + path};
  return check.finish();
}

Result<void> export_segment(const settings::Settings& settings, const CommandLine& line,
                            const Trail& trail, Env& env) {
  if (line.words.size() != 4) return Error{Errc::invalid, kAuditForms};
  FLORA_ASSIGN(store::AuditReader reader, store::AuditReader::open(settings.store_place()));
  FLORA_ASSIGN(const SealedSegment sealed, find_segment(reader, line.words[2]));
  FLORA_ASSIGN(const AuditSegment segment, trail->open_seal(sealed.seal));
  const fs::path folder = line.words[3];
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string name = (folder / ("segment-" + std::to_string(sealed.number))).string();
  if (fs::exists(name + ".seal", error)) {
    return Error{Errc::conflict, name + ".seal is there already"};
  }
  FLORA_TRY(write_segment(reader, segment, name + ".ndjson"));
  FLORA_TRY(env.replace_file(name + ".seal", sealed.seal, 0600));
  std::cout << name << ".ndjson: records " << segment.first << " to " << segment.last.number << ", "
            << to_string(segment.begin) << " to " << to_string(segment.end) << '\n';
  return {};
}

Result<void> accept_loss(const settings::Settings& settings, Env& env) {
  FLORA_ASSIGN(const auto lock,
               ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database())));
  FLORA_TRY(continue_audit(settings, env));
  std::cout << "the audit trail goes on; its next record says so\n";
  return {};
}

int exit_code(const Result<void>& done) { return done ? kDone : fail(done.error()); }

}  // namespace

int audit(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const auto trail = load_audit_trail(settings, env);
  if (!trail) return fail(trail.error());
  const std::string action = line.words.size() > 1 ? line.words[1] : "";
  if (action == "verify" && line.words.size() == 2) return verify(settings, *trail);
  if (action == "verify" && line.words.size() == 3) {
    const std::string& path = line.words[2];
    return fs::is_directory(path) ? verify_folder(path, *trail, env) : verify_file(path, *trail);
  }
  if (action == "list") return exit_code(list(settings, line));
  const auto out = line.option("--out");
  if (action == "export" && out) return exit_code(export_to(settings, line, *out, *trail, env));
  if (action == "export") return exit_code(export_segment(settings, line, *trail, env));
  if (action == "accept-loss") return exit_code(accept_loss(settings, env));
  return fail({Errc::invalid, kAuditForms});
}

}  // namespace flora::commands
