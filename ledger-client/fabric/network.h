// Start here. Hyperledger Fabric 2.5 as the network of the outbox, through the gateway service of
// its peers: which endpoints there are, who signs for whom, and how long each stage may take.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/pkcs11_source.h"
#include "gateway/base/result.h"
#include "ledger-client/outbox/channels.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::fabric {

/// A peer whose gateway service is called. TLS always.
struct Endpoint {
  std::string name;         ///< For logs, such as `peer0.bamf.example`.
  std::string address;      ///< `host:port`.
  std::string ca_file;      ///< PEM: who signs the peer's TLS certificate.
  std::string server_name;  ///< That its certificate names; empty: the host of the address.
  std::vector<std::string> channels = {};  ///< That the peer has joined; empty: all.
};

/// Who signs, with ECDSA on P-256.
struct Identity {
  std::string msp_id;
  std::string certificate_file;          ///< PEM, one certificate.
  std::string key_file;                  ///< PEM, unencrypted, of that certificate; or
  std::optional<Pkcs11Source> token;     ///< where it stands: an EC private key that may sign.
  std::vector<std::string> authorities;  ///< Exact ids of those in whose name it signs.
  bool is_default = false;  ///< Signs for all others, and what is read. One at most; none: the
                            ///< first reads, and what no identity signs for is refused.
  std::vector<std::string> channels = {};  ///< That it signs on; empty: all.
};

/// Whether an endpoint or an identity is for the channel.
template <typename Part>
bool is_of(const Part& part, const std::string& channel) {
  return part.channels.empty() || std::ranges::find(part.channels, channel) != part.channels.end();
}

/// What a peer may ask for in TLS. Empty: none.
struct ClientCertificate {
  std::string certificate_file;  ///< PEM, with its chain.
  std::string key_file;          ///< PEM, unencrypted.
};

/// Of one call each. A stage that fails at one endpoint is tried once at each other one.
struct Deadlines {
  using ms = std::chrono::milliseconds;
  ms endorse{5000};
  ms submit{5000};
  ms commit_status{10'000};  ///< The peer itself waits for the commit without any bound.
  ms evaluate{5000};
};

struct Options {
  std::string channel;
  std::string chaincode;
  std::vector<Endpoint> endpoints;  ///< In the order of preference.
  std::vector<Identity> identities;
  ClientCertificate client_certificate;
  Deadlines deadlines;
  /// Calls at one time, from 1 to 499: a peer refuses more than 500, of all its clients. Further
  /// ones wait their turn.
  std::size_t concurrency = 256;
  /// How many may wait; those beyond are unavailable at once (`too-many-calls`).
  std::size_t waiting = 8192;
  /// An endpoint that fails is passed over for so long, twice as long each further time.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{5000};
};

/// Reads the files; does not wait for any endpoint. The network's functions are as
/// `remote_network.h` says. Its destructor breaks off what is under way: those calls end as
/// unavailable or unknown. `env` outlives it. Errors: invalid (an option, a certificate or a key is
/// not what it has to be; the message names the file), not_found, unavailable (a file).
Result<std::unique_ptr<outbox::RemoteNetwork>> open(Options options, Env& env);

/// A network for each channel, in place of `options.channel`, with the endpoints and identities of
/// that channel: what is said of identities holds on each. What is under way and what waits is
/// bounded for all together. Errors: as open(); invalid (a channel has no endpoint or identity).
Result<std::vector<outbox::Channel>> open_channels(const Options& options,
                                                   const std::vector<std::string>& channels,
                                                   Env& env);

}  // namespace flora::fabric
