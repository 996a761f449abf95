// A real Fabric network keeps the contract of ledgers. Each ledger of the suite is a network of its
// own, because the suite begins with an empty one.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "ledger-client/fabric/network.h"
#include "ledger-client/outbox/remote_ledger.h"
#include "tests/ledger-client/ledger_contract.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;

namespace {

const std::string kFolder = std::string(FLORA_SOURCE_DIR) + "/examples/fabric-network/";

// What it prints, without the line's end.
std::string run(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) out += part.data();
  REQUIRE(::pclose(pipe) == 0);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// A network, and the ledger on it.
class Network {
 public:
  Network() : description_(run(kFolder + "up.sh " + folder_.path("network"))) {}
  ~Network() { run(kFolder + "down.sh " + folder_.path("network")); }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  std::unique_ptr<Ledger> open() const {
    std::ifstream file(description_);
    const nlohmann::json description = nlohmann::json::parse(file);
    fabric::Options options;
    options.channel = description["channel"];
    options.chaincode = description["chaincode"];
    for (const nlohmann::json& member : description["organisations"]) {
      options.endpoints.push_back(
          {member["member"], member["peer"], member["tlsCa"], member["tlsServerName"]});
      fabric::Identity identity;
      identity.msp_id = member["mspId"];
      identity.certificate_file = member["client"]["certificate"];
      identity.key_file = member["client"]["key"];
      identity.is_default = identity.msp_id == "LaenderMSP";
      if (!identity.is_default) identity.authorities = {"099045"};
      options.identities.push_back(std::move(identity));
    }
    auto network = fabric::open(options, Env::system());
    REQUIRE_MESSAGE(network.has_value(), network.error().message);
    auto ledger = outbox::RemoteLedger::open({folder_.path("copy.db"), description_},
                                             std::move(*network), Env::system());
    REQUIRE_MESSAGE(ledger.has_value(), ledger.error().message);
    return std::move(*ledger);
  }

 private:
  const Folder folder_;
  const std::string description_;
};

}  // namespace

TEST_CASE("a Fabric network keeps the contract of ledgers") {
  std::deque<Network> networks;
  check_ledger_contract([&] { return networks.emplace_back().open(); });
}
