#include "source/gguf_vocabulary.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "format/gguf_phi3_name.h"
#include "format/gguf_pre_tokenizers.h"
#include "format/gguf_sampling.h"
#include "source/gguf_fields.h"
#include "text/generation.h"
#include "text/vocabulary.h"

namespace zp {
namespace {

constexpr std::string_view kTokens = "ggml.tokens";
constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

// llama.cpp's kinds of tokenizer, and what it takes for keys that are missing.
struct Kind {
  std::string_view name;
  TokenizerKind kind;
  bool add_bos;
  bool add_eos;
  SpacePrefix prefix;
  std::optional<std::int64_t> bos, eos, unknown, pad;
};
const std::array kKinds = {
    Kind{"gpt2", TokenizerKind::byte_bpe, false, false, SpacePrefix::never, {}, {}, {}, {}},
    Kind{"llama", TokenizerKind::sentencepiece_bpe, true, false, SpacePrefix::always, 1, 2, 0, {}},
    Kind{"t5", TokenizerKind::unigram, false, true, SpacePrefix::never, {}, 1, 2, 0},
};

// Numbered from 1 in the file; 0 and what is beyond them counts as normal.
constexpr std::array kTypes = {TokenType::normal,  TokenType::normal,       TokenType::unknown,
                               TokenType::control, TokenType::user_defined, TokenType::unused,
                               TokenType::byte};

class Reader {
 public:
  Reader(std::span<const gguf::Pair> pairs, const std::string& where)
      : fields_(pairs, "tokenizer.", where), general_(pairs, "general.", where) {}

  std::optional<Tokenizer> read() {
    const std::string model = fields_.text("ggml.model");
    if (model == "no_vocab" || model == "none") return std::nullopt;
    const Kind& kind = find_kind(model);
    draft_.tokenizer.kind = kind.kind;
    read_tokens();
    if (kind.kind == TokenizerKind::byte_bpe) {
      read_merges();
    } else {
      draft_.tokenizer.byte_fallback = has_bytes_;
    }
    read_ids(kind);
    read_flags(kind);
    read_templates();
    refuse_what_is_left();
    Tokenizer tokenizer = draft_.take();
    drop_padding(tokenizer);
    return tokenizer;
  }

 private:
  const Kind& find_kind(const std::string& model) const {
    std::string known;
    for (const Kind& k : kKinds) {
      if (k.name == model) return k;
      known += std::string(k.name) + ", ";
    }
    fields_.refuse("ggml.model", "kind of tokenizer not supported", known + "no_vocab",
                   "\"" + printable(model) + "\"");
  }

  template <class T>
  void check_length(std::string_view key, const std::vector<T>* values, std::size_t tokens) {
    if (values == nullptr || values->size() == tokens) return;
    fields_.refuse(key, "wrong length", std::to_string(tokens) + ", as there are tokens",
                   std::to_string(values->size()));
  }

  void read_tokens() {
    const gguf::Strings* texts = fields_.texts(kTokens);
    if (texts == nullptr) fields_.refuse(kTokens, "key missing");
    const auto* scores = fields_.reals("ggml.scores");
    const auto* types = fields_.integers("ggml.token_type");
    check_length("ggml.scores", scores, texts->size());
    check_length("ggml.token_type", types, texts->size());
    for (std::size_t i = 0; i < texts->size(); ++i) {
      Token token{(*texts)[i]};
      if (!is_utf8(token.text))
        fields_.refuse(kTokens, "broken UTF-8 in token " + std::to_string(i));
      if (token.text.empty()) token.text = "[EMPTY_" + std::to_string(i) + "]";
      if (scores != nullptr) token.score = (*scores)[i];
      if (!std::isfinite(token.score))
        fields_.refuse("ggml.scores", "no finite number for token " + std::to_string(i));
      const std::int32_t type = types == nullptr ? 1 : (*types)[i];
      if (type > 0 && type < std::ssize(kTypes))
        token.type = kTypes[static_cast<std::size_t>(type)];
      has_bytes_ = has_bytes_ || token.type == TokenType::byte;
      add(static_cast<std::int64_t>(i), std::move(token));
    }
  }

  // Special tokens and those of users are cut out of a text before anything else.
  void add(std::int64_t id, Token token) {
    const bool special = token.type == TokenType::control || token.type == TokenType::unknown;
    if (special || token.type == TokenType::user_defined) {
      AddedToken entry{id, token.text, special};
      if (draft_.tokenizer.kind != TokenizerKind::byte_bpe) entry.text = with_spaces(entry.text);
      entry.rstrip = swallows_spaces(token);
      draft_.added.emplace(id, std::move(entry));
    }
    draft_.vocabulary.add(id, std::move(token), fields_.where());
  }

  static std::string with_spaces(std::string text) {
    for (std::size_t at = text.find(kSpace); at != text.npos; at = text.find(kSpace, at))
      text.replace(at, kSpace.size(), " ");
    return text;
  }

  // llama.cpp gives Phi-3's tokens their flag by the model's name.
  bool swallows_spaces(const Token& token) {
    if (!is_phi3()) return false;
    constexpr std::array<std::string_view, 3> kPlain = {"<unk>", "<s>", "<|endoftext|>"};
    return std::find(kPlain.begin(), kPlain.end(), token.text) == kPlain.end();
  }

  bool is_phi3() {
    if (!phi3_) phi3_ = gguf::find_phi3(general_.text("name", "")) != std::string::npos;
    return *phi3_;
  }

  void read_merges() {
    const gguf::Strings* merges = fields_.texts("ggml.merges");
    if (merges == nullptr) fields_.refuse("ggml.merges", "key missing");
    for (const std::string& line : *merges) {
      // A part may begin with a space, so the first character never ends it.
      const std::size_t space = line.find(' ', 1);
      if (space == line.npos || !is_utf8(line)) {
        fields_.refuse("ggml.merges", "no merge", "two tokens with a space between them",
                       "\"" + printable(line) + "\"");
      }
      draft_.add_merge(line.substr(0, space), line.substr(space + 1), fields_.where());
    }
  }

  std::optional<std::int64_t> read_id(const char* name, std::optional<std::int64_t> otherwise) {
    const std::string key = std::string("ggml.") + name;
    const std::int64_t tokens = draft_.vocabulary.size();
    if (!fields_.has(key)) {
      return otherwise && *otherwise < tokens ? otherwise : std::nullopt;
    }
    constexpr std::int64_t kNone = 0xFFFFFFFF;
    const std::int64_t id = fields_.integer(key, -1, kNone);
    if (id == kNone || id == -1) return std::nullopt;
    return fields_.integer(key, 0, tokens - 1);
  }

  void read_ids(const Kind& kind) {
    Tokenizer& t = draft_.tokenizer;
    t.bos = read_id("bos_token_id", kind.bos);
    t.eos = read_id("eos_token_id", kind.eos);
    t.unknown = read_id("unknown_token_id", kind.unknown);
    t.pad = read_id("padding_token_id", kind.pad);
    for (const auto& [name, id] : {std::pair("bos_token", t.bos),
                                   {"eos_token", t.eos},
                                   {"unk_token", t.unknown},
                                   {"pad_token", t.pad},
                                   {"sep_token", read_id("seperator_token_id", {})},
                                   {"cls_token", read_id("cls_token_id", {})},
                                   {"mask_token", read_id("mask_token_id", {})}}) {
      if (id) t.named_tokens.emplace_back(name, draft_.vocabulary.at(*id).text);
    }
  }

  void read_flags(const Kind& kind) {
    Tokenizer& t = draft_.tokenizer;
    bool add_bos = kind.add_bos;
    const std::string pre = fields_.text("ggml.pre", "");
    if (kind.kind == TokenizerKind::byte_bpe) {
      const gguf::PreTokenizerName* name = gguf::find_pre_tokenizer_name(pre);
      if (name == nullptr)
        fields_.refuse("ggml.pre", "pre-tokenizer not known", {}, "\"" + printable(pre) + "\"");
      for (const std::string_view regex : gguf::pre_tokenizer_of(*name).regexes)
        t.split_regexes.emplace_back(regex);
      t.ignore_merges = name->ignore_merges;
      add_bos = name->add_bos;
      if (pre.empty() || pre == "default")
        t.notes.emplace_back("the file doesn't say how text is split into words");
    }
    t.add_bos = fields_.boolean("ggml.add_bos_token", add_bos) && t.bos;
    t.add_eos = fields_.boolean("ggml.add_eos_token", kind.add_eos) && t.eos;
    const bool prefix = fields_.boolean("ggml.add_space_prefix", kind.prefix != SpacePrefix::never);
    if (kind.kind != TokenizerKind::byte_bpe && prefix) t.space_prefix = SpacePrefix::always;
    t.remove_extra_whitespaces = fields_.boolean("ggml.remove_extra_whitespaces", false);
  }

  void read_templates() {
    Tokenizer& t = draft_.tokenizer;
    t.chat_template = fields_.text("chat_template", "");
    const gguf::Strings* names = fields_.texts("chat_templates");
    if (names == nullptr) return;
    for (const std::string& name : *names)
      t.named_templates.emplace_back(name, fields_.text("chat_template." + name));
  }

  // Keys that change no token of a text, and what would.
  void refuse_what_is_left() {
    for (const char* key : {"ggml.eot_token_id",
                            "ggml.eom_token_id",
                            "ggml.seperator_token_id",
                            "ggml.separator_token_id",
                            "ggml.cls_token_id",
                            "ggml.mask_token_id",
                            "ggml.fim_pre_token_id",
                            "ggml.fim_suf_token_id",
                            "ggml.fim_mid_token_id",
                            "ggml.fim_pad_token_id",
                            "ggml.fim_rep_token_id",
                            "ggml.fim_sep_token_id",
                            "ggml.prefix_token_id",
                            "ggml.suffix_token_id",
                            "ggml.middle_token_id",
                            "ggml.eog_token_ids",
                            "ggml.token_type_count",
                            "ggml.scores",
                            "ggml.merges",
                            "huggingface.json"}) {
      fields_.has(key);
    }
    if (fields_.boolean("ggml.add_sep_token", false))
      fields_.refuse("ggml.add_sep_token", "value not supported", "false", "true");
    fields_.finish();
  }

  // Rows of the embedding that no token has were filled up when the file was written.
  static void drop_padding(Tokenizer& t) {
    const auto is_padding = [](const Token& token, std::size_t id) {
      return token.type == TokenType::unused && token.text == "[PAD" + std::to_string(id) + "]";
    };
    while (!t.tokens.empty() && is_padding(t.tokens.back(), t.tokens.size() - 1))
      t.tokens.pop_back();
  }

  GgufFields fields_;
  GgufFields general_;
  TokenizerDraft draft_;
  bool has_bytes_ = false;
  std::optional<bool> phi3_;
};

std::optional<std::int64_t> turn_end_by_text(const gguf::Strings* tokens) {
  if (tokens == nullptr) return std::nullopt;
  for (const std::string_view text : turn_ends()) {
    const auto token = std::ranges::find(*tokens, text);
    if (token != tokens->end()) return token - tokens->begin();
  }
  return std::nullopt;
}

}  // namespace

std::optional<Tokenizer> read_gguf_tokenizer(std::span<const gguf::Pair> pairs,
                                             const std::string& where) {
  return Reader(pairs, where).read();
}

Json read_gguf_generation(std::span<const gguf::Pair> pairs, const std::string& where) {
  GgufFields fields(pairs, "tokenizer.ggml.", where);
  // All ones stand for no token.
  const auto id_of = [&](const char* key) -> std::optional<std::int64_t> {
    constexpr std::int64_t kNone = 0xFFFFFFFF;
    const std::int64_t id = fields.has(key) ? fields.integer(key, -1, kNone) : kNone;
    if (id == kNone || id == -1) return std::nullopt;
    return fields.integer(key, 0, INT32_MAX);
  };
  std::optional<std::int64_t> turn_end = id_of("eot_token_id");
  if (!turn_end) turn_end = turn_end_by_text(fields.texts("tokens"));
  Json ends = Json::array();
  if (turn_end && (fields.has("eot_token_id") || turn_end != id_of("eos_token_id")))
    ends.push_back(*turn_end);
  if (const auto message_end = id_of("eom_token_id")) ends.push_back(*message_end);
  Json generation = sampling_fields(pairs);
  if (!ends.empty()) generation["eos_token_id"] = std::move(ends);
  return generation;
}

}  // namespace zp
