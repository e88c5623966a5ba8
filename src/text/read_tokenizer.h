// A tokenizer from the files that a checkpoint has of it.
#pragma once

#include <filesystem>
#include <optional>

#include "text/tokenizer.h"

namespace zp {

/// Reads what the folder has: tokenizer.json, tokenizer.model, vocab.json + merges.txt or
/// *.tiktoken, in this order, with tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, chat_template.jinja or .json, and config.json for what those leave open.
/// nullopt when there is none. Throws Error, naming the field, for what it doesn't know.
std::optional<Tokenizer> read_tokenizer(const std::filesystem::path& folder);

}  // namespace zp
