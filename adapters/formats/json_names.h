// The member names of the objects that are open while a JSON text is read, to find names that occur
// twice in one object: a walk over few names, a hash table for many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flora::adapter {

/// After warm-up it allocates nothing. Not thread-safe.
class JsonNames {
 public:
  void reset();

  void open_object();
  /// Forgets the names of the innermost object.
  void close_object();

  /// How many names the innermost object has.
  std::size_t count() const { return names_.size() - objects_.back().names; }

  /// Adds a name to the innermost object. False if it is there already. A name must outlive its
  /// object, or be copied.
  bool add(std::string_view name);
  bool add_copy(std::string_view name);

 private:
  struct Name {
    std::uint64_t hash;
    const char* text;  // Nothing: a copy, which begins in copies_ at `copy`.
    std::size_t copy;
    std::size_t size;
  };
  // Where the object's part of each stack begins.
  struct Object {
    std::size_t names;
    std::size_t copies;
    std::size_t slots;
    std::uint64_t seen;  // A bit for each hash: where it is not set, no name has such a hash.
  };

  std::string_view text_of(const Name& name) const;
  bool known(std::string_view text, std::uint64_t hash) const;
  bool same(const Name& name, std::string_view text, std::uint64_t hash) const;
  void enter(const Name& name);
  void rebuild_slots(std::size_t size);

  std::vector<Object> objects_;
  std::vector<Name> names_;
  std::string copies_;
  // Tables with open addressing; the innermost object's is the last. A slot holds the number of a
  // name within its object, from 1; 0 is free.
  std::vector<std::uint32_t> slots_;
};

}  // namespace flora::adapter
