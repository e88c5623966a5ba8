// What a loaded model has beside its decoder of text, and what becomes of it in an output.
#pragma once

#include <string>
#include <vector>

#include "container/container.h"
#include "model/beside.h"
#include "pipeline/load.h"

namespace zp {

/// Of all parts, and what predicts further tokens.
std::vector<BesideTensor> all_beside(const Checkpoint& checkpoint, const Model& model);

/// What of it may be copied: all of Hugging Face's names where its bytes lie side by side in files,
/// and nothing beside weights that were rewritten (`model` is another than the loaded one) or that
/// an adapter was merged into: what was trained with the old ones doesn't fit the new.
Beside copied_beside(const LoadedModel& loaded, const Model& model);

/// Says what became of it in the output; empty: there is nothing.
std::string beside_note(const LoadedModel& loaded, const Layout& layout);

}  // namespace zp
