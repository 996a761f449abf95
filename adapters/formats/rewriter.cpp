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

// Columns in reverse order where a header names them, and every field in quotes.
std::optional<std::string> csv_in_other_form(const Plan& plan, std::string_view message) {
  const CsvInput& csv = plan.csv;
  if (!csv.header || !csv.quote) return std::nullopt;
  CsvScanner scanner;
  scanner.reset(message, plan.charset, {csv.delimiter, csv.quote});
  std::string out;
  for (;;) {
    const RecordToken token = scanner.next();
    if (token == RecordToken::done) return out;
    if (token == RecordToken::error) return std::nullopt;
    const auto fields = scanner.fields();
    for (std::size_t i = fields.size(); i-- > 0;) {
      // A field that is empty stays without quotes: both are absent.
      std::string text(fields[i].text);
      for (std::size_t at = 0; (at = text.find(*csv.quote, at)) != text.npos; at += 2) {
        text.insert(at, 1, *csv.quote);
      }
      if (!text.empty()) out += *csv.quote + text + *csv.quote;
      if (i > 0) out += csv.delimiter;
    }
    out += '\n';
  }
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
  return std::nullopt;  // A field of a record cannot be left out, only be empty.
}

}  // namespace flora::adapter
