// What the judge found: perplexity, divergence, and where first choices changed.
#pragma once

#include <string>

#include "report/quantize_report.h"

namespace zp {

std::string judged_tiles(const Judgement& judgement);
/// Sections with ids that begin with `id`. text: what was judged on.
std::string judged_html(const std::string& text, const Judgement& judgement, const std::string& id);

}  // namespace zp
