// Start here. An adapter translates one native message of a state's software into canonical status
// events. It is data, not code: a bundle is a folder with adapter.yaml, code lists (*.map.csv),
// fixtures and a README, compiled when the gateway starts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace flora::adapter {

/// Where something stands in the sender's own message.
struct Location {
  int line = 0;      ///< From 1; 0 when it concerns the message as a whole.
  int column = 0;    ///< From 1, in characters.
  std::string path;  ///< As the format names places: an XPath, a JSON Pointer, a column.
};

/// Why an item was rejected or skipped. No text of the message stands in it: a value is shown by
/// its shape only (digits as 9, letters as a or A).
struct Issue {
  std::string code;    ///< Kebab case, such as `value-malformed`; the adapters' README lists all.
  std::string detail;  ///< One English sentence.
  Location at;
  std::string rule;  ///< Where the rule stands: "adapter.yaml:line:column".
};

/// What became of one item (such as one person of a message).
struct Item {
  enum class Outcome { event, rejected, skipped };
  Outcome outcome = Outcome::event;
  std::size_t number = 0;  ///< Counts the message's items from 0, in message order.
  std::string event;       ///< Outcome::event: the canonical status event, JSON text.
  /// The bytes that this item came from, a view into the message. Where the events of one message
  /// share its header and dates (XML), it is the whole message, the same view for all items.
  std::string_view native_record;
  /// What the record means besides: the line that names the columns of its file, if there is one.
  std::string_view native_header;
  /// Which item of its record it is, by the place of its row within the record, and its number
  /// among those of the row. Two events of one record are two, even if the sender calls them the
  /// same.
  std::size_t native_row = 0;
  std::size_t native_number = 0;
  std::vector<Issue> issues;  ///< rejected: at least one. skipped: the reason.
  Location at;
};

/// Either all items, in message order, or the reasons why the message as a whole was rejected.
struct Translation {
  std::vector<Item> items;
  std::vector<Issue>
      rejection;  ///< Not empty: the message as a whole was rejected, items is empty.
  /// Counts of the items by outcome, also where `items` does not hold them.
  std::size_t events = 0;
  std::size_t rejected = 0;
  std::size_t skipped = 0;

  std::size_t count() const { return events + rejected + skipped; }
};

/// One message on its way through an adapter, item by item. It may outlive neither the adapter nor
/// the message. Not thread-safe; may move from thread to thread.
class Cursor {
 public:
  ~Cursor();
  Cursor(Cursor&&) noexcept;

  /// Makes the next item, in message order; `item` is used again and again, so that nothing is
  /// allocated per event. False at the end, or when the message as a whole turns out to be
  /// rejected: rejection() then says why.
  bool next(Item& item);
  const std::vector<Issue>& rejection() const;

 private:
  friend class Adapter;
  struct State;
  explicit Cursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Identity and content hash of a bundle.
struct BundleInfo {
  std::string id;       ///< Such as `de-ni-xauslaender`.
  std::string version;  ///< Such as `1.0.0`.
  std::string hash;     ///< SHA-256 of adapter.yaml and the code lists, 64 hexadecimal digits.
  std::string land;     ///< Such as `DE-NI`.
  std::string title;
  std::string format;                    ///< Such as `xml`.
  std::vector<std::string> media_types;  ///< Such as `application/xml`; the first is the usual one.
  std::string charset;                   ///< Such as `iso-8859-1`; `utf-8` for XML, SOAP and JSON.
  std::size_t most_bytes = 0;            ///< Of a message.
  bool simulation = false;               ///< The dialect is invented (see the bundle's README).
  std::vector<std::string> code_lists;   ///< "list version", sorted.
};

/// The texts that a bundle is compiled from, by file name: adapter.yaml and the code lists.
using BundleTexts = std::map<std::string, std::string>;

/// Their hash, as BundleInfo has it.
std::string hash_of(const BundleTexts& texts);

/// What a canonical event may say, as far as the compiler cannot know it by itself.
struct CanonicalTypes {
  enum class Kind : std::uint8_t { text, word, day, instant, time, integer, boolean, code };
  /// A member of the details.
  struct Detail {
    std::string name;
    bool required = false;
    Kind kind = Kind::text;
    bool list = false;                    ///< It takes a list of these.
    std::vector<std::string> words = {};  ///< Kind::word: all that it may be.
  };
  struct Status {
    std::string name;  ///< Such as `BESCHEID_ERLASSEN`.
    std::vector<Detail> details = {};
  };
  std::vector<Status> statuses;
};

struct TracedTranslation;  // trace.h

/// A compiled bundle. Immutable and thread-safe.
class Adapter {
 public:
  /// Compiles the bundle in `folder`. Errors: invalid, with all errors of the bundle, one per line,
  /// each "file:line:column: what [number]" (lint.h gives them as values). With `types`, statuses
  /// and the members of their details are checked too; it is read during the call only.
  static Result<std::unique_ptr<Adapter>> load(const std::string& folder,
                                               const CanonicalTypes* types = nullptr);
  ~Adapter();

  const BundleInfo& info() const;
  const BundleTexts& texts() const;

  /// Translates one message as a whole, and judges it as a whole: its form, its end, and the share
  /// of rejected items that the bundle allows. Of a message with more than `keep` items, only the
  /// counts are kept. The same bytes give the same result, always: no clock, no network, no locale,
  /// no time zone of the machine.
  Translation translate(std::string_view message,
                        std::size_t keep = static_cast<std::size_t>(-1)) const;

  /// Translates once more, item by item, what translate() did not reject.
  Cursor open(std::string_view message) const;

  /// translate(), and how each value of the first items came about.
  TracedTranslation trace(std::string_view message) const;

 private:
  friend class Cursor;
  struct Compiled;
  explicit Adapter(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace flora::adapter
