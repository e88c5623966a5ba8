#include "text/read_tokenizer.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "text/sentencepiece_model.h"
#include "text/tiktoken.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_json.h"
#include "text/vocab_merges.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_file(const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  return fs::is_regular_file(path) ? std::optional(path) : std::nullopt;
}

std::optional<fs::path> find_tiktoken(const fs::path& folder) {
  std::optional<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".tiktoken" || !entry.is_regular_file()) continue;
    if (found)
      throw Error(folder.string(), "two files of ranks", "one *.tiktoken",
                  entry.path().filename().string());
    found = entry.path();
  }
  return found;
}

bool uses_scores(const Tokenizer& tokenizer) {
  return tokenizer.kind == TokenizerKind::sentencepiece_bpe ||
         tokenizer.kind == TokenizerKind::unigram;
}

void read_json_and_scores(const fs::path& json, const std::optional<fs::path>& model,
                          TokenizerDraft& draft) {
  read_tokenizer_json(json, draft);
  if (!model || !uses_scores(draft.tokenizer)) return;
  const std::string file = read_text(*model);
  if (!is_sentencepiece_model(file)) return;
  take_scores(parse_sentencepiece_model(file, model->string()), draft);
}

void read_model_file(const fs::path& path, TokenizerDraft& draft) {
  const std::string file = read_text(path);
  if (is_sentencepiece_model(file)) {
    use_sentencepiece_model(parse_sentencepiece_model(file, path.string()), path.string(), draft);
  } else if (is_tiktoken(file)) {
    read_tiktoken(file, path.stem().string(), path.string(), draft);
  } else {
    throw Error(path.string(), "unknown kind of tokenizer.model", "SentencePiece's or tiktoken's");
  }
}

}  // namespace

std::optional<Tokenizer> read_tokenizer(const fs::path& folder) {
  if (!fs::is_directory(folder)) return std::nullopt;
  const auto json = find_file(folder, "tokenizer.json");
  const auto model = find_file(folder, "tokenizer.model");
  const auto vocab = find_file(folder, "vocab.json");
  const auto merges = find_file(folder, "merges.txt");
  const auto ranks = find_tiktoken(folder);
  const TokenizerConfig config(folder);
  TokenizerDraft draft;
  const SplitFamily* family = nullptr;
  if (json) {
    read_json_and_scores(*json, model, draft);
  } else if (model) {
    read_model_file(*model, draft);
  } else if (vocab && merges) {
    family = &config.family();
    read_vocab_merges(*vocab, *merges, *family, draft);
  } else if (ranks) {
    read_tiktoken(read_text(*ranks), ranks->stem().string(), ranks->string(), draft);
  } else {
    return std::nullopt;
  }
  config.apply(family, draft);
  return draft.take();
}

}  // namespace zp
