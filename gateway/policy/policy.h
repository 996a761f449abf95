// Start here. Who the callers are: the authorities of the network, the clients that may act for
// them, and the one function that turns a request's credentials into a Caller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/findings.h"
#include "gateway/base/result.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/status_event.h"
#include "gateway/policy/gcra.h"
#include "gateway/policy/reading_rules.h"

namespace flora::policy {

/// How much one authority may ask for. The defaults are far above what a large Land has to report.
struct Rates {
  /// A batch, or a message that is answered as a whole, takes as many tokens as it has items.
  static constexpr std::int64_t kLeastEventBurst = 1000;
  /// So that no group of a stream waits longer than a connection may.
  static constexpr std::int64_t kLeastEventsPerSecond = 10;

  Rate requests{200, 2000};
  Rate events{500, 10'000};
};

/// Of all requests from one address that are nobody's: what is open to all, and refused callers.
inline constexpr Rate kAnonymousRate{50, 500};

/// How many persons one client may search for: distinct identifiers within the minutes from its
/// first search on.
struct SearchLimit {
  static constexpr std::int64_t kMostIdentifiers = 100'000;  ///< So that counting them is bounded.
  static constexpr std::int64_t kMostMinutes = 10'080;       ///< A week.

  std::int64_t identifiers = 1000;
  std::int64_t minutes = 60;

  std::int64_t window_ns() const { return minutes * 60'000'000'000; }
  bool operator==(const SearchLimit&) const = default;
};

/// An authority, named by its Behördenkennzeichen.
struct Authority {
  std::string id;  ///< Six digits.
  std::string name;
  std::string land;  ///< `DE-NI` …; `DE` for the BAMF.
  Role role = Role::ae;
  std::vector<std::string> sites;  ///< Names of its sites, upper case.
  Rates rates;
};

/// What a client is there for. Each duty opens its own operations (opens()), so that who attends to
/// data protection reads no procedures, and who works on cases reads no audit.
enum class Duty {
  casework,         ///< Reports and reads.
  data_protection,  ///< The data protection officer of its authorities.
  erasure,          ///< Erases mappings.
};

std::string_view to_string(Duty duty);

/// True if clients of this duty may use the operation. `operation` is an operationId of the
/// document, of one that needs a caller: what is open to all asks for no duty.
bool opens(Duty duty, std::string_view operation);

/// An access token that was verified.
struct Token {
  std::string client;      ///< Its claim `client_id`.
  std::int64_t end_s = 0;  ///< It is not valid any more then, in seconds since the Unix epoch.

  bool operator==(const Token&) const = default;
};

/// What a request shows of who sent it.
struct Credentials {
  std::optional<std::string> certificate_sha256;  ///< Of the verified client certificate, 64 hex.
  std::optional<std::string> development_header;  ///< The value of Flora-Dev-Authority.
  /// Of the certificate's SAN: `dns:` in lower case, or `uri:`, and the name.
  std::vector<std::string> certificate_names = {};
  std::optional<Token> token = {};

  bool operator==(const Credentials&) const = default;
};

/// Who sent a request. All authorities of one caller have the same Land and role.
struct Caller {
  std::string client;                    ///< The client's name in the policy; no other has it.
  std::vector<std::string> authorities;  ///< It may act for these; at least one.
  Role role = Role::ae;
  std::string land;
  Duty duty = Duty::casework;
  bool development = false;  ///< Known by the development header alone.
  Credentials shown;         ///< What it is known by.

  bool operator==(const Caller&) const = default;

  bool acts_for(std::string_view authority) const;

  /// False when the token that it is known by has expired.
  bool is_valid_at(std::int64_t now_s) const { return !shown.token || now_s < shown.token->end_s; }

  /// The authority that is charged for what names no reporter: the first one.
  const std::string& payer() const { return authorities.front(); }
};

/// Immutable and thread-safe.
class Policy {
 public:
  /// Tells all that is wrong, under the name `file`; of use only if there is no error.
  static Policy read(std::string_view text, const std::string& file, Findings& findings);
  /// Errors: invalid, one line "file:line:column: what" for each mistake.
  static Result<Policy> parse(std::string_view text, const std::string& file);

  const std::vector<Authority>& authorities() const { return authorities_; }
  /// nullptr if there is none.
  const Authority* authority(std::string_view id) const;
  /// Of all authorities.
  const std::set<std::string, std::less<>>& ids() const { return ids_; }
  const std::set<std::string, std::less<>>& sites() const { return sites_; }

  /// The caller, or nothing. A token decides where there is one; the certificate beside it may not
  /// be another client's. Without a token a certificate decides, by its fingerprint and its names;
  /// if these are of several clients, it is nobody's. For who is known by neither the development
  /// header counts only if `development` is true: it names a configured authority, whose duty is
  /// casework, or a configured client.
  std::optional<Caller> authenticate(const Credentials& credentials, bool development) const;

  /// The same caller as this policy knows it, by what it has shown; the policy may be another than
  /// the one that has let it in. nullptr if it is nobody any more. Lives as long as policy and
  /// caller.
  const Caller* find(const Caller& caller) const;

  const Rate& anonymous_rate() const { return anonymous_rate_; }
  const SearchLimit& search_limit() const { return search_limit_; }

  /// What a role may read; nullptr: nothing.
  const ReadingRule* reading(Role role) const;
  /// Tells of statuses in the rules that the catalogue does not have: what they were meant to
  /// withhold would be shown.
  void check_statuses(const Catalogue& catalogue, const std::string& file,
                      Findings& findings) const;

  /// True if a certificate is mapped to any client.
  bool knows_certificates() const { return !by_certificate_.empty(); }

 private:
  using Names = std::map<std::string, std::string, std::less<>>;

  void add_client(yaml::Section section);
  void add_credentials(yaml::Section& section, const std::string& client);
  std::set<std::string_view> clients_with(const Credentials& credentials) const;
  const Caller* client_of(const Credentials& credentials) const;
  void add_rule(const yaml::Node& node, const std::string& file, Findings& findings);
  std::optional<Caller> by_development_header(std::string_view name) const;

  std::vector<Authority> authorities_;  // Sorted by id.
  std::set<std::string, std::less<>> ids_;
  std::set<std::string, std::less<>> sites_;
  std::map<std::string, Caller, std::less<>> clients_;  // By name.
  // To the client's name.
  Names by_certificate_;  // A fingerprint, or a name of the SAN.
  Names by_token_;        // The claim `client_id`.
  Rate anonymous_rate_ = kAnonymousRate;
  SearchLimit search_limit_;
  std::vector<ReadingRule> reading_;
};

/// Why a report is not allowed.
enum class Denial {
  not_your_authority,  ///< The caller may not act for the reporter.
  wrong_land,          ///< The Land that the reporter gave is not the authority's.
  wrong_role,          ///< The role that the reporter gave is not the authority's.
  not_your_status,     ///< The catalogue does not let this role report this status.
  unknown_site,        ///< The authority has no such site.
};

/// What an event says of its reporter; empty texts were not given.
struct ReporterClaim {
  std::string authority;
  std::string land;
  std::string role;
  std::string site;
};

/// Decides whether a caller may report a status. It depends on role, Land and status alone, never
/// on the procedure. Nothing: it may.
std::optional<Denial> may_report(const Policy& policy, const Caller& caller,
                                 const ReporterClaim& claim, const Status& status);

}  // namespace flora::policy
