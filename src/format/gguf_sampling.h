// How a model wants its tokens drawn: generation_config.json's fields and the keys of GGUF,
// general.sampling.*, from which llama.cpp's programs take what the user doesn't say
// (common/common.cpp, common_init_sampler_from_model; gguf-py writes them).
//
// llama.cpp always draws, so do_sample has no key. transformers' repetition penalty counts all
// tokens, llama.cpp's the last penalty_last_n: -1 is all of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "format/gguf.h"

namespace zp {

/// The keys of the fields there are; generation_config may be null. Throws Error naming the field
/// for what is no number in its range; `where` (a file) begins the message.
std::vector<gguf::Pair> sampling_pairs(const Json& generation_config, const std::string& where);

/// The fields of the keys there are, with do_sample; null where there are none. Values that
/// transformers would refuse are left aside.
Json sampling_fields(std::span<const gguf::Pair> pairs);

/// Whether one of the keys is there, of those that no field has, too.
bool has_sampling(std::span<const gguf::Pair> pairs);

}  // namespace zp
