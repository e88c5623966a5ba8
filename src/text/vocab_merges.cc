#include "text/vocab_merges.h"

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/mapped_file.h"

namespace zp {
namespace {

void read_vocab(const std::filesystem::path& path, TokenizerDraft& draft) {
  const std::string where = path.string();
  const Json json = read_json(path);
  if (!json.is_object())
    throw Error(where, "wrong type", "an object of token: id", json.type_name());
  for (const auto& [text, id] : json.items()) {
    if (!id.is_number_integer())
      throw Error(where, "id of \"" + text + "\" is no integer", {}, id.dump());
    draft.vocabulary.add(id.get<std::int64_t>(), {text}, where);
  }
}

void read_merge_lines(const std::filesystem::path& path, TokenizerDraft& draft) {
  const std::string text = read_text(path);
  std::string_view rest = text;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty() || (number == 1 && line.compare(0, 8, "#version") == 0)) continue;
    const std::string where = path.string() + ": line " + std::to_string(number);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw Error(where, "not two tokens", "\"a b\"", std::string(line.substr(0, 80)));
    }
    draft.add_merge(std::string(line.substr(0, space)), std::string(line.substr(space + 1)), where);
  }
}

// Newer regexes let a line end follow punctuation in one word; GPT-2's never does.
bool joins_punctuation_and_line_end(const Tokenizer& tokenizer) {
  constexpr std::string_view kLineEnd = "\xC4\x8A";  // U+010A
  for (const auto& [left, right] : tokenizer.merges) {
    if (right == kLineEnd && (left == ";" || left == "." || left == ",")) return true;
  }
  return false;
}

}  // namespace

void read_vocab_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                       const SplitFamily& family, TokenizerDraft& draft) {
  Tokenizer& tokenizer = draft.tokenizer;
  tokenizer.kind = TokenizerKind::byte_bpe;
  tokenizer.split_regexes.emplace_back(family.regex);
  if (family.nfc) tokenizer.normalizers.push_back(Normalizer::nfc);
  read_vocab(vocab, draft);
  read_merge_lines(merges, draft);
  if (family.regex == kGpt2Regex && joins_punctuation_and_line_end(tokenizer)) {
    throw Error(merges.string(),
                "merges join punctuation and line ends, which GPT-2's splitting never does",
                "tokenizer.json, which says how text is split");
  }
}

}  // namespace zp
