// zeropoint evaluate: what a model is worth on a text, alone or against another.
#include <fmt/format.h>

#include <optional>

#include "cli/command.h"
#include "cli/documents.h"
#include "cli/interrupt.h"
#include "pipeline/load.h"
#include "pipeline/text_files.h"
#include "report/evaluation.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint evaluate models/demo --text models/demo/heldout.txt\n"
    "  zeropoint evaluate demo-q4_0.gguf --text heldout.txt --against models/demo\n"
    "  zeropoint evaluate model.gguf --text wiki.test.raw --context 2048 --json";

struct Options {
  std::string model;
  std::string text;
  std::string against;
  std::int64_t context = 512;
};

int evaluate_command(const Options& o, const Common& common) {
  const WhenInterrupted words("the text was not read to its end: no figures");
  const Team team(common.threads, &cancellation());
  std::unique_ptr<Progress> progress = make_progress(common);
  const std::unique_ptr<LoadedModel> loaded = load_model(o.model, *progress);
  std::unique_ptr<LoadedModel> reference;
  std::optional<Subject> beside;
  if (!o.against.empty()) {
    reference = load_model(o.against, *progress);
    beside = subject_of(*reference);
  }
  const JudgeText text{read_documents(o.text), o.context};
  const Subject subject = subject_of(*loaded);
  check_text(subject, text);
  say_beyond_context(loaded->model.decoder, o.context, "windows", *progress);
  UnreadRemarks().say(text.documents, *loaded, *progress);
  const Judgement judgement =
      judge({&subject, 1}, beside ? &*beside : nullptr, text, team, *progress).front();
  progress.reset();
  if (common.json) {
    print_json(to_json(judgement));
  } else {
    fmt::print("{}", to_text(judgement));
  }
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "evaluate",
                                 "Measure a model on a text, alone or against another", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("MODEL", o->model, "Any model: a folder or a file")->required();
  sub->add_option("--text", o->text, "What to measure on: " + std::string(kDocumentForms))
      ->required();
  sub->add_option("--against", o->against,
                  "The model it is compared with, usually the one it was made from");
  sub->add_option("--context", o->context, "Tokens of a window; its second half is scored")
      ->capture_default_str();
  sub->callback(
      [o, &common, &run] { run = [o, &common] { return evaluate_command(*o, common); }; });
}

}  // namespace zp::cli
