// A hash table from 64-bit keys to 64-bit values in one array: what merging looks up for every pair
// of neighbours.
#pragma once

#include <cstdint>
#include <vector>

namespace zp {

class FlatMap {
 public:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};  ///< no key and no value

  /// A key that is there gets the new value.
  void set(std::uint64_t key, std::uint64_t value) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place_of(key)];
    if (slot.key == kNone) ++count_;
    slot = {key, value};
  }
  /// kNone where the key isn't there.
  std::uint64_t get(std::uint64_t key) const {
    return slots_.empty() ? kNone : slots_[place_of(key)].value;
  }

 private:
  struct Slot {
    std::uint64_t key = kNone;
    std::uint64_t value = kNone;
  };

  std::size_t place_of(std::uint64_t key) const {
    std::uint64_t hash = key * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    std::size_t place = hash & (slots_.size() - 1);
    while (slots_[place].key != key && slots_[place].key != kNone) {
      place = (place + 1) & (slots_.size() - 1);
    }
    return place;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != kNone) slots_[place_of(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most half used
  std::size_t count_ = 0;
};

}  // namespace zp
