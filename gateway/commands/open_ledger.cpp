#include "gateway/commands/open_ledger.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <utility>

#include "gateway/commands/definitions.h"
#include "gateway/intake/local_forwarder.h"
#include "gateway/intake/remote_forwarder.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/fabric/network.h"

namespace flora::commands {

#if FLORA_WITH_FABRIC
Result<std::unique_ptr<outbox::RemoteNetwork>> open_network(const settings::Fabric& settings,
                                                            Env& env) {
  return fabric::open(settings.options, env);
}
#else
Result<std::unique_ptr<outbox::RemoteNetwork>> open_network(const settings::Fabric&, Env&) {
  return Error{Errc::invalid, "this program was built without Hyperledger Fabric"};
}
#endif

namespace {

Result<std::unique_ptr<outbox::RemoteLedger>> open_remote(
    const settings::Settings& settings, std::function<void(const Error&)> on_fatal, Env& env) {
  const fabric::Options& options = settings.fabric->options;
  FLORA_ASSIGN(auto network, open_network(*settings.fabric, env));
  const std::string name = settings.ledger_origin + ' ' + options.channel + ' ' + options.chaincode;
  return outbox::RemoteLedger::open(
      {settings.copy_database(), name, options.channel, std::move(on_fatal)}, std::move(network),
      env);
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
  explicit ReadCopy(std::unique_ptr<outbox::Replica> copy) : copy_(std::move(copy)) {}
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override { return copy_->find(id); }
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override {
    return copy_->read(first, limit);
  }
  std::uint64_t size() override { return copy_->size(); }

 private:
  std::unique_ptr<outbox::Replica> copy_;
};

constexpr std::chrono::seconds kQuiet{3};
constexpr int kSilent = 10;  // Such times, until the network is not reached.

// Until nothing more has come for some seconds: the network does not say where its end is; it sends
// what it has as fast as it can. Errors: unavailable (it is not reached).
Result<void> follow_to_the_end(outbox::RemoteLedger& ledger) {
  std::mutex mutex;
  std::condition_variable wake;
  bool came = false;
  ledger.on_entries([&](const std::vector<CommittedEntry>&) {
    const std::lock_guard lock(mutex);
    came = true;
    wake.notify_one();
  });
  std::unique_lock lock(mutex);
  for (int silent = 0; silent < kSilent;) {
    const bool goes_on =
        wake.wait_for(lock, kQuiet, [&came] { return std::exchange(came, false); });
    silent = goes_on ? 0 : silent + 1;
    if (!goes_on && ledger.is_following()) break;
  }
  lock.unlock();
  ledger.on_entries({});
  if (!ledger.is_following()) {
    return Error{Errc::unavailable, "the ledger network is not reached"};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Ledger>> read_ledger(const settings::Settings& settings) {
  if (settings.fabric) {
    FLORA_ASSIGN(auto copy, outbox::Replica::open_as_it_is(settings.copy_database()));
    return std::unique_ptr<Ledger>(std::make_unique<ReadCopy>(std::move(copy)));
  }
  FLORA_ASSIGN(auto reader, ledger::LogReader::open(settings.ledger_database()));
  return std::unique_ptr<Ledger>(std::make_unique<ReadLog>(std::move(reader)));
}

Result<OpenLedger> follow_anew(const settings::Settings& settings, Env& env) {
  OpenLedger ledger;
  FLORA_ASSIGN(ledger.lock,
               ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database())));
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(settings.copy_database() + ending, error);
    if (error) return Error{Errc::unavailable, "cannot remove network.db: " + error.message()};
  }
  FLORA_ASSIGN(ledger.remote, open_remote(settings, {}, env));
  FLORA_TRY(follow_to_the_end(*ledger.remote));
  return ledger;
}

Result<OpenLedger> open_ledger(const settings::Settings& settings,
                               std::function<void(const Error&)> on_fatal, Env& env) {
  OpenLedger ledger;
  if (settings.fabric) {
    FLORA_ASSIGN(ledger.lock,
                 ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database())));
    std::error_code ignored;
    const bool is_new = !std::filesystem::exists(settings.copy_database(), ignored);
    FLORA_ASSIGN(ledger.remote, open_remote(settings, on_fatal, env));
    // The mapping is held against the ledger's tombstones and merges: they must be there.
    if (is_new && sql::exists(settings.store_place())) FLORA_TRY(follow_to_the_end(*ledger.remote));
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
