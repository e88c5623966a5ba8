// A judgement as the library's headers have it.
#pragma once

#include "judge/judge.h"
#include "zeropoint/evaluate.h"

namespace zeropoint {

Evaluation evaluation_of(const zp::Judgement& judgement);

}  // namespace zeropoint
