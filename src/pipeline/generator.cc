#include "pipeline/generator.h"

#include <algorithm>
#include <chrono>

#include "base/cancellation.h"
#include "base/error.h"
#include "text/generation.h"

namespace zp {
namespace {

constexpr std::int64_t kPromptTogether = 512;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

const Tokenizer& tokenizer_in(const LoadedModel& loaded) {
  if (!loaded.tokenizer) throw Error(loaded.checkpoint.path.string(), "has no tokenizer");
  return *loaded.tokenizer;
}

}  // namespace

Generator::Generator(const LoadedModel& loaded, const Team& team)
    : loaded_(loaded),
      where_(loaded.checkpoint.path.string()),
      engine_(loaded.model, team),
      encoder_(tokenizer_in(loaded), where_),
      decoder_(*loaded.tokenizer),
      templates_(*loaded.tokenizer, where_),
      ends_(generation_ends(&*loaded.tokenizer, loaded.checkpoint.generation_config())) {}

std::vector<TokenId> Generator::encode(const std::string& text) const {
  return encoder_.encode(text, true);
}

std::vector<TokenId> Generator::encode(const Chat& chat, std::time_t now) {
  return encoder_.encode(templates_.render(chat, true, now), false);
}

Generation Generator::generate(const GenerationRequest& request, Random& random,
                               const std::function<void(std::string_view)>& say) {
  Generation out;
  try {
    go_on(request, random, say, out);
  } catch (const Cancelled&) {
    out.end = Generation::End::cancelled;
  }
  return out;
}

void Generator::go_on(const GenerationRequest& request, Random& random,
                      const std::function<void(std::string_view)>& say, Generation& out) {
  out.prompt_tokens = std::ssize(request.prompt);
  make_room(out.prompt_tokens + request.tokens);
  out.kept_tokens = keep_common(request.prompt);
  const Clock::time_point prompting = Clock::now();
  Activations logits =
      advance(std::span(request.prompt).subspan(static_cast<std::size_t>(out.kept_tokens)));
  out.prompt_seconds = seconds_since(prompting);

  const Clock::time_point generating = Clock::now();
  TokenDecoder::Stream stream(decoder_);
  const auto add = [&](const std::string& piece) {
    out.text += piece;
    say(piece);
    out.generate_seconds = seconds_since(generating);
  };
  while (std::ssize(out.tokens) < request.tokens) {
    const TokenId id = choose(logits.view().row(0), request.sampling, random);
    out.tokens.push_back(id);
    if (std::ranges::find(ends_, id) != ends_.end()) {
      out.end = Generation::End::token;
      break;
    }
    add(stream.push(id));
    if (std::ssize(out.tokens) < request.tokens) logits = advance({&out.tokens.back(), 1});
  }
  add(stream.finish());
}

// Room as if the sequence were the only one: the rotary embedding may depend on it.
void Generator::make_room(std::int64_t tokens) {
  if (!cache_) {
    cache_ = engine_.make_cache(tokens);
  } else if (!cache_->fits(loaded_.model.decoder, tokens)) {
    cache_ = cache_->resized(loaded_.model.decoder, tokens);
  }
}

std::int64_t Generator::keep_common(const std::vector<TokenId>& prompt) {
  cached_.resize(static_cast<std::size_t>(cache_->length()));
  const auto [mine, given] = std::ranges::mismatch(cached_, prompt);
  // The last token goes through again where all are there: its logits are needed.
  const std::int64_t common = std::min(mine - cached_.begin(), std::ssize(prompt) - 1);
  const std::int64_t kept = cache_->truncate(common);
  cached_.resize(static_cast<std::size_t>(kept));
  return kept;
}

Activations Generator::advance(std::span<const TokenId> ids) {
  Activations hidden;
  while (!ids.empty()) {
    const auto now = ids.first(std::min(ids.size(), static_cast<std::size_t>(kPromptTogether)));
    const Chunk chunk{&*cache_, now};
    hidden = engine_.forward({&chunk, 1});
    cached_.insert(cached_.end(), now.begin(), now.end());
    ids = ids.subspan(now.size());
  }
  return engine_.logits(hidden.view().rows_from(hidden.rows() - 1, 1));
}

}  // namespace zp
