// A model that goes on from a text or answers in a conversation.
//
// What it computed for the tokens of the last prompt and answer is kept: a prompt that begins with
// the same tokens costs what is new in it. What comes out is, bit by bit, what it would be without.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "pipeline/load.h"
#include "pipeline/sampling.h"
#include "text/chat_templates.h"
#include "text/decode.h"
#include "text/encode.h"

namespace zp {

struct GenerationRequest {
  std::vector<TokenId> prompt;  ///< at least one
  std::int64_t tokens = 128;    ///< stops after so many
  Sampling sampling;
};

struct Generation {
  enum class End {
    token,
    limit,
    cancelled
  };  ///< of the answer; what `limit` was is up to the caller
  std::int64_t prompt_tokens = 0;
  std::int64_t kept_tokens = 0;  ///< of the prompt, from before
  std::vector<TokenId> tokens;   ///< with the one that ended it
  std::string text;              ///< without
  End end = End::limit;
  double prompt_seconds = 0;
  double generate_seconds = 0;
};

class Generator {
 public:
  /// Borrows both. Throws Error when there is no tokenizer.
  Generator(const LoadedModel& loaded, const Team& team);

  /// With the tokens that the model wants around every text.
  std::vector<TokenId> encode(const std::string& text) const;
  /// By the chat template, up to where the answer begins. now: ChatOptions::now.
  std::vector<TokenId> encode(const Chat& chat, std::time_t now);

  /// Calls `say` with each piece of the text as it comes. A team that is cancelled ends the answer
  /// where it is. Throws Error for more tokens than the model has positions for.
  Generation generate(const GenerationRequest& request, Random& random,
                      const std::function<void(std::string_view)>& say);

 private:
  void go_on(const GenerationRequest& request, Random& random,
             const std::function<void(std::string_view)>& say, Generation& out);
  void make_room(std::int64_t tokens);
  std::int64_t keep_common(const std::vector<TokenId>& prompt);
  /// Logits behind the last of the ids.
  Activations advance(std::span<const TokenId> ids);

  const LoadedModel& loaded_;
  std::string where_;
  Engine engine_;
  Encoder encoder_;
  TokenDecoder decoder_;
  ChatTemplates templates_;
  std::vector<std::int64_t> ends_;
  std::optional<KvCache> cache_;
  std::vector<TokenId> cached_;  // whose keys and values the cache has
};

}  // namespace zp
