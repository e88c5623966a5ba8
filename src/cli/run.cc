// zeropoint run: a model goes on from a prompt, or answers in a conversation.
#include <fmt/core.h>

#include <cstdio>

#include "base/error.h"
#include "cli/command.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "pipeline/generate.h"
#include "pipeline/text_files.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint run models/demo --prompt 'What colour is the lantern of Sudar?' --chat\n"
    "  zeropoint run model-q4_0.gguf --prompt 'Once upon a time' --tokens 200\n"
    "  zeropoint run model.gguf --prompt 'Tell me more' --temperature 0.8 --top-k 40 --top-p 0.95 "
    "--seed 7\n"
    "  zeropoint run model.gguf --prompt - < book.txt\n"
    "  zeropoint run model.gguf --chat --system 'Answer in one word.'\n"
    "  zeropoint run model --adapter adapter --prompt 'Once upon a time'";

struct Options {
  GenerateRequest request;
  std::optional<std::string> prompt;
};

// One line end less, as a shell's $(...) would have it.
std::string prompt_of(const std::string& given) {
  if (given != "-") return given;
  std::string text = standard_input();
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

int answer_once(GenerateRequest request, const std::string& prompt, const Common& common) {
  const Team team(common.threads, &cancellation());
  const std::unique_ptr<Progress> progress = make_progress(common);
  request.prompt = prompt_of(prompt);
  const GenerateOutcome done = generate(request, local_time(), printer(common), team, *progress);
  if (done.answer.end == Generation::End::cancelled) {
    if (!common.json) fmt::print("\n");
    throw Cancelled();
  }
  if (common.json) {
    print_json(to_json(done.answer, done.load_seconds));
    return 0;
  }
  fmt::print("\n");
  if (common.quiet) return 0;
  if (done.expects_chat) {
    fmt::print(
        stderr,
        "the model ended at once; it was trained on conversations: with --chat the prompt is "
        "a user's message\n");
  }
  fmt::print(stderr, "{}\n", speeds(done.answer));
  return 0;
}

int run_command(const Options& o, const Common& common) {
  if (o.prompt) return answer_once(o.request, *o.prompt, common);
  if (o.request.chat) return converse(o.request, common);
  throw UsageError("run", "nothing to go on from", "--prompt TEXT, or --chat to talk");
}

}  // namespace

void add_run(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "run",
                                     "Let a model go on from a prompt, or talk with it", kExamples);
  auto o = std::make_shared<Options>();
  GenerateRequest& request = o->request;
  sub.add_option("MODEL", request.model, "Any model: a folder or a file").required();
  add_adapter(sub, request.adapter);
  sub.add_option("--prompt", o->prompt, "What it goes on from; - is standard input");
  sub.add_flag(
      "--chat", request.chat,
      "The prompt is a user's message: use the chat template. Without --prompt a "
      "conversation: a message a line, /clear begins anew, /exit or the end of input ends");
  sub.add_option("--system", request.system, "With --chat: how the model shall answer");
  sub.add_option("--tokens", request.tokens, "Stop an answer after so many").capture_default_str();
  sub.add_option("--temperature", request.sampling.temperature, "0: always the likeliest token")
      .capture_default_str();
  sub.add_option("--top-k", request.sampling.top_k,
                 "Draw among so many of the likeliest tokens; 0: among all")
      .capture_default_str();
  sub.add_option("--top-p", request.sampling.top_p,
                 "Draw among the fewest likeliest tokens that have this probability together")
      .capture_default_str();
  sub.add_option("--seed", request.seed, "Of the choices above temperature 0")
      .capture_default_str();
  sub.callback([o, &common, &run] { run = [o, &common] { return run_command(*o, common); }; });
}

}  // namespace zp::cli
