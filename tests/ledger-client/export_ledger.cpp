// Makes a ledger with a restart and a backup/restore in its life, and writes what it publishes into
// the folder of its argument, for the verifier in tests/golang/main.go, which shares no code with
// us.
#include <cstdio>
#include <fstream>

#include "gateway/base/log.h"
#include "ledger-client/merkle/tiles.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr std::uint64_t kReceiptEvery = 97;

/// Ends the program with a message unless the value is there.
template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", what, result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

class Export {
 public:
  explicit Export(std::string folder) : folder_(std::move(folder)) { open(); }

  void run() {
    write("vkey", ledger_->vkey() + "\n");
    publish_checkpoint();
    add({1, 1, 5, 249, 1, 300});
    restart();
    add({1, 77, 400});
    restore_backup();
    add({3, 2'000, 250});
    restart();
    write_tiles();
    write_receipts();
  }

 private:
  void open() {
    ledger_ = must(ledger::EmbeddedLedger::open(options_in(work_), Env::system()), "open");
  }

  void restart() {
    write_receipts();
    ledger_.reset();
    open();
  }

  void restore_backup() {
    must(ledger::backup(files_in(work_), work_.path("backup")), "backup");
    ledger_.reset();
    must(ledger::restore(files_in(work_), test_key(), work_.path("backup"), ledger::OnLoss::refuse,
                         Env::system()),
         "restore");
    open();
  }

  void add(std::initializer_list<std::uint64_t> batches) {
    for (const std::uint64_t batch : batches) {
      for (auto& result : submit(*ledger_, entries_of(ledger_->size(), batch))) {
        const Position position = must(std::move(result), "submit");
        if (position.index % 2 == 0) write_receipt(*position.receipt);
      }
      publish_checkpoint();
    }
  }

  void publish_checkpoint() {
    write("checkpoint-" + std::to_string(checkpoints_++), ledger_->checkpoint());
  }

  void write_receipts() {
    for (std::uint64_t n = 0; n < ledger_->size(); n += kReceiptEvery) {
      write_receipt(must(ledger_->receipt(id_of(n)), "receipt"));
    }
  }

  void write_receipt(const Receipt& receipt) {
    if (receipt.index % kReceiptEvery > 1) return;
    write("body-" + std::to_string(receipt.index), receipt.body);
    write("proof-" + std::to_string(receipt.index), receipt.proof);
  }

  void write_tiles() {
    for (unsigned level = 0; level <= ledger::kMaxTileLevel; ++level) {
      for (std::uint64_t n = 0;; ++n) {
        const unsigned width = ledger::tile_width(level, n, ledger_->size());
        if (width == 0) break;
        write("tile/" + ledger::tile_path({level, n, width}),
              must(ledger_->tile(level, n, width), "tile"));
        if (level > 0) continue;
        write("tile/" + ledger::tile_path({{}, n, width}),
              must(ledger_->entry_bundle(n, width), "bundle"));
      }
    }
  }

  void write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = std::filesystem::path(folder_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  const std::string folder_;
  Folder work_;
  std::unique_ptr<ledger::EmbeddedLedger> ledger_;
  int checkpoints_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  log::set_level(log::Level::error);
  Export(argv[1]).run();
}
