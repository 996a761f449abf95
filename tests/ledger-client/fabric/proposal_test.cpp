// Identity, transaction id and proposal, byte by byte.
#include "ledger-client/fabric/proposal.h"

#include <doctest/doctest.h>

#include "gateway/base/crypto.h"
#include "tests/ledger-client/fabric/wire_bytes.h"

using namespace flora;
using namespace flora::fabric;
using test::field;
using test::number_field;

namespace {

outbox::Nonce nonce_of(char letter) {
  outbox::Nonce nonce;
  nonce.fill(static_cast<std::byte>(letter));
  return nonce;
}

}  // namespace

TEST_CASE("a transaction's id is the hash of nonce and creator") {
  // printf 'aaaaaaaaaaaaaaaaaaaaaaaacreator' | sha256sum
  CHECK(transaction_id(nonce_of('a'), "creator") ==
        "d92f36a23afe61181366019f73053c0b57665de280e109b27d4004115117a85a");
  CHECK(transaction_id(nonce_of('b'), "creator") != transaction_id(nonce_of('a'), "creator"));
  CHECK(transaction_id(nonce_of('a'), "other") != transaction_id(nonce_of('a'), "creator"));
  CHECK(is_transaction_id(transaction_id(nonce_of('a'), "creator")));
  CHECK_FALSE(is_transaction_id(""));
  CHECK_FALSE(is_transaction_id(std::string(63, 'a')));
  CHECK_FALSE(is_transaction_id(std::string(64, 'A')));
  CHECK_FALSE(is_transaction_id(std::string(65, 'a')));
}

TEST_CASE("an identity is its MSP id and its certificate as it is") {
  CHECK(to_hex(as_bytes(identity_bytes("M", "PEM\n"))) ==
        "0a014d"
        "120450454d0a");
}

TEST_CASE("a proposal has these bytes") {
  const Call call = {"default", "flora", {"Record", "{\"a\":1}"}};
  const Proposal made = make_proposal(call, "creator", nonce_of('a'), 1'790'000'123'456);
  CHECK(made.transaction == transaction_id(nonce_of('a'), "creator"));
  const std::string channel_header =
      number_field(1, 3) + field(3, number_field(1, 1'790'000'123) + number_field(2, 456'000'000)) +
      field(4, "default") + field(5, made.transaction) + field(7, field(2, field(2, "flora")));
  const std::string signature_header = field(1, "creator") + field(2, std::string(24, 'a'));
  const std::string spec = number_field(1, 1) + field(2, field(2, "flora")) +
                           field(3, field(1, "Record") + field(1, "{\"a\":1}"));
  CHECK(made.bytes == field(1, field(1, channel_header) + field(2, signature_header)) +
                          field(2, field(1, field(1, spec))));
}
