// Start here. The OpenAPI document is the one source of truth of the interface: this class reads it
// at start-up and gives out its route table, its compiled schemas and the forms in which the
// gateway serves it.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"
#include "openapi/schema.h"

namespace flora::openapi {

/// Which socket an operation answers on: the public one, or the one for operators.
enum class Listener { public_, operations };

/// Who may call an operation: everybody, or a caller that acts for an authority.
enum class Access { open, authority };

struct Parameter {
  enum class In { path, query, header };
  std::string name;  ///< A header's in lower case.
  In in = In::path;
  bool required = false;
  bool multi_segment =
      false;  ///< A path parameter that may hold slashes; the last of its template.
  Schema schema;
};

/// A body in one media type.
struct MediaType {
  std::string name;    ///< Such as `application/json`; lower case, without parameters.
  Schema schema;       ///< Of a JSON body, or of a text body as one string.
  Schema item_schema;  ///< Of each line of `application/x-ndjson`.
};

struct ResponseHeader {
  std::string name;  ///< Lower case.
  bool required = false;
  Schema schema;
};

struct Response {
  int status = 0;
  std::vector<ResponseHeader> headers;
  std::vector<MediaType> content;  ///< Empty: the response has no body.
};

struct Operation {
  std::string id;      ///< The operationId, which names the handler.
  std::string method;  ///< Upper case.
  std::string path;    ///< The template, such as `/v1/transactions/{id}`.
  std::vector<std::string> tags;
  Listener listener = Listener::public_;
  Access access = Access::authority;
  std::vector<Parameter> parameters;
  bool body_required = false;
  std::vector<MediaType> bodies;  ///< Empty: the operation takes no body.
  std::vector<Response> responses;

  /// The body in this media type (lower case, without parameters), or nullptr.
  const MediaType* body(std::string_view media_type) const;
  /// The response with this status, or nullptr.
  const Response* response(int status) const;
  /// The parameter with this name (a header's in lower case), or nullptr.
  const Parameter* parameter(Parameter::In in, std::string_view name) const;
};

/// What a request line leads to.
struct Match {
  enum class Outcome {
    found,
    not_found,           ///< No such path on this listener (404).
    method_not_allowed,  ///< The path is known, the method is not among `allow` (405).
    malformed,           ///< Percent-encoding that is broken or is not UTF-8 (400).
  };
  Outcome outcome = Outcome::not_found;
  const Operation* operation = nullptr;                        ///< Outcome::found only.
  std::vector<std::pair<std::string_view, std::string>> path;  ///< Name and decoded value.
  std::string allow;  ///< Outcome::method_not_allowed: `GET, HEAD`.

  /// A path parameter's decoded value, or nothing if there is none of this name.
  std::string_view value(std::string_view name) const;
};

/// A member that an object of a schema may have.
struct Member {
  std::string name;
  bool required = false;
  std::string schema;              ///< The name of its schema under components, or empty.
  std::string type;                ///< Such as `string`; `object` where the schema is a choice.
  bool list = false;               ///< An array: schema, type and words are those of its items.
  std::vector<std::string> words;  ///< Of an enum.
};

/// A header field as check_response() takes it; the name in any case.
using Field = std::pair<std::string_view, std::string_view>;

/// The document, checked and compiled. Immutable and thread-safe; views and pointers that it gives
/// out live as long as it does. Movable; a move leaves them valid.
class Document {
 public:
  /// The document that is built into the program, byte for byte the file flora-gateway.yaml.
  static std::string_view embedded();

  /// Reads and compiles a document. Errors: invalid, "file:line:column: what": ill-formed YAML, an
  /// unknown schema keyword, a dangling reference, an operation without operationId or error
  /// responses, a details schema that is looser than the ledger allows (see guard.h).
  static Result<Document> load(std::string_view yaml = embedded(),
                               std::string_view file = "flora-gateway.yaml");

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  std::string_view yaml() const;     ///< The bytes that were loaded.
  std::string_view json() const;     ///< The same document as JSON, members in the same order.
  std::string_view json_30() const;  ///< Converted to OpenAPI 3.0.3.
  std::string_view version() const;  ///< `info.version`.

  std::span<const Operation> operations() const;
  const Operation* operation(std::string_view id) const;

  /// Finds the operation for a method and a raw (still percent-encoded) path without query. HEAD
  /// finds the operation of GET.
  Match match(Listener listener, std::string_view method, std::string_view raw_path) const;

  /// A schema by its pointer "#/components/schemas/X". Errors: not_found.
  Result<Schema> schema(std::string_view pointer) const;

  /// The strings in the enum of the schema at a pointer, such as that of
  /// "#/components/schemas/Status"; empty if there is no such enum.
  std::vector<std::string> enum_values(std::string_view pointer) const;

  /// The members that an object may have by the schema at a pointer, by name. Of a choice: those of
  /// all its branches, required if they are so in each.
  std::vector<Member> members(std::string_view pointer) const;

  /// Errors: invalid, naming every operationId that is not in `handlers`, and every handler that no
  /// operationId names.
  Result<void> check_handlers(const std::set<std::string>& handlers) const;

  /// What in a response is not as the document says; empty if all is. For tests: every response of
  /// the gateway goes through this. `media_type` is the Content-Type field's value as sent, empty
  /// if there is none. Fields that HTTP itself owns (Date, Connection …) need no mention in the
  /// document. Not for answers to HEAD, whose body is missing.
  std::vector<Violation> check_response(std::string_view operation_id, int status,
                                        std::string_view media_type, std::span<const Field> headers,
                                        std::string_view body) const;

 private:
  struct Compiled;
  explicit Document(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace flora::openapi
