// Two organisations with CAs, peers and clients, made by the openssl command line for one run.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger-client/fabric/endorsement.h"
#include "ledger-client/fabric/network.h"
#include "tests/temporary_folder.h"

namespace flora::test {

/// The result of a shell command that must succeed.
void run_command(const std::string& command);

std::string read_text(const std::string& path);

/// BundMSP and LaenderMSP: each has a CA, an endorsing peer (OU=peer) and a client (OU=client).
class Organisations {
 public:
  Organisations();

  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string certificate(const std::string& name) const { return read_text(file(name + ".pem")); }
  /// Signs with one of the keys.
  std::string sign(const std::string& name, std::string_view message) const;

  /// `bund` or `laender`, with its client's key.
  fabric::Identity client(const std::string& name) const;
  std::vector<fabric::Organisation> all() const;

  /// Makes a key and a certificate `<name>.key`, `<name>.pem` of the CA `<ca>.pem`; `options` go to
  /// the command that issues it.
  void issue(const std::string& name, const std::string& ca, const std::string& subject,
             const std::string& extensions, const std::string& options = "-days 3650") const;

 private:
  void make_ca(const std::string& name) const;
  TemporaryFolder folder_;
};

/// Made once per program.
const Organisations& organisations();

/// `BundMSP` for `bund`.
std::string msp_of(const std::string& name);

/// What stands in an envelope; each may be changed before it is made.
struct EnvelopeParts {
  std::string channel = "default";
  std::string chaincode = "flora";
  std::vector<std::string> arguments = {"Record", "{\"id\":\"x\"}"};
  std::string answer;  ///< Of the chaincode; empty: recorded for the first time.
  std::string nonce = std::string(24, 'n');
  std::int64_t seconds = 1'790'000'000;
  std::string creator = "bund";
  std::vector<std::string> endorsers = {"bund", "laender"};
  std::string endorser_kind = "peer";  ///< Whose keys endorse: those of peers or of clients.
  int status = 200;
  int type = 3;
};

/// What peers make of a proposal.
struct Proposed {
  std::string channel_header;
  std::string signature_header;
  std::string payload;
};
struct Executed {
  std::string chaincode = "flora";
  std::string answer;
  int status = 200;
  std::vector<std::string> endorsers = {"bund", "laender"};
  std::string endorser_kind = "peer";
};
/// Written by hand: the payload of an envelope.
std::string assemble(const Proposed& proposed, const Executed& executed);

std::string serialised_identity(const std::string& name, const std::string& kind);

/// The payload of an endorsed envelope.
std::string payload_of(const EnvelopeParts& parts);

/// The same with its creator's signature.
std::string envelope_of(const EnvelopeParts& parts);

/// The id that it has.
std::string transaction_of(const EnvelopeParts& parts);

}  // namespace flora::test
