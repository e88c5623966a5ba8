// The divergences of all tokens as a curve and a table: how large for how many of them.
#pragma once

#include <string>

#include "judge/judge.h"

namespace zp {

/// One of the summary's values, with as many decimals as all of them have.
std::string kl_text(const DivergenceSummary& kl, double value);

/// HTML. The judgement must be beside a reference.
std::string divergence_picture(const Judgement& judgement);

}  // namespace zp
