#include "text/tokenizer_json.h"

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/mapped_file.h"
#include "text/split_family.h"
#include "text/text_pipeline_json.h"

namespace zp {
namespace {

std::string field(const std::string& where, std::string_view name) {
  return where + ": \"" + std::string(name) + "\"";
}

const Json* value(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void refuse_option(const JsonFields& model, std::string_view key) {
  if (!model.text(key, "").empty()) {
    throw Error(field(model.where(), key), "not supported", "none", model.text(key));
  }
}

void read_bpe_vocabulary(const JsonFields& model, TokenizerDraft& draft) {
  const std::string where = field(model.where(), "vocab");
  const Json& vocab = model.at("vocab");
  if (!vocab.is_object())
    throw Error(where, "wrong type", "an object of token: id", vocab.type_name());
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_integer())
      throw Error(where, "id of \"" + text + "\" is no integer", {}, id.dump());
    draft.vocabulary.add(id.get<std::int64_t>(), {text, 0, TokenType::normal}, where);
  }
}

void read_merges(const JsonFields& model, TokenizerDraft& draft) {
  const std::string where = field(model.where(), "merges");
  const Json& merges = model.at("merges");
  if (!merges.is_array()) throw Error(where, "wrong type", "an array", merges.type_name());
  for (const Json& merge : merges) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      draft.add_merge(merge[0].get<std::string>(), merge[1].get<std::string>(), where);
      continue;
    }
    const std::string text = merge.is_string() ? merge.get<std::string>() : "";
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      throw Error(where,
                  "merge " + std::to_string(draft.tokenizer.merges.size()) + " isn't two tokens",
                  "\"a b\" or [\"a\", \"b\"]", merge.dump());
    }
    draft.add_merge(text.substr(0, space), text.substr(space + 1), where);
  }
}

void score_by_merges(TokenizerDraft& draft) {
  Vocabulary& vocabulary = draft.vocabulary;
  const auto& merges = draft.tokenizer.merges;
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.has(id)) vocabulary.at(id).score = -static_cast<double>(merges.size());
  }
  for (std::size_t rank = merges.size(); rank-- > 0;) {
    vocabulary.at(*vocabulary.find(merges[rank].first + merges[rank].second)).score =
        -static_cast<double>(rank);
  }
}

TokenizerKind bpe_kind(const TextPipeline& pipeline, const Tokenizer& tokenizer) {
  if (pipeline.byte_level) return TokenizerKind::byte_bpe;
  const bool sentencepiece = pipeline.escapes_spaces || tokenizer.byte_fallback;
  return sentencepiece ? TokenizerKind::sentencepiece_bpe : TokenizerKind::plain_bpe;
}

void read_bpe(const JsonFields& model, const TextPipeline& pipeline, TokenizerDraft& draft) {
  refuse_option(model, "continuing_subword_prefix");
  refuse_option(model, "end_of_word_suffix");
  if (model.real("dropout", 0) != 0) throw Error(field(model.where(), "dropout"), "not supported");
  Tokenizer& tokenizer = draft.tokenizer;
  tokenizer.ignore_merges = model.boolean("ignore_merges", false);
  tokenizer.byte_fallback = model.boolean("byte_fallback", false);
  tokenizer.fuse_unknown = model.boolean("fuse_unk", false);
  tokenizer.kind = bpe_kind(pipeline, tokenizer);
  read_bpe_vocabulary(model, draft);
  read_merges(model, draft);
  if (tokenizer.kind == TokenizerKind::sentencepiece_bpe) score_by_merges(draft);
  const std::string unknown = model.text("unk_token", "");
  if (unknown.empty()) return;
  tokenizer.unknown = draft.vocabulary.find(unknown);
  if (!tokenizer.unknown)
    throw Error(field(model.where(), "unk_token"), "not in the vocabulary", {}, unknown);
}

void read_unigram(const JsonFields& model, TokenizerDraft& draft) {
  const std::string where = field(model.where(), "vocab");
  draft.tokenizer.kind = TokenizerKind::unigram;
  draft.tokenizer.byte_fallback = model.boolean("byte_fallback", false);
  draft.tokenizer.fuse_unknown = true;
  const Json& vocab = model.at("vocab");
  if (!vocab.is_array())
    throw Error(where, "wrong type", "an array of [token, score]", vocab.type_name());
  for (const Json& entry : vocab) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      throw Error(where, "wrong entry", "[token, score]", entry.dump());
    }
    draft.vocabulary.add(draft.vocabulary.size(),
                         {entry[0].get<std::string>(), entry[1].get<double>(), TokenType::normal},
                         where);
  }
  if (!model.has("unk_id")) return;
  draft.tokenizer.unknown = model.integer("unk_id");
  if (!draft.vocabulary.has(*draft.tokenizer.unknown)) {
    throw Error(field(model.where(), "unk_id"), "not in the vocabulary", {},
                std::to_string(*draft.tokenizer.unknown));
  }
}

void read_model(const Json& object, const std::string& where, const TextPipeline& pipeline,
                TokenizerDraft& draft) {
  const JsonFields model(object, where);
  // Files older than the "type" field tell by their fields.
  const std::string type = model.text("type", model.has("merges") ? "BPE" : "");
  if (type == "BPE") {
    read_bpe(model, pipeline, draft);
  } else if (type == "Unigram") {
    read_unigram(model, draft);
  } else {
    throw Error(field(where, "type"), "tokenizer model not supported", "BPE or Unigram", type);
  }
}

void mark_bytes_and_unknown(TokenizerDraft& draft) {
  const Tokenizer& tokenizer = draft.tokenizer;
  if (tokenizer.kind != TokenizerKind::byte_bpe && tokenizer.unknown) {
    draft.vocabulary.at(*tokenizer.unknown).type = TokenType::unknown;
  }
  if (!tokenizer.byte_fallback) return;
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string name = std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">";
    if (const auto id = draft.vocabulary.find(name))
      draft.vocabulary.at(*id).type = TokenType::byte;
  }
}

void read_added(const Json& list, const std::string& where, TokenizerDraft& draft) {
  if (!list.is_array()) throw Error(where, "wrong type", "an array", list.type_name());
  for (const Json& entry : list) {
    const JsonFields token(entry, where);
    const std::int64_t id = token.integer("id");
    draft.append(read_added_token(token, id), id, where);
  }
}

}  // namespace

void read_tokenizer_json(const std::filesystem::path& path, TokenizerDraft& draft) {
  parse_tokenizer_json(read_text(path), path.string(), draft);
}

void parse_tokenizer_json(std::string_view text, const std::string& where, TokenizerDraft& draft) {
  const Json json = parse_json(text, where);
  const JsonFields root(json, where);
  TextPipeline pipeline(draft.tokenizer);
  if (const Json* v = value(json, "normalizer"))
    pipeline.read_normalizer(*v, field(where, "normalizer"));
  if (const Json* v = value(json, "pre_tokenizer"))
    pipeline.read_splitter(*v, field(where, "pre_tokenizer"));
  read_model(root.at("model"), field(where, "model"), pipeline, draft);
  if (!pipeline.escapes_spaces) draft.tokenizer.space_marks = SpaceMarks::none;
  mark_bytes_and_unknown(draft);
  draft.count_from = draft.vocabulary.count();
  if (const Json* v = value(json, "added_tokens"))
    read_added(*v, field(where, "added_tokens"), draft);
  if (const Json* v = value(json, "post_processor")) {
    read_post_processor(*v, field(where, "post_processor"), draft);
  }
  if (const Json* v = value(json, "decoder"))
    read_decoder(*v, field(where, "decoder"), draft.tokenizer);
}

}  // namespace zp
