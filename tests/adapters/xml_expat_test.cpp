// Differential test: what expat refuses, the scanner refuses; what both take, both read alike.
#include <expat.h>

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/formats/xml_scanner.h"
#include "tests/slow_build.h"

namespace flora::adapter {
namespace {

constexpr char kSeparator = '\x01';  // Legal in no name and no URI.

// One line per event, text pieces joined.
struct Trace {
  bool accepted = false;
  std::string events;
  std::string text;

  void flush() {
    if (!text.empty()) events += "T " + text + "\n";
    text.clear();
  }
};

void expat_start(void* user, const XML_Char* name, const XML_Char** attributes) {
  auto& trace = *static_cast<Trace*>(user);
  trace.flush();
  trace.events += std::string("S ") + name + "\n";
  for (; *attributes != nullptr; attributes += 2) {
    trace.events += std::string("A ") + attributes[0] + "=" + attributes[1] + "\n";
  }
}

void expat_end(void* user, const XML_Char*) {
  auto& trace = *static_cast<Trace*>(user);
  trace.flush();
  trace.events += "E\n";
}

void expat_text(void* user, const XML_Char* text, int size) {
  static_cast<Trace*>(user)->text.append(text, static_cast<std::size_t>(size));
}

Trace by_expat(const std::string& document) {
  Trace trace;
  XML_Parser parser = XML_ParserCreateNS(nullptr, kSeparator);
  XML_SetUserData(parser, &trace);
  XML_SetElementHandler(parser, expat_start, expat_end);
  XML_SetCharacterDataHandler(parser, expat_text);
  trace.accepted = XML_Parse(parser, document.data(), static_cast<int>(document.size()),
                             XML_TRUE) == XML_STATUS_OK;
  XML_ParserFree(parser);
  return trace;
}

std::string expanded(std::string_view uri, std::string_view local) {
  return uri.empty() ? std::string(local) : std::string(uri) + kSeparator + std::string(local);
}

Trace by_scanner(const std::string& document) {
  Trace trace;
  static XmlScanner scanner;
  scanner.reset(document);
  for (;;) {
    switch (scanner.next()) {
      case XmlScanner::Token::start:
        trace.flush();
        trace.events += "S " + expanded(scanner.uri(), scanner.local()) + "\n";
        for (const auto& a : scanner.attributes()) {
          trace.events += "A " + expanded(a.uri, a.local) + "=" + std::string(a.value) + "\n";
        }
        break;
      case XmlScanner::Token::end:
        trace.flush();
        trace.events += "E\n";
        break;
      case XmlScanner::Token::text:
        if (scanner.text().empty()) FAIL_CHECK("an empty piece of text");
        trace.text += scanner.text();
        break;
      case XmlScanner::Token::done:
        trace.accepted = true;
        return trace;
      case XmlScanner::Token::error:
        if (scanner.error().offset > document.size() || scanner.error().reason.empty()) {
          FAIL_CHECK("an error without a place or reason");
        }
        return trace;
    }
  }
}

struct Tally {
  int compared = 0;
  int accepted = 0;
  int refused_by_expat = 0;
  int stricter = 0;

  void compare(const std::string& document) {
    const Trace ours = by_scanner(document);
    const Trace theirs = by_expat(document);
    ++compared;
    accepted += ours.accepted;
    refused_by_expat += !theirs.accepted;
    stricter += theirs.accepted && !ours.accepted;
    if (ours.accepted && (!theirs.accepted || ours.events != theirs.events)) {
      FAIL_CHECK("expat disagrees about: " << document);
    }
  }
};

const std::vector<std::string>& small_seeds() {
  static const std::vector<std::string> all = {
      "<a/>",
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes' ?><a>x</a>",
      "\xEF\xBB\xBF<a b='1' c=\"2\">t&amp;&#65;&#x1F600;<![CDATA[<x>]]]]>&lt;</a>\n<!-- end -->",
      "<p:a xmlns:p='u:1' xmlns='u:2' p:x='1' x='2'><b xmlns=''/><p:c>\r\nt\rt\n</p:c></p:a>",
      "<a xml:lang='de' xmlns:q='u&amp;v' q:y=' a\tb\r\nc&#10;d '><?pi some data?><b/>]]&gt;</a>",
      "<a><b><c><d e='&quot;&apos;'>\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80</d></c></b></a>",
      "<\xC3\xA4 \xC3\xB6='1'>\xCC\x80</\xC3\xA4>",
      "<a xmlns:p='u' xmlns:q='u'><b p:x='1' q:y='2'/></a>",
  };
  return all;
}

// The small ones, all XML files of the bundles, those that must be refused among them, and what is
// kept of fuzzing.
std::vector<std::string> seeds() {
  std::vector<std::string> all = small_seeds();
  const std::filesystem::path root = FLORA_SOURCE_DIR;
  for (const char* folder :
       {"adapters", "tests/fuzz/adapter_soap_corpus", "tests/fuzz/xml_scanner_corpus"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const bool fixture = entry.path().extension() == ".xml";
      if (!entry.is_regular_file() || !(fixture || root / folder == entry.path().parent_path()))
        continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << file.rdbuf();
      all.push_back(bytes.str());
    }
  }
  return all;
}

const std::vector<std::string>& snippets() {
  static const std::vector<std::string> all = {"<",
                                               ">",
                                               "&",
                                               "]]>",
                                               "--",
                                               "<!--",
                                               "-->",
                                               "<?",
                                               "?>",
                                               "<?xml version='1.0'?>",
                                               "<![CDATA[",
                                               "<!DOCTYPE a>",
                                               "<!DOCTYPE a [<!ENTITY x 'y'>]>",
                                               "&x;",
                                               "&#0;",
                                               "&#xD800;",
                                               "&#xFFFE;",
                                               "&#x110000;",
                                               "&#99999999999;",
                                               "&#;",
                                               "&#x;",
                                               "&amp",
                                               "xmlns=''",
                                               "xmlns:p=''",
                                               " xmlns:xml='u'",
                                               " xmlns:xmlns='u'",
                                               " xmlns:p='http://www.w3.org/XML/1998/namespace'",
                                               " xmlns:p='http://www.w3.org/2000/xmlns/'",
                                               " xmlns='http://www.w3.org/XML/1998/namespace'",
                                               ":",
                                               "::",
                                               "a:b",
                                               " a='1' a='2'",
                                               "'",
                                               "\"",
                                               "=",
                                               "/",
                                               std::string(1, '\0'),
                                               "\x01",
                                               "\x7F",
                                               "\xC0\x80",
                                               "\xED\xA0\x80",
                                               "\xEF\xBF\xBE",
                                               "\xEF\xBF\xBF",
                                               "\xF4\x90\x80\x80",
                                               "\xFF",
                                               "\xEF\xBB\xBF",
                                               "\r",
                                               "\r\n",
                                               "\t",
                                               " ",
                                               "-",
                                               ".",
                                               "0",
                                               "<a",
                                               "</a>",
                                               "<a/>",
                                               "x",
                                               "\xC3\x97",
                                               "\xC2\xB7",
                                               "\xE2\x80\xBF",
                                               "xml:",
                                               "xmlns:",
                                               "<p:x/>",
                                               "<?XML x?>",
                                               "<?p:i?>",
                                               "<?p?>"};
  return all;
}

// Puts in, replaces, takes away or repeats a piece of a document.
void mutate(std::string& document, std::mt19937& random) {
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t at = pick(document.size() + 1);
  const std::string& snippet = snippets()[pick(snippets().size())];
  switch (pick(4)) {
    case 0:
      document.insert(at, snippet);
      break;
    case 1:
      document.replace(at, snippet.size(), snippet);
      break;
    case 2:
      document.erase(at, 1 + pick(20));
      break;
    default:
      document.insert(at, document.substr(pick(document.size() + 1), 1 + pick(40)));
  }
}

}  // namespace

TEST_CASE("each seed is read as expat reads it") {
  Tally tally;
  for (const std::string& seed : small_seeds()) CHECK(by_scanner(seed).accepted);
  for (const std::string& seed : seeds()) tally.compare(seed);
  CHECK(tally.accepted > 80);
  CHECK(tally.accepted == tally.compared - tally.refused_by_expat - tally.stricter);
}

TEST_CASE("what expat refuses is refused: every prefix of every seed") {
  Tally tally;
  for (const std::string& seed : seeds()) {
    const std::size_t step = test::kSlowBuild ? 29 : seed.size() > 4096 ? 7 : 1;
    for (std::size_t n = 0; n < seed.size(); n += step) tally.compare(seed.substr(0, n));
  }
  MESSAGE(tally.compared << " compared, " << tally.refused_by_expat << " refused by expat");
}

TEST_CASE("what expat refuses is refused: every snippet at every place of the small seeds") {
  Tally tally;
  for (const std::string& seed : small_seeds()) {
    for (std::size_t at = 0; at <= seed.size(); ++at) {
      for (const std::string& snippet : snippets()) {
        tally.compare(seed.substr(0, at) + snippet + seed.substr(at));
        if (at + snippet.size() <= seed.size()) {
          tally.compare(seed.substr(0, at) + snippet + seed.substr(at + snippet.size()));
        }
      }
      tally.compare(seed.substr(0, at) + seed.substr(std::min(at + 1, seed.size())));
    }
  }
  MESSAGE(tally.compared << " compared, " << tally.accepted << " accepted, "
                         << tally.refused_by_expat << " refused by expat, " << tally.stricter
                         << " refused by us alone");
}

TEST_CASE("what expat refuses is refused: every seed with one to three mutations") {
  std::mt19937 random(20261126);
  Tally tally;
  for (const std::string& seed : seeds()) {
    for (int round = 0; round < 200; ++round) {
      std::string document = seed;
      for (int n = round % 3; n >= 0; --n) mutate(document, random);
      tally.compare(document);
    }
  }
  CHECK(tally.accepted > 500);
  CHECK(tally.refused_by_expat > 500);
  MESSAGE(tally.compared << " compared, " << tally.accepted << " accepted, "
                         << tally.refused_by_expat << " refused by expat, " << tally.stricter
                         << " refused by us alone");
}

TEST_CASE("what expat refuses is refused: random documents") {
  std::mt19937 random(20261122);
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  static const std::vector<std::string> grammar = {"<a>",
                                                   "</a>",
                                                   "<b x='1'>",
                                                   "</b>",
                                                   "<p:a xmlns:p='u'>",
                                                   "</p:a>",
                                                   "<c/>",
                                                   "<p:d p:y='&lt;'/>",
                                                   "text",
                                                   "&amp;",
                                                   "<a xmlns='v'>",
                                                   "<![CDATA[c]]>",
                                                   "<!--c-->",
                                                   "<?i d?>",
                                                   "\n",
                                                   "<b xmlns:q='u' q:x='' p:x=''/>",
                                                   "&#228;"};
  Tally tally;
  for (int round = 0; round < 60000; ++round) {
    std::string document;
    std::vector<std::string> open;
    for (std::size_t n = 1 + pick(12); n > 0; --n) {
      if (pick(12) == 0) {
        document += snippets()[pick(snippets().size())];
      } else if (!open.empty() && pick(3) == 0) {
        document += open.back();
        open.pop_back();
      } else {
        const std::string& piece = grammar[pick(grammar.size())];
        document += piece;
        if (piece.front() == '<' && piece.find("/") == std::string::npos && piece[1] != '!' &&
            piece[1] != '?') {
          open.push_back("</" + piece.substr(1, piece.find_first_of(" >") - 1) + ">");
        }
      }
    }
    for (; !open.empty(); open.pop_back()) document += open.back();
    tally.compare(pick(2) == 0 ? document : "<r xmlns:p='w'>" + document + "</r>");
  }
  CHECK(tally.accepted > 1000);
  MESSAGE(tally.compared << " compared, " << tally.accepted << " accepted, "
                         << tally.refused_by_expat << " refused by expat, " << tally.stricter
                         << " refused by us alone");
}

TEST_CASE("every character is allowed in names and text only where expat allows it") {
  Tally tally;
  for (std::uint32_t c = 1; c < 0x11000; c += c < 0x3200 ? 1 : 13) {
    std::string utf8;
    if (c < 0x80) {
      utf8 = std::string(1, static_cast<char>(c));
    } else if (c < 0x800) {
      utf8 = {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      utf8 = {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      utf8 = {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)),
              static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
    tally.compare("<" + utf8 + "/>");
    tally.compare("<a" + utf8 + "/>");
    tally.compare("<a>" + utf8 + "</a>");
    tally.compare("<a b='" + utf8 + "'/>");
  }
  CHECK(tally.accepted > 20000);
}

}  // namespace flora::adapter
