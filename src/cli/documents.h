// What FILE means where a text is asked for: a path, or - for standard input.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "cli/command.h"
#include "pipeline/calibration_text.h"
#include "pipeline/load.h"
#include "pipeline/text_reading.h"
#include "text/dataset.h"

namespace zp::cli {

/// All of it.
std::string standard_input();

/// Throws Error as read_dataset does.
std::vector<Document> read_documents(const std::string& file);

/// On standard error, unless --quiet, and every line once: what of the documents no token tells of.
/// `where` names the tokenizer. Throws Error as unread_notes does.
void say_unread(std::span<const Document> documents, const Tokenizer& tokenizer,
                const std::string& where, const Common& common);
void say_unread(std::span<const Document> documents, const LoadedModel& loaded,
                const Common& common);

/// Windows of all the files together; says what is not read. Throws Error as calibration_windows
/// does; `where` names the model.
std::vector<std::vector<std::int32_t>> read_windows(const std::vector<std::string>& files,
                                                    const LoadedModel& loaded,
                                                    const std::string& where, std::int64_t tokens,
                                                    std::int64_t context, const Common& common);

/// What a model is calibrated on: files, and what the model writes itself.
class CalibrationText {
 public:
  struct Asked {
    std::string option;              ///< that has the words
    std::vector<std::string> words;  ///< empty: there is no text
    std::int64_t tokens = 0;
    std::int64_t context = 0;
    std::string save;    ///< where the model's own text is kept; empty: nowhere
    std::string resume;  ///< a folder that may have it already; empty: none
    bool force = false;
  };

  /// Throws UsageError for words that can't be, and Error where nothing can be saved.
  explicit CalibrationText(Asked asked);

  /// Reads the files, and says what of them is not read. Borrows the model; `where` names it.
  void read(const LoadedModel& loaded, const std::string& where, const Common& common);
  /// Whether the model has to write, and has not.
  bool is_missing() const { return sources_.own && !own_; }
  /// Tokens that the model has to write; 0: it writes none.
  std::int64_t own_tokens() const;
  /// Has the model write, and keeps the text where that is asked for. Throws Error as
  /// own_text_streams() and write_own_text() do.
  void write(std::int64_t memory_bytes, const Team& team, Progress& progress);

  /// Of so many tokens. Zeros for what is missing, see windows_of().
  std::vector<std::vector<std::int32_t>> windows(std::int64_t tokens) const;

  /// How the model finds windows() of Asked::tokens; `loss` on them is known only afterwards.
  TextReading reading(std::optional<TextLoss> loss) const;

  /// What is known before it writes, as a line and as JSON. Throws Error as
  /// own_text_streams() does.
  std::string plan_text(std::int64_t memory_bytes, int threads) const;
  Json plan_json(std::int64_t memory_bytes, int threads) const;
  /// What came of it, as a line; empty: the model wrote nothing.
  std::string own_text() const;
  Json own_json() const;
  double own_seconds() const { return seconds_; }
  /// The words; where the model wrote, with what came of it.
  std::string name() const;

 private:
  OwnTextStreams streams(std::int64_t memory_bytes) const;

  Asked asked_;
  TextSources sources_;
  const LoadedModel* loaded_ = nullptr;
  std::string where_;
  std::vector<Document> documents_;  // of the files
  std::optional<OwnText> own_;
  double seconds_ = 0;  // that writing took
};

/// As a line, with what would help; empty: there is no text.
std::string reading_text(const TextReading& reading);

/// --save-text.
void add_save_text(CLI::App& sub, std::string& path);

/// For --help.
constexpr const char* kOwnForms =
    "own, or own:temperature=1,length=512,seed=0, is text that the model writes itself; beside "
    "files it has an equal part of the tokens, or own:0.3 that";
constexpr const char* kDocumentForms =
    "plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"conversations\"}, {\"user\", "
    "\"assistant\"} or {\"instruction\", \"input\", \"output\"}; - is standard input. "
    "Conversations "
    "go through the chat template";

}  // namespace zp::cli
