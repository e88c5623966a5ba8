#include "text/split_family.h"

#include <algorithm>

namespace zp {

const std::string_view kGpt2Regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

constexpr std::string_view kCl100kRegex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

const std::vector<SplitFamily>& families() {
  static const std::vector<SplitFamily> kFamilies = {
      {"gpt2",
       kGpt2Regex,
       {"GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer"},
       {"gpt2", "gpt_neo", "gptj", "codegen", "phi"},
       {},
       "r50k_base",
       50256,
       "<|endoftext|>"},
      {"qwen2",
       kQwen2Regex,
       {"Qwen2Tokenizer", "QWenTokenizer"},
       {"qwen2", "qwen2_moe", "qwen3", "qwen3_moe"},
       {},
       "qwen",
       151643,
       "<|endoftext|>",
       true},
      {"cl100k", kCl100kRegex, {}, {}, {"Xenova/gpt-4"}, "cl100k_base", 100256, ""},
      {"llama3", kCl100kRegex, {}, {}, {}, "", 128000, ""},
      {"o200k", kO200kRegex, {}, {}, {"Xenova/gpt-4o"}, "o200k_base", 199998, ""},
  };
  return kFamilies;
}

template <class Fits>
const SplitFamily* first(const Fits& fits) {
  for (const SplitFamily& family : families()) {
    if (fits(family)) return &family;
  }
  return nullptr;
}

bool contains(const std::vector<std::string_view>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

const SplitFamily* family_of_class(std::string_view name) {
  constexpr std::string_view kFast = "Fast";
  if (name.size() > kFast.size() && name.substr(name.size() - kFast.size()) == kFast) {
    name.remove_suffix(kFast.size());
  }
  return first([&](const SplitFamily& f) { return contains(f.classes, name); });
}

const SplitFamily* family_of_model_type(std::string_view model_type) {
  return first([&](const SplitFamily& f) { return contains(f.model_types, model_type); });
}

const SplitFamily* family_of_borrowed(std::string_view repository) {
  return first([&](const SplitFamily& f) { return contains(f.borrowed, repository); });
}

const SplitFamily* family_of_tiktoken(std::string_view file_stem, std::int64_t ranks) {
  const auto by_name = [&](const SplitFamily& f) {
    return !f.tiktoken_file.empty() && f.tiktoken_file == file_stem;
  };
  if (const SplitFamily* family = first(by_name)) return family;
  return first([&](const SplitFamily& f) { return f.ranks == ranks; });
}

}  // namespace zp
