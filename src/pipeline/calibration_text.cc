#include "pipeline/calibration_text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "calibrate/windows.h"
#include "method/option_values.h"

namespace zp {
namespace {

constexpr std::string_view kOwn = "own";

bool is_own(std::string_view word) {
  return word == kOwn || word.starts_with(std::string(kOwn) + ":");
}

// `shared`: there are files beside it.
OwnSource parse_own(std::string_view word, const std::string& where, bool shared, double share) {
  OwnSource own{{}, share};
  if (word == kOwn) return own;
  for (const std::string_view one : at_commas(word.substr(kOwn.size() + 1))) {
    const std::size_t equals = one.find('=');
    const std::string_view name = one.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : one.substr(equals + 1);
    if (equals == std::string_view::npos) {
      own.share = number(where, one, 0.001, 0.999);
      if (!shared) throw UsageError(where, "a part of what", "other texts beside it");
    } else if (name == "temperature") {
      own.options.temperature = number(where, value, 0.01, 100.0);
    } else if (name == "length") {
      own.options.length = number<std::int64_t>(where, value, 16, 1 << 20);
    } else if (name == "seed") {
      own.options.seed =
          number<std::uint64_t>(where, value, 0, std::numeric_limits<std::uint64_t>::max());
    } else {
      throw UsageError(where, "unknown option", "temperature, length or seed", std::string(name));
    }
  }
  return own;
}

}  // namespace

TextSources parse_text_sources(std::span<const std::string> words, const std::string& option) {
  TextSources sources;
  std::vector<std::string> own;
  for (const std::string& word : words) (is_own(word) ? own : sources.files).push_back(word);
  if (own.empty()) return sources;
  if (own.size() > 1) throw UsageError(option, "the model's own text stands twice", "own once");
  const double texts = static_cast<double>(words.size());
  sources.own =
      parse_own(own.front(), option + " " + own.front(), !sources.files.empty(), 1 / texts);
  return sources;
}

std::int64_t own_windows(const TextSources& sources, std::int64_t tokens, std::int64_t context) {
  if (!sources.own) return 0;
  const std::int64_t all = tokens / context;
  if (sources.files.empty()) return all;
  const auto part = std::llround(sources.own->share * static_cast<double>(all));
  return std::clamp<std::int64_t>(part, 1, all - 1);
}

std::vector<std::vector<TokenId>> windows_of(const TextSources& sources,
                                             std::span<const Document> files, const OwnText* own,
                                             const Tokenizer* tokenizer, const std::string& where,
                                             std::int64_t tokens, std::int64_t context) {
  if (!sources.own) return calibration_windows(files, tokenizer, where, tokens, context);
  check_windows(tokenizer, where, tokens, context);
  if (!sources.files.empty() && tokens < 2 * context) {
    throw Error("--tokens", "fewer than one window of --context for each kind of text",
                "at least " + std::to_string(2 * context), std::to_string(tokens));
  }
  const std::int64_t count = own_windows(sources, tokens, context);
  std::vector<std::vector<TokenId>> windows(static_cast<std::size_t>(count));
  for (auto& window : windows) window.resize(static_cast<std::size_t>(context));
  if (own != nullptr)
    windows = calibration_windows(own->documents, tokenizer, where, count * context, context);
  if (sources.files.empty()) return windows;
  for (auto& window :
       calibration_windows(files, tokenizer, where, tokens - count * context, context))
    windows.push_back(std::move(window));
  return windows;
}

}  // namespace zp
