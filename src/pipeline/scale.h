// A rewrite that scales columns (AWQ, SmoothQuant), link by link.
#pragma once

#include "pipeline/rewrite_pass.h"

namespace zp {

Rewriting scale_links(const RewritePass& pass, const ChosenRewrite& chosen, Progress& progress,
                      RewriteResult& result);

}  // namespace zp
