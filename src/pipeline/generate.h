// A model goes on from a prompt, or answers a message: from what people ask for to what came of it.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "pipeline/generator.h"
#include "pipeline/load.h"
#include "text/chat.h"

namespace zp {

/// Fields have the names of the command line's options; empty: not asked for.
struct GenerateRequest {
  std::string model;
  std::string adapter;        ///< a folder: into the model's weights
  std::string prompt;         ///< what it goes on from
  bool chat = false;          ///< the prompt is a user's message, for the chat template
  std::string system;         ///< with chat: how the model shall answer
  std::int64_t tokens = 128;  ///< an answer stops after so many
  Sampling sampling;
  std::uint64_t seed = 0;
};

struct GenerateOutcome {
  Generation answer;
  double load_seconds = 0;
  /// The model ended at once, and has a chat template that nobody asked for.
  bool expects_chat = false;
};

/// Gets each piece of an answer's text as it comes.
using Say = std::function<void(std::string_view)>;

/// now: the clock on the wall, for chat templates. An answer that is cancelled ends where it is.
/// Throws UsageError for what can't be asked for, Error for what the files don't allow.
GenerateOutcome generate(const GenerateRequest& request, std::time_t now, const Say& say,
                         const Team& team, Progress& progress);

/// A model that stays loaded, goes on from texts and holds a conversation. Borrows the team and the
/// progress.
class Speaker {
 public:
  /// The request's prompt is not read. Throws as generate() does.
  Speaker(GenerateRequest request, const Team& team, Progress& progress);

  /// From a text, whatever was said before.
  Generation go_on(const std::string& text, const Say& say);
  /// The next message's, by the chat template. An answer that is cancelled stands as far as it came
  /// in the conversation.
  Generation answer(const std::string& message, std::time_t now, const Say& say);
  /// Begins the conversation anew.
  void clear();

  const LoadedModel& loaded() const { return *loaded_; }
  double load_seconds() const { return load_seconds_; }

 private:
  Generation generate(std::vector<TokenId> prompt, const std::string& what, const Say& say);

  GenerateRequest request_;
  Progress& progress_;
  std::unique_ptr<LoadedModel> loaded_;
  std::unique_ptr<Generator> generator_;
  double load_seconds_ = 0;
  Random random_;
  Chat chat_;
  bool said_beyond_context_ = false;
};

}  // namespace zp
