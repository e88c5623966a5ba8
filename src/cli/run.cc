// zeropoint run: a model goes on from a prompt.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/error.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/open_model.h"
#include "engine/engine.h"
#include "kernel/elementary.h"
#include "pipeline/load.h"
#include "text/chat_templates.h"
#include "text/decode.h"
#include "text/encode.h"
#include "text/generation.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint run models/demo --prompt 'What colour is the lantern of Sudar?' --chat\n"
    "  zeropoint run model-q4_0.gguf --prompt 'Once upon a time' --tokens 200\n"
    "  zeropoint run model.gguf --prompt 'Tell me more' --temperature 0.8 --seed 7";

constexpr std::int64_t kPromptTogether = 512;

struct Options {
  std::string model;
  std::string prompt;
  std::int64_t tokens = 128;
  double temperature = 0;
  std::uint64_t seed = 0;
  bool chat = false;
};

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<TokenId> prompt_ids(const Tokenizer& tokenizer, const Options& o) {
  const Encoder encoder(tokenizer, o.model);
  if (!o.chat) return encoder.encode(o.prompt, true);
  ChatTemplates templates(tokenizer, o.model);
  const Chat chat{.messages = Json::array({{{"role", "user"}, {"content", o.prompt}}})};
  return encoder.encode(templates.render(chat, true, std::time(nullptr)), false);
}

TokenId choose(Floats logits, double temperature, Random& random) {
  const auto best = std::ranges::max_element(logits);
  if (temperature == 0) return static_cast<TokenId>(best - logits.begin());
  std::vector<double> sums;
  sums.reserve(logits.size());
  double sum = 0;
  for (const float x : logits) {
    const double below = (static_cast<double>(x) - static_cast<double>(*best)) / temperature;
    sum += below < -700 ? 0 : portable_exp(below);
    sums.push_back(sum);
  }
  const auto at = std::ranges::upper_bound(sums, random.uniform() * sum);
  return static_cast<TokenId>(std::min(at, sums.end() - 1) - sums.begin());
}

// Logits behind the last of the ids.
Activations advance(Engine& engine, KvCache& cache, std::span<const TokenId> ids) {
  Activations hidden;
  while (!ids.empty()) {
    const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(kPromptTogether));
    const Chunk chunk{&cache, ids.first(count)};
    hidden = engine.forward({&chunk, 1});
    ids = ids.subspan(count);
  }
  return engine.logits(hidden, hidden.rows() - 1, 1);
}

int run_command(const Options& o, const Common& common) {
  if (o.temperature < 0) throw UsageError("--temperature", "negative", "at least 0");
  if (o.tokens < 1) throw UsageError("--tokens", "out of range", "at least 1");
  const Clock::time_point begin = Clock::now();
  const Team team(common.threads);
  const std::unique_ptr<LoadedModel> loaded = open_model(o.model, common);
  if (!loaded->tokenizer) throw Error(o.model, "has no tokenizer");
  const std::vector<TokenId> prompt = prompt_ids(*loaded->tokenizer, o);
  if (prompt.empty()) throw Error("--prompt", "has no tokens");
  const TokenDecoder decoder(*loaded->tokenizer);
  const std::vector<std::int64_t> ends =
      generation_ends(&*loaded->tokenizer, loaded->checkpoint.generation_config);
  Engine engine(loaded->model, team);
  KvCache cache = engine.make_cache(static_cast<std::int64_t>(prompt.size()) + o.tokens);
  Random random(o.seed);
  TokenDecoder::Stream stream(decoder);
  const double load = seconds_since(begin);

  const Clock::time_point prompting = Clock::now();
  Activations logits = advance(engine, cache, prompt);
  const double prompted = seconds_since(prompting);
  const Clock::time_point generating = Clock::now();
  std::vector<TokenId> ids;
  std::string text;
  const auto say = [&](const std::string& part) {
    text += part;
    if (common.json) return;
    fmt::print("{}", part);
    std::fflush(stdout);
  };
  while (static_cast<std::int64_t>(ids.size()) < o.tokens) {
    const TokenId id = choose(logits.view().row(0), o.temperature, random);
    ids.push_back(id);
    if (std::ranges::find(ends, id) != ends.end()) break;
    say(stream.push(id));
    if (static_cast<std::int64_t>(ids.size()) < o.tokens)
      logits = advance(engine, cache, {&ids.back(), 1});
  }
  say(stream.finish());
  const double generated = seconds_since(generating);
  if (common.json) {
    print_json({{"prompt_tokens", prompt.size()},
                {"tokens", ids},
                {"text", text},
                {"seconds", {{"load", load}, {"prompt", prompted}, {"generate", generated}}}});
    return 0;
  }
  fmt::print("\n");
  if (!common.quiet) {
    fmt::print(stderr, "prompt {} tokens, {:.1f}/s; generated {} tokens, {:.1f}/s\n", prompt.size(),
               static_cast<double>(prompt.size()) / prompted, ids.size(),
               static_cast<double>(ids.size()) / generated);
  }
  return 0;
}

}  // namespace

void add_run(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "run", "Let a model go on from a prompt", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("MODEL", o->model, "Any model: a folder or a file")->required();
  sub->add_option("--prompt", o->prompt, "What it goes on from")->required();
  sub->add_option("--tokens", o->tokens, "Stop after so many")->capture_default_str();
  sub->add_option("--temperature", o->temperature, "0: always the likeliest token")
      ->capture_default_str();
  sub->add_option("--seed", o->seed, "Of the choices above temperature 0")->capture_default_str();
  sub->add_flag("--chat", o->chat, "The prompt is a user's message: use the chat template");
  sub->callback([o, &common, &run] { run = [o, &common] { return run_command(*o, common); }; });
}

}  // namespace zp::cli
