// Models of several parts (what sees, what hears, and a decoder of text): the text's part as a model
// of its own. The other parts' tensors are set aside, counted, and said.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "source/checkpoint.h"

namespace zp {

/// config.json of the text's part alone; nullopt where `config` isn't of a model of several parts
/// that is known. Throws Error at `where` for one whose text's part isn't.
std::optional<Json> text_config(const Json& config, const std::string& where);

/// The same for a whole checkpoint: its config, the names of its tensors; those of other parts go
/// into `beside`, and a note says what they are.
void take_text_part(Checkpoint& checkpoint, const std::string& where);

}  // namespace zp
