// What a model's linear layers see on a text, into a file that quantize takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/calibration_text.h"

namespace zp {

struct CalibrateRequest {
  std::string model;
  std::vector<std::string> texts;
  std::string output;  ///< NAME.imatrix.gguf: llama.cpp's form, importance alone
  std::string save_text;
  std::optional<std::int64_t> tokens = 16384;  ///< of the texts; nothing: auto_tokens()
  std::int64_t context = 512;                  ///< tokens of a window
  std::optional<std::int64_t> memory;          ///< bytes; nothing: a quarter of the machine's
  bool force = false;
};

struct CalibrateOutcome {
  std::int64_t layers = 0;
  std::int64_t tokens = 0;  ///< that the statistics are of
  std::int64_t bytes = 0;   ///< of the file
  double seconds = 0;       ///< without loading and writing text
  std::optional<OwnTextOutcome> own_text;
  TextReading text;
};

/// The file appears when it is complete. Throws as quantize() does.
CalibrateOutcome calibrate(const CalibrateRequest& request, const Team& team, Progress& progress);

}  // namespace zp
