// Where generation begins and ends, as generation_config.json and config.json name the tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace zp {

/// Texts of tokens that end a turn of a chat, as llama.cpp knows them where a file names none.
std::span<const std::string_view> turn_ends();

/// The ids that "eos_token_id" of a config names: one, several, or none (also for null).
std::vector<std::int64_t> stated_ends(const Json& config);
/// Throws Error when they aren't all ids below `vocabulary`; `where` (a file) begins the message.
void check_stated_ends(const Json& config, std::int64_t vocabulary, const std::string& where);
/// Tokens that end an answer, each once: the tokenizer's end (nullptr: no tokenizer), then those of
/// generation_config.json (or null).
std::vector<std::int64_t> generation_ends(const Tokenizer* tokenizer,
                                          const Json& generation_config);

/// bos_token_id, eos_token_id (a list where there are several) and pad_token_id, as far as there
/// are such: for sources that hold neither generation_config.json nor config.json (GGUF).
Json token_ids_json(const Tokenizer& tokenizer, const Json& generation_config);

}  // namespace zp
