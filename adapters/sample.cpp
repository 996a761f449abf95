#include "adapters/sample.h"

#include <algorithm>
#include <map>
#include <set>

#include "adapters/engine/functions.h"
#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "adapters/formats/text_position.h"
#include "adapters/formats/xml_scanner.h"
#include "gateway/base/bytes.h"
#include "gateway/base/json.h"

namespace flora::adapter {
namespace {

constexpr std::string_view kSoap11 = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view kSoap12 = "http://www.w3.org/2003/05/soap-envelope";
constexpr std::string_view kMark = "\xEF\xBB\xBF";

Error error_at(std::string_view message, std::size_t offset, std::string_view reason) {
  const TextPosition at = position_in(message, offset);
  return {Errc::invalid, "line " + std::to_string(at.line) + ", column " +
                             std::to_string(at.column) + ": " + std::string(reason)};
}

std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

// Counts places in the order in which they are met first.
class Places {
 public:
  void meet(const std::string& place) { ++at(place).count; }
  void show(const std::string& place, std::string_view text) {
    SamplePlace& found = at(place);
    if (found.shape.empty()) found.shape = shape(trimmed(text));
  }

  // Those with a value, and those that begin a repetition.
  std::vector<SamplePlace> take() {
    std::vector<SamplePlace> out;
    for (const SamplePlace& place : places_) {
      const bool repeated = place.count > count_around(place.place) || place.place.ends_with("/*");
      if (!place.shape.empty() || repeated) out.push_back(place);
    }
    return out;
  }

 private:
  // How often there is something that holds this place.
  std::size_t count_around(const std::string& place) const {
    const std::size_t slash = place.rfind('/');
    if (slash == std::string::npos) return 1;
    const auto around = index_.find(place.substr(0, slash));
    return around == index_.end() ? 1 : places_[around->second].count;
  }

  SamplePlace& at(const std::string& place) {
    const auto [known, first] = index_.try_emplace(place, places_.size());
    if (first) places_.push_back({place, 0, {}});
    return places_[known->second];
  }

  std::map<std::string, std::size_t> index_;
  std::vector<SamplePlace> places_;
};

class XmlSample {
 public:
  XmlSample(std::string_view message, bool soap) : message_(message), soap_(soap) {}

  Result<Sample> describe() {
    out_.format = soap_ ? "soap" : "xml";
    scanner_.reset(message_);
    for (;;) {
      switch (scanner_.next()) {
        case XmlScanner::Token::start:
          start();
          break;
        case XmlScanner::Token::text:
          if (!open_.empty()) open_.back().text += scanner_.text();
          break;
        case XmlScanner::Token::end:
          end();
          break;
        case XmlScanner::Token::error:
          return error_at(message_, scanner_.error().offset, scanner_.error().reason);
        case XmlScanner::Token::done:
          if (out_.root.empty()) return error_at(message_, 0, "there is no message in an envelope");
          out_.places = places_.take();
          return std::move(out_);
      }
    }
  }

 private:
  struct Element {
    std::string path;
    std::string text;
    bool has_elements = false;
  };

  // Of SOAP, the message is what stands in the body.
  bool in_envelope() const { return soap_ && (depth_ <= 2 || part_ != "Body"); }

  std::string name_of(std::string_view uri, std::string_view local) {
    if (uri.empty()) return std::string(local);
    auto known = std::find_if(out_.spaces.begin(), out_.spaces.end(),
                              [&](const auto& space) { return space.second == uri; });
    if (known == out_.spaces.end()) {
      const std::size_t n = out_.spaces.size();
      const std::string prefix =
          n < 26 ? std::string(1, static_cast<char>('a' + n)) : "n" + std::to_string(n);
      known = out_.spaces.insert(known, {prefix, std::string(uri)});
    }
    return known->first + ":" + std::string(local);
  }

  void start() {
    ++depth_;
    if (depth_ == 2) part_ = scanner_.local();
    if (in_envelope()) return;
    const std::string name = name_of(scanner_.uri(), scanner_.local());
    Element element;
    if (open_.empty()) {
      if (out_.root.empty()) out_.root = name;
    } else {
      open_.back().has_elements = true;
      element.path = open_.back().path.empty() ? name : open_.back().path + "/" + name;
      places_.meet(element.path);
    }
    for (const XmlScanner::Attribute& attribute : scanner_.attributes()) {
      const std::string own = "@" + name_of(attribute.uri, attribute.local);
      const std::string place = element.path.empty() ? own : element.path + "/" + own;
      places_.meet(place);
      places_.show(place, attribute.value);
    }
    open_.push_back(std::move(element));
  }

  void end() {
    if (!in_envelope()) {
      const Element element = std::move(open_.back());
      open_.pop_back();
      if (!element.path.empty() && !element.has_elements) places_.show(element.path, element.text);
    }
    --depth_;
  }

  std::string_view message_;
  bool soap_;
  XmlScanner scanner_;
  int depth_ = 0;
  std::string part_;
  std::vector<Element> open_;
  Places places_;
  Sample out_;
};

class JsonSample {
 public:
  explicit JsonSample(std::string_view message) : message_(message) {}

  Result<Sample> describe() {
    Sample out;
    out.format = "json";
    scanner_.reset(message_);
    for (;;) {
      const JsonScanner::Token token = scanner_.next();
      if (token == JsonScanner::Token::error) {
        return error_at(message_, scanner_.error().offset, scanner_.error().reason);
      }
      if (token == JsonScanner::Token::done) break;
      take(token);
    }
    out.places = places_.take();
    return out;
  }

 private:
  // What a value that comes next is called.
  std::string place() const {
    if (open_.empty()) return {};
    const auto& [path, name] = open_.back();
    return path + "/" + name;
  }

  // As RFC 6901 §3 writes it. What looks like a number is a key of data rather than a name: the
  // sample's values do not go into the rules.
  static std::string escaped(std::string_view member) {
    const auto digits =
        std::count_if(member.begin(), member.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::string name = digits < 4 ? std::string(member) : shape(member);
    std::string out;
    for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }

  void take(JsonScanner::Token token) {
    using Token = JsonScanner::Token;
    switch (token) {
      case Token::begin_object:
      case Token::begin_array: {
        const std::string here = place();
        if (!here.empty()) places_.meet(here);
        open_.emplace_back(here, "*");
        break;
      }
      case Token::end_object:
      case Token::end_array:
        open_.pop_back();
        break;
      case Token::name:
        open_.back().second = escaped(scanner_.text());
        break;
      default:
        places_.meet(place());
        if (token != Token::null) places_.show(place(), scanner_.text());
    }
  }

  std::string_view message_;
  JsonScanner scanner_;
  std::vector<std::pair<std::string, std::string>> open_;  // Path, and the name of the next value.
  Places places_;
};

// A guess: what is no UTF-8 is taken for the Western set that has all of its bytes.
std::string_view guess_charset(std::string_view message) {
  if (is_utf8(message)) return "utf-8";
  const bool controls = std::any_of(message.begin(), message.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 && byte < 0xA0;
  });
  return controls ? "windows-1252" : "iso-8859-1";
}

std::string in_utf8(Charset charset, std::string_view bytes) {
  std::string out;
  return decode(charset, bytes, out) ? std::string("?") : out;
}

std::string_view first_line(std::string_view message) {
  if (message.starts_with(kMark)) message.remove_prefix(kMark.size());
  message = message.substr(0, message.find('\n'));
  if (message.ends_with('\r')) message.remove_suffix(1);
  return message;
}

// The one of the usual delimiters that stands in the first line most often; NUL if there is none.
char guess_delimiter(std::string_view message) {
  const std::string_view line = first_line(message);
  char best = '\0';
  std::ptrdiff_t most = 0;
  for (const char c : {';', '\t', '|', ','}) {
    const std::ptrdiff_t count = std::count(line.begin(), line.end(), c);
    if (count > most) best = c;
    most = std::max(most, count);
  }
  return best;
}

// Names of columns are different and hold no long numbers; values in their place must not be shown.
bool is_header(const std::vector<std::string>& fields) {
  const auto is_name = [](const std::string& text) {
    return !text.empty() &&
           std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) < 4;
  };
  const std::set<std::string> different(fields.begin(), fields.end());
  return different.size() == fields.size() && std::all_of(fields.begin(), fields.end(), is_name);
}

Result<Sample> describe_csv(std::string_view message) {
  Sample out;
  out.format = "csv";
  const std::string_view name = guess_charset(message);
  const Charset charset = *find_charset(name);
  const char delimiter = guess_delimiter(message);
  CsvScanner scanner;
  scanner.reset(message, charset, {delimiter == '\0' ? ';' : delimiter, '"'});
  std::vector<std::string> columns;
  bool header = false;
  Places places;
  for (RecordToken token = scanner.next(); token != RecordToken::done; token = scanner.next()) {
    if (token == RecordToken::error) {
      return error_at(message, scanner.error().offset, scanner.error().reason);
    }
    std::vector<std::string> fields;
    for (const CsvScanner::Field& field : scanner.fields()) {
      fields.push_back(in_utf8(charset, field.text));
    }
    if (columns.empty()) {
      header = is_header(fields);
      columns = fields;
      for (std::size_t i = 0; !header && i < columns.size(); ++i) {
        columns[i] = "column " + std::to_string(i + 1);
      }
      if (header) continue;
    }
    for (std::size_t i = 0; i < std::min(fields.size(), columns.size()); ++i) {
      places.meet(columns[i]);
      places.show(columns[i], fields[i]);
    }
  }
  out.places = places.take();
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + in_quotes(column);
  out.input = {"charset: " + std::string(name),
               "csv:",
               "  delimiter: " + in_quotes(std::string(1, delimiter == '\0' ? ';' : delimiter)),
               "  header: " + std::string(header ? "true" : "false"),
               "  columns: [" + list + "]",
               R"(  # footer: { column: "…", text: "…", count: "…" }   # a last record, no data)"};
  return out;
}

// The line in the middle: the first and the last are often no data.
std::string_view middle_line(std::string_view message) {
  const auto lines = std::count(message.begin(), message.end(), '\n');
  for (std::ptrdiff_t i = 0; i < lines / 2; ++i) message.remove_prefix(message.find('\n') + 1);
  return first_line(message);
}

// Fields are guessed from one record: each begins with a character behind a space.
Result<Sample> describe_fixed(std::string_view message) {
  Sample out;
  out.format = "fixed";
  const std::string_view name = guess_charset(message);
  const std::string line = in_utf8(*find_charset(name), middle_line(message));
  std::vector<std::string> characters;
  for (const char c : line) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins) characters.emplace_back();
    characters.back() += c;
  }
  if (characters.empty()) return error_at(message, 0, "the record in the middle is empty");
  out.input = {"charset: " + std::string(name),
               "fixed:",
               "  length: " + std::to_string(characters.size()),
               "  # line_ends: false   # if nothing stands between the records",
               "  # header: \"…\"   # how the first record begins, if it is no data",
               "  # footer: { begins: \"…\", count: { at: …, length: … } }   # the last, likewise",
               "  # fields:   # from the record in the middle, by its spaces; a name for each"};
  for (std::size_t begin = 0; begin < characters.size();) {
    std::string text;
    std::size_t end = begin;
    while (end < characters.size() && characters[end] != " ") text += characters[end++];
    while (end < characters.size() && characters[end] == " ") ++end;
    out.input.push_back("  #   …: { at: " + std::to_string(begin + 1) +
                        ", length: " + std::to_string(end - begin) + " }   # " + shape(text));
    begin = end;
  }
  return out;
}

}  // namespace

std::string guess_format(std::string_view message) {
  if (message.starts_with(kMark)) message.remove_prefix(kMark.size());
  const std::size_t first = message.find_first_not_of(" \t\r\n");
  const char c = first == std::string_view::npos ? '\0' : message[first];
  if (c == '{' || c == '[') return "json";
  if (c == '<') {
    XmlScanner scanner;
    scanner.reset(message);
    const bool envelope = scanner.next() == XmlScanner::Token::start &&
                          scanner.local() == "Envelope" &&
                          (scanner.uri() == kSoap11 || scanner.uri() == kSoap12);
    return envelope ? "soap" : "xml";
  }
  return guess_delimiter(message) == '\0' ? "fixed" : "csv";
}

Result<Sample> describe_sample(std::string_view format, std::string_view message) {
  if (format == "xml" || format == "soap") return XmlSample(message, format == "soap").describe();
  if (format == "json") return JsonSample(message).describe();
  if (format == "csv") return describe_csv(message);
  if (format == "fixed") return describe_fixed(message);
  return Error{Errc::not_found, "there is no format \"" + std::string(format) + "\""};
}

}  // namespace flora::adapter
