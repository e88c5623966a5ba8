// zeropoint tune: a model trained on a text, as an adapter beside it.
#include "pipeline/tune.h"

#include <fmt/core.h>

#include "base/human.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "cli/interrupt.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint tune model --data train.txt -o adapter --max-tokens 64 --passes 1 --rate 0.002\n"
    "  zeropoint tune model --data chats.jsonl -o adapter --rank 8 --roles query,value --dry-run\n"
    "  zeropoint tune model --data train.txt -o adapter.gguf --max-tokens 64 --passes 1 --rate 0.002\n"
    "  zeropoint run model --adapter adapter --prompt 'Once upon a time'\n"
    "  zeropoint evaluate model --adapter adapter --text heldout.txt --against model\n"
    "  zeropoint quantize model --adapter adapter --to gguf:q4_k_m";

struct Options {
  TuneRequest request;
  std::string memory;
};

Json to_json(const LoraLook& look) {
  return {{"step", look.step},
          {"rate", look.rate},
          {"loss", look.loss ? Json(*look.loss) : Json()},
          {"validation_loss", look.held_out}};
}

Json to_json(const TuneOutcome& done, const std::string& output) {
  Json object = {{"steps", done.lora.steps},
                 {"matrices", done.matrices},
                 {"parameters", done.parameters},
                 {"lessons", done.lessons},
                 {"held_out", done.held_out},
                 {"tokens", done.tokens},
                 {"tokens_said", done.tokens_said},
                 {"answers", done.answers},
                 {"too_long", done.too_long},
                 {"memory_bytes", done.memory_bytes},
                 {"bytes", done.bytes}};
  if (done.lora.looks.empty()) return object;
  const LoraLook& best = done.lora.looks[done.lora.best];
  object["validation_loss_before"] = done.lora.looks.front().held_out;
  object["validation_loss"] = best.held_out;
  object["best_step"] = best.step;
  object["loss"] = Json::array();
  for (const LoraLook& look : done.lora.looks) object["loss"].push_back(to_json(look));
  object["seconds"] = done.seconds;
  object["peak_memory_bytes"] = own_memory_peak();
  object["outputs"] = Json::array({output});
  return object;
}

void print(const TuneOutcome& done, const std::string& output) {
  fmt::print("{} to learn from ({} a pass, {} of them said), {} held out\n",
             human_counted(done.lessons, "lesson"), human_counted(done.tokens, "token"),
             human_count(done.tokens_said), human_count(done.held_out));
  fmt::print("{} of {}, {} in {}; at most {} of memory\n",
             human_counted(done.parameters, "parameter"), human_counted(done.matrices, "adapter"),
             human_counted(done.lora.steps, "step"), human_bytes(done.bytes),
             human_bytes(done.memory_bytes));
  if (done.lora.looks.empty()) return;
  const LoraLook& best = done.lora.looks[done.lora.best];
  fmt::print(
      "{}  loss {:.4f} on what is held out, {:.4f} before; of step {}; in {}; peak memory {}\n",
      output, best.held_out, done.lora.looks.front().held_out, best.step,
      human_duration(done.seconds), human_bytes(own_memory_peak()));
}

int tune_command(const Options& o, const Common& common) {
  const Team team(common.threads, &cancellation());
  TuneRequest request = o.request;
  if (!o.memory.empty()) request.memory = parse_size(o.memory, "--memory");
  std::unique_ptr<Progress> progress = make_progress(common);
  const TuneOutcome done = tune(request, team, *progress);
  progress.reset();
  if (common.json) {
    print_json(to_json(done, request.output));
  } else if (!common.quiet) {
    print(done, request.output);
  }
  // What was best before it is written.
  if (done.lora.stopped) throw Error(*done.lora.stopped);
  return 0;
}

}  // namespace

void add_tune(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "tune",
                                     "Train a model on a text: an adapter beside it", kExamples);
  auto o = std::make_shared<Options>();
  TuneRequest& request = o->request;
  sub.add_option("MODEL", request.model,
                 "Any model: a folder or a file, in floats or quantized; it stays as it is")
      .required();
  sub.add_option("--data", request.data,
                 "What it learns to say: of conversations the assistant's answers, of texts all. " +
                     std::string(kDocumentForms))
      .required()
      .allow_extra_args(true);
  sub.add_option(
         "-o,--output", request.output,
         "A folder of PEFT's layout, for --adapter, transformers and others; or FILE.gguf, for "
         "--adapter and llama.cpp")
      .required();
  sub.add_option("--method", request.method,
                 "lora: two matrices of low rank beside each that is adapted")
      .capture_default_str();
  sub.add_option("--rank", request.rank, "Rows of the first, columns of the second")
      .capture_default_str();
  sub.add_option("--alpha", request.alpha,
                 "What they add is multiplied by alpha / rank (default: twice the rank)");
  sub.add_option("--roles", request.roles,
                 "Which matrices, as --set names them: query,value (default: every linear of the "
                 "layers but experts')");
  sub.add_option(
         "--rate", request.rate,
         "AdamW's at its height: it rises over a tenth of the steps, then falls as a cosine")
      .capture_default_str();
  sub.add_option("--passes", request.passes, "Over what is learned").capture_default_str();
  sub.add_option("--batch", request.batch, "Answers, or pieces of a text, for a step")
      .capture_default_str();
  sub.add_option("--seed", request.seed, "Of the first matrix, and of the order")
      .capture_default_str();
  sub.add_option("--max-tokens", request.max_tokens,
                 "Longer answers, with what is read before them, are left out; texts are cut")
      .capture_default_str();
  sub.add_option("--memory", o->memory,
                 "Most memory to use beside the mapped input, e.g. 2G (default: a quarter of the "
                 "machine's)");
  sub.add_flag("--dry-run", request.dry_run, "Say what would be done, and the memory it takes");
  sub.add_flag("--force", request.force, "Replace what exists");
  sub.callback([o, &common, &run] { run = [o, &common] { return tune_command(*o, common); }; });
}

}  // namespace zp::cli
