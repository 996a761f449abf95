// What the tests of the store share: drafts in few words, and a store whose answers are waited for.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/audit/record.h"
#include "gateway/audit/trail.h"
#include "gateway/base/crypto.h"
#include "gateway/base/sql.h"
#include "gateway/store/store.h"
#include "tests/fake_env.h"
#include "tests/postgresql.h"
#include "tests/temporary_folder.h"

namespace flora::store::test {

inline constexpr std::string_view kAe = "000250";
inline constexpr std::string_view kOtherAe = "000160";
inline constexpr std::string_view kBamf = "099045";
inline constexpr std::string_view kMerge = "VERFAHREN_ZUSAMMENGEFUEHRT";

/// Keys that the files in the folder golden were made with: hashes without a key, and values that
/// are not encrypted. There is one key of each kind, the mapping secret.
class TestKeys : public MappingKeys {
 public:
  const std::vector<std::string>& lookup_ids() const override { return ids_; }
  const std::vector<std::string>& wrapping_ids() const override { return ids_; }
  std::optional<std::size_t> first_lookup() const override { return 0; }
  Digest lookup_check(std::size_t) const override { return {}; }
  Digest identifier_hash(std::size_t, const Identifier& identifier) const override {
    return crypto::sha256(std::string(to_string(identifier.type)) + '=' + identifier.value);
  }
  Fingerprint keyed(std::size_t, const Fingerprint& plain) const override { return plain; }
  AnswerDigests keyed(std::size_t, const AnswerDigests& plain) const override { return plain; }
  std::string seal(std::size_t, const Fingerprint& plain, const Uuid&) const override {
    return std::string(as_text(plain.identity));
  }
  std::optional<Fingerprint> open(std::size_t, std::string_view, const Uuid&) const override {
    return std::nullopt;
  }
  crypto::SecretKey new_key() const override { return {}; }
  Result<std::string> wrap(const crypto::SecretKey&, const Uuid&) const override {
    return std::string("key");
  }
  Result<crypto::SecretKey> unwrap(std::size_t, std::string_view, const Uuid&) const override {
    return crypto::SecretKey{};
  }
  std::string seal_value(const crypto::SecretKey&, const Identifier& one,
                         const Uuid&) const override {
    return one.value;
  }
  std::optional<std::string> open_value(const crypto::SecretKey&, IdentifierType, const Uuid&,
                                        std::string_view sealed) const override {
    return std::string(sealed);
  }
  std::optional<std::string> open_first_value(IdentifierType, const Uuid&,
                                              std::string_view sealed) const override {
    return std::string(sealed);
  }

 private:
  const std::vector<std::string> ids_ = {"test"};
};

inline Identifier azr(const std::string& value) { return {IdentifierType::azr_nummer, value}; }
inline Identifier eurodac(const std::string& value) {
  return {IdentifierType::eurodac_nummer, value};
}
inline Identifier file_number(const std::string& value) {
  return {IdentifierType::bamf_aktenzeichen, value};
}

inline ProcedureKey by(std::vector<Identifier> identifiers) { return identifiers; }

inline EventIdentity identity_of(std::string_view id, std::string_view authority = kAe) {
  return {crypto::sha256(std::string(authority) + '/' + std::string(id))};
}

/// A report of the authority, with a content of its own.
inline Draft draft(std::string_view id, ProcedureKey procedure, std::string_view authority = kAe) {
  Draft made;
  made.identity = identity_of(id, authority).digest;
  made.content = crypto::sha256("content of " + std::string(id));
  made.procedure = std::move(procedure);
  made.may_correct_others = authority == kBamf;
  made.audit = audit::opening({"client", {std::string(authority)}, "AE"}, audit::Action::report);
  Transaction& t = made.transaction;
  t.status = "AKTENANLAGE_ERFOLGT";
  t.occurred = Day{20'760};
  t.authority = authority;
  t.role = authority == kBamf ? "BAMF" : "AE";
  t.land = authority == kBamf ? "DE" : "DE-NI";
  t.channel = "default";
  t.catalogue = "2026-11";
  return made;
}

inline Draft correction(std::string_view id, ProcedureKey procedure, EventKey target,
                        std::string_view authority = kAe) {
  Draft made = draft(id, std::move(procedure), authority);
  made.corrects = target;
  return made;
}

inline Draft revocation(std::string_view id, ProcedureKey procedure, EventKey target,
                        std::string_view authority = kAe) {
  Draft made = draft(id, std::move(procedure), authority);
  made.revokes = target;
  return made;
}

inline Draft merge(std::string_view id, ProcedureKey from, ProcedureKey into) {
  Draft made = draft(id, std::move(from), kBamf);
  made.merged_into = std::move(into);
  made.transaction.status = kMerge;
  return made;
}

/// The audit trail of all stores of tests.
inline std::shared_ptr<const audit::Trail> test_trail() {
  auto key = crypto::Ed25519Key::from_seed(as_bytes(std::string(32, 'a')));
  REQUIRE(key.has_value());
  return std::make_shared<const audit::Trail>("flora.example/test/audit", std::move(*key));
}

/// Of tests about what stands in SQLite's files.
inline bool on_postgresql() { return flora::test::PostgresqlServer::is_given(); }

/// One store in a folder of its own, or in a database of its own.
class TestStore {
 public:
  TestStore() {
    options.path = folder.file("store.db");
    if (on_postgresql()) options.server = server.emplace().create_database();
    options.audit.keeper = "one";
    options.keys = std::make_shared<const TestKeys>();
    options.audit.format = trail;
    options.audit.head_file = folder.file("audit.head");
  }

  Result<void> open() {
    FLORA_ASSIGN(store, Store::open(options, env));
    return {};
  }

  void close() { store.reset(); }

  void reopen() {
    close();
    const auto opened = open();
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  }

  /// The outcomes, once they are there.
  std::future<std::vector<Outcome>> send_later(std::vector<Draft> drafts) {
    auto promise = std::make_shared<std::promise<std::vector<Outcome>>>();
    store->accept("999902", std::move(drafts),
                  [promise](auto outcomes) { promise->set_value(std::move(outcomes)); });
    return promise->get_future();
  }

  std::vector<Outcome> send(std::vector<Draft> drafts) {
    return wait(send_later(std::move(drafts)));
  }

  Outcome send(const Draft& one) { return send(std::vector<Draft>{one}).front(); }

  Accepted accepted(const Draft& one) {
    const Outcome outcome = send(one);
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      FAIL("refused: ", static_cast<int>(*refusal));
    }
    return std::get<Accepted>(outcome);
  }

  /// Accepted for the first time.
  Accepted added(const Draft& one) {
    Accepted result = accepted(one);
    REQUIRE_FALSE(result.repeat);
    return result;
  }

  Refusal refused(const Draft& one) {
    const Outcome outcome = send(one);
    REQUIRE(std::holds_alternative<Refusal>(outcome));
    return std::get<Refusal>(outcome);
  }

  std::optional<Uuid> find(const std::vector<Identifier>& identifiers) {
    const auto found = store->find_procedure(identifiers);
    REQUIRE(found.has_value());
    return *found;
  }

  static std::vector<Outcome> wait(std::future<std::vector<Outcome>> future) {
    REQUIRE(future.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    return future.get();
  }

  /// The database itself, past the store.
  std::unique_ptr<sql::Database> database(sql::Access access) const {
    auto opened = sql::open(options.place(), access);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    return std::move(*opened);
  }

  TemporaryFolder folder;
  std::optional<flora::test::PostgresqlServer> server;
  FakeEnv env;
  const std::shared_ptr<const audit::Trail> trail = test_trail();
  Options options;
  std::unique_ptr<Store> store;
};

inline Transaction transaction_of(const Accepted& accepted) {
  const auto parsed = parse_transaction(accepted.body);
  REQUIRE(parsed.has_value());
  return *parsed;
}

}  // namespace flora::store::test
