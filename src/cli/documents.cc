#include "cli/documents.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "calibrate/windows.h"
#include "pipeline/expected_work.h"
#include "pipeline/kept_own_text.h"
#include "pipeline/plan.h"
#include "report/human.h"
#include "source/unread_files.h"
#include "text/documents.h"

namespace zp::cli {

std::string standard_input() {
  std::string all(64 << 10, '\0');
  std::size_t bytes = 0;
  while (const std::size_t count = std::fread(all.data() + bytes, 1, all.size() - bytes, stdin)) {
    bytes += count;
    if (bytes == all.size()) all.resize(2 * bytes);
  }
  all.resize(bytes);
  return all;
}

namespace {

// What isn't known has to tell by its encoding.
void refuse_other_files(const std::string& path) {
  const MappedFile file(path);
  if (file.bytes().empty() || may_be_text(file.bytes())) return;
  if (const std::string what = describe_file(file.bytes()); !what.empty())
    throw Error(path, "no text", "plain text, JSON or JSONL", what);
}

}  // namespace

std::vector<Document> read_documents(const std::string& file) {
  if (std::filesystem::is_regular_file(file)) refuse_other_files(file);
  return file == "-" ? parse_dataset(standard_input(), "standard input") : read_dataset(file);
}

void say_unread(std::span<const Document> documents, const Tokenizer& tokenizer,
                const std::string& where, const Common& common) {
  static std::set<std::string> said;  // one file may be calibrated on, judged on, ...
  if (common.quiet) return;
  for (const std::string& note : unread_notes(documents, tokenizer, where)) {
    if (said.insert(note).second) fmt::print(stderr, "{}\n", note);
  }
}

void say_unread(std::span<const Document> documents, const LoadedModel& loaded,
                const Common& common) {
  if (loaded.tokenizer)
    say_unread(documents, *loaded.tokenizer, loaded.checkpoint.path.string(), common);
}

namespace {

std::vector<Document> read_all(const std::vector<std::string>& files, const LoadedModel& loaded,
                               const Common& common) {
  std::vector<Document> documents;
  for (const std::string& file : files) {
    for (Document& document : read_documents(file)) documents.push_back(std::move(document));
  }
  say_unread(documents, loaded, common);
  return documents;
}

const Tokenizer* tokenizer_of(const LoadedModel& loaded) {
  return loaded.tokenizer ? &*loaded.tokenizer : nullptr;
}

}  // namespace

std::vector<std::vector<std::int32_t>> read_windows(const std::vector<std::string>& files,
                                                    const LoadedModel& loaded,
                                                    const std::string& where, std::int64_t tokens,
                                                    std::int64_t context, const Common& common) {
  return calibration_windows(read_all(files, loaded, common), tokenizer_of(loaded), where, tokens,
                             context);
}

CalibrationText::CalibrationText(Asked asked)
    : asked_(std::move(asked)), sources_(parse_text_sources(asked_.words, asked_.option)) {
  if (asked_.save.empty()) return;
  if (!sources_.own) {
    throw UsageError("--save-text", "keeps what the model writes itself", asked_.option + " own");
  }
  check_output_path(asked_.save, asked_.force);
}

void CalibrationText::read(const LoadedModel& loaded, const std::string& where,
                           const Common& common) {
  loaded_ = &loaded;
  where_ = where;
  documents_ = read_all(sources_.files, loaded, common);
}

std::int64_t CalibrationText::own_tokens() const {
  return own_windows(sources_, asked_.tokens, asked_.context) * asked_.context;
}

OwnTextStreams CalibrationText::streams(std::int64_t memory_bytes) const {
  return own_text_streams(loaded_->model.decoder, sources_.own->options, own_tokens(),
                          memory_bytes);
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

std::vector<std::vector<std::int32_t>> CalibrationText::windows(std::int64_t tokens) const {
  if (asked_.words.empty()) return {};
  return windows_of(sources_, documents_, own_ ? &*own_ : nullptr, tokenizer_of(*loaded_), where_,
                    tokens, asked_.context);
}

TextReading CalibrationText::reading(std::optional<TextLoss> loss) const {
  TextReading reading;
  reading.loss = std::move(loss);
  const std::vector<std::vector<std::int32_t>> all = windows(asked_.tokens);
  if (all.empty()) return reading;
  const TokenDecoder decoder(*loaded_->tokenizer);
  const auto own = own_windows(sources_, asked_.tokens, asked_.context);
  for (std::int64_t i = 0; i < std::ssize(all); ++i) {
    if (i < own && !own_) continue;
    (i < own ? reading.own : reading.files).add(all[static_cast<std::size_t>(i)], decoder);
  }
  return reading;
}

std::string CalibrationText::plan_text(std::int64_t memory_bytes, int threads) const {
  if (!is_missing()) return own_text();
  const OwnTextStreams side = streams(memory_bytes);
  return fmt::format("own text: {} to write, {} side by side in {}, about {}\n",
                     human_counted(own_tokens(), "token"), human_counted(side.count, "document"),
                     human_bytes(side.count * side.bytes),
                     human_duration(own_text_seconds(loaded_->model, own_tokens(), threads)));
}

Json CalibrationText::plan_json(std::int64_t memory_bytes, int threads) const {
  if (!is_missing()) return own_json();
  const OwnTextStreams side = streams(memory_bytes);
  return {{"tokens", own_tokens()},
          {"streams", side.count},
          {"memory_bytes", side.count * side.bytes},
          {"expected_seconds", own_text_seconds(loaded_->model, own_tokens(), threads)}};
}

std::string CalibrationText::own_text() const {
  if (!own_) return {};
  return fmt::format(
      "own text: {}, {} of them conversations, {}, texts behind {}; "
      "begun anew {}{}{}; {:.2f} s\n",
      human_counted(std::ssize(own_->documents), "document"), own_->conversations,
      human_counted(own_->tokens, "token"), printable(own_->begin), own_->restarted,
      own_->left_out > 0 ? fmt::format(", left out {}", own_->left_out) : "",
      asked_.save.empty() ? "" : "; kept in " + asked_.save, seconds_);
}

Json CalibrationText::own_json() const {
  return {{"documents", own_->documents.size()},
          {"conversations", own_->conversations},
          {"tokens", own_->tokens},
          {"restarted", own_->restarted},
          {"left_out", own_->left_out},
          {"begin", own_->begin},
          {"seconds", seconds_}};
}

std::string reading_text(const TextReading& reading) {
  const std::string text = to_text(reading);
  if (text.empty()) return {};
  return fmt::format("calibration text: {}{}\n", text,
                     reading.is_foreign()
                         ? "; the model hardly knows such text: --calibrate own, or text "
                           "of other kinds beside it, would help"
                         : "");
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

void add_save_text(CLI::App& sub, std::string& path) {
  sub.add_option("--save-text", path, "FILE.jsonl: keep the text that the model writes itself");
}

}  // namespace zp::cli
