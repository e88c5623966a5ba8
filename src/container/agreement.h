// Where a runtime computes something else than the model says: one comparison for every container.
//
// What the runtime can't load, or what would be garbage there, is refused; what is small or far
// away in the text is said in a note, with its size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/runtime_module.h"

namespace zp {

/// `runtime`: "llama.cpp", for notes. `where`: "gguf, llama.cpp's architecture llama", begins
/// errors. Throws Error for what the module can't compute.
std::vector<std::string> runtime_notes(const Decoder& model, const RuntimeModule& module,
                                       std::string_view runtime, const std::string& where);

}  // namespace zp
