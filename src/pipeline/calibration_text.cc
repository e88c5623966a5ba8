#include "pipeline/calibration_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/atomic_file.h"
#include "base/human.h"
#include "calibrate/windows.h"
#include "method/options.h"
#include "pipeline/expected_work.h"
#include "pipeline/kept_own_text.h"
#include "pipeline/plan.h"

namespace zp {
namespace {

constexpr std::string_view kOwn = "own";

constexpr std::int64_t kTokensForInput = 8;
constexpr std::int64_t kLeastTokens = 16384;
constexpr std::int64_t kMostTokens = 131072;

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
    } else if (name == "weights") {
      own.options.weights = value;
      make_grid(value);  // throws where it is none
    } else {
      throw UsageError(where, "unknown option", "temperature, length, seed or weights",
                       std::string(name));
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

Windows windows_of(const TextSources& sources, std::span<const Document> files, const OwnText* own,
                   const Tokenizer* tokenizer, const std::string& where, std::int64_t tokens,
                   std::int64_t context) {
  if (!sources.own) return calibration_windows(files, tokenizer, where, tokens, context);
  check_windows(tokenizer, where, tokens, context);
  if (!sources.files.empty() && tokens < 2 * context) {
    throw Error("`tokens`", "fewer than one window of `context` for each kind of text",
                "at least " + std::to_string(2 * context), std::to_string(tokens));
  }
  const std::int64_t count = own_windows(sources, tokens, context);
  Windows windows(static_cast<std::size_t>(count));
  for (auto& window : windows) window.resize(static_cast<std::size_t>(context));
  if (own != nullptr)
    windows = calibration_windows(own->documents, tokenizer, where, count * context, context);
  if (sources.files.empty()) return windows;
  for (auto& window :
       calibration_windows(files, tokenizer, where, tokens - count * context, context))
    windows.push_back(std::move(window));
  return windows;
}

std::int64_t auto_tokens(const Decoder& decoder, std::int64_t context) {
  const std::int64_t tokens =
      std::clamp(kTokensForInput * widest_input(decoder), kLeastTokens, kMostTokens);
  return std::max(tokens / std::max(context, std::int64_t{1}), std::int64_t{1}) * context;
}

CalibrationText::CalibrationText(TextRequest asked)
    : asked_(std::move(asked)), sources_(parse_text_sources(asked_.words, asked_.option)) {
  if (asked_.save.empty()) return;
  if (!sources_.own) {
    throw UsageError("`save-text`", "keeps what the model writes itself", asked_.option + " own");
  }
  check_output_path(asked_.save, asked_.force);
}

void CalibrationText::read(const LoadedModel& loaded, const std::string& where,
                           UnreadRemarks& remarks, Progress& progress) {
  loaded_ = &loaded;
  where_ = where;
  if (!asked_.tokens) asked_.tokens = auto_tokens(loaded.model.decoder, asked_.context);
  documents_ = read_documents(sources_.files);
  remarks.say(documents_, loaded, progress);
}

const Tokenizer* CalibrationText::tokenizer() const {
  return loaded_->tokenizer ? &*loaded_->tokenizer : nullptr;
}

std::int64_t CalibrationText::own_tokens() const {
  return own_windows(sources_, tokens(), asked_.context) * asked_.context;
}

OwnTextStreams CalibrationText::streams(std::int64_t memory_bytes) const {
  return own_text_streams(loaded_->model, sources_.own->options, own_tokens(), memory_bytes);
}

void CalibrationText::write(std::int64_t memory_bytes, const Team& team, Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  const std::int64_t side = streams(memory_bytes).count;
  const OwnTextOptions& options = sources_.own->options;
  own_ =
      asked_.resume.empty()
          ? write_own_text(*loaded_, options, own_tokens(), side, team, progress)
          : kept_or_written(asked_.resume, *loaded_, options, own_tokens(), side, team, progress);
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (asked_.save.empty()) return;
  const std::string lines = to_jsonl(own_->documents);
  AtomicFile file(asked_.save, std::ssize(lines), asked_.force);
  file.write_at(0, std::as_bytes(std::span(lines)));
  file.commit();
}

Windows CalibrationText::windows(std::int64_t tokens) const {
  if (asked_.words.empty()) return {};
  return windows_of(sources_, documents_, own_ ? &*own_ : nullptr, tokenizer(), where_, tokens,
                    asked_.context);
}

TextReading CalibrationText::reading(const Windows& windows, std::optional<TextLoss> loss) const {
  TextReading reading;
  reading.loss = std::move(loss);
  if (windows.empty()) return reading;
  const TokenDecoder decoder(*tokenizer());
  const auto own = own_windows(sources_, tokens(), asked_.context);
  for (std::int64_t i = 0; i < std::ssize(windows); ++i) {
    if (i < own && !own_) continue;
    (i < own ? reading.own : reading.files).add(windows[static_cast<std::size_t>(i)], decoder);
  }
  return reading;
}

std::optional<OwnTextOutcome> CalibrationText::own(std::int64_t memory_bytes, int threads) const {
  if (!sources_.own) return std::nullopt;
  return OwnTextOutcome{own_tokens(),
                        streams(memory_bytes),
                        own_text_seconds(loaded_->model, own_tokens(), threads),
                        own_,
                        seconds_,
                        own_ ? asked_.save : std::string()};
}

std::string CalibrationText::name() const {
  std::string all;
  for (const std::string& word : asked_.words) all += (all.empty() ? "" : ", ") + word;
  if (own_) {
    all += fmt::format(" (the model wrote {} of {} itself)",
                       human_counted(std::ssize(own_->documents), "document"),
                       human_counted(own_->tokens, "token"));
  }
  return all;
}

}  // namespace zp
