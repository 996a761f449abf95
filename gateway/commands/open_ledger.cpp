#include "gateway/commands/open_ledger.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gateway/commands/definitions.h"
#include "gateway/intake/local_forwarder.h"
#include "gateway/intake/remote_forwarder.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/fabric/network.h"

namespace flora::commands {

#if FLORA_WITH_FABRIC
Result<std::unique_ptr<outbox::RemoteNetwork>> open_network(const settings::Fabric& settings,
                                                            Env& env) {
  const std::vector<std::string>& channels = settings.channels.all();
  if (channels.empty()) return fabric::open(settings.options, env);
  FLORA_ASSIGN(auto opened, fabric::open_channels(settings.options, channels, env));
  return outbox::join(std::move(opened));
}
#else
Result<std::unique_ptr<outbox::RemoteNetwork>> open_network(const settings::Fabric&, Env&) {
  return Error{Errc::invalid, "this program was built without Hyperledger Fabric"};
}
#endif

namespace {

// Of origin, channels and chaincode: the local copy of another network is of no use.
std::string network_name(const settings::Settings& settings) {
  const fabric::Options& options = settings.fabric->options;
  std::string name = settings.ledger_origin + ' ';
  if (settings.fabric->channels.all().empty())
    return name + options.channel + ' ' + options.chaincode;
  for (const std::string& channel : settings.fabric->channels.all()) name += channel + ' ';
  return name + options.chaincode;
}

Result<std::unique_ptr<outbox::RemoteLedger>> open_remote(
    const settings::Settings& settings, std::function<void(const Error&)> on_fatal, Env& env) {
  FLORA_ASSIGN(auto network, open_network(*settings.fabric, env));
  return outbox::RemoteLedger::open({settings.copy_database(), network_name(settings),
                                     settings.channels().all(), std::move(on_fatal)},
                                    std::move(network), env);
}

// What takes nothing and proves nothing.
class ReadOnly : public Ledger {
 public:
  void submit(std::vector<LedgerEntry> batch, Done done) override {
    const Error error{Errc::unavailable, "the ledger is only read"};
    done(std::vector<Result<Position>>(batch.size(), Result<Position>(error)));
  }
  Result<Receipt> receipt(const Uuid&) override {
    return Error{Errc::unavailable, "the ledger is only read"};
  }
  const std::vector<std::string>& vkeys() const override { return none_; }

 private:
  const std::vector<std::string> none_ = {};
};

class ReadLog final : public ReadOnly {
 public:
  explicit ReadLog(ledger::LogReader reader) : reader_(std::move(reader)) {}
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override { return reader_.find(id); }
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override {
    return reader_.entries(first, limit);
  }
  std::uint64_t size() override {
    const auto count = reader_.entry_count();
    return count ? *count : 0;
  }

 private:
  ledger::LogReader reader_;
};

class ReadCopy final : public ReadOnly {
 public:
  ReadCopy(std::unique_ptr<outbox::Replica> copy, std::string numbering)
      : copy_(std::move(copy)), numbering_(std::move(numbering)) {}
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override { return copy_->find(id); }
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override {
    return copy_->read(first, limit);
  }
  std::uint64_t size() override { return copy_->size(); }
  std::string numbering() override { return numbering_; }

 private:
  std::unique_ptr<outbox::Replica> copy_;
  const std::string numbering_;
};

constexpr std::chrono::milliseconds kLook{250};
constexpr int kQuiet = 12;    // Such looks, in a row.
constexpr int kSilent = 120;  // Likewise, until the network is not reached.

// Until nothing more has come for some seconds: the network does not say where its end is; it sends
// what it has as fast as it can. Errors: unavailable (it is not reached).
Result<void> follow_to_the_end(outbox::RemoteLedger& ledger) {
  std::mutex mutex;
  std::condition_variable pause;  // Nobody ends it.
  std::unique_lock lock(mutex);
  auto last = ledger.replica().last();
  for (int silent = 0, quiet = 0; silent < kSilent; ++silent) {
    pause.wait_for(lock, kLook);
    // The place of a channel moves also where another one has told of all its entries.
    auto now = ledger.replica().last();
    const bool moves = now != last;
    quiet = moves || !ledger.is_following() ? 0 : quiet + 1;
    if (quiet == kQuiet) return {};
    if (moves) silent = 0;
    last = std::move(now);
  }
  return Error{Errc::unavailable, "the ledger network is not reached"};
}

// The channels of which the local copy was made, if it is of this origin: the name of a network has
// origin, channels and chaincode.
std::vector<std::string> channels_of_copy(const settings::Settings& settings) {
  const Result<std::string> network = outbox::Replica::network_of(settings.copy_database());
  std::vector<std::string> words;
  if (!network || !network->starts_with(settings.ledger_origin + ' ')) return words;
  std::istringstream text(network->substr(settings.ledger_origin.size()));
  for (std::string word; text >> word;) words.push_back(std::move(word));
  if (!words.empty()) words.pop_back();
  return words;
}

// A mapping is held against the ledger's tombstones and merges: they must be there. Without one
// there is nothing to be held against them.
Result<void> complete_copy(const settings::Settings& settings, outbox::RemoteLedger& ledger) {
  outbox::Replica& copy = ledger.replica();
  if (copy.is_complete()) return {};
  if (sql::exists(settings.store_place())) FLORA_TRY(follow_to_the_end(ledger));
  return copy.complete();
}

}  // namespace

Result<void> keeps_channels(const settings::Settings& settings) {
  std::vector<std::string> there = settings.channels().all();
  if (there.empty()) there.push_back(settings.fabric->options.channel);
  const std::vector<std::string> before = channels_of_copy(settings);
  if (!before.empty() && there.size() > 1 && there.front() != before.front() &&
      std::ranges::find(there, before.front()) != there.end()) {
    return Error{Errc::invalid, "network.db is a copy whose default is the channel " +
                                    before.front() + ": it must stay that"};
  }
  for (const std::string& one : before) {
    if (std::ranges::find(there, one) != there.end()) continue;
    return Error{Errc::invalid, "network.db is a copy of the channel " + one +
                                    ", which is not among the channels; if nothing of it is to be "
                                    "read any more, delete that file"};
  }
  return {};
}

Result<std::unique_ptr<Ledger>> read_ledger(const settings::Settings& settings) {
  if (settings.fabric) {
    FLORA_ASSIGN(auto copy, outbox::Replica::open_as_it_is(settings.copy_database()));
    std::string numbering = settings.channels().all().empty() ? "" : copy->name();
    return std::unique_ptr<Ledger>(
        std::make_unique<ReadCopy>(std::move(copy), std::move(numbering)));
  }
  FLORA_ASSIGN(auto reader, ledger::LogReader::open(settings.ledger_database()));
  return std::unique_ptr<Ledger>(std::make_unique<ReadLog>(std::move(reader)));
}

Result<OpenLedger> follow_anew(const settings::Settings& settings, Env& env) {
  OpenLedger ledger;
  FLORA_ASSIGN(ledger.lock,
               ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database())));
  FLORA_TRY(keeps_channels(settings));
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(settings.copy_database() + ending, error);
    if (error) return Error{Errc::unavailable, "cannot remove network.db: " + error.message()};
  }
  FLORA_ASSIGN(ledger.remote, open_remote(settings, {}, env));
  FLORA_TRY(follow_to_the_end(*ledger.remote));
  FLORA_TRY(ledger.remote->replica().complete());
  return ledger;
}

Result<OpenLedger> open_ledger(const settings::Settings& settings,
                               std::function<void(const Error&)> on_fatal, Env& env) {
  OpenLedger ledger;
  if (settings.fabric) {
    FLORA_ASSIGN(ledger.lock,
                 ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database())));
    FLORA_TRY(keeps_channels(settings));
    FLORA_ASSIGN(ledger.remote, open_remote(settings, on_fatal, env));
    FLORA_TRY(complete_copy(settings, *ledger.remote));
    return ledger;
  }
  FLORA_ASSIGN(crypto::Ed25519Key key, load_ledger_key(settings, env));
  ledger::EmbeddedOptions options{settings.ledger_database(), settings.ledger_checkpoint_file,
                                  settings.ledger_origin, std::move(key)};
  options.on_fatal = std::move(on_fatal);
  FLORA_ASSIGN(ledger.embedded, ledger::EmbeddedLedger::open(std::move(options), env));
  return ledger;
}

std::unique_ptr<intake::Forwarder> make_forwarder(const settings::Settings& settings,
                                                  const OpenLedger& ledger, store::Store& store,
                                                  view::ProcedureIndex& index, Env& env) {
  if (ledger.embedded) {
    return std::make_unique<intake::LocalForwarder>(store, *ledger.embedded, index);
  }
  outbox::Options options;
  options.concurrency = settings.fabric->concurrency;
  return std::make_unique<intake::RemoteForwarder>(options, store, *ledger.remote, index, env);
}

}  // namespace flora::commands
