// zeropoint inspect: what is inside a checkpoint.
#include "report/inspect.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "source/checkpoint.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint inspect Phi-3.5-mini-instruct\n"
    "  zeropoint inspect model-q4_0.gguf --json";

struct Options {
  std::string path;
  bool values = false;
};

int inspect_command(const Options& o, const Common& common) {
  const Inspection inspection = inspect(open_checkpoint(o.path), o.values);
  if (common.json) {
    print_json(to_json(inspection));
  } else {
    fmt::print("{}", to_text(inspection));
  }
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub =
      add_subcommand(app, common, "inspect", "Show what is inside a checkpoint", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("PATH", o->path,
                  "Hugging Face, MLX or ONNX folder, safetensors, PyTorch, GGUF or ONNX file")
      ->required();
  sub->add_flag("--values", o->values,
                "Read every weight, too, and count those that aren't finite");
  sub->callback([o, &common, &run] { run = [o, &common] { return inspect_command(*o, common); }; });
}

}  // namespace zp::cli
