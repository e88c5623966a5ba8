// What a judgement says, for scripts and for people.
#pragma once

#include <string>

#include "base/json.h"
#include "judge/judge.h"

namespace zp {

/// {tokens, context, perplexity, perplexity_se} and beside a reference {reference_perplexity,
/// kl_divergence {mean, se, median, p90, p95, p99, p999, max}, top1_agreement, top1_agreement_se,
/// rms_dp}
Json to_json(const Judgement& judgement);
/// Lines, each ended.
std::string to_text(const Judgement& judgement);

}  // namespace zp
