// The regexes that split text into words in families of byte-level tokenizers, for files that don't
// say them: vocab.json + merges.txt and tiktoken's lists of ranks.
//
// Sources: the tokenizer classes of Hugging Face transformers, tiktoken_ext/openai_public.py,
// llama3/tokenizer.py. The regexes are spelled as in the tokenizer.json of these models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// What ByteLevel splits by when it uses its own regex.
extern const std::string_view kGpt2Regex;

struct SplitFamily {
  std::string_view name;
  std::string_view regex;
  std::vector<std::string_view> classes;      ///< tokenizer_class, without "Fast"
  std::vector<std::string_view> model_types;  ///< config.json's
  std::vector<std::string_view> borrowed;     ///< repositories named by auto_map's AutoTokenizer
  std::string_view tiktoken_file;             ///< name without ".tiktoken"
  std::int64_t ranks = 0;                     ///< in the published tiktoken file
  std::string_view end_of_text;               ///< the classes' default bos, eos and unknown token
  bool nfc = false;
};

/// nullptr when no family fits.
const SplitFamily* family_of_class(std::string_view tokenizer_class);
const SplitFamily* family_of_model_type(std::string_view model_type);
const SplitFamily* family_of_borrowed(std::string_view repository);
const SplitFamily* family_of_tiktoken(std::string_view file_stem, std::int64_t ranks);

}  // namespace zp
