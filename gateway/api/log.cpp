// The ledger as a transparency log: checkpoint, tiles, entry bundles (C2SP tlog-tiles).
#include <charconv>

#include "gateway/api/access.h"
#include "ledger-client/merkle/tiles.h"

namespace flora::api {
namespace {

constexpr std::uint64_t kBundle = 256;  // Entries of a full one (C2SP tlog-tiles).
constexpr std::string_view kBytes = "application/octet-stream";

http::Response failed(const Error& error) {
  const bool missing = error.code == Errc::not_found;
  return problem_response({missing ? "not-found" : "unavailable", {}, {}});
}

// Also where the ledger is a network, which has no such log.

}  // namespace

void Api::get_checkpoint(Call call, Reply reply) {
  if (parts_.log == nullptr) return reply->send(not_found());
  reply->send(cacheable_response(call.head, "text/plain; charset=utf-8", "private, no-cache",
                                 parts_.log->checkpoint()));
}

void Api::get_tile(Call call, Reply reply) {
  const std::string path =
      std::string(call.match.value("level")) + '/' + std::string(call.match.value("index"));
  const auto tile = ledger::parse_tile_path(path);
  if (!tile || !tile->level || parts_.log == nullptr) return reply->send(not_found());
  run_blocking(reply, [this, tile = *tile, head = std::move(call.head), reply] {
    const Result<std::string> bytes = parts_.log->tile(*tile.level, tile.n, tile.width);
    if (!bytes) return reply->send(failed(bytes.error()));
    reply->send(cacheable_response(head, kBytes, kImmutable, *bytes));
  });
}

void Api::get_entry_bundle(Call call, Reply reply) {
  if (refuse(call, audit::Action::read_entries, reply)) return;
  const auto bundle = ledger::parse_tile_path("entries/" + std::string(call.match.value("index")));
  if (!bundle || bundle->level || parts_.log == nullptr) return reply->send(not_found());
  run_blocking(reply,
               [this, bundle = *bundle, head = std::move(call.head), caller = *call.caller, reply] {
                 const Result<std::string> bytes = parts_.log->entry_bundle(bundle.n, bundle.width);
                 if (!bytes) return reply->send(failed(bytes.error()));
                 AuditEffect effect;
                 effect.outcome = AuditEffect::Outcome::found;
                 effect.entries = {bundle.n * kBundle, bundle.width};
                 send_recorded(reply, record_of(caller, audit::Action::read_entries, effect),
                               cacheable_response(head, kBytes, kImmutable, *bytes));
               });
}

}  // namespace flora::api
