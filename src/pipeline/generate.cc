#include "pipeline/generate.h"

#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/text_files.h"

namespace zp {
namespace {

void check(const GenerateRequest& request, Progress& progress) {
  const Sampling& sampling = request.sampling;
  check(sampling);
  if (request.tokens < 1) throw UsageError("`tokens`", "out of range", "at least 1");
  if (!request.system.empty() && !request.chat)
    throw UsageError("`system`", "is the beginning of a conversation", "`chat` with it");
  if ((sampling.top_k > 0 || sampling.top_p < 1) && sampling.temperature == 0)
    progress.remark("`top-k` and `top-p` change nothing at `temperature` 0");
}

Json message_json(const char* role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

}  // namespace

Speaker::Speaker(GenerateRequest request, const Team& team, Progress& progress)
    : request_(std::move(request)), progress_(progress), random_(request_.seed) {
  check(request_, progress);
  const auto begin = std::chrono::steady_clock::now();
  loaded_ = load_model(request_.model, progress, {}, request_.adapter);
  generator_ = std::make_unique<Generator>(*loaded_, team);
  load_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  clear();
}

Generation Speaker::go_on(const std::string& text, const Say& say) {
  return generate(generator_->encode(text), "prompt and answer", say);
}

Generation Speaker::answer(const std::string& message, std::time_t now, const Say& say) {
  chat_.messages.push_back(message_json("user", message));
  Generation out = generate(generator_->encode(chat_, now), "conversation", say);
  chat_.messages.push_back(message_json("assistant", out.text));
  return out;
}

void Speaker::clear() {
  chat_ = {};
  if (!request_.system.empty()) chat_.messages.push_back(message_json("system", request_.system));
}

Generation Speaker::generate(std::vector<TokenId> prompt, const std::string& what, const Say& say) {
  if (prompt.empty()) throw Error("`prompt`", "has no tokens");
  if (!said_beyond_context_) {
    const Decoder& decoder = loaded_->model.decoder;
    const std::int64_t tokens = std::ssize(prompt) + request_.tokens;
    say_beyond_context(decoder, tokens, what, progress_);
    said_beyond_context_ = tokens > decoder.context;
  }
  return generator_->generate({std::move(prompt), request_.tokens, request_.sampling}, random_,
                              say);
}

GenerateOutcome generate(const GenerateRequest& request, std::time_t now, const Say& say,
                         const Team& team, Progress& progress) {
  Speaker speaker(request, team, progress);
  progress.when_interrupted("the answer is not complete");
  GenerateOutcome out;
  out.load_seconds = speaker.load_seconds();
  out.answer =
      request.chat ? speaker.answer(request.prompt, now, say) : speaker.go_on(request.prompt, say);
  const bool at_once = out.answer.end == Generation::End::token && out.answer.text.empty();
  out.expects_chat = at_once && !request.chat && !speaker.loaded().tokenizer->chat_template.empty();
  return out;
}

}  // namespace zp
