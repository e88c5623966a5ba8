// What a model's linear layers see on a text, into a file that quantize() takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/export.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// Fields have the names of the command line's options; empty: not asked for.
struct CalibrateRequest {
  std::string model;
  std::vector<std::string>
      text;               ///< files, or "own[:temperature=1,length=512,seed=0]": the model's own
  std::string output;     ///< NAME.imatrix.gguf: llama.cpp's form, importance alone
  std::string save_text;  ///< keeps what the model wrote itself, as JSONL
  std::optional<std::int64_t> tokens = 16384;  ///< of the texts; nothing: 8 for each input of the
                                               ///< widest linear
  std::int64_t context = 512;                  ///< tokens of a window
  std::optional<std::int64_t> memory;          ///< bytes; nothing: a quarter of the machine's
  bool force = false;                          ///< replaces what exists
};

/// What a model wrote itself.
struct OwnText {
  std::int64_t documents = 0;
  std::int64_t conversations = 0;  ///< among them
  std::int64_t tokens = 0;
  double seconds = 0;
};

/// How the model finds a text.
struct TextReading {
  std::int64_t tokens = 0;
  double bytes_per_token = 0;
  std::optional<double> perplexity;           ///< nothing: it was not measured
  std::optional<double> expected_perplexity;  ///< on tokens of its own choice in the same places
  bool is_foreign = false;                    ///< the model hardly knows such text
};

struct Calibration {
  std::string path;
  std::int64_t layers = 0;
  std::int64_t tokens = 0;  ///< that the statistics are of
  std::int64_t bytes = 0;   ///< of the file
  double seconds = 0;       ///< without loading and writing text
  std::optional<OwnText> own_text;
  TextReading text;
};

/// The file appears when it is complete. Throws Error, UsageError, Cancelled.
ZEROPOINT_API Calibration calibrate(const CalibrateRequest& request, const Work& work = {});

}  // namespace zeropoint
