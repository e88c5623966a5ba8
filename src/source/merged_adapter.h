// An adapter that a model of several parts holds beside its text's matrices, merged into these as
// tensor/merged_rows.h says: A is "lora_A", B "lora_B", s "lora_alpha" / "r". Source:
// microsoft/Phi-4-multimodal-instruct, which has one for images and one for speech.
#pragma once

#include <string>

#include "source/checkpoint.h"

namespace zp {

/// Of the name in "X.lora_A.NAME.weight"; config.json's "NAME_lora" has "r" and "lora_alpha". What
/// is left is a decoder of text alone: no longer a part of the whole, whose other parts were trained
/// without it, or with it apart. Throws Error where there is no such adapter, or it doesn't fit.
void merge_adapter(Checkpoint& checkpoint, const std::string& name);

}  // namespace zp
