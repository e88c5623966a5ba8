#include "container/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "container/gguf_pre_tokenizer.h"
#include "text/generation.h"

namespace zp {
namespace {

// llama.cpp's numbers of token types, in the order of TokenType.
constexpr std::array<std::int32_t, 6> kTokenTypes = {1, 2, 3, 4, 5, 6};

gguf::Strings token_texts(const Tokenizer& tokenizer) {
  gguf::Strings texts;
  texts.reserve(tokenizer.tokens.size());
  for (const Token& token : tokenizer.tokens) texts.push_back(token.text);
  return texts;
}

std::vector<float> scores(const Tokenizer& tokenizer) {
  std::vector<float> values;
  for (const Token& token : tokenizer.tokens) values.push_back(static_cast<float>(token.score));
  return values;
}

std::vector<std::int32_t> token_types(const Tokenizer& tokenizer) {
  std::vector<std::int32_t> values;
  for (const Token& token : tokenizer.tokens) {
    values.push_back(kTokenTypes[static_cast<std::size_t>(token.type)]);
  }
  return values;
}

// The reader splits at the first space, so a space inside a part is spelled as GPT-2 spells it.
std::string merge_part(const std::string& part) {
  std::string text;
  for (const char c : part) {
    if (c == ' ') {
      text += "\xC4\xA0";
    } else {
      text += c;
    }
  }
  return text;
}

gguf::Strings merges(const Tokenizer& tokenizer) {
  gguf::Strings lines;
  lines.reserve(tokenizer.merges.size());
  for (const auto& [left, right] : tokenizer.merges) {
    lines.push_back(merge_part(left) + " " + merge_part(right));
  }
  return lines;
}

// A loader without an eos id takes token 11, whatever that is, and would end generation there.
std::optional<std::int64_t> id_or_stand_in(const Tokenizer& tokenizer,
                                           std::optional<std::int64_t> id) {
  for (const auto& candidate :
       {id, tokenizer.eos, tokenizer.bos, tokenizer.unknown, tokenizer.pad}) {
    if (candidate) return candidate;
  }
  for (std::size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    const TokenType type = tokenizer.tokens[i].type;
    if (type == TokenType::control || type == TokenType::unused)
      return static_cast<std::int64_t>(i);
  }
  return std::nullopt;
}

void add_ids(const Tokenizer& t, const Json& generation_config, const std::string& where,
             std::vector<gguf::Pair>& pairs) {
  const auto add = [&](const char* name, std::optional<std::int64_t> id) {
    if (!id) return;
    pairs.push_back({std::string("tokenizer.ggml.") + name, static_cast<std::uint32_t>(*id)});
  };
  add("bos_token_id", id_or_stand_in(t, t.bos));
  add("eos_token_id", id_or_stand_in(t, t.eos));
  add("unknown_token_id", t.unknown);
  add("padding_token_id", t.pad);
  const auto text = [&](std::int64_t id) -> std::string_view {
    return t.tokens[static_cast<std::size_t>(id)].text;
  };
  check_stated_ends(generation_config, std::ssize(t.tokens), where + ": generation_config.json");
  const std::vector<std::int64_t> stated = stated_ends(generation_config);
  const std::set<std::int64_t> ends(stated.begin(), stated.end());
  std::optional<std::int64_t> turn_end, message_end;
  for (const std::int64_t id : ends) {
    const bool known = std::ranges::find(turn_ends(), text(id)) != turn_ends().end();
    if (known) turn_end = id;
    if (text(id) == "<|eom_id|>") message_end = id;
  }
  for (const std::int64_t id : ends) {
    if (!turn_end && id != t.eos && id != message_end) turn_end = id;
  }
  add("eot_token_id", turn_end);
  add("eom_token_id", message_end);
}

void add_templates(const Tokenizer& t, std::vector<gguf::Pair>& pairs) {
  if (!t.chat_template.empty()) pairs.push_back({"tokenizer.chat_template", t.chat_template});
  if (t.named_templates.empty()) return;
  gguf::Strings names;
  for (const auto& [name, text] : t.named_templates) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
    pairs.push_back({"tokenizer.chat_template." + name, text});
  }
  pairs.push_back({"tokenizer.chat_templates", names});
}

void refuse_what_has_no_form(const Tokenizer& t, const std::string& where) {
  if (t.kind == TokenizerKind::unigram) {
    throw Error(where, "a unigram tokenizer can't be written to GGUF",
                "byte-level BPE or SentencePiece BPE");
  }
  if (t.kind == TokenizerKind::plain_bpe) {
    throw Error(where, "a BPE tokenizer over plain characters can't be written to GGUF",
                "byte-level BPE or SentencePiece BPE");
  }
  for (const Normalizer normalizer : t.normalizers) {
    // NFC changes few texts and llama.cpp's own files leave it out; the others change most.
    if (normalizer == Normalizer::nfc) continue;
    throw Error(where, "llama.cpp can't normalize text as this tokenizer does",
                "no normalizer or NFC",
                normalizer == Normalizer::lowercase ? "Lowercase"
                                                    : "NFD, NFKC, NFKD or a map of characters");
  }
  if (t.kind == TokenizerKind::byte_bpe && t.space_prefix != SpacePrefix::never) {
    throw Error(where, "llama.cpp's byte-level BPE can't put a space in front of a text",
                "\"add_prefix_space\": false");
  }
}

}  // namespace

std::vector<gguf::Pair> gguf_tokenizer(const Tokenizer& tokenizer, std::int64_t rows,
                                       const Json& generation_config,
                                       const std::string& pre_override, const std::string& where) {
  refuse_what_has_no_form(tokenizer, where);
  Tokenizer t = tokenizer;
  pad_to(t, rows, where);
  const bool bytes = t.kind == TokenizerKind::byte_bpe;
  std::vector<gguf::Pair> pairs;
  pairs.push_back({"tokenizer.ggml.model", std::string(bytes ? "gpt2" : "llama")});
  pairs.push_back({"tokenizer.ggml.pre", !pre_override.empty() ? pre_override
                                         : bytes               ? find_pre_tokenizer(t, where)
                                                               : std::string("default")});
  pairs.push_back({"tokenizer.ggml.tokens", token_texts(t)});
  if (!bytes) pairs.push_back({"tokenizer.ggml.scores", scores(t)});
  pairs.push_back({"tokenizer.ggml.token_type", token_types(t)});
  if (bytes) pairs.push_back({"tokenizer.ggml.merges", merges(t)});
  add_ids(t, generation_config, where, pairs);
  pairs.push_back({"tokenizer.ggml.add_bos_token", t.add_bos});
  pairs.push_back({"tokenizer.ggml.add_eos_token", t.add_eos});
  pairs.push_back({"tokenizer.ggml.add_space_prefix", t.space_prefix != SpacePrefix::never});
  if (!bytes)
    pairs.push_back({"tokenizer.ggml.remove_extra_whitespaces", t.remove_extra_whitespaces});
  add_templates(t, pairs);
  return pairs;
}

std::vector<gguf::Pair> gguf_no_tokenizer() {
  return {{"tokenizer.ggml.model", std::string("no_vocab")}};
}

}  // namespace zp
