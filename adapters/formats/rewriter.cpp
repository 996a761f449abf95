#include "adapters/formats/rewriter.h"

#include <algorithm>
#include <vector>

#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "adapters/formats/xml_scanner.h"
#include "gateway/base/json.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string escaped_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        c != '&' && c != '<' && c != '>' && c != '"' && static_cast<unsigned char>(c) >= 0x20;
    out += plain ? std::string(1, c) : "&#" + std::to_string(static_cast<int>(c)) + ";";
  }
  return out;
}

// Every element with a prefix of its own, attributes in reverse order, a comment in each element.
class XmlRewriter {
 public:
  XmlRewriter(std::string_view message, std::size_t left_out) : left_out_(left_out) {
    scanner_.reset(message);
  }

  std::optional<std::string> run() {
    out_ = "<?xml version='1.0'?>";
    for (;;) {
      switch (scanner_.next()) {
        case XmlScanner::Token::start:
          start();
          break;
        case XmlScanner::Token::end:
          end();
          break;
        case XmlScanner::Token::text:
          if (skipping_ == 0) out_ += escaped_xml(scanner_.text());
          break;
        case XmlScanner::Token::done:
          return left_out_ == kNone || found_ ? std::optional(out_ + "<?done?>") : std::nullopt;
        case XmlScanner::Token::error:
          return std::nullopt;
      }
    }
  }

 private:
  void start() {
    if (skipping_ > 0 || scanner_.begin_offset() == left_out_) {
      found_ = true;
      ++skipping_;
      return;
    }
    const std::string name =
        (scanner_.uri().empty() ? "" : "other:") + std::string(scanner_.local());
    out_ += "<" + name;
    int number = 0;
    std::string spaces;
    const auto attributes = scanner_.attributes();
    for (std::size_t i = attributes.size(); i-- > 0;) {
      const XmlScanner::Attribute& a = attributes[i];
      if (a.offset == left_out_) {
        found_ = true;
        continue;
      }
      std::string prefix;
      if (!a.uri.empty()) {
        prefix = "o" + std::to_string(number++) + ":";
        spaces += " xmlns:" + prefix.substr(0, prefix.size() - 1) + "='" + std::string(a.uri) + "'";
      }
      out_ += "\n " + prefix + std::string(a.local) + " = \"" + escaped_xml(a.value) + "\"";
    }
    if (!scanner_.uri().empty()) spaces += " xmlns:other='" + std::string(scanner_.uri()) + "'";
    out_ += spaces + " ><!-- - -->";
    open_.push_back(name);
  }

  void end() {
    if (skipping_ > 0) {
      --skipping_;
      return;
    }
    out_ += "</" + open_.back() + " >";
    open_.pop_back();
  }

  XmlScanner scanner_;
  const std::size_t left_out_;
  std::string out_;
  std::vector<std::string> open_;
  int skipping_ = 0;
  bool found_ = false;
};

// Members in reverse order, with white space between all tokens.
class JsonRewriter {
 public:
  JsonRewriter(std::string_view message, std::size_t left_out) : left_out_(left_out) {
    scanner_.reset(message);
  }

  std::optional<std::string> run() {
    const std::string text = value(scanner_.next());
    if (failed_ || scanner_.next() != JsonScanner::Token::done) return std::nullopt;
    if (left_out_ != kNone && !found_) return std::nullopt;
    return text;
  }

 private:
  using Token = JsonScanner::Token;

  // The text of the value that begins with the token; empty if it is the one that is left out.
  std::string value(Token token) {
    const bool dropped = scanner_.begin_offset() == left_out_;
    found_ = found_ || dropped;
    std::string out;
    switch (token) {
      case Token::begin_object:
        out = container('{', '}');
        break;
      case Token::begin_array:
        out = container('[', ']');
        break;
      case Token::string:
        json::append_string(out, scanner_.text());
        break;
      case Token::number:
      case Token::boolean:
      case Token::null:
        out = scanner_.text();
        break;
      default:
        failed_ = true;
    }
    return dropped ? std::string() : out;
  }

  std::string container(char open, char close) {
    std::vector<std::string> parts;
    for (;;) {
      Token token = scanner_.next();
      if (token == Token::end_object || token == Token::end_array) break;
      std::string name;
      if (token == Token::name) {
        json::append_string(name, scanner_.text());
        name += " : ";
        token = scanner_.next();
      }
      const std::string text = value(token);
      if (failed_) return {};
      if (!text.empty()) parts.push_back(name + text);
    }
    if (open == '{') std::reverse(parts.begin(), parts.end());
    std::string out(1, open);
    for (const std::string& part : parts) out += (out.size() > 1 ? " ,\n\t" : " ") + part;
    return out + " " + close;
  }

  JsonScanner scanner_;
  const std::size_t left_out_;
  bool found_ = false;
  bool failed_ = false;
};

// Every field in quotes, but those that `left_out` names; with `reverse` the last column first.
// Nothing if the message is not well-formed, or nothing was left out of it that should have been.
template <typename LeftOut>
std::optional<std::string> csv_anew(const Plan& plan, std::string_view message, bool reverse,
                                    LeftOut left_out) {
  const char quote = *plan.csv.quote;
  CsvScanner scanner;
  scanner.reset(message, plan.charset, {plan.csv.delimiter, quote});
  std::string out;
  bool found = reverse;
  for (;;) {
    const RecordToken token = scanner.next();
    if (token == RecordToken::done) return found ? std::optional(out) : std::nullopt;
    if (token == RecordToken::error) return std::nullopt;
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < scanner.fields().size(); ++i) {
      if (left_out(scanner.fields()[i], i)) {
        found = true;
        continue;
      }
      std::string text(scanner.fields()[i].text);
      for (std::size_t at = 0; (at = text.find(quote, at)) != text.npos; at += 2) {
        text.insert(at, 1, quote);
      }
      // A field that is empty stays without quotes: both are absent.
      fields.push_back(text.empty() ? text : quote + text + quote);
    }
    if (reverse) std::reverse(fields.begin(), fields.end());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out += plan.csv.delimiter;
      out += fields[i];
    }
    out += '\n';
  }
}

std::optional<std::string> csv_in_other_form(const Plan& plan, std::string_view message) {
  if (!plan.csv.header || !plan.csv.quote) return std::nullopt;
  return csv_anew(plan, message, true, [](const CsvScanner::Field&, std::size_t) { return false; });
}

bool is_xml(const Plan& plan) { return plan.info.format == "xml" || plan.info.format == "soap"; }

}  // namespace

std::optional<std::string> in_other_form(const Plan& plan, std::string_view message) {
  if (is_xml(plan)) return XmlRewriter(message, kNone).run();
  if (plan.info.format == "json") return JsonRewriter(message, kNone).run();
  if (plan.info.format == "csv") return csv_in_other_form(plan, message);
  return std::nullopt;
}

std::optional<std::string> without_value(const Plan& plan, std::string_view message,
                                         std::size_t offset) {
  if (is_xml(plan)) return XmlRewriter(message, offset).run();
  if (plan.info.format == "json") return JsonRewriter(message, offset).run();
  if (plan.info.format == "csv" && plan.csv.quote) {
    return csv_anew(plan, message, false, [&](const CsvScanner::Field& field, std::size_t) {
      return field.offset == offset;
    });
  }
  if (plan.info.format == "fixed") {
    return std::string(message.substr(0, offset)) + std::string(message.substr(offset + 1));
  }
  return std::nullopt;
}

std::optional<std::string> without_column(const Plan& plan, std::string_view message,
                                          std::size_t index) {
  if (plan.info.format != "csv" || !plan.csv.quote) return std::nullopt;
  return csv_anew(plan, message, false,
                  [&](const CsvScanner::Field&, std::size_t at) { return at == index; });
}

}  // namespace flora::adapter
