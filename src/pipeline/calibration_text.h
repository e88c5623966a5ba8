// What a model is calibrated on, as people name it: files, and "own", what the model writes itself.
//
//   own                           by the options below as they are
//   own:0.5                       beside files: its part of the tokens; else all texts have as many
//   own:temperature=0.7,length=128,seed=3
//   own:weights=int4:g32          a copy of the model in that grid writes it
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/windows.h"
#include "pipeline/own_text.h"
#include "pipeline/text_files.h"
#include "pipeline/text_reading.h"

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
Windows windows_of(const TextSources& sources, std::span<const Document> files, const OwnText* own,
                   const Tokenizer* tokenizer, const std::string& where, std::int64_t tokens,
                   std::int64_t context);

/// Of a calibration text: as many for each input of the widest linear as hold for other text, see
/// default_shrink(); at least as many as are taken by default, and no more than a night's work.
/// Whole windows.
std::int64_t auto_tokens(const Decoder& decoder, std::int64_t context);

/// What a model is calibrated on, as a command has it.
struct TextRequest {
  std::string option;                          ///< that has the words
  std::vector<std::string> words;              ///< empty: there is no text
  std::optional<std::int64_t> tokens = 16384;  ///< nothing: auto_tokens()
  std::int64_t context = 512;                  ///< of a window
  std::string save;    ///< where the model's own text is kept; empty: nowhere
  std::string resume;  ///< a folder that may have it already; empty: none
  bool force = false;
};

/// What the model writes, or wrote, itself.
struct OwnTextOutcome {
  std::int64_t wanted = 0;  ///< tokens
  OwnTextStreams streams;   ///< side by side
  double expected_seconds = 0;
  std::optional<OwnText> text;  ///< nothing: only planned
  double seconds = 0;           ///< that it took
  std::string kept_in;          ///< a file; empty: none
};

/// A text on its way from words to windows.
class CalibrationText {
 public:
  /// Throws UsageError for words that can't be, and Error where nothing can be saved.
  explicit CalibrationText(TextRequest asked);

  /// Reads the files, and says what of them is not read. Borrows the model; `where` names it.
  void read(const LoadedModel& loaded, const std::string& where, UnreadRemarks& remarks,
            Progress& progress);
  /// Of the text. Known behind read().
  std::int64_t tokens() const { return *asked_.tokens; }
  /// Whether the model has to write, and has not.
  bool is_missing() const { return sources_.own && !own_; }
  /// Tokens that the model has to write; 0: it writes none.
  std::int64_t own_tokens() const;
  /// Has the model write, and keeps the text where that is asked for. Throws Error as
  /// own_text_streams() and write_own_text() do.
  void write(std::int64_t memory_bytes, const Team& team, Progress& progress);

  /// Of so many tokens. Zeros for what is missing, see windows_of().
  Windows windows(std::int64_t tokens) const;
  Windows windows() const { return windows(tokens()); }

  /// How the model finds what windows() gave; `loss` on them is known only afterwards.
  TextReading reading(const Windows& windows, std::optional<TextLoss> loss) const;
  /// Nothing: it writes none. Throws Error as own_text_streams() does.
  std::optional<OwnTextOutcome> own(std::int64_t memory_bytes, int threads) const;
  /// The words; where the model wrote, with what came of it.
  std::string name() const;

 private:
  OwnTextStreams streams(std::int64_t memory_bytes) const;
  const Tokenizer* tokenizer() const;

  TextRequest asked_;
  TextSources sources_;
  const LoadedModel* loaded_ = nullptr;
  std::string where_;
  std::vector<Document> documents_;  // of the files
  std::optional<OwnText> own_;
  double seconds_ = 0;  // that writing took
};

}  // namespace zp
