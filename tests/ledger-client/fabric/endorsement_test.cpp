// The offline check of endorsements: a good envelope, and each way to spoil it.
#include "ledger-client/fabric/endorsement.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/ledger-client/fabric/organisations.h"
#include "tests/ledger-client/fabric/wire_bytes.h"

using namespace flora;
using namespace flora::fabric;
using test::EnvelopeParts;
using test::field;
using test::organisations;

namespace {

const EndorsementPolicy kBoth = {2, {"BundMSP", "LaenderMSP"}};

// Within the time of the certificates, which begin when the test does.
EnvelopeParts parts() {
  EnvelopeParts out;
  out.seconds = Env::system().now_ms() / 1000 + 60;
  return out;
}

std::string error_of(const std::string& envelope, const EndorsementPolicy& policy = kBoth,
                     const std::vector<Organisation>& known = organisations().all()) {
  const auto verified = verify_endorsement(envelope, known, policy);
  return verified ? "none" : verified.error().message;
}

std::string error_of(const EnvelopeParts& changed) { return error_of(test::envelope_of(changed)); }

}  // namespace

TEST_CASE(
    "an envelope that two organisations have endorsed verifies, and says what they endorsed") {
  const auto call = verify_endorsement(test::envelope_of(parts()), organisations().all(), kBoth);
  REQUIRE_MESSAGE(call.has_value(), call.error().message);
  CHECK(call->channel == "default");
  CHECK(call->chaincode == "flora");
  CHECK(call->transaction == test::transaction_of(parts()));
  CHECK(call->arguments == std::vector<std::string>{"Record", "{\"id\":\"x\"}"});
  CHECK(call->answer == "{\"repeated\":false,\"tx\":\"" + call->transaction + "\"}");
  CHECK(call->creator.msp_id == "BundMSP");
  CHECK(call->creator.common_name == "gateway.bund");
  REQUIRE(call->endorsers.size() == 2);
  CHECK(call->endorsers[0].msp_id == "BundMSP");
  CHECK(call->endorsers[0].common_name == "peer0.bund");
  CHECK(call->endorsers[1].msp_id == "LaenderMSP");
}

TEST_CASE("an envelope that real peers of Fabric 2.5 have made verifies") {
  const std::string tests = std::string(FLORA_SOURCE_DIR) + "/tests/";
  const std::string golden = tests + "ledger-client/fabric/golden/";
  const std::vector<Organisation> real = {
      {.msp_id = "BundMSP", .ca_certificates = test::read_text(golden + "bund-ca.pem")},
      {.msp_id = "LaenderMSP", .ca_certificates = test::read_text(golden + "laender-ca.pem")}};
  const std::string envelope = test::read_text(tests + "fuzz/envelope_corpus/real");
  const auto call = verify_endorsement(envelope, real, kBoth);
  REQUIRE_MESSAGE(call.has_value(), call.error().message);
  CHECK(call->channel == "default");
  CHECK(call->chaincode == "flora");
  CHECK(call->arguments.front() == "Record");
  CHECK(call->creator.msp_id == "LaenderMSP");
  CHECK(call->endorsers.size() == 2);
  CHECK(error_of(envelope) == "a certificate is not of its organisation");
}

TEST_CASE("organisations are counted, not signatures, and only those of the policy") {
  EnvelopeParts one = parts();
  one.endorsers = {"bund"};
  CHECK(error_of(test::envelope_of(one), {1, {"BundMSP", "LaenderMSP"}}) == "none");
  CHECK(error_of(test::envelope_of(one), {1, {"LaenderMSP"}}) ==
        "too few organisations have endorsed it");
  CHECK(error_of(one) == "too few organisations have endorsed it");
  one.endorsers = {"bund", "bund"};
  CHECK(error_of(one) == "too few organisations have endorsed it");
  one.endorsers = {};
  CHECK(error_of(test::envelope_of(one), {0, {"BundMSP"}}) ==
        "too few organisations have endorsed it");
}

TEST_CASE("a client's key does not endorse, and who belongs to nobody known does not count") {
  EnvelopeParts clients = parts();
  clients.endorser_kind = "client";
  CHECK(error_of(clients) == "an endorser's certificate is not for that");
  std::vector<Organisation> any = organisations().all();
  for (Organisation& one : any) one.endorser_unit.clear();
  CHECK(error_of(test::envelope_of(clients), kBoth, any) == "none");
  const std::vector<Organisation> first = {organisations().all().front()};
  CHECK(error_of(test::envelope_of(parts()), {1, {"BundMSP"}}, first) ==
        "the organisation is not known");
  // The CAs the wrong way round.
  std::vector<Organisation> swapped = organisations().all();
  std::swap(swapped[0].ca_certificates, swapped[1].ca_certificates);
  CHECK(error_of(test::envelope_of(parts()), kBoth, swapped) ==
        "a certificate is not of its organisation");
  std::vector<Organisation> broken = organisations().all();
  broken[0].ca_certificates = "none";
  CHECK(error_of(test::envelope_of(parts()), kBoth, broken) ==
        "they are not CA certificates in PEM");
}

TEST_CASE("a certificate counts within its time") {
  EnvelopeParts early = parts();
  early.seconds -= 86'400;
  CHECK(error_of(early) == "a certificate is not of its organisation");
}

TEST_CASE("what contradicts itself is no transaction") {
  const auto changed = [](auto change) {
    EnvelopeParts out = parts();
    change(out);
    return error_of(out);
  };
  const std::string none = "the transaction is none: ";
  CHECK(changed([](EnvelopeParts& p) { p.type = 1; }) == none + "it is of another type");
  CHECK(changed([](EnvelopeParts& p) { p.status = 500; }) == none + "the chaincode did not agree");
  CHECK(changed([](EnvelopeParts& p) { p.arguments.assign(17, "x"); }) ==
        none + "too many arguments");
  CHECK(error_of(std::string(5 << 20, 'x')) == "it is no envelope");
  CHECK(error_of("") != "none");
}

TEST_CASE("no byte of an envelope can be changed, cut off or added") {
  const std::string good = test::envelope_of(parts());
  REQUIRE(error_of(good) == "none");
  std::set<std::string> reasons;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    const std::string error = error_of(bad);
    CHECK_MESSAGE(error != "none", "byte ", at);
    reasons.insert(error);
  }
  // The test reaches behind the parser: signatures and hashes are what most bytes fail at.
  CHECK(reasons.count("a signature is wrong") == 1);
  for (std::size_t length = 0; length < good.size(); length += 7) {
    CHECK(error_of(good.substr(0, length)) != "none");
  }
}

TEST_CASE("the signature of another envelope, of another creator or with a high s does not do") {
  const std::string payload = test::payload_of(parts());
  const auto with_signature = [&](const std::string& signature) {
    return error_of(field(1, payload) + field(2, signature));
  };
  CHECK(with_signature(organisations().sign("bund-client", payload)) == "none");
  CHECK(with_signature(organisations().sign("bund-client", "other")) == "a signature is wrong");
  CHECK(with_signature(organisations().sign("laender-client", payload)) == "a signature is wrong");
  CHECK(with_signature(organisations().sign("bund-peer", payload)) == "a signature is wrong");
  CHECK(with_signature("") == "a signature is wrong");
}
