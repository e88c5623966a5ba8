// Whether two models mean the same tokens by the same ids: only then can their logits be compared.
#pragma once

#include <string>

#include "text/tokenizer.h"

namespace zp {

/// Throws Error at `where`, naming the first id that stands for another text in `reference`, or is
/// there in one of them alone. Ids that are padding in one of them may be anything.
void check_same_vocabulary(const Tokenizer& ours, const std::string& where,
                           const Tokenizer& reference, const std::string& reference_where);

}  // namespace zp
