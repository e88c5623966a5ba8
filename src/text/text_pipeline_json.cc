#include "text/text_pipeline_json.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/utf8.h"
#include "text/base64.h"
#include "text/split_family.h"
#include "text/split_regex.h"

namespace zp {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

constexpr std::array<std::pair<std::string_view, Normalizer>, 5> kNormalizers = {{
    {"NFC", Normalizer::nfc},
    {"NFD", Normalizer::nfd},
    {"NFKC", Normalizer::nfkc},
    {"NFKD", Normalizer::nfkd},
    {"Lowercase", Normalizer::lowercase},
}};

[[noreturn]] void refuse(const JsonFields& fields, const char* what) {
  throw Error(fields.where(), std::string(what) + " not supported", {}, fields.text("type"));
}

// {"String": s} or {"Regex": r}
std::string pattern_of(const JsonFields& fields, std::string_view kind) {
  const Json& pattern = fields.at("pattern");
  return JsonFields(pattern, fields.where() + ": \"pattern\"").text(kind, "");
}

const Json& list_of(const JsonFields& fields, std::string_view key) {
  const Json& list = fields.at(key);
  if (!list.is_array())
    throw Error(fields.where(), "wrong type of \"" + std::string(key) + "\"", "an array");
  return list;
}

}  // namespace

void TextPipeline::read_normalizer(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const std::string type = fields.text("type");
  for (const auto& [name, normalizer] : kNormalizers) {
    if (type == name) return tokenizer_.normalizers.push_back(normalizer);
  }
  if (type == "Sequence") {
    for (const Json& part : list_of(fields, "normalizers")) read_normalizer(part, where);
  } else if (type == "Prepend") {
    if (fields.text("prepend") != kSpaceMark) refuse(fields, "what the normalizer prepends is");
    tokenizer_.space_prefix = SpacePrefix::always;
  } else if (type == "Replace") {
    read_replace(fields, json);
  } else if (type == "Precompiled") {
    read_character_map(fields);
  } else if (type == "Strip") {
    if (fields.boolean("strip_left", true))
      tokenizer_.normalizers.push_back(Normalizer::strip_left);
    if (fields.boolean("strip_right", true))
      tokenizer_.normalizers.push_back(Normalizer::strip_right);
  } else {
    refuse(fields, "normalizer");
  }
}

void TextPipeline::read_replace(const JsonFields& fields, const Json& json) {
  const std::string content = fields.text("content");
  if (pattern_of(fields, "String") == " " && content == kSpaceMark) {
    escapes_spaces = true;
  } else if (pattern_of(fields, "Regex") == " {2,}" && content == kSpaceMark) {
    tokenizer_.normalizers.push_back(Normalizer::join_spaces);
  } else {
    throw Error(fields.where(), "Replace not supported", "\" \" by U+2581", json.dump_ascii());
  }
}

void TextPipeline::read_character_map(const JsonFields& fields) {
  const std::optional<std::string> map = decode_base64(fields.text("precompiled_charsmap"));
  if (!map || !tokenizer_.character_map.empty()) {
    throw Error(fields.where(), "precompiled_charsmap not supported", "one of them, in base64");
  }
  tokenizer_.character_map = *map;
  tokenizer_.normalizers.push_back(Normalizer::character_map);
}

void TextPipeline::read_splitter(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const std::string type = fields.text("type");
  if (type == "Sequence") {
    for (const Json& part : list_of(fields, "pretokenizers")) read_splitter(part, where);
  } else if (byte_level || tokenizer_.space_marks == SpaceMarks::metaspace) {
    refuse(fields, "a pre-tokenizer behind ByteLevel or Metaspace is");
  } else if (type == "ByteLevel") {
    read_byte_level(fields);
  } else if (type == "Split") {
    read_split(fields);
  } else if (type == "Digits") {
    tokenizer_.split_regexes.emplace_back(fields.boolean("individual_digits", false) ? R"(\p{N})"
                                                                                     : R"(\p{N}+)");
  } else if (type == "Metaspace") {
    read_metaspace(fields);
  } else {
    refuse(fields, "pre-tokenizer");
  }
}

void TextPipeline::read_byte_level(const JsonFields& fields) {
  byte_level = true;
  if (fields.boolean("add_prefix_space", true)) {
    if (!tokenizer_.split_regexes.empty())
      refuse(fields, "a space in front of every split piece is");
    tokenizer_.space_prefix = SpacePrefix::always;
  }
  if (fields.boolean("use_regex", true)) tokenizer_.split_regexes.emplace_back(kGpt2Regex);
}

namespace {

bool is_all_matches(SplitRegex::Matches& matches, const std::string& text) {
  std::size_t end = 0;
  matches.start(text);
  while (const auto match = matches.next()) {
    if (match->begin > end) return false;
    end = std::max(end, match->end);
  }
  return end == text.size();
}

// Whether something matches wherever a text is looked at: tried with characters of the first plane,
// each alone and between others.
bool covers_texts(const std::string& regex, const std::string& where) {
  constexpr char32_t kEnd = 0x10000, kDense = 0x3100, kStep = 61;
  const SplitRegex compiled(regex, where);
  SplitRegex::Matches matches(compiled);
  for (char32_t c = 1; c < kEnd; c += c < kDense ? 1 : kStep) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string one;
    append_utf8(one, c);
    if (!is_all_matches(matches, one) ||
        !is_all_matches(matches, one + "a" + one + " " + one + "\n1" + one + one))
      return false;
  }
  return true;
}

}  // namespace

// Isolated keeps matches and what lies between them, inverted or not. Removed, inverted, drops the
// latter: the same where nothing lies between.
void TextPipeline::read_split(const JsonFields& fields) {
  // After Replace there is no space left to split at (Gemma's files have such a splitter).
  if (escapes_spaces && pattern_of(fields, "String") == " ") return;
  const std::string regex = pattern_of(fields, "Regex");
  const std::string behavior = fields.text("behavior");
  const bool inverted = fields.boolean("invert", false);
  if (regex.empty() || !(behavior == "Isolated" || (behavior == "Removed" && inverted))) {
    throw Error(fields.where(), "this Split is not supported", "a Regex whose matches are Isolated",
                fields.at("pattern").dump_ascii() + ", " + behavior);
  }
  if (behavior == "Removed" && !covers_texts(regex, fields.where())) {
    throw Error(fields.where(), "this Split drops text, which is not supported",
                "\"Isolated\", or a Regex that matches everything", regex + ", Removed, inverted");
  }
  tokenizer_.split_regexes.push_back(regex);
}

void TextPipeline::read_metaspace(const JsonFields& fields) {
  if (fields.text("replacement", kSpaceMark) != kSpaceMark)
    refuse(fields, "Metaspace's replacement is");
  escapes_spaces = true;
  tokenizer_.space_marks = SpaceMarks::metaspace;
  const std::string scheme =
      fields.text("prepend_scheme", fields.boolean("add_prefix_space", true) ? "always" : "never");
  if (scheme == "always") {
    tokenizer_.space_prefix = SpacePrefix::always;
  } else if (scheme == "first") {
    tokenizer_.space_prefix = SpacePrefix::first;
  } else if (scheme != "never") {
    throw Error(fields.where(), "prepend_scheme not supported", "always, first or never", scheme);
  }
  tokenizer_.split_at_spaces = fields.boolean("split", true);
}

namespace {

// The id of a {"SpecialToken": {"id": text}} part of a template, through "special_tokens".
std::int64_t special_id(const Json& part, const JsonFields& fields, const TokenizerDraft& draft) {
  const JsonFields token(part, fields.where());
  const std::string name = token.text("id");
  const JsonFields table(fields.at("special_tokens"), fields.where() + ": \"special_tokens\"");
  const JsonFields entry(table.at(name), table.where());
  const Json& ids = entry.at("ids");
  if (!ids.is_array() || ids.size() != 1 || !ids[0].is_number_integer() ||
      !draft.vocabulary.has(ids[0].get<std::int64_t>())) {
    throw Error(table.where(), "\"" + name + "\" needs one id of the vocabulary", {}, ids.dump());
  }
  return ids[0].get<std::int64_t>();
}

void read_template(const JsonFields& fields, TokenizerDraft& draft) {
  Tokenizer& tokenizer = draft.tokenizer;
  bool text_seen = false;
  for (const Json& part : list_of(fields, "single")) {
    if (part.is_object() && part.contains("Sequence")) {
      text_seen = true;
      continue;
    }
    const JsonFields item(part, fields.where());
    bool& adds = text_seen ? tokenizer.add_eos : tokenizer.add_bos;
    if (adds)
      throw Error(fields.where(),
                  "more than one special token on one side of the text is not supported");
    adds = true;
    (text_seen ? tokenizer.eos : tokenizer.bos) =
        special_id(item.at("SpecialToken"), fields, draft);
  }
}

}  // namespace

void read_post_processor(const Json& json, const std::string& where, TokenizerDraft& draft) {
  const JsonFields fields(json, where);
  const std::string type = fields.text("type");
  if (type == "Sequence") {
    for (const Json& part : list_of(fields, "processors")) read_post_processor(part, where, draft);
  } else if (type == "TemplateProcessing") {
    read_template(fields, draft);
  } else if (type != "ByteLevel") {  // which only moves offsets
    refuse(fields, "post-processor");
  }
}

void read_decoder(const Json& json, const std::string& where, Tokenizer& tokenizer) {
  const JsonFields fields(json, where);
  const std::string type = fields.text("type");
  if (type == "Sequence") {
    for (const Json& part : list_of(fields, "decoders")) read_decoder(part, where, tokenizer);
  } else if (type == "Strip") {
    tokenizer.drops_first_space = fields.text("content") == " " && fields.integer("start") > 0;
  } else if (type == "Metaspace") {
    const bool prefix = fields.boolean("add_prefix_space", true);
    tokenizer.drops_first_space =
        fields.text("prepend_scheme", prefix ? "always" : "never") != "never";
  }
}

AddedToken read_added_token(const JsonFields& fields, std::int64_t id) {
  AddedToken token;
  token.id = id;
  token.text = fields.text("content");
  if (token.text.empty())
    throw Error(fields.where(), "added token " + std::to_string(id) + " is empty");
  token.special = fields.boolean("special", false);
  token.lstrip = fields.boolean("lstrip", false);
  token.rstrip = fields.boolean("rstrip", false);
  token.normalized = fields.boolean("normalized", !token.special);
  token.single_word = fields.boolean("single_word", false);
  return token;
}

}  // namespace zp
