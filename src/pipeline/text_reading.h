// Whether a model knows the kind of text that it is calibrated on.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "calibrate/text_loss.h"
#include "text/spelling.h"

namespace zp {

struct TextReading {
  Spelling files;                ///< of windows from files
  Spelling own;                  ///< of what the model wrote itself
  std::optional<TextLoss> loss;  ///< on both

  /// The model is far from expecting it, or it is spelled in pieces of characters.
  bool is_foreign() const;
};

/// Without a line's end; empty: there is no text.
std::string to_text(const TextReading& reading);
Json to_json(const TextReading& reading);

}  // namespace zp
