#include "gateway/store/keys_in_use.h"

#include <algorithm>
#include <utility>

#include "gateway/model/ids.h"
#include "gateway/store/key_uses.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

constexpr std::string_view kFirst = "FIRST";
constexpr std::string_view kLookup = "LOOKUP";
constexpr std::string_view kWrapping = "WRAPPING";

// So many values of earlier rows are tried: one that opens shows that the secret is the right one,
// although another may be damaged.
constexpr std::int64_t kTried = 8;

struct Row {
  std::int64_t number = 0;
  std::string use;
  std::string id;
  std::string proof;
};

Result<std::vector<Row>> read_rows(sql::Database& database) {
  FLORA_ASSIGN(auto select,
               database.prepare("SELECT n, use, id, proof FROM mapping_key ORDER BY n"));
  std::vector<Row> rows;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return rows;
    rows.push_back({select.integer(0), std::string(select.text(1)), std::string(select.text(2)),
                    std::string(as_text(select.blob(3)))});
  }
}

std::string text_of(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += std::to_string(row.number) + ' ' + row.use + ' ' + row.id + ' ';
    text += std::to_string(row.proof.size()) + ' ' + row.proof + '\n';
  }
  return text;
}

std::optional<std::size_t> place_of(const std::vector<std::string>& ids, const std::string& id) {
  const auto at = std::ranges::find(ids, id);
  if (at == ids.end()) return std::nullopt;
  return static_cast<std::size_t>(at - ids.begin());
}

std::optional<std::size_t> place_of(const std::vector<std::optional<std::int64_t>>& numbers,
                                    std::int64_t number) {
  const auto at = std::ranges::find(numbers, std::optional(number));
  if (at == numbers.end()) return std::nullopt;
  return static_cast<std::size_t>(at - numbers.begin());
}

// The ids are the operator's names; of the keys themselves nothing is told.
std::string name_of(std::string_view use, const std::string& id) {
  return (use == kLookup ? "lookup key \"" : "wrapping key \"") + id + '"';
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const std::string& one : sentences) out += (out.empty() ? "" : "; ") + one;
  return out;
}

// Fills a KeysInUse, and collects all that speaks against it. Writes in take() alone.
class Register {
 public:
  Register(sql::Database& database, std::shared_ptr<const MappingKeys> keys) : database_(database) {
    in_use_.lookup.resize(keys->lookup_ids().size());
    in_use_.wrapping.resize(keys->wrapping_ids().size());
    in_use_.keys = std::move(keys);
  }

  /// What is wrong.
  Result<std::vector<std::string>> look() {
    FLORA_ASSIGN(const std::vector<Row> rows, read_rows(database_));
    for (const Row& row : rows) FLORA_TRY(known(row));
    return against_;
  }

  Result<KeysInUse> take() {
    FLORA_TRY(agree());
    FLORA_TRY(prove_first());
    FLORA_TRY(add_current(kLookup, keys().lookup_ids().front(), in_use_.lookup.front()));
    FLORA_TRY(add_current(kWrapping, keys().wrapping_ids().front(), in_use_.wrapping.front()));
    FLORA_ASSIGN(const std::vector<Row> rows, read_rows(database_));
    in_use_.named = text_of(rows);
    return std::move(in_use_);
  }

  /// For who only reads: the current keys may have no number yet.
  Result<KeysInUse> read() {
    FLORA_TRY(agree());
    return std::move(in_use_);
  }

 private:
  const MappingKeys& keys() const { return *in_use_.keys; }

  Result<void> agree() {
    FLORA_ASSIGN(const std::vector<std::string> against, look());
    if (!against.empty()) return Error{Errc::invalid, "store.db: " + joined(against)};
    return {};
  }

  Result<void> known(const Row& row) {
    if (row.use == kFirst) return known_first(row);
    const bool is_lookup = row.use == kLookup;
    const auto place = place_of(is_lookup ? keys().lookup_ids() : keys().wrapping_ids(), row.id);
    if (!place) {
      against_.push_back("rows name the " + name_of(row.use, row.id) +
                         ", which the settings do not have");
      return {};
    }
    (is_lookup ? in_use_.lookup : in_use_.wrapping)[*place] = row.number;
    FLORA_ASSIGN(const bool same,
                 is_lookup ? same_lookup(*place, row) : same_wrapping(*place, row));
    if (!same)
      against_.push_back("the " + name_of(row.use, row.id) + " is not the one that rows name so");
    return {};
  }

  Result<bool> same_lookup(std::size_t place, const Row& row) const {
    return as_text(keys().lookup_check(place)) == row.proof;
  }

  Result<bool> same_wrapping(std::size_t place, const Row& row) const {
    const auto opened = keys().unwrap(place, row.proof, Uuid{});
    if (opened) return true;
    if (opened.error().code == Errc::corrupt) return false;
    return opened.error();
  }

  Result<void> known_first(const Row& row) {
    in_use_.first_rows = true;
    const auto place = keys().first_lookup();
    if (!place) {
      against_.push_back(
          "rows of an earlier version were made with the mapping_secret, which the settings do "
          "not have");
      return {};
    }
    const Digest check = keys().lookup_check(*place);
    FLORA_ASSIGN(const bool same,
                 row.proof.empty() ? opens_first() : Result<bool>(as_text(check) == row.proof));
    if (!same)
      against_.push_back("rows of an earlier version were made with another mapping_secret");
    return {};
  }

  // From now on one look is enough.
  Result<void> prove_first() {
    if (!in_use_.first_rows) return {};
    const Digest check = keys().lookup_check(*keys().first_lookup());
    FLORA_ASSIGN(auto update, database_.prepare("UPDATE mapping_key SET proof=? WHERE n=?"));
    return update.bind_blob(1, check).bind(2, kFirstKey).run();
  }

  Result<bool> opens_first() {
    FLORA_ASSIGN(auto select,
                 database_.prepare("SELECT i.type, p.pseudonym, i.value FROM identifier i JOIN "
                                   "procedure p ON p.n=i.procedure WHERE i.lookup_key=? LIMIT ?"));
    select.bind(1, kFirstKey).bind(2, kTried);
    bool any = false;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) return !any;
      any = true;
      const auto type = static_cast<IdentifierType>(select.integer(0));
      const auto value =
          keys().open_first_value(type, uuid_from_bytes(select.blob(1)), as_text(select.blob(2)));
      if (value) return true;
    }
  }

  Result<void> add_current(std::string_view use, const std::string& id,
                           std::optional<std::int64_t>& number) {
    if (number) return {};
    std::string proof;
    if (use == kLookup) {
      proof = as_text(keys().lookup_check(0));
    } else {
      FLORA_ASSIGN(proof, keys().wrap(keys().new_key(), Uuid{}));
    }
    FLORA_ASSIGN(
        auto insert,
        database_.prepare("INSERT INTO mapping_key(use, id, proof) VALUES(?,?,?) RETURNING n"));
    insert.bind_text(1, use).bind_text(2, id).bind_blob(3, as_bytes(proof));
    FLORA_ASSIGN(number, insert.run_for_number());
    return {};
  }

  sql::Database& database_;
  KeysInUse in_use_;
  std::vector<std::string> against_;
};

}  // namespace

std::vector<std::size_t> KeysInUse::lookup_places() const {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < lookup.size(); ++place) {
    if (lookup[place] || (first_rows && place == keys->first_lookup())) places.push_back(place);
  }
  return places;
}

std::optional<std::size_t> KeysInUse::lookup_place(std::int64_t number) const {
  return place_of(lookup, number);
}

std::optional<std::size_t> KeysInUse::wrapping_place(std::int64_t number) const {
  return place_of(wrapping, number);
}

bool KeysInUse::has_older() const {
  const auto in_use = [](const std::optional<std::int64_t>& one) { return one.has_value(); };
  return first_rows || std::ranges::count_if(lookup, in_use) > 1 ||
         std::ranges::count_if(wrapping, in_use) > 1;
}

Result<std::shared_ptr<const KeysInUse>> take_into_use(sql::Database& database,
                                                       std::shared_ptr<const MappingKeys> keys) {
  FLORA_TRY(database.begin());
  Result<KeysInUse> in_use = Register(database, std::move(keys)).take();
  const Result<void> done = in_use ? database.commit() : Result<void>(in_use.error());
  if (done) return std::make_shared<const KeysInUse>(std::move(*in_use));
  database.rollback();
  return done.error();
}

Result<std::shared_ptr<const KeysInUse>> take_up(sql::Database& database,
                                                 std::shared_ptr<const KeysInUse> in_use) {
  FLORA_ASSIGN(const std::vector<Row> rows, read_rows(database));
  if (text_of(rows) == in_use->named) return in_use;
  FLORA_ASSIGN(KeysInUse taken, Register(database, in_use->keys).take());
  return std::make_shared<const KeysInUse>(std::move(taken));
}

Result<std::shared_ptr<const KeysInUse>> look_up(sql::Database& database,
                                                 std::shared_ptr<const KeysInUse> in_use) {
  FLORA_ASSIGN(const std::vector<Row> rows, read_rows(database));
  if (text_of(rows) == in_use->named) return in_use;
  FLORA_ASSIGN(KeysInUse found, Register(database, in_use->keys).read());
  return std::make_shared<const KeysInUse>(std::move(found));
}

Result<std::vector<std::string>> key_mistakes(const sql::Place& place,
                                              std::shared_ptr<const MappingKeys> keys) {
  const auto database = sql::open(place, sql::Access::read);
  const bool is_new = !database && database.error().code == Errc::not_found;
  if (is_new) return std::vector<std::string>();
  if (!database) return database.error();
  FLORA_ASSIGN(const bool named, has_keys(**database));
  if (!named) return std::vector<std::string>();
  return Register(**database, std::move(keys)).look();
}

}  // namespace flora::store
