// zeropoint quantize: the main job.
#include "pipeline/quantize.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/human.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "cli/fit.h"
#include "cli/interrupt.h"
#include "cli/rewrites.h"
#include "cli/trained.h"
#include "pipeline/fallbacks.h"
#include "pipeline/pattern.h"
#include "report/evaluation.h"
#include "report/few_tokens.h"
#include "report/write_report.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint quantize Phi-3.5-mini-instruct --to gguf:q4_k_m\n"
    "  zeropoint quantize model --to gguf:iq2_xs --statistics model.imatrix.gguf\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate train.txt\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate own --save-text own.jsonl\n"
    "  zeropoint quantize model --to mlx:int2:g64 --calibrate train.txt --refine blocks\n"
    "  zeropoint quantize model --to mlx:int3:g64 --calibrate train.txt --distill scales\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate own:0.3 --calibrate train.txt\n"
    "  zeropoint quantize model --to genai:int4:g32 --calibrate train.txt\n"
    "  zeropoint quantize model --to openvino:int4:g64 --calibrate train.txt\n"
    "  zeropoint quantize model --to hf-compressed:int4:g128 --calibrate train.txt\n"
    "  zeropoint quantize model --to hf-gptq --to hf-awq --calibrate train.txt\n"
    "  zeropoint quantize model --to hf-bnb:nf4\n"
    "  zeropoint quantize model --to onnx:int4:g128 --method "
    "nearest:observer=percentile,percentile=99.9\n"
    "  zeropoint quantize model --to gguf --fit 4.5bpw --calibrate train.txt\n"
    "  zeropoint quantize model --to gguf:q4_k_m --calibrate train.txt --rewrite awq\n"
    "  zeropoint quantize SmolLM2-135M --to gguf:q8_0=small.gguf --to mlx:int4:g64\n"
    "  zeropoint quantize Phi-4-multimodal-instruct --to gguf --merge vision\n"
    "  zeropoint quantize model --adapter adapter --to gguf\n"
    "  zeropoint quantize model --to gguf:q4_0 --set 'head=q8_0' --set 'layers.0-1.*=q8_0'\n"
    "  zeropoint quantize model --to gguf:q8_0 --split-size 2G\n"
    "  zeropoint quantize model --to mlx:int4:g64 --judge heldout.txt --report model.html\n"
    "  zeropoint quantize model --to mlx:int4:g64 --dry-run --json";

struct Options {
  QuantizeRequest request;
  std::string memory;
  std::string split_size;
  std::string tokens = kUsualTokens;
};

constexpr double kFarApart = 1.5;  // errors on text that was held out, and on the rest

// JSON has no infinity; an exact copy has no noise to compare with.
Json decibels(double value) { return std::isfinite(value) ? Json(value) : Json(); }

// The error of the outputs on the calibration text and on what was held out of it.
Json held_out_json(const HeldOut& error) {
  return {{"times", error.times()},
          {"output_sqnr_db", decibels(error.held_out.sqnr_db())},
          {"seen_output_sqnr_db", decibels(error.seen.sqnr_db())}};
}

// SQNR of the weights and, where their inputs are known, of what linears make of them; where only
// the inputs' mean squares are, of the weights by that.
void add_quality(Json& to, const Energy& weights, const std::optional<Energy>& outputs,
                 Weighing weighing) {
  to["sqnr_db"] = decibels(weights.sqnr_db());
  if (!outputs) return;
  to[weighing == Weighing::moments ? "output_sqnr_db" : "weighted_sqnr_db"] =
      decibels(outputs->sqnr_db());
}

// What only the run could tell.
void add_found(Json& to, const OutputResult& result) {
  for (const std::string& note : result.notes) to["notes"].push_back(with_options(note));
  to["too_small"] = Json::array();
  for (const TooSmall& t : result.too_small) {
    to["too_small"].push_back({{"name", t.name},
                               {"grid", t.grid},
                               {"zeroed_blocks", t.blocks.zeroed},
                               {"blocks", t.blocks.blocks}});
  }
}

Json shape_of(const RowReader& rows) {
  return rows.rows() == 1 ? Json::array({rows.cols()}) : Json::array({rows.rows(), rows.cols()});
}

std::int64_t job_bytes(const TensorJob& job) {
  return job.grid->bytes(job.rows->rows(), job.rows->cols());
}

Json output_json(const PlannedOutput& output, const OutputResult* result, const Model& model) {
  Json j;
  j["path"] = output.opened().string();
  j["container"] = output.container->name();
  j["grid"] = output.grid;
  if (result != nullptr) j["fidelity"] = fidelity_word(result->fidelity);
  j["bytes"] = output.layout.bytes();
  j["bits_per_weight"] = output.bits_per_weight(model);
  j["tensors"] = Json::array();
  for (std::size_t i = 0; i < output.layout.jobs.size(); ++i) {
    const TensorJob& job = output.layout.jobs[i];
    Json t;
    t["name"] = job.name;
    t["role"] = job.weight != nullptr ? Json(role_name(job.weight->use.place.role)) : Json();
    // Experts' matrices may lie in one tensor, of that name.
    if (job.weight != nullptr && job.weight->use.place.expert >= 0)
      t["expert"] = job.weight->use.place.expert;
    t["shape"] = shape_of(*job.rows);
    t["grid"] = job.grid->spec();
    t["bytes"] = job_bytes(job);
    if (result != nullptr) {
      const TensorResult& found = result->tensors[i];
      add_quality(t, found.energy, found.outputs, result->weighing);
      if (found.held_out) t["held_out"] = held_out_json(*found.held_out);
    }
    j["tensors"].push_back(std::move(t));
  }
  if (result != nullptr) {
    add_quality(j, result->energy, result->outputs, result->weighing);
    if (result->held_out) j["held_out"] = held_out_json(*result->held_out);
  }
  j["notes"] = output.layout.notes;
  const Fallbacks f = fallbacks_of(output, model);
  j["fallback"] = {{"tensors", f.tensors}, {"of", f.of}, {"share", f.share}, {"why", f.why}};
  if (result != nullptr) add_found(j, *result);
  return j;
}

// How many tensors take which grid and why, in the order they first appear.
void print_choices(const PlannedOutput& output, const Model& model) {
  struct Line {
    Choice choice;
    std::int64_t tensors = 0;
    std::int64_t weights = 0;
    std::string first;
  };
  std::vector<Line> lines;
  for (std::size_t i = 0; i < output.choices.size(); ++i) {
    const Choice& c = output.choices[i];
    const auto same = [&c](const Line& l) {
      return l.choice.grid == c.grid && l.choice.why == c.why && l.choice.held == c.held;
    };
    auto line = std::find_if(lines.begin(), lines.end(), same);
    if (line == lines.end())
      line = lines.insert(lines.end(), {c, 0, 0, use_name(model.weights[i].use)});
    ++line->tensors;
    line->weights += model.weights[i].use.rows * model.weights[i].use.cols;
  }
  for (const Line& l : lines) {
    fmt::print("  {:<22} {:>12} {:>24}  {:<8} {} ({}{})\n", l.choice.grid,
               human_counted(l.tensors, "tensor"), human_counted(l.weights, "weight"),
               fidelity_word(l.choice.held), l.choice.why, l.tensors == 1 ? "" : "first ", l.first);
  }
}

// Where a file is far from what was asked for.
std::string fallback_text(const PlannedOutput& output, const Model& model) {
  const Fallbacks fallbacks = fallbacks_of(output, model);
  return fallbacks.matter() ? "; " + to_text(fallbacks) : std::string();
}

void print_rules(const PlannedOutput& output) {
  for (const Rule& rule : output.rules) {
    fmt::print("  rule  {:<40} -> {:<20} {}\n", rule.roles.empty() ? "everything else" : rule.roles,
               rule.grid, rule.why);
  }
}

bool is_there(const std::filesystem::path& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

// " and 2 files behind it", of what is no folder.
std::string files_text(const PlannedOutput& output) {
  const std::int64_t more = std::ssize(output.layout.files) - 1;
  if (output.layout.folder || more == 0) return {};
  return fmt::format(" and {} behind it", human_counted(more, "file"));
}

void print_outputs(const Plan& plan, bool force, bool verbose) {
  const Model& model = *plan.model;
  for (const PlannedOutput& output : plan.outputs) {
    fmt::print("{}{}  {}:{}  {} ({})  {:.3f} bits per weight{}\n", output.opened().string(),
               files_text(output), output.container->name(), output.grid,
               human_counted(output.layout.bytes(), "byte"), human_bytes(output.layout.bytes()),
               output.bits_per_weight(model), fallback_text(output, model));
    if (is_there(output.opened()))
      fmt::print("  exists already; {}\n", force ? "it is replaced" : "--force would replace it");
    if (!output.measured) print_rules(output);
    print_choices(output, model);
    if (!verbose) continue;
    for (const TensorJob& job : output.layout.jobs) {
      fmt::print("    {:<48} {:>9} x {:<7} {:<22} {}\n", job.name, job.rows->rows(),
                 job.rows->cols(), job.grid->spec(), human_bytes(job_bytes(job)));
    }
  }
  fmt::print("{}; peak memory {} beside the mapped input\n",
             human_counted(model.parameters(), "parameter"), human_bytes(plan.memory_bytes));
}

// One figure: the one nearest to what the model computes.
std::string quality_text(const Energy& weights, const std::optional<Energy>& outputs,
                         Weighing weighing) {
  if (weights.error == 0) return "exact";
  if (!outputs) return fmt::format("SQNR {:.2f} dB", weights.sqnr_db());
  return fmt::format("{} SQNR {:.2f} dB", weighing == Weighing::moments ? "output" : "weighted",
                     outputs->sqnr_db());
}

// Whether more text, or other text, would help.
std::string held_out_text(const std::optional<HeldOut>& error) {
  if (!error) return {};
  std::string text = fmt::format(
      "  squared error of the outputs on text held out: {:.2f} times that on the calibration text",
      error->times());
  if (error->times() >= kFarApart) text += "; more --tokens, or text of more kinds, would help";
  return text + "\n";
}

// What a text would be worth, to who gave none: codes of so few bits are chosen better by it.
std::string hint_text(const QuantizeOutcome& done, int threads) {
  constexpr double kFewBits = 6;
  const Plan& plan = done.plan;
  bool few = false;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    few = few || (done.run->outputs[i].fidelity == Fidelity::quantized &&
                  plan.outputs[i].bits_per_weight(*plan.model) < kFewBits);
  }
  if (!few || !done.loaded->tokenizer || done.statistics || done.importance) return {};
  return fmt::format(
      "no text was used: --calibrate own, or a text of yours, loses less; about {} here\n",
      human_duration(calibrated_seconds(*plan.model, std::ssize(plan.outputs), threads)));
}

// "read 0.10, quantize 2.31, write 0.04": what took no time was not asked for.
std::string seconds_text(const RunSeconds& run, const QuantizeSeconds& job) {
  const std::pair<const char*, double> parts[] = {
      {"load", job.load},         {"own text", job.own_text}, {"fit", job.budget},
      {"rewrite", job.rewrite},   {"read", run.read},         {"calibrate", run.calibrate},
      {"quantize", run.quantize}, {"write", run.write},       {"refine", job.refine},
      {"distill", job.distill},   {"judge", job.judge}};
  std::string text;
  for (const auto& [name, seconds] : parts) {
    if (seconds > 0) text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", name, seconds);
  }
  return text;
}

std::string allotments_text(const QuantizeOutcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < outcome.allotments.targets.size(); ++i) {
    text +=
        fmt::format("{}: grids by what they lose\n{}\n", outcome.plan.outputs[i].container->name(),
                    to_text(outcome.allotments.targets[i]));
  }
  return text;
}

void print_result(const QuantizeOutcome& done, int threads, bool verbose) {
  const Plan& plan = done.plan;
  const Model& model = *plan.model;
  fmt::print("{}{}{}{}", allotments_text(done), done.own_text ? own_text(*done.own_text) : "",
             done.text ? reading_text(*done.text) : "", rewrites_text(done.rewrites, true));
  fmt::print("{}", to_text(done.run->few_tokens));
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const PlannedOutput& output = plan.outputs[i];
    const OutputResult& found = done.run->outputs[i];
    fmt::print("{}{}  {}:{}  {}  {:.3f} bits per weight  {}{}\n", output.opened().string(),
               files_text(output), output.container->name(), output.grid,
               human_bytes(output.layout.bytes()), output.bits_per_weight(model),
               quality_text(found.energy, found.outputs, found.weighing),
               fallback_text(output, model));
    if (!done.allotments.targets.empty())
      fmt::print("{}", written_text(done.allotments.targets[i]));
    fmt::print("{}", held_out_text(found.held_out));
    if (!done.refined.empty()) fmt::print("{}", refined_text(done.refined[i]));
    if (!done.distilled.empty()) fmt::print("{}", distilled_text(done.distilled[i]));
    if (!verbose) continue;
    for (const TensorResult& t : found.tensors) {
      fmt::print("    {:<48} {:<22} {:>10}  {}\n", t.name, t.grid, human_bytes(t.bytes),
                 quality_text(t.energy, t.outputs, found.weighing));
    }
  }
  fmt::print("{} in {:.2f} s ({}); peak memory {}\n{}",
             human_counted(model.parameters(), "parameter"), done.seconds.total,
             seconds_text(done.run->seconds, done.seconds),
             human_bytes(done.run->peak_memory_bytes), hint_text(done, threads));
  for (std::size_t i = 0; i < done.judgements.size(); ++i)
    fmt::print("\n{} against its source\n{}", plan.outputs[i].opened().string(),
               to_text(done.judgements[i]));
}

Json result_json(const QuantizeOutcome& done) {
  const Model& model = *done.plan.model;
  Json object;
  object["outputs"] = Json::array();
  object["parameters"] = model.parameters();
  for (std::size_t i = 0; i < done.plan.outputs.size(); ++i) {
    Json output = output_json(done.plan.outputs[i], &done.run->outputs[i], model);
    if (!done.refined.empty()) output["refine"] = to_json(done.refined[i]);
    if (!done.distilled.empty()) output["distill"] = to_json(done.distilled[i]);
    if (!done.judgements.empty()) output["judge"] = to_json(done.judgements[i]);
    if (!done.allotments.targets.empty()) output["fit"] = to_json(done.allotments.targets[i]);
    object["outputs"].push_back(std::move(output));
  }
  const RunSeconds& s = done.run->seconds;
  object["seconds"] = {{"load", done.seconds.load},
                       {"own_text", done.seconds.own_text},
                       {"fit", done.seconds.budget},
                       {"rewrite", done.seconds.rewrite},
                       {"read", s.read},
                       {"calibrate", s.calibrate},
                       {"quantize", s.quantize},
                       {"write", s.write},
                       {"refine", done.seconds.refine},
                       {"distill", done.seconds.distill},
                       {"judge", done.seconds.judge},
                       {"total", done.seconds.total}};
  object["peak_memory_bytes"] = done.run->peak_memory_bytes;
  object["notes"] = notes_of(*done.loaded);
  if (done.own_text) object["own_text"] = own_json(*done.own_text);
  if (done.text) object["text"] = to_json(*done.text);
  if (!done.run->few_tokens.empty()) object["few_tokens"] = to_json(done.run->few_tokens);
  if (!done.rewrites.empty()) object["rewrites"] = rewrites_json(done.rewrites, true);
  if (!done.judgements.empty()) object["judge"] = object["outputs"][0]["judge"];
  return object;
}

void print_plan(const QuantizeOutcome& planned, bool force, bool verbose) {
  fmt::print("{}", allotments_text(planned));
  print_outputs(planned.plan, force, verbose);
  if (planned.calibration_tokens > 0) {
    fmt::print("calibration: {}, about {} with the coding\n",
               human_counted(planned.calibration_tokens, "token"),
               human_duration(planned.calibration_seconds));
  }
  fmt::print("{}{}", planned.own_text ? own_text(*planned.own_text) : "",
             rewrites_text(planned.rewrites, false));
}

Json plan_json(const QuantizeOutcome& planned) {
  const Model& model = *planned.plan.model;
  Json object;
  object["outputs"] = Json::array();
  object["parameters"] = model.parameters();
  for (std::size_t i = 0; i < planned.plan.outputs.size(); ++i) {
    const PlannedOutput& output = planned.plan.outputs[i];
    Json j = output_json(output, nullptr, model);
    j["exists"] = is_there(output.opened());
    if (!planned.allotments.targets.empty()) j["fit"] = to_json(planned.allotments.targets[i]);
    j["rules"] = Json::array();
    for (const Rule& r : output.rules)
      j["rules"].push_back({{"roles", r.roles}, {"grid", r.grid}, {"why", r.why}});
    object["outputs"].push_back(std::move(j));
  }
  object["memory_bytes"] = planned.plan.memory_bytes;
  object["notes"] = notes_of(*planned.loaded);
  if (planned.calibration_tokens > 0) {
    object["calibration"] = {{"tokens", planned.calibration_tokens},
                             {"expected_seconds", planned.calibration_seconds}};
  }
  if (planned.own_text) object["own_text"] = own_json(*planned.own_text);
  if (!planned.rewrites.empty()) object["rewrites"] = rewrites_json(planned.rewrites, false);
  return object;
}

void show(const QuantizeOutcome& outcome, const QuantizeRequest& request, const Common& common,
          int threads) {
  if (common.json) return print_json(outcome.run ? result_json(outcome) : plan_json(outcome));
  if (!outcome.run) return print_plan(outcome, request.force, common.verbose);
  if (common.quiet) return;
  print_result(outcome, threads, common.verbose);
  if (!request.report.empty()) fmt::print("report written: {}\n", request.report);
}

// "mse, gptq[:order=on|off,damp=X]".
template <class Kind>
std::string choices_text(const std::vector<std::unique_ptr<Kind>>& methods) {
  std::string text;
  for (const auto& method : methods) {
    std::string options;
    for (const auto& option : method->options())
      options += fmt::format("{}{}={}", options.empty() ? "[:" : ",", option.name, option.values);
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", method->name(), options,
                        options.empty() ? "" : "]");
  }
  return text;
}

int quantize_command(const Options& options, const Common& common) {
  const Team team(common.threads, &cancellation());
  QuantizeRequest request = options.request;
  request.tokens = parse_tokens(options.tokens);
  request.spell = with_options;
  if (!options.memory.empty()) request.memory = parse_size(options.memory, "--memory");
  if (!request.report.empty() && !request.dry_run)
    check_report_can_be_written(request.report, request.force);
  if (!options.split_size.empty())
    request.split_size = parse_size(options.split_size, "--split-size");
  std::unique_ptr<Progress> progress = make_progress(common);
  const QuantizeOutcome outcome = quantize(request, team, *progress);
  progress.reset();
  if (outcome.run && !request.report.empty()) {
    const WhenInterrupted words("the outputs are complete, but there is no report");
    write_report(request, outcome, common.command);
  }
  show(outcome, request, common, team.threads());
  // Done, but a limit was not met: 3.
  return outcome.allotments.met() ? 0 : 3;
}

}  // namespace

void add_quantize(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "quantize", "Write a model in a runtime's own quantized format", kExamples);
  auto options = std::make_shared<Options>();
  QuantizeRequest& request = options->request;
  sub.add_option("MODEL", request.model, "Hugging Face folder or checkpoint file").required();
  sub.add_option("--to", request.to, "CONTAINER[:GRID][=PATH]; may be given several times")
      .required()
      .allow_extra_args(false);
  add_merge(sub, request.merge);
  add_adapter(sub, request.adapter);
  sub.add_option("--method", request.method,
                 "How codes are chosen, with its options: " + choices_text(coders()) +
                     " (default: gptq with --calibrate, mse without); see list methods");
  sub.add_option("--rewrite", request.rewrite,
                 "What is done to the float model before, one or several, with commas between: " +
                     choices_text(rewrites()) + "; with --calibrate")
      .allow_extra_args(false);
  sub.add_option("--seed", request.seed, "Of the random signs of --rewrite rotation")
      .capture_default_str();
  sub.add_option("--calibrate", request.calibrate,
                 "Texts the model is run over, to code each weight for what it meets: " +
                     std::string(kDocumentForms) + ". " + kOwnForms)
      .allow_extra_args(true);
  add_save_text(sub, request.save_text);
  add_tokens(sub, options->tokens,
             "Tokens of --calibrate, spread over its texts; one window of sixteen is held out "
             "to measure on");
  sub.add_option(
         "--refine", request.refine,
         "Train what was written, layer by layer on the text of --calibrate, to give what the "
         "float model's layers give: " +
             refine_choices())
      .allow_extra_args(false);
  sub.add_option(
         "--distill", request.distill,
         "Train what was written to answer as the source does on the text of --calibrate: " +
             distill_choices())
      .allow_extra_args(false);
  add_budget_options(sub, request.fit);
  sub.add_option("--set", request.set, "ROLE-OR-PATTERN=GRID: exceptions, first match wins")
      .allow_extra_args(false);
  sub.add_option(
      "--statistics", request.statistics,
      "What zeropoint calibrate wrote, or llama.cpp's imatrix: weighs the search by each "
      "column's importance; ours serves --method gptq, too");
  sub.add_option("--resume", request.resume,
                 "A folder that keeps the finished layers of a calibrated run: run the same "
                 "command again to continue after the last of them");
  sub.add_option("--memory", options->memory,
                 "Most memory to use beside the mapped input, e.g. 2G (default: a quarter of the "
                 "machine's)");
  sub.add_option(
      "--split-size", options->split_size,
      "Most bytes of tensors in a file, e.g. 2G: GGUF in files as gguf-split names them, "
      "folders' shards (default: one GGUF file, shards of 5 GB)");
  sub.add_flag("--accurate", request.accurate,
               "Ask runtimes that round activations or caches to 8 bits by default to compute what "
               "the weights say, and slower: genai, openvino");
  sub.add_option("--pre-tokenizer", request.pre_tokenizer,
                 "llama.cpp's name for the pre-tokenizer, when the tokenizer's regex isn't known");
  sub.add_option(
      "--judge", request.judge,
      "Evaluate the results against the source on this text: " + std::string(kDocumentForms));
  sub.add_option("--context", request.context, "Tokens of a window of --calibrate and --judge")
      .capture_default_str();
  sub.add_option("--report", request.report,
                 "FILE.html: what happened, to look at; one page with everything in it");
  sub.add_flag("--dry-run", request.dry_run, "Show exact sizes and every choice; write nothing");
  sub.add_flag("--force", request.force, "Replace what exists");
  sub.callback([options, &common, &run] {
    run = [options, &common] { return quantize_command(*options, common); };
  });
}

}  // namespace zp::cli
