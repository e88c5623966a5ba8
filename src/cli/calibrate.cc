// zeropoint calibrate: what a model's linear layers see on a text, as a file.
#include <fmt/format.h>

#include <chrono>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "calibrate/stored_statistics.h"
#include "calibrate/windows.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "cli/interrupt.h"
#include "cli/open_model.h"
#include "pipeline/expected_work.h"
#include "pipeline/plan.h"
#include "report/human.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint calibrate model --text train.txt -o model.statistics\n"
    "  zeropoint calibrate model --text train.txt -o model.imatrix.gguf --tokens 65536\n"
    "  zeropoint calibrate model --text own --save-text own.jsonl -o model.statistics\n"
    "  zeropoint inspect model.statistics\n"
    "  zeropoint quantize model --to gguf:q4_k_m --statistics model.statistics --method gptq";

struct Options {
  std::string model;
  std::vector<std::string> texts;
  std::string out;
  std::string save_text;
  std::string memory;
  std::int64_t tokens = 16384;
  std::int64_t context = 512;
  bool force = false;
};

bool is_imatrix(const std::string& path) { return path.ends_with(".imatrix.gguf"); }

std::int64_t write(const Options& o, const LoadedModel& loaded, Calibration& calibration,
                   Progress& progress) {
  if (!is_imatrix(o.out))
    return write_statistics(loaded.model, calibration, o.out, o.force, progress);
  const std::vector<std::byte> bytes =
      write_imatrix(make_imatrix(loaded.model, calibration, o.texts, progress));
  AtomicFile file(o.out, std::ssize(bytes), o.force);
  file.write_at(0, bytes);
  file.commit();
  return std::ssize(bytes);
}

int calibrate_command(const Options& o, const Common& common) {
  const Team team(common.threads, &cancellation());
  const std::int64_t memory =
      o.memory.empty() ? machine_memory_bytes() / 4 : parse_size(o.memory, "--memory");
  check_output_path(o.out, o.force);
  CalibrationText text({"--text", o.texts, o.tokens, o.context, o.save_text, "", o.force});
  const std::unique_ptr<LoadedModel> loaded = open_model(o.model, common);
  text.read(*loaded, o.model, common);
  CalibrationOptions options;
  options.feedback = !is_imatrix(o.out);
  options.ranges = options.feedback;
  options.method.upstream = false;
  const auto calibration_of = [&] {
    std::vector<std::vector<std::int32_t>> windows = text.windows(o.tokens);
    hold_out(windows);  // as quantize --calibrate does: the same statistics
    return std::make_unique<Calibration>(loaded->model, std::move(windows), options, team);
  };
  std::unique_ptr<Calibration> calibration = calibration_of();
  if (calibration->bytes() > memory) {
    throw Error("calibrate", "statistics of one layer do not fit the memory budget",
                "--memory of at least " + std::to_string(calibration->bytes()) +
                    " bytes, or fewer --tokens",
                std::to_string(memory));
  }
  warn_beyond_context(common, loaded->model.decoder, o.context, "windows");
  const std::unique_ptr<Display> progress = make_progress(common);
  const std::int64_t own = text.own_tokens();
  const double to_write = own_text_seconds(loaded->model, 1, team.threads());
  const auto stages = static_cast<double>(calibration->stages());
  // What a token's statistics take is about what it takes to write one.
  progress->expect(
      {{"own text", static_cast<double>(own), to_write},
       {"calibrate", static_cast<double>(calibration->tokens()) * stages, to_write / stages}});
  if (text.is_missing()) {
    text.write(memory, team, *progress);
    calibration = calibration_of();
  }
  const auto begin = std::chrono::steady_clock::now();
  const std::int64_t bytes = write(o, *loaded, *calibration, *progress);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const TextReading reading = text.reading(calibration->text_loss());
  if (common.json) {
    Json object = {{"tokens", calibration->tokens()},
                   {"seconds", seconds},
                   {"bytes", bytes},
                   {"layers", loaded->model.decoder.layers}};
    if (own > 0) object["own_text"] = text.own_json();
    object["text"] = to_json(reading);
    print_json(object);
  } else if (!common.quiet) {
    fmt::print("{}{}", text.own_text(), reading_text(reading));
    fmt::print("{}  {} of {} on {} in {:.2f} s\n", o.out, human_bytes(bytes),
               human_counted(loaded->model.decoder.layers, "layer"),
               human_counted(calibration->tokens(), "token"), seconds);
  }
  return 0;
}

}  // namespace

void add_calibrate(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub =
      add_subcommand(app, common, "calibrate",
                     "Write what a model's layers see on a text, for quantize", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("MODEL", o->model, "Any model: a folder or a file")->required();
  sub->add_option("--text", o->texts,
                  "Texts the model is run over: " + std::string(kDocumentForms) + ". " + kOwnForms)
      ->required()
      ->allow_extra_args(true);
  sub->add_option("-o,--output", o->out,
                  "Where to write; NAME.imatrix.gguf is llama.cpp's form, importance alone")
      ->required();
  sub->add_option(
         "--tokens", o->tokens,
         "Tokens, spread over the texts; one window of sixteen is left out, as quantize does")
      ->capture_default_str();
  sub->add_option("--context", o->context, "Tokens of a window")->capture_default_str();
  add_save_text(*sub, o->save_text);
  sub->add_option("--memory", o->memory,
                  "Most memory to use beside the mapped input, e.g. 2G (default: a quarter of the "
                  "machine's)");
  sub->add_flag("--force", o->force, "Replace what exists");
  sub->callback(
      [o, &common, &run] { run = [o, &common] { return calibrate_command(*o, common); }; });
}

}  // namespace zp::cli
