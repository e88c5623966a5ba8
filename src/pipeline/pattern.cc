#include "pipeline/pattern.h"

#include <algorithm>
#include <charconv>

namespace zp {

std::string use_name(const TensorUse& use) {
  std::string name = use.place.layer < 0 ? "" : "layers." + std::to_string(use.place.layer) + ".";
  name += role_name(use.place.role);
  return use.part == Part::bias ? name + ".bias" : name;
}

namespace {

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

// "A-B" at the head of the pattern against the number at the head of the name.
bool range_matches(std::string_view part, std::string_view name_part) {
  const std::size_t dash = part.find('-');
  if (dash == std::string_view::npos) return false;
  const std::int64_t first = number(part.substr(0, dash));
  const std::int64_t last = number(part.substr(dash + 1));
  const std::int64_t value = number(name_part);
  return first >= 0 && last >= 0 && value >= first && value <= last;
}

// Iterative, with one point to fall back to: no pattern can make it slow.
bool glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    const bool part_begins = (p == 0 || pattern[p - 1] == '.') && (n == 0 || name[n - 1] == '.');
    const std::string_view part = pattern.substr(p, pattern.find('.', p) - p);
    const std::string_view name_part = name.substr(n, name.find('.', n) - n);
    if (part_begins && range_matches(part, name_part)) {
      p += part.size();
      n += name_part.size();
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Whether one of the alternatives is such that `is(alternative)`.
template <class Is>
bool any_of_alternatives(std::string_view pattern, Is is) {
  for (std::size_t begin = 0; begin <= pattern.size();) {
    const std::size_t end = std::min(pattern.find(',', begin), pattern.size());
    if (is(pattern.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

bool matches_one(std::string_view one, const TensorUse& use) {
  return (one == role_name(use.place.role) && use.part == Part::weight) ||
         glob(one, use_name(use)) || glob(one, use.hf);
}

// "ffn_down" and "mlp.down_proj" are ends of names, from a dot on, without ".weight".
bool ends_name(std::string_view one, std::string_view name) {
  constexpr std::string_view kWeight = ".weight";
  if (one.empty() || !name.ends_with(kWeight)) return false;
  name.remove_suffix(kWeight.size());
  return name == one || (name.ends_with(one) && name[name.size() - one.size() - 1] == '.');
}

bool names(std::string_view one, const TensorUse& use) {
  if (matches_one(one, use)) return true;
  for (const World world : {World::hf, World::gguf, World::mlx}) {
    if (glob(one, use.name(world)) || ends_name(one, use.name(world))) return true;
  }
  return false;
}

}  // namespace

bool matches(std::string_view pattern, const TensorUse& use) {
  return pattern.empty() ||
         any_of_alternatives(pattern, [&](std::string_view one) { return matches_one(one, use); });
}

Asked::Asked(const Model& model) {
  if (!model.decoder.tied) return;
  Decoder untied = model.decoder;
  untied.tied = false;
  for (TensorUse& use : tensor_uses(*model.architecture, untied)) {
    if (use.place.role == Role::head && use.part == Part::weight) tied_head_ = std::move(use);
  }
}

bool Asked::operator()(std::string_view pattern, const TensorUse& use) const {
  return any_of_alternatives(pattern, [&](std::string_view one) {
    return names(one, use) ||
           (tied_head_ && use.place.role == Role::embedding && names(one, *tied_head_));
  });
}

}  // namespace zp
