#include "tests/ledger-client/fabric/organisations.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gateway/base/crypto.h"
#include "ledger-client/fabric/signer.h"
#include "tests/fake_env.h"
#include "tests/ledger-client/fabric/wire_bytes.h"

namespace flora::test {
namespace {

constexpr const char* kNames[] = {"bund", "laender"};

std::string sha256_of(std::string_view bytes) {
  return std::string(as_text(crypto::sha256(bytes)));
}

std::string timestamp(std::int64_t seconds) {
  return number_field(1, static_cast<std::uint64_t>(seconds));
}

std::string signature_header(const EnvelopeParts& parts) {
  return field(1, serialised_identity(parts.creator, "client")) + field(2, parts.nonce);
}

std::string channel_header(const EnvelopeParts& parts) {
  return number_field(1, static_cast<std::uint64_t>(parts.type)) +
         field(3, timestamp(parts.seconds)) + field(4, parts.channel) +
         field(5, transaction_of(parts)) + field(7, field(2, field(2, parts.chaincode)));
}

std::string proposal_payload(const EnvelopeParts& parts) {
  std::string input;
  for (const std::string& one : parts.arguments) input += field(1, one);
  const std::string spec =
      number_field(1, 1) + field(2, field(2, parts.chaincode)) + field(3, input);
  return field(1, field(1, spec));
}

std::string response_of(const Proposed& proposed, const Executed& executed) {
  const std::string action = field(1, "writes") +
                             field(3, number_field(1, static_cast<std::uint64_t>(executed.status)) +
                                          field(3, executed.answer)) +
                             field(4, field(2, executed.chaincode));
  const std::string hash =
      sha256_of(proposed.channel_header + proposed.signature_header + proposed.payload);
  return field(1, hash) + field(2, action);
}

std::string endorsements_of(const std::string& response, const Executed& executed) {
  std::string out;
  for (const std::string& name : executed.endorsers) {
    const std::string endorser = serialised_identity(name, executed.endorser_kind);
    const std::string signature =
        organisations().sign(name + "-" + executed.endorser_kind, response + endorser);
    out += field(2, field(1, endorser) + field(2, signature));
  }
  return out;
}

}  // namespace

void run_command(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) std::abort();
}

std::string read_text(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

Organisations::Organisations() {
  for (const std::string name : kNames) {
    make_ca(name + "-ca");
    issue(name + "-peer", name + "-ca", "/OU=peer/CN=peer0." + name,
          "keyUsage=critical,digitalSignature");
    issue(name + "-client", name + "-ca", "/OU=client/CN=gateway." + name,
          "keyUsage=critical,digitalSignature");
  }
  make_ca("tls-ca");
  issue("tls-peer", "tls-ca", "/CN=peer0", "subjectAltName=DNS:peer0.test,IP:127.0.0.1");
  issue("tls-client", "tls-ca", "/CN=gateway", "keyUsage=critical,digitalSignature");
}

void Organisations::make_ca(const std::string& name) const {
  run_command("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " +
              file(name + ".key") + " -out " + file(name + ".pem") +
              " -days 3650 -subj /CN=" + name + " -addext keyUsage=critical,keyCertSign,cRLSign");
}

void Organisations::issue(const std::string& name, const std::string& ca,
                          const std::string& subject, const std::string& extensions,
                          const std::string& options) const {
  std::ofstream(file(name + ".ext")) << "basicConstraints=critical,CA:FALSE\n"
                                     << "subjectKeyIdentifier=hash\n"
                                     << "authorityKeyIdentifier=keyid\n"
                                     << extensions << "\n";
  run_command("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " +
              file(name + ".key") + " -out " + file(name + ".csr") + " -subj " + subject);
  run_command("openssl x509 -req -in " + file(name + ".csr") + " -CA " + file(ca + ".pem") +
              " -CAkey " + file(ca + ".key") + " -CAcreateserial -out " + file(name + ".pem") +
              " " + options + " -extfile " + file(name + ".ext"));
}

std::string Organisations::sign(const std::string& name, std::string_view message) const {
  FakeEnv env;
  const auto certificate = fabric::Certificate::parse(this->certificate(name));
  const auto signer = fabric::file_signer(file(name + ".key"), certificate.value(), env);
  std::string made;
  signer.value()->sign(std::string(message),
                       [&made](Result<std::string> one) { made = one.value(); });
  return made;
}

fabric::Identity Organisations::client(const std::string& name) const {
  fabric::Identity identity;
  identity.msp_id = msp_of(name);
  identity.certificate_file = file(name + "-client.pem");
  identity.key_file = file(name + "-client.key");
  return identity;
}

std::vector<fabric::Organisation> Organisations::all() const {
  std::vector<fabric::Organisation> out;
  for (const std::string name : kNames) {
    out.push_back({.msp_id = msp_of(name), .ca_certificates = certificate(name + "-ca")});
  }
  return out;
}

const Organisations& organisations() {
  static const Organisations only;
  return only;
}

std::string msp_of(const std::string& name) { return name == "bund" ? "BundMSP" : "LaenderMSP"; }

std::string serialised_identity(const std::string& name, const std::string& kind) {
  return field(1, msp_of(name)) + field(2, organisations().certificate(name + "-" + kind));
}

std::string transaction_of(const EnvelopeParts& parts) {
  return to_hex(crypto::sha256(parts.nonce + serialised_identity(parts.creator, "client")));
}

std::string assemble(const Proposed& proposed, const Executed& executed) {
  const std::string response = response_of(proposed, executed);
  const std::string endorsed = field(1, response) + endorsements_of(response, executed);
  const std::string action = field(1, proposed.payload) + field(2, endorsed);
  const std::string actions = field(1, field(1, proposed.signature_header) + field(2, action));
  const std::string header =
      field(1, proposed.channel_header) + field(2, proposed.signature_header);
  return field(1, header) + field(2, actions);
}

std::string payload_of(const EnvelopeParts& parts) {
  const std::string answer = parts.answer.empty()
                                 ? "{\"repeated\":false,\"tx\":\"" + transaction_of(parts) + "\"}"
                                 : parts.answer;
  return assemble({channel_header(parts), signature_header(parts), proposal_payload(parts)},
                  {parts.chaincode, answer, parts.status, parts.endorsers, parts.endorser_kind});
}

std::string envelope_of(const EnvelopeParts& parts) {
  const std::string payload = payload_of(parts);
  return field(1, payload) + field(2, organisations().sign(parts.creator + "-client", payload));
}

}  // namespace flora::test
