#include "container/transformers_tokenizer.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "text/split_family.h"

namespace zp {
namespace {

constexpr std::string_view kLlama = "LlamaTokenizer";
// Whose models take tokenizer.json whatever the class is called.
constexpr std::array<std::string_view, 3> kAsWritten = {"phi3", "mistral", "smollm3"};
// Classes over bytes that build what SplitFamily says of them.
constexpr std::array<std::string_view, 3> kOverBytes = {"GPT2Tokenizer", "CodeGenTokenizer",
                                                        "Qwen2Tokenizer"};

std::string class_of(const Json& config, std::string_view model_type) {
  if (model_type == "qwen2") return "Qwen2Tokenizer";
  if (std::ranges::find(kAsWritten, model_type) != kAsWritten.end()) return {};
  std::string name = config.is_object() ? config.value("tokenizer_class", "") : "";
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

bool holds(const Json& config, const char* key, bool otherwise) {
  const Json value = config.value(key, Json());
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

void look_at_llama(const Tokenizer& t, const Json& config, std::vector<std::string>& lines) {
  const bool prefix = holds(config, "add_prefix_space", true);
  if (prefix != (t.space_prefix != SpacePrefix::never)) {
    lines.emplace_back(prefix ? "every text (it puts a space in front)"
                              : "every text (it puts no space in front)");
  } else if (prefix) {
    if (t.space_marks == SpaceMarks::normalizer)
      lines.emplace_back("text that begins with a space (it puts no second one in front)");
    if (t.space_prefix == SpacePrefix::always && !holds(config, "legacy", false))
      lines.emplace_back("text right behind an added token (it puts no space in front of it)");
  }
  if (t.split_at_spaces) lines.emplace_back("runs of spaces (it doesn't cut there)");
  if (!t.normalizers.empty()) lines.emplace_back("text that is normalized (it doesn't)");
}

}  // namespace

std::vector<std::string> transformers_tokenizer_deviations(const Tokenizer& t, const Json& config,
                                                           std::string_view model_type) {
  const std::string name = class_of(config, model_type);
  std::vector<std::string> lines;
  if (name == kLlama && t.kind == TokenizerKind::sentencepiece_bpe) look_at_llama(t, config, lines);
  if (std::ranges::find(kOverBytes, name) != kOverBytes.end()) {
    const SplitFamily& family = *family_of_class(name);
    const std::vector<Normalizer> normalizers(family.nfc ? 1 : 0, Normalizer::nfc);
    if (t.kind != TokenizerKind::byte_bpe) {
      lines.emplace_back("every text (it takes tokens for bytes)");
    } else if (t.split_regexes != std::vector<std::string>{std::string(family.regex)}) {
      lines.emplace_back("text that is split into words (it has a regular expression of its own)");
    }
    if (t.normalizers != normalizers)
      lines.emplace_back(family.nfc ? "text that isn't in Unicode's normal form C (it makes it so)"
                                    : "text that is normalized (it doesn't)");
  }
  for (std::string& line : lines)
    line = "transformers 5 reads tokenizer.json in its own way by the class " + name +
           ": other ids for " + line;
  return lines;
}

}  // namespace zp
