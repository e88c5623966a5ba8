// zeropoint evaluate: what a model is worth on a text, alone or against another.
#include "pipeline/evaluate.h"

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/documents.h"
#include "cli/interrupt.h"
#include "report/evaluation.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint evaluate models/demo --text models/demo/heldout.txt\n"
    "  zeropoint evaluate demo-q4_0.gguf --text heldout.txt --against models/demo\n"
    "  zeropoint evaluate Phi-4-multimodal-instruct --merge vision --text heldout.txt\n"
    "  zeropoint evaluate model --adapter adapter --text heldout.txt --against model\n"
    "  zeropoint evaluate model.gguf --text wiki.test.raw --context 2048 --json";

int evaluate_command(const EvaluateRequest& request, const Common& common) {
  const Team team(common.threads, &cancellation());
  std::unique_ptr<Progress> progress = make_progress(common);
  const Judgement judgement = evaluate(request, team, *progress);
  progress.reset();
  if (common.json) {
    print_json(to_json(judgement));
  } else {
    fmt::print("{}", to_text(judgement));
  }
  return 0;
}

}  // namespace

void add_evaluate(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "evaluate", "Measure a model on a text, alone or against another", kExamples);
  auto o = std::make_shared<EvaluateRequest>();
  sub.add_option("MODEL", o->model, "Any model: a folder or a file").required();
  add_merge(sub, o->merge);
  add_adapter(sub, o->adapter);
  sub.add_option("--text", o->text, "What to measure on: " + std::string(kDocumentForms))
      .required();
  sub.add_option("--against", o->against,
                 "The model it is compared with, usually the one it was made from");
  sub.add_option("--context", o->context, "Tokens of a window; its second half is scored")
      .capture_default_str();
  sub.callback([o, &common, &run] { run = [o, &common] { return evaluate_command(*o, common); }; });
}

}  // namespace zp::cli
