// Which channels an entry goes to.
#include "gateway/model/channels.h"

#include <doctest/doctest.h>

#include "gateway/model/receiver.h"

using namespace flora;

namespace {

using Names = std::vector<std::string>;

const ChannelRule& two_lands() {
  static const ChannelRule rule("flora", {{"DE-NI", "flora-ni"}, {"DE-SN", "flora-sn"}});
  return rule;
}

Transaction report_of(const std::string& land) {
  Transaction transaction;
  transaction.status = "ANTRAG_ENTGEGENGENOMMEN";
  transaction.land = land;
  return transaction;
}

Transaction hand_over(const std::string& from, const std::string& to) {
  Transaction transaction = report_of(from);
  transaction.status = "WEITERLEITUNG";
  transaction.details = R"({"empfaengerBehoerde":"999904","empfaengerLand":")" + to + "\"}";
  return transaction;
}

}  // namespace

TEST_CASE("with one channel there is nothing to choose") {
  CHECK(ChannelRule().all().empty());
  CHECK(ChannelRule().of(hand_over("DE-NI", "DE-SN"), {}).empty());
  CHECK(ChannelRule().of_tombstone({"flora"}).empty());
}

TEST_CASE("all channels are the default and those of the Länder, each once") {
  CHECK(two_lands().all() == Names{"flora", "flora-ni", "flora-sn"});
  CHECK(ChannelRule("flora", {{"DE-NI", "flora"}}).all() == Names{"flora"});
}

TEST_CASE("a report goes to the channel of the reporter's Land") {
  CHECK(two_lands().of(report_of("DE-NI"), {}) == Names{"flora-ni"});
  CHECK(two_lands().of(report_of("DE-NI"), {"flora-ni"}) == Names{"flora-ni"});
}

TEST_CASE("a report goes to every channel that the procedure's entries have gone to") {
  CHECK(two_lands().of(report_of("DE-NI"), {"flora-sn", "flora"}) ==
        Names{"flora-ni", "flora-sn", "flora"});
  CHECK(two_lands().of(report_of("DE"), {"flora-sn"}) == Names{"flora-sn"});
  CHECK(two_lands().of(report_of("DE"), {"flora-sn", "flora-ni", "flora-sn"}) ==
        Names{"flora-sn", "flora-ni"});
}

TEST_CASE("the BAMF's report about a procedure that is in no Land goes to the default") {
  CHECK(two_lands().of(report_of("DE"), {}) == Names{"flora"});
}

TEST_CASE("a Land without a channel of its own uses the default") {
  CHECK(two_lands().of(report_of("DE-BB"), {}) == Names{"flora"});
  CHECK(two_lands().of(report_of("DE-BB"), {"flora-sn"}) == Names{"flora", "flora-sn"});
}

TEST_CASE("a hand-over goes to both channels, and to those of the procedure between them") {
  CHECK(two_lands().of(hand_over("DE-NI", "DE-SN"), {"flora-ni"}) == Names{"flora-ni", "flora-sn"});
  CHECK(two_lands().of(hand_over("DE", "DE-SN"), {"flora-ni"}) == Names{"flora-ni", "flora-sn"});
  CHECK(two_lands().of(hand_over("DE", "DE-SN"), {}) == Names{"flora-sn"});
  CHECK(two_lands().of(hand_over("DE-NI", "DE-SN"), {"flora"}) ==
        Names{"flora-ni", "flora", "flora-sn"});
  CHECK(two_lands().of(hand_over("DE-NI", "DE-BB"), {}) == Names{"flora-ni", "flora"});
}

TEST_CASE("a procedure's channels only grow, by all that an entry goes to") {
  CHECK(ChannelRule::grown({}, {"flora-ni"}) == Names{"flora-ni"});
  CHECK(ChannelRule::grown({"flora-ni"}, {"flora-sn", "flora-ni"}) ==
        Names{"flora-ni", "flora-sn"});
  CHECK(ChannelRule::grown({"flora-ni", "flora-sn"}, {"flora-sn"}) ==
        Names{"flora-ni", "flora-sn"});
}

TEST_CASE("a procedure of a time with one channel has the default, too, and keeps saying so") {
  const std::string earlier(kEarlierChannel);
  CHECK(two_lands().of(report_of("DE-NI"), {earlier}) == Names{"flora-ni", "flora"});
  CHECK(two_lands().of(report_of("DE"), {earlier}) == Names{"flora"});
  CHECK(ChannelRule::grown({earlier}, {"flora-ni", "flora"}) ==
        Names{earlier, "flora-ni", "flora"});
}

TEST_CASE("a tombstone goes to a procedure's channels, and to all if they are not known") {
  CHECK(two_lands().of_tombstone({"flora-ni"}) == Names{"flora-ni"});
  CHECK(two_lands().of_tombstone({"flora-sn", "flora-ni"}) == Names{"flora-sn", "flora-ni"});
  CHECK(two_lands().of_tombstone({}) == two_lands().all());
  CHECK(two_lands().of_tombstone({std::string(kEarlierChannel), "flora-ni"}) == two_lands().all());
}

TEST_CASE("only details that name a receiver hand over") {
  CHECK(receiver_of(hand_over("DE-NI", "DE-SN")).land == "DE-SN");
  CHECK(receiver_of(hand_over("DE-NI", "DE-SN")).authority == "999904");
  CHECK(receiver_of(report_of("DE-NI")).land.empty());
  Transaction other = report_of("DE-NI");
  other.details = R"({"zustaendigeAE":true})";
  CHECK(receiver_of(other).land.empty());
}
