// The divergences of all tokens as a curve and a table: how large for how many of them.
#pragma once

#include <string>

#include "judge/judge.h"

namespace zp {

/// HTML. The judgement must be beside a reference.
std::string divergence_picture(const Judgement& judgement);

}  // namespace zp
