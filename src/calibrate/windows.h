// The part of a text that a model is calibrated on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "text/documents.h"

namespace zp {

/// Pieces of a text's tokens, of equal length; the model reads each by itself.
using Windows = std::vector<std::vector<TokenId>>;

/// Throws Error for what calibration_windows() refuses whatever the text.
void check_windows(const Tokenizer* tokenizer, const std::string& where, std::int64_t tokens,
                   std::int64_t context);

/// Windows of `context` tokens, `tokens` in all as far as whole windows go, spread evenly over the
/// documents' token stream; all of a text that has no more. Where the model begins its texts with
/// BOS, so does each window. Throws Error at `where` when there is no tokenizer (nullptr), for
/// fewer tokens than a window, and for what encode_documents() refuses.
Windows calibration_windows(std::span<const Document> documents, const Tokenizer* tokenizer,
                            const std::string& where, std::int64_t tokens, std::int64_t context);

/// Takes one window (or what else stands there) of every sixteen out of them, spread evenly, and gives it
/// back; of fewer none. What is found on the others is measured on these.
template <class T>
std::vector<T> hold_out(std::vector<T>& windows) {
  constexpr std::size_t kHeldOut = 16;
  std::vector<T> kept, held_out;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    // The one in the middle of sixteen: a text's first and last windows stay.
    const bool out = i % kHeldOut == kHeldOut / 2 && i / kHeldOut < windows.size() / kHeldOut;
    (out ? held_out : kept).push_back(std::move(windows[i]));
  }
  windows = std::move(kept);
  return held_out;
}

}  // namespace zp
