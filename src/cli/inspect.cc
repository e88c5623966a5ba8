// zeropoint inspect: what is inside a checkpoint, or a file of statistics.
#include "report/inspect.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/mapped_file.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "format/statistics.h"
#include "report/inspect_statistics.h"
#include "source/checkpoint.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint inspect Phi-3.5-mini-instruct\n"
    "  zeropoint inspect model-q4_0.gguf --json\n"
    "  zeropoint inspect model.statistics";

struct Options {
  std::string path;
  bool values = false;
};

template <class Inspection>
int show(const Inspection& inspection, const Common& common) {
  if (common.json) {
    print_json(to_json(inspection));
  } else {
    fmt::print("{}", to_text(inspection));
  }
  return 0;
}

int inspect_command(const Options& o, const Common& common) {
  if (std::filesystem::is_regular_file(o.path)) {
    const MappedFile file(o.path);
    if (is_statistics(file.bytes()))
      return show(inspect_statistics(file.bytes(), o.path, Team(common.threads, &cancellation())),
                  common);
  }
  return show(inspect(open_checkpoint(o.path), o.values), common);
}

}  // namespace

void add_inspect(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "inspect", "Show what is inside a checkpoint or a statistics file", kExamples);
  auto o = std::make_shared<Options>();
  sub.add_option("PATH", o->path,
                 "Hugging Face, MLX or ONNX folder, safetensors, PyTorch, GGUF or ONNX file, or "
                 "what calibrate wrote")
      .required();
  sub.add_flag("--values", o->values, "Read every weight, too, and count those that aren't finite");
  sub.callback([o, &common, &run] { run = [o, &common] { return inspect_command(*o, common); }; });
}

}  // namespace zp::cli
