#include "text/word_table.h"

#include <algorithm>
#include <cstring>

namespace zp {

// Eight bytes at a time, multiplied and folded.
std::uint64_t WordTable::hash_of(std::string_view word) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = word.size() * kFactor;
  const char* p = word.data();
  for (std::size_t rest = word.size(); rest > 0;) {
    const std::size_t bytes = std::min<std::size_t>(rest, sizeof hash);
    std::uint64_t part = 0;
    std::memcpy(&part, p, bytes);
    hash = (hash ^ part) * kFactor;
    hash ^= hash >> 29;
    p += bytes;
    rest -= bytes;
  }
  return hash ^ hash >> 32;
}

std::size_t WordTable::place_of(std::string_view word, std::uint64_t hash) const {
  std::size_t place = hash & (slots_.size() - 1);
  for (;; place = (place + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[place];
    if (slot.id == kNone) return place;
    if (slot.hash == hash && slot.bytes == word.size() &&
        std::memcmp(text_.data() + slot.begin, word.data(), word.size()) == 0) {
      return place;
    }
  }
}

void WordTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id == kNone) continue;
    std::size_t place = slot.hash & (slots_.size() - 1);
    while (slots_[place].id != kNone) place = (place + 1) & (slots_.size() - 1);
    slots_[place] = slot;
  }
}

void WordTable::add(std::string_view word, TokenId id) {
  if (word.empty()) return;
  if ((count_ + 1) * 2 > slots_.size()) grow();
  const std::uint64_t hash = hash_of(word);
  Slot& slot = slots_[place_of(word, hash)];
  if (slot.id != kNone) return;
  slot = {hash, text_.size(), static_cast<std::uint32_t>(word.size()), id};
  text_ += word;
  ++count_;
  longest_ = std::max(longest_, word.size());
}

}  // namespace zp
