// Before it starts, the gateway tells all that is wrong with what it is given, at once and with
// places.
#include "gateway/commands/check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/base/sql.h"
#include "gateway/store/schema.h"
#include "ledger-client/outbox/replica.h"
#include "tests/fake_env.h"
#include "tests/http/certificates.h"
#include "tests/temporary_folder.h"

using namespace flora;
using namespace flora::commands;

namespace {

namespace fs = std::filesystem;

constexpr const char* kSecret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";

const std::string kSettings = R"(environment: test
data: ../data
listen:
  public: {address: 127.0.0.1, port: 0, tls: {certificate: tls/server.pem, key: tls/server.key, client_ca: tls/ca.pem, client_certificates: required, crl: tls/crl.pem}}
  operations: {address: 127.0.0.1, port: 0}
workers: 2
authentication:
  development_header: false
  tokens:
    issuer: "https://idp"
    audience: "https://flora"
    jwks_uri: "https://idp/keys"
    jwks_ca: tls/idp.pem
    bound: required
    leeway_seconds: 30
    lifetime_seconds: 3600
    refresh_seconds: 300
ledger:
  kind: embedded
  origin: flora.example/test
  key: data:ledger.key
  checkpoint: ../elsewhere/checkpoint
  channel: default
mapping_secret: data:mapping.secret
policy: policy.yaml
statuses: statuses.yaml
audit: {segment_days: 7}
adapters: [bundle]
retention: {mapping: P10Y, authority: "999901", backups: P90D}
)";

const std::string kPolicy = R"(authorities:
  - {id: "999902", name: "Aufnahme", land: DE-NI, role: AE, sites: [MUSTERSTADT]}
  - {id: "999901", name: "Bundesamt", land: DE, role: BAMF}
clients:
  - {name: lab, certificate_sha256: ")" +
                            std::string(64, 'a') + R"(", authorities: ["999902"]}
  - {name: zab, certificate_san: "dns:zab.example", token_client: zab, authorities: ["999902"]}
)";

// A change of one file, and what must be told of it.
struct Mistake {
  std::string file;
  std::string from;  // Empty: the file goes.
  std::string to;
  std::string told;
};

const std::vector<Mistake> kMistakes = {
    {"config/gateway.yaml", "workers: 2", "workers: two",
     "config/gateway.yaml:6:10: a number from 1 to 64 is expected"},
    {"config/gateway.yaml", "127.0.0.1, port: 0}", "127.0.0.1, port: 65536}",
     "config/gateway.yaml:5:42: a number from 0 to 65535 is expected"},
    {"config/gateway.yaml", "client_certificates: required", "client_certificates: perhaps",
     "config/gateway.yaml:4:141: optional or required is expected"},
    {"config/gateway.yaml", "header: false", "header: no",
     "config/gateway.yaml:8:23: true or false is expected"},
    {"config/gateway.yaml", "audience: \"https://flora\"", "audience: []",
     "config/gateway.yaml:11:15: a text is expected"},
    {"config/gateway.yaml", "https://idp/keys", "http://idp/keys",
     "config/gateway.yaml:12:15: an https URL is expected"},
    {"config/tls/idp.pem", "", "", "config/gateway.yaml:13:14: cannot read "},
    {"config/gateway.yaml", "bound: required", "bound: perhaps",
     "config/gateway.yaml:14:12: required or optional is expected"},
    {"config/gateway.yaml", "leeway_seconds: 30", "leeway_seconds: 301",
     "config/gateway.yaml:15:21: a number from 0 to 300 is expected"},
    {"config/gateway.yaml", "lifetime_seconds: 3600", "lifetime_seconds: 59",
     "config/gateway.yaml:16:23: a number from 60 to 2678400 is expected"},
    {"config/gateway.yaml", "refresh_seconds: 300", "refresh_seconds: often",
     "config/gateway.yaml:17:22: a number from 10 to 86400 is expected"},
    {"config/policy.yaml", "dns:zab.example", "dns:*.example",
     "config/policy.yaml:6:34: a whole name of the certificate is expected"},
    {"config/policy.yaml", "token_client: zab", "token_client: []", "config/policy.yaml:6:"},
    {"config/gateway.yaml", "kind: embedded", "kind: paper",
     "config/gateway.yaml:19:9: embedded or fabric is expected"},
    {"config/gateway.yaml", "  channel: default\n", "",
     "config/gateway.yaml:19:3: \"channel\" is missing"},
    {"config/gateway.yaml", "adapters: [bundle]\n",
     "adapters: [bundle]\nadapter_memory_mib: 1\ncolour: red\n",
     "config/gateway.yaml:29:21: a number from 64 to 65536 is expected"},
    {"config/policy.yaml", "land: DE-NI", "land: DE-XX", "config/policy.yaml:2:44: no such Land"},
    {"config/policy.yaml", "id: \"999901\"", "id: 999901",
     "config/policy.yaml:3:10: a code must be quoted"},
    {"config/policy.yaml", "[MUSTERSTADT]", "[Musterstadt]",
     "config/policy.yaml:2:69: a site is named by 2 to 32 upper-case letters and _"},
    {"config/policy.yaml", "[\"999902\"]", "[\"999902\", \"123456\"]",
     "config/policy.yaml:5:129: no such authority"},
    {"config/policy.yaml", "\"aaaa", "\"AAAA",
     "config/policy.yaml:5:37: a fingerprint has 64 lower-case hexadecimal digits"},
    {"config/statuses.yaml", "reporters: [AE, LD]", "reporters: [AE, AUDITOR]",
     "config/statuses.yaml:18:21: \"AUDITOR\" is no reporting role"},
    {"config/statuses.yaml", ", en: \"Registration completed\" }", " }",
     "config/statuses.yaml:16:12: \"en\" is missing"},
    {"config/bundle/adapter.yaml", "unit: record", "unit: line", "config/bundle/adapter.yaml:13:"},
    {"config/bundle/adapter.yaml", "charset: iso-8859-1", "charset: ebcdic",
     "config/bundle/adapter.yaml:6:12: a charset is "},
    {"data/ledger.key", "MDEy", "!!!!", "/data/ledger.key: not Base 64"},
    {"data/audit.key", "MDEy", "!!!!", "/data/audit.key: not Base 64"},
    {"config/gateway.yaml", "backups: P90D", "backups: P0D",
     ":58: a period is expected, such as P10Y, P6M or P90D"},
    {"config/gateway.yaml", "segment_days: 7}", "segment_days: 7, retention_days: 0}",
     "config/gateway.yaml:27:42: a number from 1 to 3660 is expected"},
    {"data/mapping.secret", "Y2RlZj", "", "/data/mapping.secret must hold 32 bytes, in Base 64"},
    {"config/tls/ca.pem", "", "", "config/gateway.yaml:4:108: cannot read "},
    {"config/tls/server.key", "stranger", "", "/config/tls/server.key"},
    {"config/tls/crl.pem", "", "", "/config/tls/crl.pem"},
    {"elsewhere", "", "", "/elsewhere is no folder"},
};

struct Fixture {
  Fixture() {
    fs::create_directories(folder.file("config/tls"));
    fs::create_directories(folder.file("data"));
    fs::create_directories(folder.file("elsewhere"));
    write("config/gateway.yaml", kSettings);
    write("config/policy.yaml", kPolicy);
    const fs::path source = FLORA_SOURCE_DIR;
    fs::copy(source / "config/statuses.yaml", folder.file("config/statuses.yaml"));
    fs::copy(source / "tests/bundles/de-ni-export", folder.file("config/bundle"),
             fs::copy_options::recursive);
    write("data/ledger.key", kSecret);
    write("data/mapping.secret", kSecret);
    write("data/audit.key", kSecret);
    certificates.write_crls("crl.pem", {{}});
    for (const char* name : {"server.pem", "server.key", "ca.pem", "crl.pem"}) {
      write(std::string("config/tls/") + name, read(certificates.path(name)));
    }
    write("config/tls/idp.pem", read(certificates.path("ca.pem")));
  }

  std::string read(const std::string& path) const {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    REQUIRE(!text.str().empty());
    return text.str();
  }

  void write(const std::string& name, const std::string& text) {
    REQUIRE(env.replace_file(folder.file(name), text, 0600).has_value());
  }

  void make(const Mistake& mistake) {
    const std::string path = folder.file(mistake.file);
    if (mistake.from.empty()) {
      REQUIRE(fs::remove_all(path) > 0);
      return;
    }
    if (mistake.from == "stranger")
      return write(mistake.file, read(certificates.path("stranger.key")));
    std::string text = read(path);
    const std::size_t at = text.find(mistake.from);
    REQUIRE_MESSAGE(at != std::string::npos, mistake.from);
    write(mistake.file, text.replace(at, mistake.from.size(), mistake.to));
  }

  // The errors, without the folder that they are in.
  std::vector<std::string> errors() {
    const Examined examined = examine({folder.file("config/gateway.yaml"), {}}, env);
    CHECK(examined.findings.has_errors() == (examined.definitions == nullptr));
    std::vector<std::string> out;
    for (const Finding& finding : examined.findings.all()) {
      if (finding.weight != Finding::Weight::error) continue;
      std::string line = to_string(finding);
      CAPTURE(line);
      REQUIRE(line.starts_with(folder.path() + '/'));
      out.push_back(line.substr(folder.path().size() + 1));
    }
    return out;
  }

  FakeEnv env;
  TemporaryFolder folder;
  http::test::Certificates certificates;
};

bool is_told(const std::vector<std::string>& errors, const std::string& what) {
  return std::ranges::any_of(
      errors, [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

// The settings with a ledger network in place of the embedded ledger.
std::string of_network(const std::string& channels) {
  const std::size_t from = kSettings.find("ledger:\n");
  const std::size_t kind = kSettings.find("  kind: embedded\n", from);
  REQUIRE(kind != std::string::npos);
  std::string text = kSettings;
  text.replace(kind, std::string("  kind: embedded\n").size(),
               "  kind: fabric\n  fabric:\n    " + channels +
                   "\n    chaincode: flora\n"
                   "    endpoints: [{name: p, address: \"p:7051\", ca: tls/ca.pem}]\n"
                   "    identities: [{msp: M, certificate: tls/server.pem, default: true, pkcs11: "
                   "{module: nowhere.so, token: t, label: l, pin_file: pin}}]\n");
  for (const std::string key : {"  key: ", "  checkpoint: "}) {
    const std::size_t line = text.find('\n' + key, from) + 1;
    text.erase(line, text.find('\n', line) + 1 - line);
  }
  return text;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what is right is found right, and nothing is made") {
  const auto found = errors();
  CHECK_MESSAGE(found.empty(), joined(found));
  fs::remove_all(folder.file("data"));
  CHECK(is_told(errors(), "flora-gateway init"));
  CHECK_FALSE(fs::exists(folder.file("data")));
}

TEST_CASE("each seeded mistake is told with its place, and nothing else is") {
  REQUIRE(kMistakes.size() >= 20);
  for (const Mistake& mistake : kMistakes) {
    Fixture fixture;
    fixture.make(mistake);
    const auto told = fixture.errors();
    const std::size_t expected = mistake.to.find("colour") == std::string::npos ? 1 : 2;
    CAPTURE(mistake.told);
    CHECK_MESSAGE(told.size() == expected, joined(told));
    CHECK_MESSAGE(is_told(told, mistake.told), joined(told));
  }
}

// The lines are those of the file as it was: no mistake moves another.
TEST_CASE_FIXTURE(Fixture, "all seeded mistakes together are told in one run") {
  std::size_t expected = 1;  // The unknown key comes with another mistake.
  for (const Mistake& mistake : kMistakes) {
    if (mistake.told.find("channel") != std::string::npos) continue;
    make(mistake);
    ++expected;
  }
  const auto told = errors();
  CHECK_MESSAGE(told.size() == expected, joined(told));
  CHECK(is_told(told, "config/gateway.yaml:30:1: unknown key \"colour\""));
  for (const Mistake& mistake : kMistakes) {
    if (mistake.told.find("channel") != std::string::npos) continue;
    CHECK_MESSAGE(is_told(told, mistake.told), mistake.told, "\n", joined(told));
  }
}

TEST_CASE_FIXTURE(Fixture, "mappings are erased in the name of an authority of the BAMF alone") {
  for (const std::string id : {"999902", "999999"}) {
    std::string settings = kSettings;
    settings.replace(settings.find("\"999901\""), 8, '"' + id + '"');
    write("config/gateway.yaml", settings);
    const auto told = errors();
    CHECK_MESSAGE(is_told(told, "config/gateway.yaml:29:39: the policy has no authority " + id +
                                    " of the role BAMF"),
                  joined(told));
  }
}

TEST_CASE_FIXTURE(Fixture, "all that is wrong with the keys of the mapping is told in one run") {
  const std::string other = to_base64(as_bytes(std::string(32, 'o'))) + '\n';
  write("data/a.key", other);
  write("data/b.key", other);
  write("data/short.key", "c2hvcnQ=\n");
  write("config/gateway.yaml", kSettings + R"(keys:
  lookup:
    - {id: a, file: data:a.key}
    - {id: b, file: data:b.key}
    - {id: a, file: data:nowhere.key}
    - {id: t, pkcs11: {module: nowhere.so, token: t, label: l, pin_file: data:pin}}
  wrapping:
    - {id: short, file: data:short.key}
    - {id: same, file: data:mapping.secret}
    - {id: unset, variable: FLORA_TEST_IS_NOT_SET}
    - {id: two, file: data:a.key, variable: FLORA_TEST_IS_NOT_SET}
    - {id: token, pkcs11: {module: nowhere.so, token: t, label: l, pin_file: data:pin}}
)");
  const auto told = errors();
  for (const char* expected :
       {":32:5: a token holds wrapping keys only", ":33:7: the same secret as the key \"a\"",
        ":34:7: the id \"a\" is there twice", ":34:7: key \"a\": cannot open",
        ":37:7: key \"short\": ", "short.key must hold 32 bytes, in Base 64",
        "config/gateway.yaml:24:17: the same secret as the key \"same\"",
        ":39:7: key \"unset\": the variable FLORA_TEST_IS_NOT_SET is not set",
        ":40:12: the key needs one of file, variable and pkcs11",
        ":41:7: key \"token\": cannot load the PKCS#11 module"}) {
    CHECK_MESSAGE(is_told(told, expected), std::string(expected), "\n", joined(told));
  }
  for (const std::string& line : told) {
    CHECK(line.find(other.substr(0, 20)) == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a credential of systemd may have the mode of its access control list") {
  fs::permissions(folder.file("data/mapping.secret"), fs::perms(0440));
  CHECK(errors().size() == 1);
  ::setenv("CREDENTIALS_DIRECTORY", folder.file("data").c_str(), 1);
  const auto found = errors();
  ::unsetenv("CREDENTIALS_DIRECTORY");
  CHECK_MESSAGE(found.empty(), joined(found));
}

TEST_CASE_FIXTURE(Fixture, "a secret that others may read is an error, in development a warning") {
  for (const char* name : {"data/ledger.key", "data/mapping.secret", "config/tls/server.key"}) {
    CAPTURE(name);
    fs::permissions(folder.file(name), fs::perms(0644));
    const auto found = errors();
    CHECK(found.size() == 1);
    CHECK_MESSAGE(is_told(found, "has the mode 0644"), joined(found));
    fs::permissions(folder.file(name), fs::perms(0600));
  }
  // Debian's group for the keys of certificates.
  fs::permissions(folder.file("config/tls/server.key"), fs::perms(0640));
  CHECK(errors().empty());
  write("config/gateway.yaml", "environment: development" + kSettings.substr(kSettings.find('\n')));
  fs::permissions(folder.file("data/ledger.key"), fs::perms(0644));
  CHECK(errors().empty());
  const Examined examined = examine({folder.file("config/gateway.yaml"), {}}, env);
  CHECK(std::ranges::any_of(examined.findings.all(), [](const Finding& finding) {
    return finding.what.find("has the mode 0644") != std::string::npos;
  }));
}

TEST_CASE_FIXTURE(Fixture, "the PIN of a token that signs for an authority is a secret, too") {
  write("config/gateway.yaml", of_network("channel: c"));
  write("config/pin", "12345678\n");
  const std::string told = "config/pin has the mode 0644";
  CHECK_FALSE(is_told(errors(), told));
  fs::permissions(folder.file("config/pin"), fs::perms(0644));
  const auto found = errors();
  CHECK_MESSAGE(is_told(found, told), joined(found));
  CHECK_FALSE(is_told(found, "12345678"));
}

TEST_CASE_FIXTURE(Fixture, "a policy that anybody may change is an error") {
  fs::permissions(folder.file("config/policy.yaml"), fs::perms(0666));
  const auto found = errors();
  CHECK(found.size() == 1);
  CHECK(is_told(found, "config/gateway.yaml:25:9: "));
}

TEST_CASE_FIXTURE(Fixture, "two listeners cannot have one port") {
  const std::string same = ":5:15: the port is that of the public listener";
  const auto with = [&](const std::string& one, const std::string& other) {
    std::string text = kSettings;
    text.replace(text.find("127.0.0.1, port: 0, tls"), 18, one);
    text.replace(text.find("127.0.0.1, port: 0}"), 18, other);
    write("config/gateway.yaml", text);
    return is_told(errors(), same);
  };
  CHECK(with("127.0.0.1, port: 8443", "127.0.0.1, port: 8443"));
  CHECK(with("\"::\", port: 8443", "127.0.0.1, port: 8443"));
  CHECK_FALSE(with("127.0.0.1, port: 8443", "127.0.0.1, port: 8444"));
  CHECK_FALSE(with("127.0.0.1, port: 8443", "127.0.0.2, port: 8443"));
}

TEST_CASE_FIXTURE(Fixture, "the data folder must be one") {
  fs::remove_all(folder.file("data"));
  write("data", "a file");
  const auto found = errors();
  CHECK_MESSAGE(is_told(found, "config/gateway.yaml:2:7: "), joined(found));
}

TEST_CASE_FIXTURE(Fixture, "files that are not there are told where they are named") {
  fs::remove(folder.file("config/policy.yaml"));
  fs::remove(folder.file("config/statuses.yaml"));
  const auto found = errors();
  CHECK(found.size() == 2);
  CHECK(is_told(found, "config/gateway.yaml:25:9: cannot open"));
  CHECK(is_told(found, "config/gateway.yaml:26:11: cannot open"));
  fs::remove(folder.file("config/gateway.yaml"));
  CHECK(errors().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a channel that rows of the store name must be there") {
  {
    const auto store = sql::open({folder.file("data/store.db")}, sql::Access::write);
    REQUIRE(store.has_value());
    REQUIRE(store::prepare_schema(**store).has_value());
    REQUIRE((*store)
                ->execute("INSERT INTO procedure(pseudonym, channels) VALUES"
                          "(X'01', '* flora flora-ni'), (X'02', '');"
                          "INSERT INTO outbox(n, transaction_id, body, nonce, channels) VALUES"
                          "(1, X'03', '{}', X'04', 'flora-sn flora-ni')")
                .has_value());
  }
  const auto told = errors();
  CHECK(told.size() == 3);
  CHECK(is_told(told, "name the channel flora-sn, which is not among the channels"));
  CHECK(is_told(told, "name the channel flora, which is not among the channels"));
  CHECK(is_told(told, "name the channel flora-ni, which is not among the channels"));
}

TEST_CASE_FIXTURE(Fixture, "channels on which not everybody is signed for are told of") {
  const std::string everywhere = "signs on all of them";
  const std::string nobody = "none is the default of the channel ";
  const std::string several = "channels: {default: a, lands: {DE-NI: b}}";
  const auto warned = [&](const std::string& told, const std::string& channels,
                          const std::string& identity) {
    std::string text = of_network(channels);
    text.replace(text.find("default: true"), 13, identity);
    write("config/gateway.yaml", text);
    const Examined examined = examine({folder.file("config/gateway.yaml"), {}}, env);
    return std::ranges::any_of(examined.findings.all(), [&](const Finding& one) {
      return one.what.find(told) != std::string::npos;
    });
  };
  const std::string some = "authorities: [\"000250\"]";
  CHECK(warned(everywhere, several, "default: true, " + some));
  CHECK_FALSE(warned(everywhere, several, "default: true, " + some + ", channels: [a, b]"));
  CHECK_FALSE(warned(everywhere, several, "default: true"));
  CHECK_FALSE(warned(everywhere, "channel: a", "default: true, " + some));
  CHECK_FALSE(warned(nobody, several, "default: true"));
  CHECK(warned(nobody + "a:", several, "default: true, channels: [b]"));
  CHECK_FALSE(warned(nobody + "b:", several, "default: true, channels: [b]"));
  CHECK(warned(nobody + "b:", several, some));
  CHECK_FALSE(warned(nobody, "channel: a", some));
}

TEST_CASE_FIXTURE(Fixture, "settings keep the channels of which the local copy was made") {
  const std::string gone = "network.db is a copy ";
  const std::string copy = folder.file("data/network.db");
  const auto told = [&](const std::string& network, const std::string& channels) {
    REQUIRE(outbox::Replica::open(copy, network).has_value());
    write("config/gateway.yaml", of_network(channels));
    return is_told(errors(), gone);
  };
  CHECK(told("flora.example/test old flora", "channel: new"));
  CHECK_FALSE(told("flora.example/test old flora", "channel: old"));
  CHECK_FALSE(told("flora.example/other old flora", "channel: new"));
  CHECK_FALSE(told("flora.example/test old a", "channels: {default: old, lands: {DE-NI: a}}"));
  CHECK(told("flora.example/test old flora", "channels: {default: new, lands: {DE-NI: old}}"));
  CHECK(told("flora.example/test old a flora", "channels: {default: a, lands: {DE-NI: old}}"));
  CHECK(told("flora.example/test a old flora", "channels: {default: new, lands: {DE-NI: a}}"));
}
