// Checking values against compiled rules. Each check comes in one form that both decides and, if a
// report is asked for, explains: the first run has no report and allocates nothing.
#include "openapi/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "gateway/base/bytes.h"
#include "openapi/formats.h"
#include "openapi/schema_program.h"

namespace flora::openapi {
namespace {

/// The way from the root to the value at hand, kept on the call stack.
struct Place {
  const Place* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;
  bool is_item = false;
};

void append_pointer(std::string& out, const Place* place) {
  if (place == nullptr || place->parent == nullptr) return;
  append_pointer(out, place->parent);
  out += '/';
  if (place->is_item) {
    out += std::to_string(place->index);
    return;
  }
  for (const char c : place->name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

struct Report {
  std::vector<Violation>& out;
  std::size_t limit;
  bool full() const { return out.size() >= limit; }
  void add(const Place& place, std::string_view rule, std::string detail) {
    if (full()) return;
    std::string pointer;
    append_pointer(pointer, &place);
    out.push_back({std::move(pointer), std::string(rule), std::move(detail)});
  }
};

std::string_view name_of(Type type) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "any", "null", "boolean", "integer", "number", "string", "array", "object"};
  return kNames[static_cast<std::size_t>(type)];
}

bool has_type(const json::Value& value, Type type) {
  switch (type) {
    case Type::any:
      return true;
    case Type::null:
      return value.is(json::Kind::null);
    case Type::boolean:
      return value.is(json::Kind::boolean);
    case Type::integer:
      return value.is(json::Kind::integer);
    case Type::number:
      return value.is(json::Kind::integer) || value.is(json::Kind::number);
    case Type::string:
      return value.is(json::Kind::string);
    case Type::array:
      return value.is(json::Kind::array);
    case Type::object:
      return value.is(json::Kind::object);
  }
  return false;
}

bool equals(const json::Value& value, const Scalar& scalar) {
  switch (value.kind()) {
    case json::Kind::null:
      return std::holds_alternative<std::nullptr_t>(scalar);
    case json::Kind::boolean:
      return std::holds_alternative<bool>(scalar) && std::get<bool>(scalar) == value.boolean();
    case json::Kind::integer:
      if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
        return *integer == value.integer();
      }
      return std::holds_alternative<double>(scalar) && std::get<double>(scalar) == value.number();
    case json::Kind::number:
      if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
        return static_cast<double>(*integer) == value.number();
      }
      return std::holds_alternative<double>(scalar) && std::get<double>(scalar) == value.number();
    default:
      return false;
  }
}

/// Deep equality as JSON Schema defines it: numbers by value, members in any order.
bool same(const json::Value& a, const json::Value& b) {
  const bool numeric = has_type(a, Type::number) && has_type(b, Type::number);
  if (numeric) {
    if (a.is(json::Kind::integer) && b.is(json::Kind::integer)) return a.integer() == b.integer();
    return a.number() == b.number();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case json::Kind::boolean:
      return a.boolean() == b.boolean();
    case json::Kind::string:
      return a.string() == b.string();
    case json::Kind::array: {
      if (a.size() != b.size()) return false;
      json::Value right = b.first();
      for (json::Value left = a.first(); left.valid(); left = left.next(), right = right.next()) {
        if (!same(left, right)) return false;
      }
      return true;
    }
    case json::Kind::object: {
      if (a.size() != b.size()) return false;
      for (json::Value left = a.first(); left.valid(); left = left.next()) {
        const auto right = b.find(left.name());
        if (!right || !same(left, *right)) return false;
      }
      return true;
    }
    default:
      return true;
  }
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string with_shape(std::string sentence, std::string_view text) {
  const std::string shape = shape_of(text);
  if (shape.empty()) return sentence + ".";
  return sentence + "; its shape is `" + shape + "`.";
}

std::string_view name_of(Format format) {
  switch (format) {
    case Format::date:
      return "a calendar day, YYYY-MM-DD";
    case Format::date_time:
      return "an instant as RFC 3339 writes it, with T and Z or an offset";
    case Format::uuid:
      return "a UUID of 36 characters";
    case Format::none:
      break;
  }
  return "";
}

bool has_format(std::string_view text, Format format) {
  switch (format) {
    case Format::date:
      return is_date(text);
    case Format::date_time:
      return is_date_time(text);
    case Format::uuid:
      return is_uuid(text);
    case Format::none:
      return true;
  }
  return true;
}

class Checker {
 public:
  explicit Checker(const SchemaProgram& program) : program_(program) {}

  bool check(std::uint32_t index, const json::Value& value, const Place& place,
             Report* report) const {
    const Rule& rule = program_.rules[index];
    const bool null = rule.nullable && value.is(json::Kind::null);
    if (!null && !has_type(value, rule.type)) {
      if (report) {
        report->add(place, "type",
                    "It must be of type " + std::string(name_of(rule.type)) + ", not " +
                        std::string(json::to_string(value.kind())) + ".");
      }
      return false;
    }
    bool good = check_values(rule, value, place, report);
    if (!good && !report) return false;
    good = check_kind(rule, value, place, report) && good;
    if (!good && !report) return false;
    return check_branches(rule, value, place, report) && good;
  }

  bool check_text(const Rule& rule, std::string_view text, const Place& place,
                  Report* report) const {
    bool good = true;
    const auto fail = [&](std::string_view name, std::string detail) {
      good = false;
      if (report) report->add(place, name, std::move(detail));
    };
    if (rule.min_length > 0 || rule.max_length < text.size()) {
      const std::size_t length = code_points(text);
      if (length < rule.min_length) {
        fail("minLength",
             "It must have at least " + std::to_string(rule.min_length) + " characters.");
      }
      if (length > rule.max_length) {
        fail("maxLength",
             "It must have at most " + std::to_string(rule.max_length) + " characters.");
      }
      if (!good) return false;  // The dearer checks below run on bounded texts only.
    }
    if (!has_format(text, rule.format)) {
      fail("format",
           report ? with_shape("It must be " + std::string(name_of(rule.format)), text) : "");
    }
    if (rule.pattern && !rule.pattern->matches(text)) {
      fail("pattern",
           report ? with_shape("It does not match " + rule.pattern->expression(), text) : "");
    }
    return good;
  }

  bool check_number(const Rule& rule, double number, const Place& place, Report* report) const {
    if (rule.minimum && number < *rule.minimum) {
      if (report) report->add(place, "minimum", "It is below " + text_of(*rule.minimum) + ".");
      return false;
    }
    if (rule.maximum && number > *rule.maximum) {
      if (report) report->add(place, "maximum", "It is above " + text_of(*rule.maximum) + ".");
      return false;
    }
    return true;
  }

 private:
  static std::string text_of(double number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return std::string(buffer.data(), end);
  }

  static bool check_values(const Rule& rule, const json::Value& value, const Place& place,
                           Report* report) {
    if (!rule.has_enum) return true;
    if (value.is(json::Kind::string)) {
      if (std::binary_search(rule.texts.begin(), rule.texts.end(), value.string())) return true;
    } else {
      for (const Scalar& scalar : rule.values) {
        if (equals(value, scalar)) return true;
      }
    }
    if (report) {
      std::string detail = "It is not one of the values that are allowed";
      detail = value.is(json::Kind::string) ? with_shape(std::move(detail), value.string())
                                            : detail + ".";
      report->add(place, rule.is_const ? "const" : "enum", std::move(detail));
    }
    return false;
  }

  bool check_kind(const Rule& rule, const json::Value& value, const Place& place,
                  Report* report) const {
    switch (value.kind()) {
      case json::Kind::string:
        return check_text(rule, value.string(), place, report);
      case json::Kind::integer:
      case json::Kind::number:
        return check_number(rule, value.number(), place, report);
      case json::Kind::array:
        return check_array(rule, value, place, report);
      case json::Kind::object:
        return check_object(rule, value, place, report);
      default:
        return true;
    }
  }

  bool check_array(const Rule& rule, const json::Value& value, const Place& place,
                   Report* report) const {
    bool good = true;
    const auto fail = [&](std::string_view name, std::string detail) {
      good = false;
      if (report) report->add(place, name, std::move(detail));
    };
    if (value.size() < rule.min_items) {
      fail("minItems", "It must have at least " + std::to_string(rule.min_items) + " items.");
    }
    if (value.size() > rule.max_items) {
      fail("maxItems", "It must have at most " + std::to_string(rule.max_items) + " items.");
      return false;
    }
    if (rule.unique && !all_differ(value)) fail("uniqueItems", "Two of its items are equal.");
    if (rule.items == kNoRule) return good;
    std::size_t number = 0;
    for (json::Value item = value.first(); item.valid(); item = item.next(), ++number) {
      if (!good && (!report || report->full())) return false;
      good = check(rule.items, item, Place{&place, {}, number, true}, report) && good;
    }
    return good;
  }

  static bool all_differ(const json::Value& array) {
    for (json::Value a = array.first(); a.valid(); a = a.next()) {
      for (json::Value b = a.next(); b.valid(); b = b.next()) {
        if (same(a, b)) return false;
      }
    }
    return true;
  }

  bool check_object(const Rule& rule, const json::Value& value, const Place& place,
                    Report* report) const {
    if (rule.properties.empty() && !rule.closed) return true;
    bool good = true;
    std::uint64_t seen = 0;
    for (json::Value member = value.first(); member.valid(); member = member.next()) {
      if (!good && (!report || report->full())) return false;
      const std::string_view name = member.name();
      const auto property = std::lower_bound(
          rule.properties.begin(), rule.properties.end(), name,
          [](const Property& p, std::string_view wanted) { return p.name < wanted; });
      if (property == rule.properties.end() || property->name != name) {
        if (rule.closed) {
          good = false;
          if (report) report->add(place, "additionalProperties", unknown_member(name));
        }
        continue;
      }
      if (property->required_bit >= 0) seen |= std::uint64_t{1} << property->required_bit;
      if (property->rule == kNoRule) continue;
      good = check(property->rule, member, Place{&place, name, 0, false}, report) && good;
    }
    if ((seen & rule.required_mask) == rule.required_mask) return good;
    if (report) report_missing(rule, seen, place, *report);
    return false;
  }

  /// Names an unknown member if the name looks like one that a programmer wrote.
  static std::string unknown_member(std::string_view name) {
    const bool plain =
        name.size() <= 40 && !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
        });
    if (plain) return "The member `" + std::string(name) + "` is not known here.";
    return with_shape("It has a member that is not known here", name);
  }

  static void report_missing(const Rule& rule, std::uint64_t seen, const Place& place,
                             Report& report) {
    for (const Property& property : rule.properties) {
      if (property.required_bit < 0 || (seen >> property.required_bit & 1u) != 0) continue;
      report.add(place, "required", "The member `" + property.name + "` is missing.");
    }
  }

  bool check_branches(const Rule& rule, const json::Value& value, const Place& place,
                      Report* report) const {
    for (const std::uint32_t branch : rule.all_of) {
      if (!check(branch, value, place, report)) return false;
    }
    if (!rule.any_of.empty() && count_matches(rule.any_of, value, place, 1) == 0) {
      if (report) explain(rule.any_of, "anyOf", value, place, *report);
      return false;
    }
    if (rule.one_of.empty()) return true;
    const std::size_t matches = count_matches(rule.one_of, value, place, 2);
    if (matches == 1) return true;
    if (report && matches == 0) explain(rule.one_of, "oneOf", value, place, *report);
    if (report && matches > 1)
      report->add(place, "oneOf", "It has more than one of the forms at once.");
    return false;
  }

  std::size_t count_matches(const std::vector<std::uint32_t>& branches, const json::Value& value,
                            const Place& place, std::size_t enough) const {
    std::size_t matches = 0;
    for (const std::uint32_t branch : branches) {
      if (check(branch, value, place, nullptr) && ++matches == enough) break;
    }
    return matches;
  }

  /// Explains by the form that the value comes nearest to: the one with the fewest violations at
  /// the value itself, then the fewest in all.
  void explain(const std::vector<std::uint32_t>& branches, std::string_view keyword,
               const json::Value& value, const Place& place, Report& report) const {
    report.add(place, keyword,
               "It has none of the " + std::to_string(branches.size()) +
                   " forms that are allowed; what follows is said of the nearest one.");
    std::string here;
    append_pointer(here, &place);
    std::vector<Violation> nearest;
    std::size_t distance = std::numeric_limits<std::size_t>::max();
    for (const std::uint32_t branch : branches) {
      std::vector<Violation> found;
      Report trial{found, 8};
      check(branch, value, place, &trial);
      const auto at_itself = std::count_if(found.begin(), found.end(),
                                           [&](const Violation& v) { return v.pointer == here; });
      const std::size_t measure = static_cast<std::size_t>(at_itself) * 100 + found.size();
      if (measure >= distance) continue;
      distance = measure;
      nearest = std::move(found);
    }
    for (Violation& violation : nearest) {
      if (!report.full()) report.out.push_back(std::move(violation));
    }
  }

  const SchemaProgram& program_;
};

bool parse_integer(std::string_view text, std::int64_t& number) {
  if (text.size() > 1 && (text[0] == '0' || (text[0] == '-' && text[1] == '0'))) return false;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

std::string shape_of(std::string_view text) {
  if (text.size() > 40) return {};
  std::string shape;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= '0' && c <= '9') {
      shape += '9';
    } else if (c >= 'A' && c <= 'Z') {
      shape += 'A';
    } else if ((c >= 'a' && c <= 'z') || byte >= 0xC0) {
      shape += 'a';
    } else if (byte >= 0x20 && byte < 0x7F && c != '`') {
      shape += c;
    } else if (byte < 0x80) {
      shape += '?';
    }
  }
  return shape;
}

bool Schema::validate(const json::Value& value, std::vector<Violation>& out,
                      std::size_t max) const {
  if (program_ == nullptr) return true;
  const Checker checker(*program_);
  const Place root;
  if (checker.check(rule_, value, root, nullptr)) return true;
  Report report{out, out.size() + std::max<std::size_t>(max, 1)};
  checker.check(rule_, value, root, &report);
  return false;
}

bool Schema::validate_text(std::string_view text, std::vector<Violation>& out) const {
  if (program_ == nullptr) return true;
  const Rule& rule = program_->rules[rule_];
  json::Document document;
  std::string encoded;
  std::int64_t integer = 0;
  switch (rule.type) {
    case Type::integer:
      if (!parse_integer(text, integer)) break;
      encoded = text;
      break;
    case Type::boolean:
      if (text == "true" || text == "false") encoded = text;
      break;
    default:
      if (is_utf8(text)) json::append_string(encoded, text);
  }
  if (encoded.empty() || !document.parse(encoded)) {
    out.push_back({"", "type", "It must be of type " + std::string(name_of(rule.type)) + "."});
    return false;
  }
  return validate(document.root(), out);
}

}  // namespace flora::openapi
