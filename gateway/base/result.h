// Errors are values: every call that input, disk or network can make fail returns a Result.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace flora {

/// The few kinds of failure that callers treat differently.
///
/// Every code but `uncertain` promises that nothing was written. `uncertain` means that the outcome
/// is unknown: repeat the call with the same id.
enum class Errc {
  invalid,      ///< The input violates a rule; the message says which and where.
  not_found,    ///< There is no such object.
  conflict,     ///< The object exists with other content.
  forbidden,    ///< The caller may not do this.
  overloaded,   ///< A bound is reached; try again after a while (HTTP 503).
  unavailable,  ///< Something that is needed does not answer (HTTP 503).
  corrupt,      ///< Stored data contradicts itself.
  uncertain,    ///< The outcome is unknown.
};

/// The English name of a code, for logs.
std::string_view to_string(Errc code);

/// A failure. The message is for operators and developers; it never holds a value that came from a
/// message of a client, so that it may be logged.
struct Error {
  Errc code = Errc::invalid;
  std::string message;
};

/// Either a value or an Error. Member names follow std::expected (C++23).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const { assert(has_value()); }

  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace flora

/// Returns the error of `expression` (a Result) from the enclosing function, if it has one.
#define FLORA_TRY(expression)                                          \
  do {                                                                 \
    auto flora_try_result = (expression);                              \
    if (!flora_try_result) return std::move(flora_try_result).error(); \
  } while (false)

#define FLORA_CONCAT_(a, b) a##b
#define FLORA_CONCAT(a, b) FLORA_CONCAT_(a, b)

/// Declares `declaration` from the value of `expression` (a Result), or returns its error.
#define FLORA_ASSIGN(declaration, expression) \
  FLORA_ASSIGN_(FLORA_CONCAT(flora_assign_, __LINE__), declaration, expression)
#define FLORA_ASSIGN_(name, declaration, expression) \
  auto name = (expression);                          \
  if (!name) return std::move(name).error();         \
  declaration = std::move(name).value()
