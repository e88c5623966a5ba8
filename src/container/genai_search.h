// How genai_config.json says that tokens are chosen ("search"), from generation_config.json.
//
// What onnxruntime-genai 0.18 accepts, found by asking it (tests/consumers/genai_tokenizer_test.py
// asks again): do_sample true or false; top_k an integer from 0, no limit, to the vocabulary's
// size; top_p from 0 to 1; temperature any number, below 0 nonsense; repetition_penalty any number,
// at or below 0 nonsense; num_beams from 1 to 32, 1 where tokens are drawn; min_length any integer,
// below 0 nonsense; max_length up to the context. It has no min_p: the file would be refused.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace zp {

/// generation_config may be null. A value that the runtime refuses is mended where it has one
/// meaning in transformers: top_k -1 or above the vocabulary and top_p above 1 are no limit,
/// do_sample 0 and 1 are false and true, 50.0 is 50, max_length above the context is that,
/// num_beams below 1 is 1 and min_length below 0 is 0. Where do_sample is true num_beams is 1: the
/// runtime has no beams of drawn tokens. Throws Error naming the field for the others; `where`
/// begins messages.
Json genai_search(const Json& generation_config, std::int64_t vocabulary, std::int64_t context,
                  const std::string& where);

}  // namespace zp
