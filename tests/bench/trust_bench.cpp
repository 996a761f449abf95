// What knowing the caller, judging the caller, and pseudonymising cost in a request with one event,
// in processor time of one core. run.sh measures the whole request in the same run.
//
//   trust_bench token NOW               prints, as JSON, the key set of an issuer, and a token that
//                                       is good for an hour from NOW (seconds since the Unix epoch)
//   trust_bench parts POLICY SECONDS    measures each part for so long; prints microseconds as JSON
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gateway/auth/tokens.h"
#include "gateway/policy/policy.h"
#include "gateway/privacy/key_set.h"
#include "tests/bench/processor_time.h"
#include "tests/gateway/test_issuer.h"

using namespace flora;
using flora::test::TestIssuer;

namespace {

constexpr std::size_t kAtOnce = 256;
constexpr int kExaminations =
    2;  // Of each request: when its head is there, and before it is handled.

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "trust_bench: %s\n", what.c_str());
  std::exit(2);
}

template <typename T>
T needed(Result<T> result) {
  if (!result) fail(result.error().message);
  return std::move(*result);
}

void print_token(std::int64_t now_s) {
  const TestIssuer issuer;
  TestIssuer::Json claims = TestIssuer::claims_at(now_s);
  claims["exp"] = now_s + 3600;
  const TestIssuer::Json keys = {{"keys", {test::jwk_of(issuer.key, "k1")}}};
  std::printf(
      "%s\n",
      TestIssuer::Json{{"keys", keys.dump()}, {"token", issuer.token(claims)}}.dump().c_str());
}

// The event that the load generator sends, as intake has it.
StatusEvent sample_event() {
  StatusEvent event;
  event.identity = {"urn:flora:bench", "0123456789abcdef-00000000"};
  event.status = "ANKUNFT_AE";
  event.regime = "GEAS";
  event.occurred = Day{20759};  // 2026-11-02
  event.procedure.identifiers = {{IdentifierType::azr_nummer, "260815000001"}};
  event.authority = "999902";
  event.site = "MUSTERSTADT";
  event.details = R"({"zustaendigeAE":true})";
  return event;
}

class Parts {
 public:
  explicit Parts(policy::Policy policy)
      : policy_(std::move(policy)),
        keys_(needed(privacy::KeySet::make({}, {}, privacy::Keys({}, "bench"), env_))) {
    if (!authenticate()) fail("the policy has no client with the tokens \"lab\"");
  }

  // The token is known already.
  bool authenticate() {
    for (int i = 0; i < kExaminations; ++i) {
      const auto outcome = tokens_.examine(token_, std::nullopt);
      const auto* good = std::get_if<auth::AccessToken>(&outcome);
      if (good == nullptr) return false;
      policy::Credentials shown;
      shown.token = policy::Token{good->client_id, good->end_s};
      auto caller = policy_.authenticate(shown, false);
      if (!caller) return false;
      caller_ = std::move(*caller);
    }
    return true;
  }

  bool authorise() {
    for (int i = 0; i < kExaminations; ++i) {
      if (!policy::opens(caller_.duty, "submitStatusEvents")) return false;
    }
    const policy::Caller* caller = policy_.find(caller_);
    return caller != nullptr &&
           !policy::may_report(policy_, *caller, {"999902", "DE-NI", "AE", "MUSTERSTADT"}, status_);
  }

  // Of an event about a new procedure, as intake and store do it: it is looked up, and gets a key
  // of its own, its fingerprint and its identifier.
  bool pseudonymise() {
    const Identifier& identifier = event_.procedure.identifiers.front();
    const Fingerprint plain{privacy::identity_digest(event_.authority, event_.identity),
                            privacy::content_digest(fingerprint_text(event_)), std::nullopt};
    const Fingerprint looked_up = keys_->keyed(0, Fingerprint{plain.identity, {}, {}});
    const Digest found = keys_->identifier_hash(0, identifier);
    const crypto::SecretKey key = keys_->new_key();
    const auto wrapped = keys_->wrap(key, procedure_);
    const Digest kept = keys_->identifier_hash(0, identifier);
    const std::string value = keys_->seal_value(key, identifier, procedure_);
    const Fingerprint keyed = keys_->keyed(0, plain);
    const std::string sealed = keys_->seal(0, plain, procedure_);
    return looked_up.identity == keyed.identity && found == kept && wrapped && !value.empty() &&
           !sealed.empty();
  }

 private:
  Env& env_ = Env::system();
  policy::Policy policy_;
  std::shared_ptr<const privacy::KeySet> keys_;
  TestIssuer issuer_;
  auth::Tokens tokens_{TestIssuer::rules(), auth::Binding::optional, issuer_, env_};
  std::string token_ = issuer_.token(TestIssuer::claims_at(env_.now_ms() / 1000));
  policy::Caller caller_;
  Status status_{"ANKUNFT_AE", {}, {}, {}, {Role::ae}, {}, false, {}};
  StatusEvent event_ = sample_event();
  Uuid procedure_ = random_uuid(env_);
};

template <typename Work>
double microseconds(double seconds, const Work& work) {
  const double rate = bench::rate(seconds, kAtOnce, [&] {
    if (!work()) fail("a part refuses");
  });
  return 1e6 / rate;
}

void measure(const std::string& policy_file, double seconds) {
  const std::string text = needed(Env::system().read_file(policy_file, 1u << 20));
  Parts parts(needed(policy::Policy::parse(text, policy_file)));
  std::printf("{\"authentication\": %.3f, \"authorisation\": %.3f, \"pseudonymisation\": %.3f}\n",
              microseconds(seconds, [&] { return parts.authenticate(); }),
              microseconds(seconds, [&] { return parts.authorise(); }),
              microseconds(seconds, [&] { return parts.pseudonymise(); }));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "token" && argc == 3) {
    print_token(std::atoll(argv[2]));
  } else if (mode == "parts" && argc == 4) {
    measure(argv[2], std::atof(argv[3]));
  } else {
    fail("the usage stands at the top of tests/bench/trust_bench.cpp");
  }
}
