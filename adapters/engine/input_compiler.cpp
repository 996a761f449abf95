#include "adapters/engine/input_compiler.h"

#include <algorithm>

namespace flora::adapter {
namespace {

constexpr std::size_t kMostColumns = 256;

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " or ") + word;
  return out;
}

bool is_record_format(std::string_view format) { return format == "csv" || format == "fixed"; }

}  // namespace

std::unique_ptr<Format> InputCompiler::input(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) {
    bundle_.error(node, Mistake::mapping_expected, "a mapping is expected here");
    return nullptr;
  }
  const yaml::Node* name = bundle_.member(node, "format", "the input");
  if (name == nullptr) return nullptr;
  const std::string format = bundle_.word(*name);
  std::unique_ptr<Format> out = find_format(format, plan_.spaces);
  if (out == nullptr) {
    bundle_.error(*name, Mistake::unknown_format, "there is no format \"" + format + "\"");
    return nullptr;
  }
  const bool csv_file = format == "csv";
  const bool good =
      csv_file ? bundle_.mapping(node, {"format", "media_type", "limits", "charset", "csv"})
      : format == "fixed"
          ? bundle_.mapping(node, {"format", "media_type", "limits", "charset", "fixed"})
          : bundle_.mapping(node, {"format", "media_type", "limits"});
  if (!good) return nullptr;
  plan_.info.format = format;
  plan_.info.media_types = out->media_types();
  plan_.info.charset = "utf-8";
  plan_.path_style = out->path_style();
  if (const yaml::Node* type = node.find("media_type")) {
    const std::string only = bundle_.literal(*type);
    if (std::ranges::find(plan_.info.media_types, only) == plan_.info.media_types.end()) {
      bundle_.error(*type, Mistake::unknown_media_type,
                    "the format is sent as " + joined(plan_.info.media_types));
    }
    plan_.info.media_types = {only};
  }
  if (is_record_format(format)) {
    plan_.limits.items = 2'000'000;
    if (const yaml::Node* set = bundle_.member(node, "charset", "the input")) charset(*set);
    const yaml::Node* form = bundle_.member(node, format, "the input");
    if (form == nullptr) return nullptr;
    csv_file ? csv(*form) : fixed(*form);
  }
  if (const yaml::Node* bounds = node.find("limits")) limits(*bounds);
  plan_.info.most_bytes = plan_.limits.bytes;
  return out;
}

void InputCompiler::charset(const yaml::Node& node) {
  const std::string name = bundle_.word(node);
  const std::optional<Charset> found = find_charset(name);
  if (!found) {
    bundle_.error(node, Mistake::unknown_charset,
                  "a charset is utf-8, iso-8859-1, iso-8859-15 or windows-1252");
    return;
  }
  plan_.charset = *found;
  plan_.info.charset = name;
}

void InputCompiler::limits(const yaml::Node& node) {
  const std::string& format = plan_.info.format;
  const bool records = is_record_format(format);
  const bool good =
      format == "csv"     ? bundle_.mapping(node, {"bytes", "items", "value_bytes", "record_bytes"})
      : format == "fixed" ? bundle_.mapping(node, {"bytes", "items", "value_bytes"})
      : format == "json"
          ? bundle_.mapping(node, {"bytes", "items", "value_bytes", "depth"})
          : bundle_.mapping(node, {"bytes", "items", "value_bytes", "attributes", "depth"});
  if (!good) return;
  const auto read = [&](std::string_view key, std::size_t& out, long most) {
    const yaml::Node* given = node.find(key);
    if (given == nullptr) return;
    const long value = bundle_.number(*given);
    if (value < 1 || value > most) {
      bundle_.error(*given, Mistake::limit_out_of_range,
                    "the limit is 1 to " + std::to_string(most));
    }
    out = static_cast<std::size_t>(std::max(1L, value));
  };
  std::size_t depth = static_cast<std::size_t>(plan_.limits.depth);
  read("bytes", plan_.limits.bytes, 64 << 20);
  read("items", plan_.limits.items, records ? 10'000'000 : 100'000);
  read("value_bytes", plan_.limits.value_bytes, 65536);
  read("attributes", plan_.limits.attributes, 256);
  read("record_bytes", plan_.limits.record_bytes, 1 << 20);
  read("depth", depth, MessageLimits::kMostDepth);
  plan_.limits.depth = static_cast<int>(depth);
}

void InputCompiler::csv(const yaml::Node& node) {
  if (!bundle_.mapping(node,
                       {"delimiter", "quote", "header", "columns", "other_columns", "footer"}))
    return;
  CsvInput& out = plan_.csv;
  if (const yaml::Node* c = bundle_.member(node, "delimiter", "csv")) out.delimiter = ascii(*c);
  if (const yaml::Node* c = node.find("quote")) {
    const bool none = c->kind == yaml::Kind::scalar && !c->quoted && c->text == "none";
    out.quote = none ? std::nullopt : std::optional(ascii(*c));
    if (out.quote == out.delimiter) {
      bundle_.error(*c, Mistake::csv_character, "quote and delimiter are the same character");
    }
  }
  if (const yaml::Node* flag = node.find("header")) out.header = bundle_.boolean(*flag);
  if (const yaml::Node* flag = node.find("other_columns")) {
    out.other_columns = bundle_.boolean(*flag);
    if (out.other_columns && !out.header) {
      bundle_.error(*flag, Mistake::csv_header, "without a header, all columns must be named");
    }
  }
  const yaml::Node* columns = bundle_.member(node, "columns", "csv");
  if (columns == nullptr || !bundle_.sequence(*columns)) return;
  for (const yaml::Node& item : columns->items) {
    const std::string name = bundle_.literal(item);
    if (name.empty()) bundle_.error(item, Mistake::empty_text, "a column has a name");
    as_in_file(item, name);
    if (std::ranges::find(out.columns, name) != out.columns.end()) {
      bundle_.error(item, Mistake::name_taken, "the column \"" + name + "\" is there twice");
    }
    out.columns.push_back(name);
  }
  if (out.columns.empty() || out.columns.size() > kMostColumns) {
    bundle_.error(*columns, Mistake::empty_list, "1 to 256 columns are expected here");
  }
  if (const yaml::Node* footer = node.find("footer")) csv_footer(*footer);
}

void InputCompiler::csv_footer(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"column", "text", "count"})) return;
  const yaml::Node* where = bundle_.member(node, "column", "a footer");
  const yaml::Node* text = bundle_.member(node, "text", "a footer");
  if (where == nullptr || text == nullptr) return;
  CsvInput::Footer footer;
  footer.column = column(*where);
  footer.text = as_in_file(*text, bundle_.literal(*text));
  if (footer.text.empty()) bundle_.error(*text, Mistake::empty_text, "the text is empty");
  if (const yaml::Node* count = node.find("count")) footer.count = column(*count);
  plan_.csv.footer = footer;
}

// A character that may part fields: printable ASCII or tab, no letter or digit.
char InputCompiler::ascii(const yaml::Node& node) {
  const std::string text = bundle_.literal(node);
  const char c = text.size() == 1 ? text[0] : '\0';
  const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if ((c >= 0x20 && c < 0x7F && !word) || c == '\t') return c;
  bundle_.error(node, Mistake::csv_character,
                "one character is expected here: ASCII, and no letter or digit");
  return ';';
}

// The bytes that a text of the bundle has in files.
std::string InputCompiler::as_in_file(const yaml::Node& node, const std::string& text) {
  std::optional<std::string> bytes = encode(plan_.charset, text);
  if (bytes) return std::move(*bytes);
  bundle_.error(node, Mistake::text_outside_charset,
                "\"" + text + "\" cannot be written in " + plan_.info.charset);
  return text;
}

int InputCompiler::column(const yaml::Node& node) {
  const std::string name = bundle_.literal(node);
  const auto found = std::ranges::find(plan_.csv.columns, name);
  if (found != plan_.csv.columns.end()) return static_cast<int>(found - plan_.csv.columns.begin());
  bundle_.error(node, Mistake::undeclared_name, "there is no column \"" + name + "\"");
  return 0;
}

void InputCompiler::fixed(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"length", "line_ends", "header", "fields", "footer"})) return;
  FixedInput& out = plan_.fixed;
  if (const yaml::Node* length = bundle_.member(node, "length", "fixed")) {
    const long value = bundle_.number(*length);
    if (value < 1 || value > 65536)
      bundle_.error(*length, Mistake::limit_out_of_range, "the length is 1 to 65536");
    out.length = static_cast<std::size_t>(std::clamp(value, 1L, 65536L));
  }
  if (const yaml::Node* flag = node.find("line_ends")) {
    out.line_ends = bundle_.boolean(*flag);
    if (!out.line_ends && plan_.charset == Charset::utf_8) {
      bundle_.error(*flag, Mistake::fixed_form,
                    "records of UTF-8 have no length in bytes, so they need line ends");
    }
  }
  if (const yaml::Node* header = node.find("header")) {
    out.header = as_in_file(*header, bundle_.literal(*header));
  }
  const yaml::Node* fields = bundle_.member(node, "fields", "fixed");
  if (fields == nullptr) return;
  if (fields->kind != yaml::Kind::mapping) {
    bundle_.error(*fields, Mistake::mapping_expected, "a mapping is expected here");
    return;
  }
  for (const auto& [name, field] : fields->members) fixed_field(name, field);
  if (const yaml::Node* footer = node.find("footer")) fixed_footer(*footer);
}

void InputCompiler::fixed_field(const std::string& name, const yaml::Node& node) {
  FixedInput::Field field = cut(node);
  field.name = name;
  bundle_.declare(node.at, "field \"" + name + "\"");
  bundle_.field_places[name] = node.at;
  plan_.fixed.fields.push_back(std::move(field));
}

FixedInput::Field InputCompiler::cut(const yaml::Node& node) {
  FixedInput::Field field;
  if (!bundle_.mapping(node, {"at", "length"})) return field;
  const yaml::Node* at = bundle_.member(node, "at", "a field");
  const yaml::Node* length = bundle_.member(node, "length", "a field");
  if (at == nullptr || length == nullptr) return field;
  const long first = bundle_.number(*at);
  const long count = bundle_.number(*length);
  if (first < 1 || count < 1 || static_cast<std::size_t>(first - 1 + count) > plan_.fixed.length) {
    bundle_.error(node, Mistake::field_outside,
                  "a field lies within the record, which has the characters 1 to " +
                      std::to_string(plan_.fixed.length));
    return field;
  }
  field.at = static_cast<std::size_t>(first - 1);
  field.length = static_cast<std::size_t>(count);
  return field;
}

void InputCompiler::fixed_footer(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"begins", "count"})) return;
  const yaml::Node* begins = bundle_.member(node, "begins", "a footer");
  if (begins == nullptr) return;
  FixedInput::Footer footer;
  footer.begins = as_in_file(*begins, bundle_.literal(*begins));
  if (footer.begins.empty()) bundle_.error(*begins, Mistake::empty_text, "the text is empty");
  if (const yaml::Node* count = node.find("count")) footer.count = cut(*count);
  plan_.fixed.footer = std::move(footer);
}

void InputCompiler::errors(const yaml::Node& node) {
  if (!bundle_.mapping(node, {"unit", "max_rejected"})) return;
  Tolerance& out = plan_.tolerance;
  out.at = node.at;
  const yaml::Node* unit = node.find("unit");
  if (unit != nullptr) {
    const std::string own = is_record_format(plan_.info.format) ? "record" : "item";
    const std::string word = bundle_.word(*unit);
    if (word != own && word != "message") {
      bundle_.error(*unit, Mistake::unknown_word, "the unit of errors is " + own + " or message");
    }
    out.whole_message = word == "message";
  }
  const yaml::Node* share = node.find("max_rejected");
  if (share == nullptr) return;
  const std::string text = bundle_.literal(*share);
  static const re2::RE2 kPercent("([0-9]{1,2}|100)%");
  if (!re2::RE2::FullMatch(text, kPercent, &out.most_percent)) {
    bundle_.error(*share, Mistake::share_malformed, "a share is like \"5%\"");
  }
  if (out.whole_message) {
    bundle_.error(*share, Mistake::share_malformed,
                  "where one rejected item rejects the message, there is no share");
  }
}

}  // namespace flora::adapter
