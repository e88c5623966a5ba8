// The places where two models differ most, in their text.
#pragma once

#include <string>

#include "judge/judge.h"

namespace zp {

/// HTML: a list, the first few open, the others behind a click.
std::string worst_tokens_html(const Judgement& judgement);

}  // namespace zp
