// The settings file: what it means, and how mistakes are named.
#include "gateway/settings/settings.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/fake_env.h"
#include "tests/temporary_folder.h"

using namespace flora;

namespace {

const std::string kSettings = R"(environment: test
data: ../data
listen:
  public: {address: 127.0.0.1, port: 8080}
  operations: {address: 127.0.0.1, port: 8081}
workers: 2
authentication:
  development_header: true
ledger:
  kind: embedded
  origin: flora.example/test
  key: data:ledger.key
  checkpoint: /elsewhere/checkpoint
  channel: default
mapping_secret: data:mapping.secret
policy: policy.yaml
statuses: statuses.yaml
adapters: [../adapters/one, ../adapters/two]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Fixture {
  Fixture() { std::filesystem::create_directory(folder.file("config")); }

  Result<settings::Settings> load(const std::string& text,
                                  const settings::Overrides& overrides = {}) {
    REQUIRE(env.replace_file(file, text, 0600).has_value());
    return settings::load(file, overrides, env);
  }

  settings::Settings good(const std::string& text, const settings::Overrides& overrides = {}) {
    auto loaded = load(text, overrides);
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    return std::move(*loaded);
  }

  FakeEnv env;
  TemporaryFolder folder;
  std::string file = folder.file("config/gateway.yaml");
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the store is a file, and on a server for several gateways only") {
  CHECK_FALSE(good(kSettings).store_place().server);
  CHECK(good(kSettings + "store: {kind: sqlite}\n").store_place().file ==
        good(kSettings).store_database());
  const auto refusal = [this](const std::string& store) {
    const auto loaded = load(kSettings + "store: " + store + "\n");
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error().message;
  };
  CHECK(refusal("{kind: postgresql, connection: \"host=db dbname=flora\"}")
            .find("the embedded ledger is for one") != std::string::npos);
  const std::string network = replaced(
      kSettings, "  kind: embedded\n",
      "  kind: fabric\n  fabric: {channel: c, chaincode: flora, endpoints: [{name: p, address: "
      "\"p:7051\", ca: ca.pem}], identities: [{msp: M, certificate: m.pem, key: m.key, "
      "default: true}]}\n");
  const std::string without_key = replaced(replaced(network, "  key: data:ledger.key\n", ""),
                                           "  checkpoint: /elsewhere/checkpoint\n", "");
  const auto shared = good(
      without_key + "store: {kind: postgresql, connection: \"host=db\", password_file: data:p}\n");
  REQUIRE(shared.store_place().server);
  CHECK(shared.store_place().server->connection == "host=db");
  CHECK(shared.store_place().server->password_file == shared.data_folder + "/p");
  CHECK(refusal("{kind: mysql}").find("sqlite or postgresql") != std::string::npos);
  CHECK(refusal("{kind: sqlite, connection: \"host=db\"}").find("kind: postgresql") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture,
                  "retention has periods, and an authority where mappings go by themselves") {
  const settings::Settings none = good(kSettings);
  CHECK_FALSE(none.retention.periods.mapping.has_value());
  CHECK(to_string(none.retention.periods.copies) == "P90D");
  const settings::Settings both =
      good(kSettings + "retention: {mapping: P10Y, authority: \"999901\", backups: P6M}\n");
  CHECK(to_string(both.retention.periods.mapping.value()) == "P10Y");
  CHECK(to_string(both.retention.periods.copies) == "P6M");
  CHECK(both.retention.authority == "999901");
  const std::string development =
      replaced(kSettings, "environment: test", "environment: development");
  CHECK(good(development + "retention: {backups: PT2S}\n").retention.periods.copies ==
        Period{Period::Unit::seconds, 2});
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{mapping: P0D, authority: \"999901\"}", ":19:22: "},
      {"{mapping: P11Y, authority: \"999901\"}", ":19:22: "},
      {"{mapping: P121M, authority: \"999901\"}", ":19:22: "},
      {"{mapping: P3653D, authority: \"999901\"}", ":19:22: "},
      {"{mapping: PT2S, authority: \"999901\"}", ":19:22: "},
      {"{mapping: 10, authority: \"999901\"}", ":19:22: "},
      {"{mapping: P10Y}", "authority"},
      {"{mapping: P10Y, authority: 999901}", ":19:39: "},
      {"{authority: \"999901\"}", ":19:24: "},
      {"{backups: P0D}", ":19:22: "},
      {"{backups: PT2S}", ":19:22: "},
      {"{backup: P1D}", "backup"}};
  for (const auto& mistake : mistakes) {
    const std::string& section = mistake.first;
    CAPTURE(section);
    const auto loaded = load(kSettings + "retention: " + section + "\n");
    REQUIRE_FALSE(loaded.has_value());
    CHECK_MESSAGE(loaded.error().message.find(mistake.second) != std::string::npos,
                  loaded.error().message);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "keys stand in files, variables or a token, beside the secret or without it") {
  const std::string keys = R"(keys:
  lookup: [{id: l-2027, file: data:l.key}, {id: l-2026, variable: FLORA_L}]
  wrapping:
    - {id: hsm, pkcs11: {module: /usr/lib/module.so, token: flora, label: kek, pin_file: pin}}
)";
  const std::string secret = "mapping_secret: data:mapping.secret\n";
  for (const std::string& text : {kSettings + keys, replaced(kSettings, secret, "") + keys}) {
    const settings::Settings settings = good(text);
    REQUIRE(settings.keys.lookup.size() == 2);
    CHECK(settings.keys.lookup[0].id == "l-2027");
    CHECK(settings.keys.lookup[0].file == folder.file("data/l.key"));
    CHECK(settings.keys.lookup[1].variable == "FLORA_L");
    REQUIRE(settings.keys.wrapping.size() == 1);
    const auto& token = settings.keys.wrapping[0].pkcs11;
    REQUIRE(token.has_value());
    CHECK(token->module == "/usr/lib/module.so");
    CHECK(token->token == "flora");
    CHECK(token->label == "kek");
    CHECK(token->pin_file == folder.file("config/pin"));
  }
  CHECK(good(kSettings).keys.lookup.empty());
}

TEST_CASE_FIXTURE(Fixture, "what is wrong with keys is told") {
  const auto error_of = [this](const std::string& lookup) {
    const auto loaded = load(kSettings + "keys: {lookup: [" + lookup + "]}\n");
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error().message;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(error_of("{id: a, file: b}, {id: a, file: c}"), "the id \"a\" is there twice"));
  CHECK(has(error_of("{id: \"a b\", file: b}"), "letters, digits"));
  CHECK(has(error_of("{id: a}"), "one of file, variable and pkcs11"));
  CHECK(has(error_of("{id: a, file: b, variable: C}"), "one of file, variable and pkcs11"));
  CHECK(has(error_of("{id: a, pkcs11: {module: m, token: t, label: l, pin_file: p}}"),
            "a token holds wrapping keys only"));
  CHECK(has(error_of("{id: a, pkcs11: {module: m, token: t, label: l, pin: \"1\"}}"),
            "unknown key \"pin\""));
  const std::string none = replaced(kSettings, "mapping_secret: data:mapping.secret\n", "");
  CHECK(has(load(none + "keys: {lookup: [{id: a, file: b}]}\n").error().message,
            "\"mapping_secret\" is missing"));
}

TEST_CASE_FIXTURE(Fixture, "paths are relative to the file, or to the data folder") {
  const settings::Settings settings = good(kSettings);
  CHECK(settings.environment == "test");
  CHECK(settings.data_folder == folder.file("data"));
  CHECK(settings.store_database() == folder.file("data/store.db"));
  CHECK(settings.ledger_key_file == folder.file("data/ledger.key"));
  CHECK(settings.ledger_checkpoint_file == "/elsewhere/checkpoint");
  CHECK(settings.mapping_secret_file == folder.file("data/mapping.secret"));
  CHECK(settings.policy_file == folder.file("config/policy.yaml"));
  CHECK(settings.adapter_folders ==
        std::vector<std::string>{folder.file("adapters/one"), folder.file("adapters/two")});
  CHECK(settings.listener.port == 8080);
  CHECK(settings.operations.port == 8081);
  CHECK(settings.workers == 2);
  CHECK(settings.development_header);
}

TEST_CASE_FIXTURE(Fixture, "the command line replaces data folder and ports") {
  const settings::Settings settings = good(kSettings, {"/somewhere", 0, 9000});
  CHECK(settings.data_folder == "/somewhere");
  CHECK(settings.ledger_key_file == "/somewhere/ledger.key");
  CHECK(settings.listener.port == 0);
  CHECK(settings.operations.port == 9000);
}

TEST_CASE_FIXTURE(Fixture, "the development header is refused on a listener that is not loopback") {
  for (const char* address : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1", "128.0.0.1"}) {
    CAPTURE(address);
    const std::string text = replaced(kSettings, "address: 127.0.0.1, port: 8080",
                                      "address: \"" + std::string(address) + "\", port: 8080");
    const auto loaded = load(text);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().code == Errc::invalid);
    CHECK(loaded.error().message.find("development_header") != std::string::npos);
    CHECK(loaded.error().message.starts_with(file + ":"));
    CHECK(load(replaced(text, "header: true", "header: false")).has_value());
  }
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1"}) {
    CAPTURE(address);
    CHECK(load(replaced(kSettings, "address: 127.0.0.1, port: 8080",
                        "address: \"" + std::string(address) + "\", port: 8080"))
              .has_value());
  }
}

TEST_CASE_FIXTURE(Fixture, "what a host name looks like is no loopback address") {
  CHECK_FALSE(load(replaced(kSettings, "address: 127.0.0.1, port: 8080",
                            "address: 127.example.org, port: 8080"))
                  .has_value());
}

TEST_CASE_FIXTURE(Fixture,
                  "the audit has settings, and values for what is left out, within bounds") {
  const settings::Settings usual = good(kSettings);
  CHECK(usual.audit.key_file == folder.file("data/audit.key"));
  CHECK(usual.audit.head_file == folder.file("data/audit.head"));
  CHECK(usual.audit.segment_days == 7);
  CHECK(usual.audit.segment_records == 1'000'000);
  CHECK_FALSE(usual.audit.retention_days.has_value());
  CHECK(usual.audit_origin() == "flora.example/test/audit");
  const settings::Audit audit =
      good(kSettings +
           "audit: {key: a.key, head: /elsewhere/head, segment_days: 1, segment_records: 1000, "
           "retention_days: 30}\n")
          .audit;
  CHECK(audit.key_file == folder.file("config/a.key"));
  CHECK(audit.head_file == "/elsewhere/head");
  CHECK(audit.segment_days == 1);
  CHECK(audit.segment_records == 1000);
  CHECK(audit.retention_days == 30);
  for (const char* wrong : {"segment_days: 0", "segment_days: 367", "segment_records: 999",
                            "retention_days: 0", "retention_days: 3661", "retain: 1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(load(kSettings + "audit: {" + wrong + "}\n").has_value());
  }
}

TEST_CASE_FIXTURE(Fixture, "TLS is read with its client certificates") {
  const std::string with_tls = replaced(
      kSettings, "port: 8080",
      "port: 8080, tls: {certificate: server.pem, key: data:server.key, client_ca: ca.pem, "
      "client_certificates: required, crl: crl.pem}");
  const settings::Settings settings = good(with_tls);
  REQUIRE(settings.listener.tls.has_value());
  CHECK(settings.listener.tls->certificate_file == folder.file("config/server.pem"));
  CHECK(settings.listener.tls->key_file == folder.file("data/server.key"));
  CHECK(settings.listener.tls->client_ca_file == folder.file("config/ca.pem"));
  CHECK(settings.listener.tls->client_certificates_required);
  CHECK(settings.listener.tls->crl_file == folder.file("config/crl.pem"));
  CHECK_FALSE(settings.operations.tls.has_value());
  CHECK_FALSE(load(replaced(with_tls, "required", "perhaps")).has_value());
  CHECK_FALSE(load(replaced(with_tls, "client_ca: ca.pem, client_certificates: required, ", ""))
                  .has_value());
}

TEST_CASE_FIXTURE(Fixture, "access tokens have settings, and values for what is left out") {
  CHECK_FALSE(good(kSettings).tokens.has_value());
  const std::string tokens =
      "header: false\n  tokens: {issuer: \"https://idp\", audience: \"https://flora\", jwks_uri: "
      "\"https://idp/keys\"}";
  const std::string with_tls = replaced(
      kSettings, "port: 8080",
      "port: 8080, tls: {certificate: s.pem, key: s.key, client_ca: ca.pem, client_certificates: "
      "optional}");
  const std::string text = replaced(with_tls, "header: true", tokens);
  const settings::Tokens usual = good(text).tokens.value();
  CHECK(usual.issuer == "https://idp");
  CHECK(usual.audience == "https://flora");
  CHECK(usual.jwks_uri == "https://idp/keys");
  CHECK(usual.jwks_ca_file.empty());
  CHECK(usual.bound_required);
  CHECK(usual.leeway_s == 30);
  CHECK(usual.lifetime_s == 86'400);
  CHECK(usual.refresh_s == 300);
  const settings::Tokens told =
      good(replaced(text, "/keys\"",
                    "/keys\", jwks_ca: idp.pem, bound: optional, leeway_seconds: 0, "
                    "lifetime_seconds: 60, refresh_seconds: 10"))
          .tokens.value();
  CHECK(told.jwks_ca_file == folder.file("config/idp.pem"));
  CHECK_FALSE(told.bound_required);
  CHECK(told.leeway_s == 0);
  CHECK(told.lifetime_s == 60);
  CHECK(told.refresh_s == 10);
  for (const char* wrong :
       {"leeway_seconds: 301", "leeway_seconds: -1", "lifetime_seconds: 59",
        "lifetime_seconds: 2678401", "refresh_seconds: 9", "refresh_seconds: 86401",
        "bound: perhaps", "bound: true", "keys: here", "issuer: \"https://other\""}) {
    CAPTURE(wrong);
    const auto loaded = load(replaced(text, "/keys\"", std::string("/keys\", ") + wrong));
    REQUIRE_FALSE(loaded.has_value());
    CHECK_MESSAGE(loaded.error().message.starts_with(file + ":9:"), loaded.error().message);
  }
  for (const char* missing : {"issuer", "audience", "jwks_uri"}) {
    CAPTURE(missing);
    const auto loaded = load(replaced(text, std::string(missing) + ":", "bound:"));
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().message.find('"' + std::string(missing) + "\" is missing") !=
          std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "tokens that must be bound need a listener that asks for certificates") {
  const std::string text =
      replaced(kSettings, "header: true",
               "header: false\n  tokens: {issuer: i, audience: a, jwks_uri: \"https://idp/keys\"}");
  const auto loaded = load(text);
  REQUIRE_FALSE(loaded.has_value());
  CHECK_MESSAGE(
      loaded.error().message.find("no client can show a certificate") != std::string::npos,
      loaded.error().message);
  CHECK(load(replaced(text, "audience: a", "audience: a, bound: optional")).has_value());
}

TEST_CASE_FIXTURE(Fixture, "keys come over HTTPS, in development also from this machine") {
  const auto takes = [this](const std::string& environment, const std::string& uri) {
    const std::string text =
        replaced(kSettings, "header: true",
                 "header: true\n  tokens: {issuer: i, audience: a, bound: optional, jwks_uri: \"" +
                     uri + "\"}");
    return load(replaced(text, "environment: test", "environment: " + environment)).has_value();
  };
  for (const char* uri : {"https://idp.example/keys", "https://127.0.0.1:8443/keys",
                          "https://[2001:db8::1]/keys?tenant=a"}) {
    CAPTURE(uri);
    CHECK(takes("test", uri));
    CHECK(takes("development", uri));
  }
  for (const char* uri :
       {"http://127.0.0.1/keys", "http://127.0.0.1:8080/keys", "http://[::1]:8080/keys"}) {
    CAPTURE(uri);
    CHECK_FALSE(takes("test", uri));
    CHECK(takes("development", uri));
  }
  for (const char* uri : {"http://idp.example/keys",
                          "http://192.0.2.1/keys",
                          "http://localhost/keys",
                          "http://127.0.0.1@idp.example/keys",
                          "http://127.0.0.1.example/keys",
                          "http://[::1/keys",
                          "http:///127.0.0.1",
                          "file:///etc/passwd",
                          "ftp://idp/keys",
                          "idp/keys",
                          "https:/idp",
                          "https://",
                          "https:///keys",
                          "https://:443/keys",
                          "https://?keys",
                          "HTTPS://idp/keys",
                          "https://user@idp/keys",
                          "https://idp/keys#all",
                          "https://idp /keys",
                          "https://idp\\\\x/"}) {
    CAPTURE(uri);
    CHECK_FALSE(takes("development", uri));
  }
}

TEST_CASE_FIXTURE(Fixture, "limits that are left out have their defaults") {
  const settings::Limits limits =
      good(kSettings + "limits: {connections: 64, head_seconds: 2, connections_per_address: 0}\n")
          .limits;
  CHECK(limits.connections == 64);
  CHECK(limits.connections_per_address == 0);
  CHECK(limits.head_seconds == 2);
  CHECK(limits.idle_seconds == settings::Limits().idle_seconds);
  for (const char* wrong : {"connections: 31", "connections: 2000000", "head_seconds: 0",
                            "head_seconds: 1.5", "headers: 5", "idle_seconds: -1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(load(kSettings + "limits: {" + wrong + "}\n").has_value());
  }
}

TEST_CASE_FIXTURE(Fixture, "an identity of the network has its key in a file or in a token") {
  const auto with = [](const std::string& key) {
    return replaced(replaced(kSettings, "kind: embedded", "kind: fabric"),
                    "  key: data:ledger.key\n  checkpoint: /elsewhere/checkpoint\n",
                    "  fabric:\n    channel: c\n    chaincode: flora\n"
                    "    endpoints: [{name: p, address: \"p:7051\", ca: ca.pem}]\n"
                    "    identities: [{msp: M, certificate: m.pem, default: true" +
                        key + "}]\n");
  };
  const std::string token =
      ", pkcs11: {module: /lib/t.so, token: flora, label: m, pin_variable: PIN}";
  const settings::Settings settings = good(with(token));
  const fabric::Identity& identity = settings.fabric->options.identities.front();
  CHECK(identity.key_file.empty());
  REQUIRE(identity.token.has_value());
  CHECK(identity.token->module == "/lib/t.so");
  CHECK(identity.token->label == "m");
  CHECK(identity.token->pin_variable == "PIN");
  CHECK(identity.token->pin_file.empty());
  CHECK(good(with(", key: m.key")).fabric->options.identities.front().key_file ==
        folder.file("config/m.key"));
  for (const std::string& wrong : {std::string(), ", key: m.key" + token}) {
    const auto loaded = load(with(wrong));
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().message.find("one of key and pkcs11") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a network has one channel, or a default and those of Länder") {
  const auto with = [](const std::string& channels, const std::string& written = "") {
    std::string text = replaced(kSettings, "kind: embedded", "kind: fabric");
    text = replaced(text, "  channel: default\n", written);
    return replaced(
        text, "  key: data:ledger.key\n  checkpoint: /elsewhere/checkpoint\n",
        "  fabric:\n    " + channels +
            "\n    chaincode: flora\n"
            "    endpoints: [{name: p, address: \"p:7051\", ca: ca.pem}]\n"
            "    identities: [{msp: M, certificate: m.pem, key: m.key, default: true}]\n");
  };
  const settings::Settings one = good(with("channel: c", "  channel: main\n"));
  CHECK(one.channels().all().empty());
  CHECK(one.channel == "main");
  CHECK(one.fabric->options.channel == "c");
  const settings::Settings two =
      good(with("channels: {default: flora, lands: {DE-SN: flora-sn, DE-NI: flora-ni}}"));
  CHECK(two.channels().all() == std::vector<std::string>{"flora", "flora-ni", "flora-sn"});
  CHECK(two.channel == "flora");
  CHECK(two.fabric->options.channel.empty());
  CHECK(good(kSettings).channels().all().empty());

  const auto refusal = [&](const std::string& channels, const std::string& written = "") {
    const auto loaded = load(with(channels, written));
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error().message;
  };
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"channel: c\n    channels: {default: a, lands: {DE-NI: b}}", "channels are given already"},
      {"channels: {default: a}", "\"lands\" is missing"},
      {"channels: {lands: {DE-NI: b}}", "\"default\" is missing"},
      {"channels: {default: a, lands: {}}", "a Land with a channel of its own is expected"},
      {"channels: {default: a, lands: {DE-XX: b}}", "unknown key \"DE-XX\""},
      {"channels: {default: a, lands: {DE: b}}", "unknown key \"DE\""},
      {"channels: {default: a, lands: {DE-NI: b, DE-SN: b}}", "another one has the channel b"},
      {"channels: {default: a, lands: {DE-NI: a}}", "another one has the channel a"},
      {"channels: {default: A, lands: {DE-NI: b}}", "lower-case letters"},
      {"channels: {default: a, lands: {DE-NI: b.c}}", "lower-case letters"},
      {"channels: {default: a, lands: {DE-NI: 1b}}", "a letter first"},
      {"channels: {default: a, lands: {DE-NI: " + std::string(33, 'b') + "}}", "32 at most"}};
  for (const auto& one : mistakes) {
    CAPTURE(one.first);
    CHECK(refusal(one.first).find(one.second) != std::string::npos);
  }
  CHECK(refusal("channels: {default: a, lands: {DE-NI: b}}", "  channel: main\n")
            .find("each transaction names one of those") != std::string::npos);

  const auto own = [&](const std::string& part, const std::string& names) {
    return replaced(with("channels: {default: a, lands: {DE-NI: b}}"), part,
                    part + ", channels: " + names);
  };
  const fabric::Options named = good(own("default: true", "[b, a]")).fabric->options;
  CHECK(named.identities.front().channels == std::vector<std::string>{"b", "a"});
  CHECK(named.endpoints.front().channels.empty());
  CHECK(good(own("ca: ca.pem", "[b]")).fabric->options.endpoints.front().channels ==
        std::vector<std::string>{"b"});
  for (const std::string& text :
       {own("default: true", "[b, c]"), own("ca: ca.pem", "[c]"),
        replaced(with("channel: a"), "default: true", "default: true, channels: [c]")}) {
    const auto loaded = load(text);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().message.find("fabric.channels has no channel c") != std::string::npos);
  }
  CHECK_FALSE(load(own("default: true", "[]")).has_value());
}

TEST_CASE_FIXTURE(Fixture, "the limits in the file that is delivered are the defaults") {
  const auto delivered =
      settings::load(std::string(FLORA_SOURCE_DIR) + "/config/gateway.yaml", {}, env);
  REQUIRE(delivered.has_value());
  CHECK(delivered->limits == settings::Limits());
}

TEST_CASE_FIXTURE(Fixture, "mistakes are named with their place") {
  struct Mistake {
    const char* from;
    const char* to;
    const char* message;
  };
  const std::vector<Mistake> mistakes = {
      {"environment: test\n", "", ":1:1: \"environment\" is missing"},
      {"environment: test", "environment: []", ":1:14: a text is expected"},
      {"workers: 2", "workers: 0", ":6:10: a number from 1 to 64 is expected"},
      {"workers: 2", "workers: two", ":6:10: a number from 1 to 64 is expected"},
      {"port: 8080", "port: 65536", "a number from 0 to 65535 is expected"},
      {"workers: 2", "worker: 2", ":6:1: unknown key"},
      {"kind: embedded", "kind: paper", ":10:9: embedded or fabric is expected"},
      {"header: true", "header: yes", ":8:23: true or false is expected"},
      {"  operations: {address: 127.0.0.1, port: 8081}\n", "", "\"operations\" is missing"},
      {"address: 127.0.0.1, port: 8080", "port: 8080", "\"address\" is missing"},
      {"[../adapters/one, ../adapters/two]", "one", "a list is expected"},
      {"workers: 2", "workers: 2\nworkers: 3", ":7:1: "},
  };
  for (const Mistake& one : mistakes) {
    CAPTURE(one.to);
    const auto loaded = load(replaced(kSettings, one.from, one.to));
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().code == Errc::invalid);
    CHECK_MESSAGE(loaded.error().message.find(one.message) != std::string::npos,
                  loaded.error().message);
    CHECK(loaded.error().message.starts_with(file));
  }
}

TEST_CASE_FIXTURE(Fixture, "a file that is not there is not found") {
  CHECK(settings::load(folder.file("nothing.yaml"), {}, env).error().code == Errc::not_found);
}

TEST_CASE("the sample settings are good") {
  FakeEnv env;
  const auto loaded =
      settings::load(std::string(FLORA_SOURCE_DIR) + "/config/gateway.yaml", {}, env);
  REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
  CHECK(loaded->listener.is_loopback());
}

TEST_CASE_FIXTURE(Fixture, "the memory of large messages has room for at least one of them") {
  CHECK(good(kSettings).adapter_memory == 192u << 20);
  CHECK(good(kSettings + "adapter_memory_mib: 64\n").adapter_memory == 64u << 20);
  for (const char* bad : {"63", "0", "-1", "65537", "much"}) {
    CAPTURE(bad);
    const auto loaded = load(kSettings + "adapter_memory_mib: " + bad + "\n");
    REQUIRE_FALSE(loaded.has_value());
    CHECK_MESSAGE(loaded.error().message.find(":19:21: ") != std::string::npos,
                  loaded.error().message);
  }
}

TEST_CASE_FIXTURE(Fixture, "log level and shutdown have defaults, and bounds") {
  const settings::Settings plain = good(kSettings);
  CHECK(plain.log_level == log::Level::info);
  CHECK(plain.shutdown.grace_ms == 0);
  CHECK(plain.shutdown.bound_ms == 30'000);
  const settings::Settings given =
      good(kSettings + "log: {level: warning}\nshutdown: {grace_ms: 5000, bound_ms: 100}\n");
  CHECK(given.log_level == log::Level::warning);
  CHECK(given.shutdown.grace_ms == 5000);
  CHECK(given.shutdown.bound_ms == 100);
  CHECK_FALSE(load(kSettings + "log: {level: loud}\n").has_value());
  CHECK_FALSE(load(kSettings + "shutdown: {bound_ms: 99}\n").has_value());
}

TEST_CASE_FIXTURE(Fixture, "each value is known with its place") {
  const settings::Settings settings = good(kSettings);
  CHECK(settings.written.at("listen.public.port").text == "8080");
  CHECK(settings.written.at("adapters.1").text == "../adapters/two");
  CHECK(settings.place("workers").at == yaml::Position{6, 10});
  CHECK(settings.place("nothing").at.line == 0);
  CHECK(settings.place("nothing").file == file);
}

TEST_CASE_FIXTURE(Fixture, "log level and collector are told, and may be left out") {
  const settings::Settings plain = good(kSettings);
  CHECK(plain.log_level == log::Level::info);
  CHECK(plain.otlp_endpoint.empty());
  const settings::Settings told = good(
      kSettings +
      "log: {level: debug}\n"
      "telemetry: {otlp_endpoint: 'https://collector.example/v1/traces', sample_ratio: 0.25}\n");
  CHECK(told.log_level == log::Level::debug);
  CHECK(told.otlp_endpoint == "https://collector.example/v1/traces");
  CHECK(told.sample_ratio == 0.25);
}

TEST_CASE_FIXTURE(Fixture, "a log level or a collector that cannot be is refused with its place") {
  const auto message = [this](const std::string& more) {
    const auto loaded = load(kSettings + more);
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error().message;
  };
  CHECK(message("log: {level: loud}\n").find(":19:14: ") != std::string::npos);
  CHECK(message("log: {colour: red}\n").find("unknown key") != std::string::npos);
  CHECK(message("telemetry: {}\n").find("otlp_endpoint") != std::string::npos);
  CHECK(message("telemetry: {otlp_endpoint: 'file:///etc/passwd'}\n").find("URL") !=
        std::string::npos);
  for (const char* ratio : {"-0.1", "1.5", "half", "1x", "nan"}) {
    CAPTURE(ratio);
    const std::string text =
        std::string("telemetry: {otlp_endpoint: 'http://c/', sample_ratio: ") + ratio + "}\n";
    CHECK(message(text).find("from 0 to 1") != std::string::npos);
  }
}
