#include "calibrate/windows.h"

#include <algorithm>

#include "base/error.h"

namespace zp {
namespace {

using Ids = std::vector<TokenId>;

}  // namespace

void check_windows(const Tokenizer* tokenizer, const std::string& where, std::int64_t tokens,
                   std::int64_t context) {
  if (tokenizer == nullptr) {
    throw Error(where, "no tokenizer",
                "tokenizer.json, tokenizer.model, vocab.json with merges.txt, or *.tiktoken");
  }
  if (context < 1)
    throw Error("`context`", "too short", "at least 1 token", std::to_string(context));
  if (tokens < context) {
    throw Error("`tokens`", "fewer than one window of `context`",
                "at least " + std::to_string(context), std::to_string(tokens));
  }
}

std::vector<Ids> calibration_windows(std::span<const Document> documents,
                                     const Tokenizer* tokenizer, const std::string& where,
                                     std::int64_t tokens, std::int64_t context) {
  check_windows(tokenizer, where, tokens, context);
  const Ids all = encode_together(documents, *tokenizer, where);
  const auto available = static_cast<std::int64_t>(all.size());
  if (available < context) {
    throw Error("calibration text", "shorter than one window of `context`",
                "at least " + std::to_string(context) + " tokens", std::to_string(available));
  }
  const std::int64_t there = available / context;
  const std::int64_t wanted = std::min(tokens / context, there);
  std::vector<Ids> windows;
  for (std::int64_t i = 0; i < wanted; ++i) {
    // In double: i * there might not fit, and whole numbers up to 2^53 do.
    const auto at = static_cast<std::int64_t>(static_cast<double>(i) * static_cast<double>(there) /
                                              static_cast<double>(wanted));
    const auto begin = all.begin() + at * context;
    windows.emplace_back(begin, begin + context);
    if (tokenizer->add_bos && tokenizer->bos) {
      windows.back().front() = static_cast<TokenId>(*tokenizer->bos);
    }
  }
  return windows;
}

}  // namespace zp
