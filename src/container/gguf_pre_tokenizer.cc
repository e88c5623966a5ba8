#include "container/gguf_pre_tokenizer.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "format/gguf_pre_tokenizers.h"

namespace zp {
namespace {

using gguf::PreTokenizer;

// Line ends stand in files both as themselves and as \r and \n.
std::string with_escapes(std::string_view regex) {
  std::string text;
  for (const char c : regex) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

const PreTokenizer* find_row(const Tokenizer& tokenizer) {
  std::vector<std::string> regexes;
  for (const std::string& regex : tokenizer.split_regexes) regexes.push_back(with_escapes(regex));
  const PreTokenizer* found = nullptr;
  for (const PreTokenizer& row : gguf::pre_tokenizers()) {
    if (!std::equal(regexes.begin(), regexes.end(), row.regexes.begin(), row.regexes.end()))
      continue;
    if (row.ignore_merges == tokenizer.ignore_merges) return &row;
    if (found == nullptr) found = &row;
  }
  return found;
}

}  // namespace

std::string find_pre_tokenizer(const Tokenizer& tokenizer, const std::string& where) {
  if (const PreTokenizer* row = find_row(tokenizer)) return std::string(row->name);
  std::string regexes;
  for (const std::string& regex : tokenizer.split_regexes) {
    regexes += (regexes.empty() ? "" : " then ") + with_escapes(regex);
  }
  throw Error(where,
              "no pre-tokenizer of llama.cpp is known to split text as this tokenizer does, with " +
                  (regexes.empty() ? "no regex" : regexes),
              "`pre-tokenizer` NAME to override");
}

std::vector<std::string> pre_tokenizer_deviations(const Tokenizer& tokenizer) {
  std::vector<std::string> lines;
  const PreTokenizer* row = find_row(tokenizer);
  if (row == nullptr) return lines;
  if (!row->deviation.empty()) lines.emplace_back(row->deviation);
  if (row->ignore_merges != tokenizer.ignore_merges) {
    lines.emplace_back("words that are tokens but that no merges lead to");
  }
  return lines;
}

}  // namespace zp
