// zeropoint inspect: what is inside a checkpoint, or a file of statistics.
#include "pipeline/inspect.h"

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "report/inspect_text.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint inspect Phi-3.5-mini-instruct\n"
    "  zeropoint inspect model-q4_0.gguf --json\n"
    "  zeropoint inspect model.statistics";

int inspect_command(const InspectRequest& request, const Common& common) {
  const Team team(common.threads, &cancellation());
  const InspectOutcome outcome = inspect(request, team, *make_progress(common));
  std::visit(
      [&](const auto& inspection) {
        if (common.json) return print_json(to_json(inspection));
        fmt::print("{}", to_text(inspection));
      },
      outcome);
  return 0;
}

}  // namespace

void add_inspect(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "inspect", "Show what is inside a checkpoint or a statistics file", kExamples);
  auto o = std::make_shared<InspectRequest>();
  sub.add_option("PATH", o->path,
                 "Hugging Face, MLX or ONNX folder, safetensors, PyTorch, GGUF or ONNX file, or "
                 "what calibrate wrote")
      .required();
  sub.add_flag("--values", o->values, "Read every weight, too, and count those that aren't finite");
  sub.callback([o, &common, &run] { run = [o, &common] { return inspect_command(*o, common); }; });
}

}  // namespace zp::cli
