// zeropoint run: a model goes on from a prompt, or answers in a conversation.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/error.h"
#include "cli/command.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "pipeline/generator.h"
#include "pipeline/text_files.h"
#include "text/chat.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint run models/demo --prompt 'What colour is the lantern of Sudar?' --chat\n"
    "  zeropoint run model-q4_0.gguf --prompt 'Once upon a time' --tokens 200\n"
    "  zeropoint run model.gguf --prompt 'Tell me more' --temperature 0.8 --top-k 40 --top-p 0.95 "
    "--seed 7\n"
    "  zeropoint run model.gguf --prompt - < book.txt\n"
    "  zeropoint run model.gguf --chat --system 'Answer in one word.'";

struct Options {
  std::string model;
  std::optional<std::string> prompt;
  std::int64_t tokens = 128;
  Sampling sampling;
  std::uint64_t seed = 0;
  bool chat = false;
  std::string system;
};

void check(const Options& o, const Common& common) {
  check(o.sampling);
  if (o.tokens < 1) throw UsageError("--tokens", "out of range", "at least 1");
  if (!o.prompt && !o.chat)
    throw UsageError("run", "nothing to go on from", "--prompt TEXT, or --chat to talk");
  if (!o.system.empty() && !o.chat)
    throw UsageError("--system", "is the beginning of a conversation", "--chat with it");
  const bool draws = o.sampling.top_k > 0 || o.sampling.top_p < 1;
  if (draws && o.sampling.temperature == 0 && !common.quiet)
    fmt::print(stderr, "--top-k and --top-p change nothing at --temperature 0\n");
}

// One line end less, as a shell's $(...) would have it.
std::string prompt_of(const Options& o) {
  if (o.prompt != "-") return *o.prompt;
  std::string text = standard_input();
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

int answer_once(const Options& o, const LoadedModel& loaded, Generator& generator, double load,
                const Common& common) {
  const WhenInterrupted words("the answer is not complete");
  const std::string prompt = prompt_of(o);
  Chat chat = conversation_start(o.system);
  if (o.chat) chat.messages.push_back({{"role", "user"}, {"content", prompt}});
  GenerationRequest request{
      .prompt = o.chat ? generator.encode(chat, local_time()) : generator.encode(prompt),
      .tokens = o.tokens,
      .sampling = o.sampling};
  if (request.prompt.empty()) throw Error("--prompt", "has no tokens");
  say_beyond_context(loaded.model.decoder, std::ssize(request.prompt) + o.tokens,
                     "prompt and answer", *make_progress(common));
  Random random(o.seed);
  const Generation answer = generator.generate(request, random, printer(common));
  if (answer.end == Generation::End::cancelled) {
    if (!common.json) fmt::print("\n");
    throw Cancelled();
  }
  if (common.json) {
    print_json(to_json(answer, load));
    return 0;
  }
  fmt::print("\n");
  if (common.quiet) return 0;
  const bool at_once = answer.end == Generation::End::token && answer.text.empty();
  if (at_once && !o.chat && !loaded.tokenizer->chat_template.empty()) {
    fmt::print(
        stderr,
        "the model ended at once; it was trained on conversations: with --chat the prompt is "
        "a user's message\n");
  }
  fmt::print(stderr, "{}\n", speeds(answer));
  return 0;
}

int run_command(const Options& o, const Common& common) {
  check(o, common);
  const auto begin = std::chrono::steady_clock::now();
  const Team team(common.threads, &cancellation());
  const std::unique_ptr<LoadedModel> loaded = load_model(o.model, *make_progress(common));
  Generator generator(*loaded, team);
  const double load =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (o.prompt) return answer_once(o, *loaded, generator, load, common);
  return converse({o.system, o.tokens, o.sampling, o.seed}, *loaded, generator, load, common);
}

}  // namespace

void add_run(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "run",
                                     "Let a model go on from a prompt, or talk with it", kExamples);
  auto o = std::make_shared<Options>();
  sub.add_option("MODEL", o->model, "Any model: a folder or a file").required();
  sub.add_option("--prompt", o->prompt, "What it goes on from; - is standard input");
  sub.add_flag(
      "--chat", o->chat,
      "The prompt is a user's message: use the chat template. Without --prompt a "
      "conversation: a message a line, /clear begins anew, /exit or the end of input ends");
  sub.add_option("--system", o->system, "With --chat: how the model shall answer");
  sub.add_option("--tokens", o->tokens, "Stop an answer after so many").capture_default_str();
  sub.add_option("--temperature", o->sampling.temperature, "0: always the likeliest token")
      .capture_default_str();
  sub.add_option("--top-k", o->sampling.top_k,
                 "Draw among so many of the likeliest tokens; 0: among all")
      .capture_default_str();
  sub.add_option("--top-p", o->sampling.top_p,
                 "Draw among the fewest likeliest tokens that have this probability together")
      .capture_default_str();
  sub.add_option("--seed", o->seed, "Of the choices above temperature 0").capture_default_str();
  sub.callback([o, &common, &run] { run = [o, &common] { return run_command(*o, common); }; });
}

}  // namespace zp::cli
