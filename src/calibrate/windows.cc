#include "calibrate/windows.h"

#include <algorithm>

#include "base/error.h"

namespace zp {
namespace {

using Ids = std::vector<TokenId>;

void check(std::int64_t available, std::int64_t tokens, std::int64_t context) {
  if (context < 1)
    throw Error("--context", "too short", "at least 1 token", std::to_string(context));
  if (tokens < context) {
    throw Error("--tokens", "fewer than one window of --context",
                "at least " + std::to_string(context), std::to_string(tokens));
  }
  if (available < context) {
    throw Error("calibration text", "shorter than one window of --context",
                "at least " + std::to_string(context) + " tokens", std::to_string(available));
  }
}

}  // namespace

std::vector<Ids> calibration_windows(std::span<const Document> documents,
                                     const Tokenizer* tokenizer, const std::string& where,
                                     std::int64_t tokens, std::int64_t context) {
  if (tokenizer == nullptr) {
    throw Error(where, "no tokenizer",
                "tokenizer.json, tokenizer.model, vocab.json with merges.txt, or *.tiktoken");
  }
  const Ids all = encode_together(documents, *tokenizer, where);
  const auto available = static_cast<std::int64_t>(all.size());
  check(available, tokens, context);
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
