// Regular expressions of the schema subset: RE2, and a shorter way for the form that most of them
// have. Internal to openapi.
#pragma once

#include <re2/re2.h>

#include <bitset>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flora::openapi {

/// Immutable once compiled, and thread-safe.
class TextPattern {
 public:
  /// Nothing if `expression` is not one of RE2.
  static std::optional<TextPattern> compile(std::string_view expression);

  /// True if the expression matches somewhere in `text`, which is well-formed UTF-8.
  bool matches(std::string_view text) const;

  const std::string& expression() const { return expression_->pattern(); }

 private:
  /// One class of characters over the whole text: `^[0-9]{6}$`, `^[!-~]+$`.
  struct Repetition {
    std::bitset<128> ascii;
    bool others = false;  ///< Characters above ASCII belong to the class.
    std::size_t least = 0;
    std::size_t most = 0;
  };

  static std::optional<Repetition> parse_repetition(std::string_view expression);
  static bool parse_class(std::string_view content, Repetition& out);
  static bool parse_count(std::string_view text, Repetition& out);
  bool matches_repetition(std::string_view text) const;

  std::unique_ptr<RE2> expression_;
  std::optional<Repetition> repetition_;
};

}  // namespace flora::openapi
