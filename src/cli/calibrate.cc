// zeropoint calibrate: what a model's linear layers see on a text, as a file.
#include "pipeline/calibrate.h"

#include <fmt/core.h>

#include "base/human.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "cli/interrupt.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint calibrate model --text train.txt -o model.statistics\n"
    "  zeropoint calibrate model --text train.txt -o model.imatrix.gguf --tokens 65536\n"
    "  zeropoint calibrate model --text own --save-text own.jsonl -o model.statistics\n"
    "  zeropoint inspect model.statistics\n"
    "  zeropoint quantize model --to gguf:q4_k_m --statistics model.statistics --method gptq";

struct Options {
  CalibrateRequest request;
  std::string memory;
  std::string tokens = kUsualTokens;
};

int calibrate_command(const Options& o, const Common& common) {
  const Team team(common.threads, &cancellation());
  CalibrateRequest request = o.request;
  request.tokens = parse_tokens(o.tokens);
  if (!o.memory.empty()) request.memory = parse_size(o.memory, "--memory");
  std::unique_ptr<Progress> progress = make_progress(common);
  const CalibrateOutcome done = calibrate(request, team, *progress);
  progress.reset();
  if (common.json) {
    Json object = {{"tokens", done.tokens},
                   {"seconds", done.seconds},
                   {"bytes", done.bytes},
                   {"layers", done.layers}};
    if (done.own_text) object["own_text"] = own_json(*done.own_text);
    object["text"] = to_json(done.text);
    print_json(object);
  } else if (!common.quiet) {
    fmt::print("{}{}", done.own_text ? own_text(*done.own_text) : "", reading_text(done.text));
    fmt::print("{}  {} of {} on {} in {:.2f} s\n", request.output, human_bytes(done.bytes),
               human_counted(done.layers, "layer"), human_counted(done.tokens, "token"),
               done.seconds);
  }
  return 0;
}

}  // namespace

void add_calibrate(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub =
      add_subcommand(app, common, "calibrate",
                     "Write what a model's layers see on a text, for quantize", kExamples);
  auto o = std::make_shared<Options>();
  CalibrateRequest& request = o->request;
  sub.add_option("MODEL", request.model, "Any model: a folder or a file").required();
  sub.add_option("--text", request.texts,
                 "Texts the model is run over: " + std::string(kDocumentForms) + ". " + kOwnForms)
      .required()
      .allow_extra_args(true);
  sub.add_option("-o,--output", request.output,
                 "Where to write; NAME.imatrix.gguf is llama.cpp's form, importance alone")
      .required();
  add_tokens(sub, o->tokens,
             "Tokens, spread over the texts; one window of sixteen is left out, as quantize does");
  sub.add_option("--context", request.context, "Tokens of a window").capture_default_str();
  add_save_text(sub, request.save_text);
  sub.add_option("--memory", o->memory,
                 "Most memory to use beside the mapped input, e.g. 2G (default: a quarter of the "
                 "machine's)");
  sub.add_flag("--force", request.force, "Replace what exists");
  sub.callback(
      [o, &common, &run] { run = [o, &common] { return calibrate_command(*o, common); }; });
}

}  // namespace zp::cli
