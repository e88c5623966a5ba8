// What onnxruntime-genai's tokenizer leaves out, each found by comparing ids.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// In which texts its ids will differ from the tokenizer's own, one line each; empty where none
/// are known.
std::vector<std::string> genai_tokenizer_deviations(const Tokenizer& tokenizer);

}  // namespace zp
