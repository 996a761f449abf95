// What a format brings: how its places are written in a bundle, and how a message of it is walked.
// To add a format, write a Format, either a DocumentReader (one message is one document) or a
// RecordReader (one message is a file of records), and name it in find_format().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/plan.h"

namespace flora::adapter {

class Walk;

/// One step of a path from a place to another.
struct PathStep {
  enum class Kind : std::uint8_t { child, attribute, local_name, space_name };
  /// `[key="text"]`: of the repeated elements, the first whose value at `key` is the text.
  struct Filter {
    std::vector<PathStep> key;
    std::string text;
  };
  Kind kind = Kind::child;
  std::uint64_t spaces = 1;
  std::string name;
  std::shared_ptr<const Filter> filter;
};

struct Path {
  bool from_root = false;  ///< From the message's root, not from the place of the rule.
  std::vector<PathStep> steps;
  std::string shown;  ///< As the sender is shown it, seen from where it begins.
};

/// A prefix of the bundle and the namespaces that it stands for.
struct SpacePrefix {
  std::string prefix;
  std::uint64_t spaces = 0;
  bool used = false;
  yaml::Position at;
};

/// Where the parts of a coded value stand, seen from the value.
struct CodedParts {
  PathStep code, list, version;
};

/// Stateless and thread-safe.
class Format {
 public:
  virtual ~Format() = default;

  /// The media types of its messages; the first is the usual one.
  virtual std::vector<std::string> media_types() const = 0;
  virtual PathStyle path_style() const = 0;

  /// Errors: invalid, "what is wrong" without a location; not_found, the same, if the place uses a
  /// name that the bundle does not declare. Marks the prefixes that it used.
  virtual Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const = 0;

  /// The pattern of a message's root; as path(). Not asked where kinds of messages have no names.
  virtual Result<RootPattern> root(std::string_view text,
                                   std::vector<SpacePrefix>& prefixes) const = 0;
  /// False: all messages of a bundle are of one kind, and `events` stands in the place of
  /// `messages`.
  virtual bool names_messages() const = 0;

  /// Nothing if the format knows no coded values.
  virtual std::optional<CodedParts> coded_parts() const = 0;
};

class DocumentReader : public Format {
 public:
  /// Reads the message from end to end and tells the walk what it finds. The reason if the message
  /// is not well-formed.
  virtual std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                                    Walk& walk) const = 0;
};

/// The records of one file, one after the other. Reused from file to file. Not thread-safe.
class RecordCursor {
 public:
  enum class Step : std::uint8_t {
    record,  ///< The walk holds it.
    broken,  ///< It is not well-formed: issue(). The records behind it are not concerned.
    done,
    rejected,  ///< The whole file is: issue().
  };
  virtual ~RecordCursor() = default;

  /// The message must outlive the walk's slots.
  virtual void reset(std::string_view message) = 0;
  virtual Step next(Walk& walk) = 0;

  /// record and broken: the raw bytes without the line end, where they begin, and their line.
  virtual std::string_view record() const = 0;
  virtual int line() const = 0;
  virtual const Issue& issue() const = 0;
  /// The record that says what the columns are, once it was read; else empty.
  virtual std::string_view header() const { return {}; }
};

/// A place is the name of a column or field, which the bundle's input declares.
class RecordReader : public Format {
 public:
  PathStyle path_style() const override { return PathStyle::column; }
  bool names_messages() const override { return false; }
  Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const override;
  Result<RootPattern> root(std::string_view text,
                           std::vector<SpacePrefix>& prefixes) const override;
  std::optional<CodedParts> coded_parts() const override { return std::nullopt; }

  /// A cursor over files of this plan, which must outlive it.
  virtual std::unique_ptr<RecordCursor> records(const Plan& plan) const = 0;
};

/// The format of this name, made for these namespaces, or nullptr if there is none.
std::unique_ptr<Format> find_format(std::string_view name, const std::vector<std::string>& spaces);

}  // namespace flora::adapter
