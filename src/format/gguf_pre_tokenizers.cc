#include "format/gguf_pre_tokenizers.h"

#include <algorithm>
#include <array>

namespace zp::gguf {
namespace {

// clang-format off
constexpr std::array kNames = {
    PreTokenizerName{"", "default", false, false},
    PreTokenizerName{"default", "default", false, false},
    PreTokenizerName{"gpt-2", "gpt-2", false, false},
    PreTokenizerName{"phi-2", "gpt-2", false, false},
    PreTokenizerName{"gigachat", "gpt-2", false, false},
    PreTokenizerName{"exaone4", "gpt-2", false, false},
    PreTokenizerName{"mellum", "gpt-2", false, false},
    PreTokenizerName{"smollm", "smollm", false, false},
    PreTokenizerName{"llama-bpe", "llama-bpe", true, true},
    PreTokenizerName{"llama3", "llama-bpe", true, true},
    PreTokenizerName{"llama-v3", "llama-bpe", true, true},
    PreTokenizerName{"falcon3", "llama-bpe", true, true},
    PreTokenizerName{"falcon-h1", "llama-bpe", true, true},
    PreTokenizerName{"pixtral", "llama-bpe", true, true},
    PreTokenizerName{"midm-2.0", "llama-bpe", true, true},
    PreTokenizerName{"lfm2", "llama-bpe", true, true},
    PreTokenizerName{"dbrx", "dbrx", false, false},
    PreTokenizerName{"smaug-bpe", "dbrx", false, false},
    PreTokenizerName{"qwen2", "qwen2", false, false},
    PreTokenizerName{"deepseek-r1-qwen", "qwen2", false, false},
    PreTokenizerName{"megrez", "qwen2", false, false},
    PreTokenizerName{"kormo", "qwen2", false, false},
    PreTokenizerName{"qwen35", "qwen35", false, false},
    PreTokenizerName{"seed-coder", "seed-coder", false, false},
    PreTokenizerName{"bailingmoe", "bailingmoe", false, false},
    PreTokenizerName{"bailingmoe2", "bailingmoe", false, false},
    PreTokenizerName{"llada-moe", "bailingmoe", false, false},
    PreTokenizerName{"tekken", "tekken", true, true},
    PreTokenizerName{"gpt-4o", "granite-embed-multi-97m", false, false},
    PreTokenizerName{"llama4", "granite-embed-multi-97m", false, false},
    PreTokenizerName{"kanana2", "granite-embed-multi-97m", false, false},
    PreTokenizerName{"granite-embed-multi-97m", "granite-embed-multi-97m", true, false},
    PreTokenizerName{"deepseek-v3", "deepseek-v3", false, false},
    PreTokenizerName{"deepseek-coder", "deepseek-coder", false, false},
};
// clang-format on

}  // namespace

std::span<const PreTokenizer> pre_tokenizers() {
  static const std::vector<PreTokenizer> kRows = {
#include "format/pre_tokenizers.inc"
  };
  return kRows;
}

const PreTokenizerName* find_pre_tokenizer_name(std::string_view name) {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const PreTokenizerName& n) { return n.name == name; });
  return found == kNames.end() ? nullptr : &*found;
}

const PreTokenizer& pre_tokenizer_of(const PreTokenizerName& name) {
  const auto rows = pre_tokenizers();
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const PreTokenizer& row) { return row.name == name.row; });
}

}  // namespace zp::gguf
