#include "text/normalize.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/utf8.h"

namespace zp {
namespace {

constexpr std::size_t kSmallGrapheme = 6;  // of more bytes, `tokenizers` maps the characters alone

// Below this no character changes or joins with the one before it.
char32_t first_changed(Normalizer form) {
  return form == Normalizer::nfc ? 0x300 : form == Normalizer::nfd ? 0xC0 : 0xA0;
}

bool all_below(std::string_view text, char32_t limit) {
  for (std::size_t i = 0; i < text.size();) {
    if (next_code_point(text, i) >= limit) return false;
  }
  return true;
}

std::string normal_form(const std::string& text, Normalizer form) {
  if (all_below(text, first_changed(form))) return text;
  int options = UTF8PROC_STABLE;
  options |=
      form == Normalizer::nfd || form == Normalizer::nfkd ? UTF8PROC_DECOMPOSE : UTF8PROC_COMPOSE;
  if (form == Normalizer::nfkc || form == Normalizer::nfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t bytes = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(text.size()), &out, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, &std::free);
  if (bytes == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (bytes < 0) throw Error("text", std::string("can't be normalized: ") + utf8proc_errmsg(bytes));
  return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(bytes)};
}

// Character by character, without regard to what stands around it.
std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (c == 0x130) {  // the one character whose lower case is two
      lower += "i\xCC\x87";
    } else {
      append_utf8(lower, static_cast<char32_t>(utf8proc_tolower(static_cast<int>(c))));
    }
  }
  return lower;
}

std::string strip(std::string_view text, bool left, bool right) {
  std::size_t begin = text.size(), end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t place = i;
    if (is_white_space(next_code_point(text, i))) continue;
    begin = std::min(begin, place);
    end = i;
  }
  if (!left) begin = 0;
  if (!right) end = text.size();
  return std::string(begin < end ? text.substr(begin, end - begin) : std::string_view());
}

std::string join_spaces(std::string_view text) {
  std::string joined;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t run = std::min(text.find_first_not_of(' ', i), text.size()) - i;
    if (run > 1) {
      joined += kSpaceMark;
      i += run;
    } else {
      joined += text[i++];
    }
  }
  return joined;
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string mark_spaces(std::string_view text) {
  std::string marked;
  marked.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      marked += kSpaceMark;
    } else {
      marked += c;
    }
  }
  return marked;
}

TextNormalizer::TextNormalizer(const Tokenizer& tokenizer, const std::string& where)
    : normalizers_(tokenizer.normalizers),
      marks_(tokenizer.space_marks),
      prefix_(tokenizer.space_prefix),
      remove_extra_whitespaces_(tokenizer.remove_extra_whitespaces),
      map_(tokenizer.character_map, where) {
  const bool spaces_stay =
      tokenizer.kind == TokenizerKind::byte_bpe || tokenizer.kind == TokenizerKind::plain_bpe;
  if (spaces_stay) marks_ = SpaceMarks::none;
  for (const AddedToken& token : tokenizer.added) {
    if (token.normalized && marks_ == SpaceMarks::sentencepiece) unchanged_.set(token.text, 0);
  }
}

std::string TextNormalizer::operator()(std::string_view piece, bool at_start) const {
  if (marks_ == SpaceMarks::sentencepiece) return sentencepiece(piece, at_start);
  std::string text = normal_forms(std::string(piece));
  if (marks_ != SpaceMarks::normalizer) return text;
  const bool prefix = !text.empty() && (prefix_ == SpacePrefix::always ||
                                        (prefix_ == SpacePrefix::first && at_start));
  return (prefix ? std::string(kSpaceMark) : std::string()) + mark_spaces(text);
}

std::string TextNormalizer::added_token(const std::string& text) const {
  return marks_ == SpaceMarks::sentencepiece ? text : (*this)(text, true);
}

std::string TextNormalizer::normal_forms(std::string text) const {
  for (const Normalizer normalizer : normalizers_) {
    switch (normalizer) {
      case Normalizer::nfc:
      case Normalizer::nfd:
      case Normalizer::nfkc:
      case Normalizer::nfkd:
        text = normal_form(text, normalizer);
        break;
      case Normalizer::lowercase:
        text = lower_case(text);
        break;
      case Normalizer::character_map:
        text = map_graphemes(text);
        break;
      case Normalizer::strip_left:
        text = strip(text, true, false);
        break;
      case Normalizer::strip_right:
        text = strip(text, false, true);
        break;
      case Normalizer::join_spaces:
        text = join_spaces(text);
        break;
    }
  }
  return text;
}

std::string TextNormalizer::map_graphemes(std::string_view text) const {
  std::string mapped;
  const auto map_characters = [&](std::string_view grapheme) {
    if (grapheme.size() < kSmallGrapheme) {
      if (const auto found = map_.shortest(grapheme)) {
        mapped += found->by;
        return;
      }
    }
    for (std::size_t i = 0; i < grapheme.size();) {
      const std::size_t begin = i;
      next_code_point(grapheme, i);
      const std::string_view character = grapheme.substr(begin, i - begin);
      const auto found = map_.shortest(character);
      mapped += found ? found->by : character;
    }
  };
  std::size_t begin = 0;
  utf8proc_int32_t state = 0, last = -1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t place = i;
    const auto c = static_cast<utf8proc_int32_t>(next_code_point(text, i));
    if (last >= 0 && utf8proc_grapheme_break_stateful(last, c, &state)) {
      map_characters(text.substr(begin, place - begin));
      begin = place;
    }
    last = c;
  }
  if (begin < text.size()) map_characters(text.substr(begin));
  return mapped;
}

// What the text begins with: an added token, an entry of the map, or a character.
CharacterMap::Replacement TextNormalizer::sentencepiece_unit(std::string_view text) const {
  std::size_t added = 0;
  unchanged_.prefixes(text, 0, [&](std::size_t bytes, std::uint64_t) { added = bytes; });
  if (added > 0) return {added, text.substr(0, added)};
  if (const auto found = map_.longest(text)) return *found;
  std::size_t bytes = 0;
  next_code_point(text, bytes);
  return {bytes, text.substr(0, bytes)};
}

std::string TextNormalizer::sentencepiece(std::string_view text, bool at_start) const {
  const bool joins = remove_extra_whitespaces_;
  std::string out;
  bool after_space = joins;
  while (joins && !text.empty()) {
    const CharacterMap::Replacement unit = sentencepiece_unit(text);
    if (unit.by != " ") break;
    text.remove_prefix(unit.bytes);
  }
  if (text.empty()) return out;
  if (prefix_ == SpacePrefix::always || (prefix_ == SpacePrefix::first && at_start))
    out += kSpaceMark;
  while (!text.empty()) {
    const CharacterMap::Replacement unit = sentencepiece_unit(text);
    std::string_view by = unit.by;
    while (after_space && !by.empty() && by.front() == ' ') by.remove_prefix(1);
    out += mark_spaces(by);
    if (!by.empty()) after_space = joins && by.back() == ' ';
    text.remove_prefix(unit.bytes);
  }
  while (joins && out.size() >= kSpaceMark.size() &&
         out.compare(out.size() - kSpaceMark.size(), kSpaceMark.size(), kSpaceMark) == 0) {
    out.resize(out.size() - kSpaceMark.size());
  }
  return out;
}

}  // namespace zp
