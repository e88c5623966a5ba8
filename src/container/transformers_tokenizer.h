// Where transformers 5, and mlx-lm which uses it, reads a folder otherwise than its tokenizer.json
// says.
//
// The class that tokenizer_config.json names builds its own splitting and normalizer around
// tokenizer.json's vocabulary (models/*/tokenization_*.py); which class that is, model_type has a
// say in (models/auto/tokenization_auto.py). PreTrainedTokenizerFast and unknown classes take the
// file as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace zp {

/// In which texts ids will differ from the tokenizer's own, one line each. `config` is
/// tokenizer_config.json.
std::vector<std::string> transformers_tokenizer_deviations(const Tokenizer& tokenizer,
                                                           const Json& config,
                                                           std::string_view model_type);

}  // namespace zp
