#include "text/character_map.h"

#include <cstring>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::uint32_t kLabel = 1u << 31 | 0xFF;

std::size_t offset(std::uint32_t unit) {
  return static_cast<std::size_t>(unit >> 10) << ((unit & 1u << 9) >> 6);
}

}  // namespace

CharacterMap::CharacterMap(std::string_view blob, const std::string& where) {
  if (blob.empty()) return;
  std::uint32_t bytes = 0;
  if (blob.size() < sizeof bytes) throw Error(where, "map of characters is cut off");
  std::memcpy(&bytes, blob.data(), sizeof bytes);
  blob.remove_prefix(sizeof bytes);
  if (bytes == 0 || bytes % 4 != 0 || bytes > blob.size() || blob.back() != '\0') {
    throw Error(where, "map of characters is damaged",
                "a trie and replacements that end with a zero byte",
                std::to_string(bytes) + " of " + std::to_string(blob.size()) + " bytes");
  }
  units_.resize(bytes / 4);
  std::memcpy(units_.data(), blob.data(), bytes);
  replacements_ = blob.substr(bytes);
}

std::string_view CharacterMap::replacement(std::size_t place) const {
  if (place >= replacements_.size()) return {};
  return std::string_view(replacements_).substr(place, replacements_.find('\0', place) - place);
}

std::optional<CharacterMap::Replacement> CharacterMap::find(std::string_view text,
                                                            bool stop_at_first) const {
  std::optional<Replacement> found;
  if (empty()) return found;
  std::size_t node = offset(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size() || (units_[node] & kLabel) != byte) break;
    const std::uint32_t unit = units_[node];
    node ^= offset(unit);
    if ((unit >> 8 & 1) == 0) continue;
    if (node >= units_.size()) break;
    found = {i + 1, replacement(units_[node] & ~(1u << 31))};
    if (stop_at_first) break;
  }
  return found;
}

std::optional<CharacterMap::Replacement> CharacterMap::longest(std::string_view text) const {
  return find(text, false);
}

std::optional<CharacterMap::Replacement> CharacterMap::shortest(std::string_view text) const {
  return find(text, true);
}

}  // namespace zp
