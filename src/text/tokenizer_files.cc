#include "text/tokenizer_files.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/split_family.h"

namespace zp {
namespace {

constexpr const char* kSpaceMark = "\xE2\x96\x81";  // U+2581

using Merges = std::vector<std::pair<std::string, std::string>>;

Json sequence(const char* list, Json parts) {
  if (parts.empty()) return nullptr;
  if (parts.size() == 1) return parts[0];
  return {{"type", "Sequence"}, {list, std::move(parts)}};
}

// ---- what is done to the text

const char* normalizer_type(Normalizer normalizer) {
  switch (normalizer) {
    case Normalizer::nfc:
      return "NFC";
    case Normalizer::nfd:
      return "NFD";
    case Normalizer::nfkc:
      return "NFKC";
    case Normalizer::nfkd:
      return "NFKD";
    case Normalizer::lowercase:
      return "Lowercase";
    default:
      return nullptr;
  }
}

Json byte_level(bool prefix, bool regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", prefix},
          {"trim_offsets", true},
          {"use_regex", regex}};
}

// GPT-2's own regex is what ByteLevel splits by.
Json byte_splitter(const Tokenizer& t) {
  if (t.split_regexes.size() == 1 && t.split_regexes[0] == kGpt2Regex)
    return byte_level(t.space_prefix != SpacePrefix::never, true);
  return regex_splitter_json(t);
}

Json space_normalizer(const Tokenizer& t) {
  Json parts = Json::array();
  if (t.space_prefix != SpacePrefix::never)
    parts.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  parts.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}});
  return sequence("normalizers", std::move(parts));
}

// ---- the model

bool is_filler(const Token& token) { return token.type == TokenType::unused; }

std::vector<bool> outside_model(const Tokenizer& t) {
  std::vector<bool> outside(t.tokens.size(), false);
  for (const AddedToken& a : t.added) {
    if (a.outside_model) outside[static_cast<std::size_t>(a.id)] = true;
  }
  return outside;
}

// Readers number the added tokens that the vocabulary lacks on from its count, whatever ids are
// stated: where that isn't theirs, they stand in the vocabulary as well.
Json vocabulary(const Tokenizer& t) {
  std::vector<bool> outside = outside_model(t);
  std::size_t next = 0;
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (!is_filler(t.tokens[id]) && !outside[id]) ++next;
  }
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (outside[id] && id != next++) outside.assign(outside.size(), false);
  }
  const auto stands = [&](std::size_t id) { return !is_filler(t.tokens[id]) && !outside[id]; };
  // Where a text stands twice it keeps its first place and its last id.
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (stands(id)) ids[t.tokens[id].text] = id;
  }
  Json vocab = Json::object();
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (!stands(id)) continue;
    if (const auto node = ids.extract(t.tokens[id].text))
      vocab.append(t.tokens[id].text, node.mapped());
  }
  return vocab;
}

// As lines where no part has a space: readers older than the pairs take only those.
Json merges_json(const Merges& merges) {
  const bool spaces = std::ranges::any_of(merges, [](const auto& m) {
    return m.first.find(' ') != m.first.npos || m.second.find(' ') != m.second.npos;
  });
  Json list = Json::array();
  for (const auto& [left, right] : merges)
    list.push_back(spaces ? Json::array({left, right}) : Json(left + " " + right));
  return list;
}

Json model(const Tokenizer& t, const Merges& merges) {
  Json unknown;
  if (t.kind != TokenizerKind::byte_bpe && t.unknown)
    unknown = t.tokens[static_cast<std::size_t>(*t.unknown)].text;
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", std::move(unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", t.fuse_unknown},
          {"byte_fallback", t.byte_fallback},
          {"ignore_merges", t.ignore_merges},
          {"vocab", vocabulary(t)},
          {"merges", merges_json(merges)}};
}

// ---- what is put around it

const std::string& text_of(const Tokenizer& t, std::int64_t id) {
  for (const AddedToken& a : t.added) {
    if (a.id == id) return a.text;
  }
  return t.tokens[static_cast<std::size_t>(id)].text;
}

Json ends(const Tokenizer& t) {
  const bool bos = t.add_bos && t.bos;
  const bool eos = t.add_eos && t.eos;
  if (!bos && !eos) return nullptr;
  Json tokens = Json::object();
  const auto special = [&](std::int64_t id, int type) -> Json {
    const std::string& text = text_of(t, id);
    tokens[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    return {{"SpecialToken", {{"id", text}, {"type_id", type}}}};
  };
  const auto around = [&](const char* name, int type, Json& list) {
    if (bos) list.push_back(special(*t.bos, type));
    list.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    if (eos) list.push_back(special(*t.eos, type));
  };
  Json single = Json::array(), pair = Json::array();
  around("A", 0, single);
  around("A", 0, pair);
  around("B", 1, pair);
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(tokens)}};
}

// Rows that fill up a vocabulary are dropped when it is read, so an id may have lost its token.
bool has_token(const Tokenizer& t, const std::optional<std::int64_t>& id) {
  return id && *id < std::ssize(t.tokens);
}

bool is_written(const Tokenizer& t) {
  for (const auto& id : {t.bos, t.eos, t.unknown}) {
    if (id && !has_token(t, id)) return false;
  }
  if (t.kind == TokenizerKind::byte_bpe) {
    const bool own_regex = t.split_regexes.size() == 1 && t.split_regexes[0] == kGpt2Regex;
    return (t.space_prefix == SpacePrefix::never || own_regex) &&
           std::ranges::all_of(t.normalizers, [](Normalizer n) { return normalizer_type(n); });
  }
  return t.kind == TokenizerKind::sentencepiece_bpe && t.space_marks == SpaceMarks::normalizer &&
         t.space_prefix != SpacePrefix::first && t.normalizers.empty() && t.split_regexes.empty() &&
         !t.split_at_spaces && !t.remove_extra_whitespaces;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> merges_by_score(const Tokenizer& t) {
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (t.tokens[id].type == TokenType::normal) ids.emplace(t.tokens[id].text, id);
  }
  struct Merge {
    double score;
    std::size_t left;
    std::size_t right;
  };
  std::vector<Merge> found;
  for (const auto& [text, id] : ids) {
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = ids.find(text.substr(0, cut));
      const auto right = ids.find(text.substr(cut));
      if (left != ids.end() && right != ids.end())
        found.push_back({t.tokens[id].score, left->second, right->second});
    }
  }
  std::sort(found.begin(), found.end(), [](const Merge& a, const Merge& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
  Merges merges;
  for (const Merge& m : found) merges.emplace_back(t.tokens[m.left].text, t.tokens[m.right].text);
  return merges;
}

Json regex_splitter_json(const Tokenizer& t) {
  Json parts = Json::array();
  for (const std::string& regex : t.split_regexes) {
    parts.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", regex}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  parts.push_back(byte_level(t.space_prefix != SpacePrefix::never, false));
  return sequence("pretokenizers", std::move(parts));
}

Json space_decoder_json(const Tokenizer& t) {
  Json parts = {
      {{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}},
      {{"type", "ByteFallback"}},
      {{"type", "Fuse"}},
  };
  if (t.space_prefix != SpacePrefix::never)
    parts.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return sequence("decoders", std::move(parts));
}

Json added_tokens_json(const Tokenizer& t) {
  Json list = Json::array();
  for (const AddedToken& a : t.added) {
    list.push_back({{"id", a.id},
                    {"content", a.text},
                    {"single_word", a.single_word},
                    {"lstrip", a.lstrip},
                    {"rstrip", a.rstrip},
                    {"normalized", a.normalized},
                    {"special", a.special}});
  }
  return list;
}

std::optional<Json> tokenizer_json(const Tokenizer& t) {
  if (!is_written(t)) return std::nullopt;
  const bool bytes = t.kind == TokenizerKind::byte_bpe;
  Json normalizers = Json::array();
  for (const Normalizer n : t.normalizers) normalizers.push_back({{"type", normalizer_type(n)}});
  return Json{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added_tokens_json(t)},
      {"normalizer", bytes ? sequence("normalizers", std::move(normalizers)) : space_normalizer(t)},
      {"pre_tokenizer", bytes ? byte_splitter(t) : Json()},
      {"post_processor", ends(t)},
      {"decoder", bytes ? byte_level(true, true) : space_decoder_json(t)},
      {"model", model(t, bytes || !t.merges.empty() ? t.merges : merges_by_score(t))}};
}

Json tokenizer_config_json(const Tokenizer& t) {
  const bool bytes = t.kind == TokenizerKind::byte_bpe;
  Json config = {{"tokenizer_class", bytes ? "PreTrainedTokenizerFast" : "LlamaTokenizer"},
                 {"clean_up_tokenization_spaces", t.clean_up_spaces},
                 {"add_bos_token", t.add_bos},
                 {"add_eos_token", t.add_eos}};
  if (!bytes) config["legacy"] = false;
  const auto name = [&](const char* key, const std::optional<std::int64_t>& id) {
    if (has_token(t, id)) config[key] = text_of(t, *id);
  };
  name("bos_token", t.bos);
  name("eos_token", t.eos);
  name("unk_token", t.unknown);
  name("pad_token", t.pad);
  for (const auto& [key, text] : t.named_tokens) {
    if (!config.contains(key)) config[key] = text;
  }
  if (t.named_templates.empty()) {
    if (!t.chat_template.empty()) config["chat_template"] = t.chat_template;
    return config;
  }
  Json list = Json::array();
  if (!t.chat_template.empty())
    list.push_back({{"name", "default"}, {"template", t.chat_template}});
  for (const auto& [known, text] : t.named_templates)
    list.push_back({{"name", known}, {"template", text}});
  config["chat_template"] = std::move(list);
  return config;
}

}  // namespace zp
