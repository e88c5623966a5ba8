// What a model is calibrated on, as people name it: files, and "own", what the model writes itself.
//
//   own                           by the options below as they are
//   own:0.5                       beside files: its part of the tokens; else all texts have as many
//   own:temperature=0.7,length=128,seed=3
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/own_text.h"

namespace zp {

struct OwnSource {
  OwnTextOptions options;
  double share = 1;  ///< of the tokens
};

struct TextSources {
  std::vector<std::string> files;
  std::optional<OwnSource> own;
};

/// A file that has such a name goes by another path to it, ./own. Throws UsageError at `option`.
TextSources parse_text_sources(std::span<const std::string> words, const std::string& option);

/// Windows of the model's own text among those of `tokens` tokens, at least one of each kind; 0:
/// there is none of it.
std::int64_t own_windows(const TextSources& sources, std::int64_t tokens, std::int64_t context);

/// calibration_windows() of the model's own documents and of the files', each kind with its part of
/// the tokens, at least a window. nullptr: its own text isn't written yet; then they are zeros, and
/// as many. Throws Error as calibration_windows() does.
std::vector<std::vector<TokenId>> windows_of(const TextSources& sources,
                                             std::span<const Document> files, const OwnText* own,
                                             const Tokenizer* tokenizer, const std::string& where,
                                             std::int64_t tokens, std::int64_t context);

}  // namespace zp
