#include "container/genai_tokenizer.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/utf8.h"
#include "format/gguf_pre_tokenizers.h"
#include "text/decode.h"
#include "text/encode.h"
#include "text/split_family.h"
#include "text/tokenizer_files.h"

namespace zp {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kLineEnds = R"(\s*[\r\n]+)";

// ---- what is decided by looking at the parts

// "upon a tim", but not a run of spaces with or without a word behind it.
bool reaches_across_spaces(const Token& token) {
  std::string_view text = token.text;
  while (text.starts_with(kSpaceMark)) text.remove_prefix(kSpaceMark.size());
  return token.type == TokenType::normal && text.find(kSpaceMark) != std::string_view::npos;
}

// Those of llama.cpp's pre-tokenizers that it splits by as `tokenizers` does, but for line ends.
bool is_known(const std::string& regex) {
  constexpr std::array<std::string_view, 8> kNames = {
      "gpt-2",      "smollm", "llama-bpe", "qwen2", "qwen35", "tekken", "granite-embed-multi-97m",
      "deepseek-v3"};
  for (const gguf::PreTokenizer& row : gguf::pre_tokenizers()) {
    const bool holds = std::ranges::find(kNames, row.name) != kNames.end();
    if (holds && std::ranges::find(row.regexes, regex) != row.regexes.end()) return true;
  }
  return false;
}

bool has_all_bytes(const Tokenizer& t) {
  if (t.kind != TokenizerKind::byte_bpe) {
    return t.byte_fallback && std::ranges::count(t.tokens, TokenType::byte, &Token::type) == 256;
  }
  std::array<bool, 256> found{};
  const TokenDecoder decoder(t);
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    const std::string_view bytes = decoder.bytes(static_cast<TokenId>(id));
    if (bytes.size() == 1) found[static_cast<unsigned char>(bytes[0])] = true;
  }
  for (std::size_t byte = 0; byte < found.size(); ++byte) {
    const bool in_utf8 = byte < 0xC0 || (byte > 0xC1 && byte < 0xF5);
    if (in_utf8 && !found[byte]) return false;
  }
  return true;
}

// ---- what is decided by trying

Tokenizer without_extras(const Tokenizer& t) {
  Tokenizer bare = t;
  bare.added.clear();
  bare.normalizers.clear();
  bare.add_bos = bare.add_eos = false;
  if (t.kind == TokenizerKind::sentencepiece_bpe) bare.space_marks = SpaceMarks::normalizer;
  bare.space_prefix = SpacePrefix::never;
  return bare;
}

// A token that is a word, to which no merges lead.
bool misses_a_word(const Tokenizer& t) {
  if (t.ignore_merges) return false;
  Tokenizer whole = without_extras(t);
  const Encoder merged(whole, "tokenizer");
  whole.ignore_merges = true;
  const Encoder taken(whole, "tokenizer");
  const TokenDecoder decoder(whole);
  for (std::size_t i = 0; i < t.tokens.size(); ++i) {
    const std::string_view text = decoder.bytes(static_cast<TokenId>(i));
    if (t.tokens[i].type != TokenType::normal || text.empty() || !is_utf8(text)) continue;
    if (t.kind == TokenizerKind::sentencepiece_bpe &&
        (!text.starts_with(' ') || text.find(' ', 1) != text.npos))
      continue;
    const std::vector<TokenId> one = {static_cast<TokenId>(i)};
    if (merged.encode(text, false) != one && taken.encode(text, false) == one) return true;
  }
  return false;
}

// Such white space is one word there.
bool cuts_at_line_ends(const Tokenizer& t) {
  Tokenizer bare = without_extras(t);
  const Encoder cut(bare, "tokenizer");
  bare.split_regexes.clear();
  const Encoder whole(bare, "tokenizer");
  return std::ranges::any_of(
      std::array{" \n ", "  \n ", " \n  ", "\n \n ", " \n\n ", "\t\n\t", " \r\n ", "\n\n \n  "},
      [&](const char* text) { return cut.encode(text, false) != whole.encode(text, false); });
}

// Spaces before a word: there the last one belongs to the word.
bool joins_spaces(const Tokenizer& t) {
  const Encoder encoder(without_extras(t), "tokenizer");
  for (std::size_t spaces = 2; spaces <= 20; ++spaces) {
    for (char letter = 'a'; letter <= 'z'; ++letter) {
      std::vector<TokenId> cut = encoder.encode(std::string(spaces - 1, ' '), false);
      const std::string word = {' ', letter};
      const std::vector<TokenId> last = encoder.encode(word, false);
      cut.insert(cut.end(), last.begin(), last.end());
      if (encoder.encode(std::string(spaces - 1, ' ') + word, false) != cut) return true;
    }
  }
  return false;
}

using Lines = std::vector<std::string>;

void add_if(bool holds, const char* line, Lines& lines) {
  if (holds) lines.emplace_back(line);
}

void look_at_added_tokens(const Tokenizer& t, Lines& lines) {
  add_if(std::ranges::any_of(t.added, &AddedToken::lstrip),
         "spaces before added tokens that swallow them (it keeps those)", lines);
  add_if(std::ranges::any_of(t.added, &AddedToken::rstrip),
         "rare white space behind added tokens that swallow it (it knows spaces, tabs and line "
         "ends)",
         lines);
  add_if(std::ranges::any_of(t.added, &AddedToken::single_word),
         "words that hold an added token that only stands alone (it finds it there)", lines);
}

void look_at_byte_bpe(const Tokenizer& t, Lines& lines) {
  add_if(t.space_prefix != SpacePrefix::never, "every text (it puts no space in front)", lines);
  add_if(t.split_regexes.empty(),
         "text that words of several tokens reach across (it splits by GPT-2's regular expression)",
         lines);
  add_if(
      !std::ranges::all_of(t.split_regexes, is_known),
      "text that this tokenizer's regular expression splits (it has another dialect, and may not "
      "load it at all)",
      lines);
  const bool line_ends = std::ranges::any_of(t.split_regexes, [](const std::string& regex) {
    return regex.find(kLineEnds) != regex.npos;
  });
  add_if(line_ends && cuts_at_line_ends(t),
         "white space on both sides of a line end (it is one word there)", lines);
}

void look_at_sentencepiece(const Tokenizer& t, Lines& lines) {
  const bool prefix = t.space_prefix != SpacePrefix::never;
  add_if(!t.split_at_spaces && std::ranges::any_of(t.tokens, reaches_across_spaces),
         "words whose tokens reach across spaces (it cuts there first)", lines);
  add_if(prefix && t.space_marks == SpaceMarks::metaspace,
         "text that begins with a space (it puts another in front)", lines);
  add_if(t.space_prefix == SpacePrefix::first,
         "text right behind an added token (it puts a space in front of it)", lines);
  add_if(prefix && std::ranges::any_of(t.added, &AddedToken::normalized),
         "added tokens inside a text (the files look for them with a space in front)", lines);
  add_if(t.split_at_spaces || t.remove_extra_whitespaces || joins_spaces(t),
         "runs of spaces (it leaves the last one to the word behind)", lines);
}

}  // namespace

std::vector<std::string> genai_tokenizer_deviations(const Tokenizer& t) {
  if (t.kind == TokenizerKind::unigram)
    return {"every text (it makes a unigram tokenizer only for a few tokenizer classes)"};
  Lines lines;
  const bool lowers =
      std::ranges::find(t.normalizers, Normalizer::lowercase) != t.normalizers.end();
  add_if(lowers, "text that isn't in lower case (it doesn't make it so)", lines);
  add_if(
      std::ranges::any_of(t.normalizers, [](Normalizer n) { return n != Normalizer::lowercase; }),
      "text that isn't in Unicode's normal form (it doesn't normalize)", lines);
  add_if(t.kind == TokenizerKind::plain_bpe || !has_all_bytes(t),
         "unknown characters (it gives -1 for them)", lines);
  look_at_added_tokens(t, lines);
  if (t.kind == TokenizerKind::byte_bpe) look_at_byte_bpe(t, lines);
  if (t.kind == TokenizerKind::sentencepiece_bpe) look_at_sentencepiece(t, lines);
  add_if(t.kind != TokenizerKind::plain_bpe && misses_a_word(t),
         "words that are tokens but that no merges lead to", lines);
  return lines;
}

// ---- the file

namespace {

std::vector<std::string> split_by(const Json& source, std::string_view tokenizer_class) {
  std::vector<std::string> regexes;
  const Json splitter = source.value("pre_tokenizer", Json());
  const Json parts = splitter.is_object() ? splitter.value("pretokenizers", Json()) : Json();
  for (const Json& part : parts.is_array() ? parts : Json::array()) {
    if (part.value("type", "") != "Split" || !part["pattern"].contains("Regex")) continue;
    regexes.push_back(part["pattern"]["Regex"].get<std::string>());
  }
  if (!regexes.empty()) return regexes;
  const gguf::PreTokenizerName* llama3 = gguf::find_pre_tokenizer_name("llama-bpe");
  if (tokenizer_class.starts_with("Llama") && llama3 != nullptr)
    return {std::string(gguf::pre_tokenizer_of(*llama3).regexes[0])};
  return {std::string(kGpt2Regex)};
}

bool same_tokens(const Json& a, const Json& b) {
  if (!a.is_array() || a.size() != b.size()) return false;
  const auto has = [&](const Json& token) {
    return std::ranges::any_of(a, [&](const Json& other) {
      return other["id"] == token["id"] && other["content"] == token["content"] &&
             other.value("special", false) == token["special"];
    });
  };
  return std::ranges::all_of(b, has);
}

// Whether the decoder tells of U+2581, and whether of the space in front.
bool tells_of_spaces(const Json& decoder, bool prefix) {
  const Json parts = decoder.is_object() ? decoder.value("decoders", Json()) : Json();
  bool marks = false, strips = false;
  for (const Json& part : parts.is_array() ? parts : Json::array()) {
    const std::string type = part.value("type", "");
    const Json pattern = part.value("pattern", Json());
    if (type == "Replace" && pattern.is_object() &&
        pattern.value("String", Json()) == std::string(kSpaceMark))
      marks = true;
    if (type == "Strip" && part.value("content", Json()) == " ") strips = true;
  }
  return marks && strips == prefix;
}

}  // namespace

std::optional<Json> genai_tokenizer_json(const Json& source, const Tokenizer& t,
                                         std::string_view tokenizer_class) {
  Json json = source;
  bool changed = false;
  const auto set = [&](const char* key, Json value) {
    json[key] = std::move(value);
    changed = true;
  };
  Json added = added_tokens_json(t);
  if (!same_tokens(source.value("added_tokens", Json::array()), added))
    set("added_tokens", std::move(added));
  if (t.kind == TokenizerKind::byte_bpe && !t.split_regexes.empty() &&
      std::ranges::all_of(t.split_regexes, is_known) &&
      split_by(source, tokenizer_class) != t.split_regexes)
    set("pre_tokenizer", regex_splitter_json(t));
  if (t.kind == TokenizerKind::sentencepiece_bpe &&
      !tells_of_spaces(source.value("decoder", Json()), t.space_prefix != SpacePrefix::never))
    set("decoder", space_decoder_json(t));
  return changed ? std::optional(std::move(json)) : std::nullopt;
}

}  // namespace zp
