// What a bundle is compiled to: checked once, then only read. Nothing in it refers to a message.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/engine/time_pattern.h"
#include "adapters/engine/time_zone.h"
#include "adapters/formats/charset.h"
#include "adapters/lint.h"
#include "gateway/base/yaml.h"
#include "gateway/model/identifiers.h"

namespace flora::adapter {

/// What an expression gives. text accepts every type (a code counts as its code).
enum class Type : std::uint8_t { text, boolean, day, instant, time, integer, code };

std::string_view to_string(Type type);

/// The functions of `do`, in the order of their table (functions.cpp).
enum class Function : std::uint8_t {
  trim,
  collapse_space,
  nfc,
  upper,
  lower,
  remove,
  prefix,
  suffix,
  strip_prefix,
  strip_suffix,
  before,
  after,
  after_last,
  part,
  substr,
  truncate,
  replace,
  capture,
  strip_country_suffix,
  matches,
  max_length,
  digits,
  one_of,
  absent_if,
  uuid,
  uuid5,
  ags,
  boolean,
  integer,
  integer_de,
  integer_en,
  between,
  date,
  time,
  local,
  instant,
  map,
};

/// One step of a `do` list. Which members count depends on the function.
struct Call {
  Function function = Function::trim;
  /// The text; replace: what is put in; ags: the key of the Land; uuid5: the namespace, 16 bytes.
  std::string argument;
  std::vector<std::string> words;     ///< one_of, absent_if; sorted.
  std::shared_ptr<re2::RE2> pattern;  ///< matches, replace, capture.
  TimePattern time;                   ///< date, time, local.
  std::shared_ptr<const Zone> zone;   ///< local.
  Gap gap = Gap::reject;              ///< local.
  Overlap overlap = Overlap::reject;  ///< local.
  std::size_t number = 0;             ///< How many, or the first; replace: groups; map: index.
  std::int64_t least = 0;             ///< between, digits.
  std::int64_t most = 0;              ///< between, digits; substr: the length.
  std::int64_t position = 0;          ///< part: from 1, or from the end with a minus.
  int day = -1;                       ///< map with validity: the expression of the day.
  yaml::Position at;
};

/// A *.map.csv file: from the sender's word to ours.
struct Map {
  enum class Unmapped : std::uint8_t { reject, absent };
  /// A line of the file, which holds from `first` to `last`.
  struct Row {
    std::string source;
    std::string target;
    Day first{std::numeric_limits<std::int32_t>::min()};
    Day last{std::numeric_limits<std::int32_t>::max()};
  };
  std::string name;
  bool to_status = false;  ///< Its targets are statuses.
  bool dated = false;      ///< Its lines say from when to when they hold.
  Unmapped on_unmapped = Unmapped::reject;
  std::vector<Row> rows;  ///< By source, then by day; those of one source do not overlap.
};

/// A code list as XÖV knows it. Kind 1: list and version are fixed; 3: the list is fixed and the
/// message names the version; 4: the message names both (XÖV-Handbuch, code data types).
struct CodeList {
  struct Version {
    std::string name;
    std::vector<std::string> codes;     ///< Sorted.
    std::shared_ptr<re2::RE2> pattern;  ///< Instead of codes.
  };
  std::string name;
  int kind = 3;
  std::string uri;
  std::vector<Version> versions;  ///< Kind 1: exactly one.
};

/// Where a value is kept during a walk: the n-th slot of the row that is current at a level of the
/// scope (0: the message; 1: the item of for_each; 2: the item of `each` or `count` in it).
struct SlotReference {
  int level = 0;
  int index = -1;
  int loop = 0;
};

struct Expression {
  enum class Kind : std::uint8_t {
    constant,   ///< text
    slot,       ///< slot
    coded,      ///< slot (the element), code, list, version
    let,        ///< number: which
    position,   ///< The number of the row at `level`, from 1.
    concat,     ///< operands
    first,      ///< operands: the first that is not absent
    exists,     ///< slot
    absent,     ///< slot
    equal,      ///< operands[0] with any other operand
    all,        ///< operands
    any,        ///< operands
    negate,     ///< operands[0]
    more_than,  ///< number; loop; operands[0] (optional): which rows count
    pick,       ///< loop; operands: the condition and the value of the first row that meets it
  };
  Kind kind = Kind::constant;
  Type type = Type::text;
  bool required = false;
  bool malformed_is_absent = false;
  bool literal = false;  ///< A constant that is nothing but its text.
  yaml::Position at;
  std::string text;
  SlotReference slot;
  SlotReference code, list, version;
  int code_list = -1;
  int number = 0;
  int loop = 0;
  int level = 0;
  int when = -1;
  std::vector<int> operands;
  std::vector<Call> calls;
};

struct Let {
  std::string name;
  int expression = -1;
  int level = 0;
};

/// A node of the trie of places that the rules read.
struct TrieNode {
  struct Edge {
    std::uint64_t spaces = 1;  ///< Bit n: the n-th namespace of the bundle; bit 0: none.
    std::string name;
    int node = -1;
  };
  struct Target {
    int loop = 0;
    int index = 0;
    bool text = false;  ///< The text is wanted, not only the presence.
  };
  std::vector<Edge> children;
  std::vector<Edge> attributes;
  std::vector<Target> values;
  std::vector<Target> local_names;
  std::vector<Target> space_names;
  int loop = -1;  ///< A row of this loop begins here.
  bool wants_text = false;
};

/// What is repeated. Loop 0 is the message, with one row.
struct Loop {
  int parent = -1;
  int node = 0;
  std::string path;                ///< From its parent's place.
  std::vector<std::string> slots;  ///< The path of each slot from here.
};

/// What a text must look like to stand in an event, beside its type.
enum class Form : std::uint8_t { any, name, authority, site, uuid, sequence, identifier };

struct OutputNode {
  enum class Kind : std::uint8_t { object, array, leaf, each };
  Kind kind = Kind::leaf;
  std::string key;  ///< As JSON with colon, or empty in an array.
  std::string name;
  std::string fixed;  ///< Key and value, where that is a constant.
  int kept = -1;  ///< Of an event for each row: the same in all of them; kept under this number.
  std::vector<OutputNode> children;
  int expression = -1;
  int loop = -1;  ///< each: the rows.
  Form form = Form::any;
  IdentifierType identifier{};  ///< Form::identifier.
  bool required = false;
  bool only_if_true = false;  ///< A boolean that is omitted when false.
  bool needs_all = false;     ///< An object that is omitted unless all members are there.
  bool is_time = false;       ///< occurredAt or occurredOn: exactly one must be there.
  std::string_view missing = "value-missing";  ///< The issue code when it is required and absent.
  yaml::Position at;
};

/// `reject` and `skip`.
struct Verdict {
  int when = -1;
  std::string code;
  std::string detail;
  yaml::Position at;
};

struct EventRule {
  std::string name;
  int when = -1;
  int loop = 0;
  std::vector<Verdict> rejects;
  std::vector<Verdict> skips;
  OutputNode output;
  yaml::Position at;
};

/// Event rules over the same rows: all events of one row come before those of the next.
struct Group {
  int loop = 0;
  std::vector<EventRule> events;
};

struct RootPattern {
  std::uint64_t spaces = 1;
  std::string prefix;  ///< Of the local name; the whole name if there is no `*`.
  std::string suffix;
  bool any = false;  ///< There is a `*` between prefix and suffix.
};

/// One kind of message: its root elements and its rules.
struct MessagePlan {
  std::vector<RootPattern> roots;
  std::vector<TrieNode> trie;
  std::vector<Loop> loops;
  std::vector<Expression> expressions;
  std::vector<Let> lets;
  std::vector<int> required;
  std::vector<Verdict> rejects;
  std::vector<Verdict> skips;
  std::vector<Group> groups;
  std::size_t kept_nodes = 0;
  bool skip_without_event = false;
  yaml::Position at;
};

struct MessageLimits {
  static constexpr int kMostDepth = 256;
  std::size_t bytes = 16u << 20;
  std::size_t items = 10000;  ///< Rows of a document, or records of a file.
  std::size_t value_bytes = 1024;
  std::size_t attributes = 64;
  std::size_t record_bytes = 16384;
  int depth = 64;
};

/// How places are written, in rules and in what the sender is told.
enum class PathStyle : std::uint8_t { xpath, pointer, column };

/// input.csv. A footer is the last record and no data: it has a text in one column, and may count
/// the records before it.
struct CsvInput {
  struct Footer {
    int column = 0;    ///< Index in `columns`.
    std::string text;  ///< In the file's character set.
    int count = -1;    ///< Index in `columns`, or none.
  };
  char delimiter = ';';
  std::optional<char> quote = '"';
  bool header = true;          ///< The first record names the columns, in any order.
  bool other_columns = false;  ///< Columns that are not named here are passed over.
  std::vector<std::string> columns;
  std::optional<Footer> footer;
};

/// input.fixed
struct FixedInput {
  struct Field {
    std::string name;
    std::size_t at = 0;  ///< In characters, from 0.
    std::size_t length = 0;
  };
  struct Footer {
    std::string begins;  ///< In the file's character set.
    std::optional<Field> count;
  };
  std::size_t length = 0;  ///< Of a record, in characters.
  bool line_ends = true;   ///< Else the records stand directly behind each other.
  std::string header;      ///< How the first record, no data, begins, as `begins`; empty: none.
  std::vector<Field> fields;
  std::optional<Footer> footer;
};

/// When a whole message is rejected for the sake of some of its items.
struct Tolerance {
  bool whole_message = false;  ///< One rejected item rejects the message.
  int most_percent = 100;      ///< Rejected ones of all items that are not skipped.
  yaml::Position at;
};

/// A whole bundle.
struct Plan {
  BundleInfo info;
  yaml::Position id_at;  ///< Where info.id stands in adapter.yaml.
  MessageLimits limits;
  Charset charset = Charset::utf_8;
  PathStyle path_style = PathStyle::xpath;
  CsvInput csv;
  FixedInput fixed;
  Tolerance tolerance;
  std::vector<std::string> spaces;  ///< Namespace URIs; the n-th has bit n (from 1).
  std::vector<Map> maps;
  std::vector<CodeList> lists;
  std::vector<MessagePlan> messages;
};

/// The texts that a bundle is made of.
struct BundleFiles {
  std::string adapter_yaml;
  std::map<std::string, std::string> code_lists;  ///< By file name.
};

/// What became of a bundle. Without findings the plan can be run; with them it is incomplete and
/// only `info` may be read.
struct Compilation {
  std::unique_ptr<Plan> plan;
  std::vector<Finding> findings;
};

/// Compiles a bundle as far as it goes, and finds all mistakes in it.
Compilation examine(const BundleFiles& files, const CanonicalTypes* types);

/// Compiles a bundle. Errors: invalid; all mistakes, one per line, as to_string() writes them.
Result<std::unique_ptr<Plan>> compile(const BundleFiles& files, const CanonicalTypes* types);

}  // namespace flora::adapter
