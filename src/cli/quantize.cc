// zeropoint quantize: the main job.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/memory.h"
#include "calibrate/calibration.h"
#include "calibrate/stored_statistics.h"
#include "calibrate/windows.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "cli/fit.h"
#include "cli/interrupt.h"
#include "cli/open_model.h"
#include "cli/quantize_report.h"
#include "cli/rewrites.h"
#include "pipeline/expected_work.h"
#include "pipeline/fallbacks.h"
#include "pipeline/judge_outputs.h"
#include "pipeline/model_card.h"
#include "pipeline/pattern.h"
#include "pipeline/plan.h"
#include "pipeline/rewrite.h"
#include "pipeline/run.h"
#include "report/evaluation.h"
#include "report/human.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint quantize Phi-3.5-mini-instruct --to gguf:q4_k_m\n"
    "  zeropoint quantize model --to gguf:iq2_xs --statistics model.imatrix.gguf\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate train.txt\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate own --save-text own.jsonl\n"
    "  zeropoint quantize model --to mlx:int4:g64 --calibrate own:0.3 --calibrate train.txt\n"
    "  zeropoint quantize model --to genai:int4:g32 --calibrate train.txt\n"
    "  zeropoint quantize model --to onnx:int4:g128 --method "
    "nearest:observer=percentile,percentile=99.9\n"
    "  zeropoint quantize model --to gguf --fit 4.5bpw --calibrate train.txt\n"
    "  zeropoint quantize model --to gguf:q4_k_m --calibrate train.txt --rewrite awq\n"
    "  zeropoint quantize SmolLM2-135M --to gguf:q8_0=small.gguf --to mlx:int4:g64\n"
    "  zeropoint quantize model --to gguf:q4_0 --set 'head=q8_0' --set 'layers.0-1.*=q8_0'\n"
    "  zeropoint quantize model --to mlx:int4:g64 --judge heldout.txt --report model.html\n"
    "  zeropoint quantize model --to mlx:int4:g64 --dry-run --json";

struct Options {
  std::string model;
  std::vector<std::string> targets;
  std::string method;
  std::string rewrite;
  std::uint64_t seed = 0;
  std::vector<std::string> exceptions;
  std::string memory;
  std::string pre_tokenizer;
  std::string judge;
  std::int64_t context = 512;
  std::string report;
  std::string statistics;
  std::string resume;
  std::vector<std::string> calibrate;
  std::string save_text;
  FitOptions fit;
  std::int64_t tokens = 16384;
  bool dry_run = false;
  bool force = false;
};

constexpr double kFarApart = 1.5;  // errors on text that was held out, and on the rest

// Beside the run's own: the rest of what the command takes.
struct JobSeconds {
  double load = 0;      ///< the model and the texts
  double own_text = 0;  ///< that the model wrote itself
  double fit = 0;
  double rewrite = 0;
  double judge = 0;
  double total = 0;
};

// Seconds since the last look.
class Laps {
 public:
  double lap() { return seconds(std::exchange(last_, Clock::now())); }
  double all() const { return seconds(begin_); }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds(Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  }
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
};

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
  for (const std::string& note : result.notes) to["notes"].push_back(note);
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
  j["path"] = output.path.string();
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
    t["role"] = job.weight != nullptr ? Json(role_name(job.weight->use.role)) : Json();
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

// What people should know, before the output is written or of what it became: on standard error,
// where a script's output isn't disturbed.
void print_notes(const PlannedOutput& output, const std::vector<std::string>& notes,
                 Progress& display) {
  for (const std::string& note : notes)
    display.remark(fmt::format("note: {}: {}", output.path.string(), note));
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

void print_plan(const Plan& plan, const Model& model, bool verbose) {
  for (const PlannedOutput& output : plan.outputs) {
    fmt::print("{}  {}:{}  {} ({})  {:.3f} bits per weight{}\n", output.path.string(),
               output.container->name(), output.grid, human_counted(output.layout.bytes(), "byte"),
               human_bytes(output.layout.bytes()), output.bits_per_weight(model),
               fallback_text(output, model));
    if (is_there(output.path)) fmt::print("  exists already; --force would replace it\n");
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
std::string hint_text(const LoadedModel& loaded, const Plan& plan, const RunResult& result,
                      int threads) {
  constexpr double kFewBits = 6;
  const Model& model = *plan.model;
  bool few = false;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    few = few || (result.outputs[i].fidelity == Fidelity::quantized &&
                  plan.outputs[i].bits_per_weight(model) < kFewBits);
  }
  if (!few || !loaded.tokenizer || plan.statistics != nullptr || plan.importance != nullptr)
    return {};
  JobOutline job;
  job.threads = threads;
  job.outputs = std::ssize(plan.outputs);
  job.own_text_tokens = job.calibration_tokens = job.calibration_work = Options().tokens;
  job.calibration_stages = 1;
  job.feedback = true;
  double seconds = 0;
  for (const Work& work : expected_work(model, job)) seconds += work.amount * work.seconds_per_unit;
  return fmt::format(
      "no text was used: --calibrate own, or a text of yours, loses less; about {} here\n",
      human_duration(seconds));
}

// "read 0.10, quantize 2.31, write 0.04": what took no time was not asked for.
std::string seconds_text(const RunSeconds& run, const JobSeconds& job) {
  const std::pair<const char*, double> parts[] = {
      {"load", job.load},         {"own text", job.own_text}, {"fit", job.fit},
      {"rewrite", job.rewrite},   {"read", run.read},         {"calibrate", run.calibrate},
      {"quantize", run.quantize}, {"write", run.write},       {"judge", job.judge}};
  std::string text;
  for (const auto& [name, seconds] : parts) {
    if (seconds > 0) text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", name, seconds);
  }
  return text;
}

void print_result(const Plan& plan, const CalibrationText& text, const RunResult& result,
                  const JobSeconds& seconds, const std::vector<Allotment>& allotments,
                  const std::vector<RewriteResult>& rewrites, bool verbose) {
  const Model& model = *plan.model;
  fmt::print("{}{}{}", text.own_text(), reading_text(text.reading(result.text_loss)),
             rewrites_text(rewrites, true));
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const PlannedOutput& output = plan.outputs[i];
    const OutputResult& found = result.outputs[i];
    fmt::print("{}  {}:{}  {}  {:.3f} bits per weight  {}{}\n", output.path.string(),
               output.container->name(), output.grid, human_bytes(output.layout.bytes()),
               output.bits_per_weight(model),
               quality_text(found.energy, found.outputs, found.weighing),
               fallback_text(output, model));
    if (!allotments.empty()) fmt::print("{}", written_text(allotments[i]));
    fmt::print("{}", held_out_text(found.held_out));
    if (!verbose) continue;
    for (const TensorResult& t : found.tensors) {
      fmt::print("    {:<48} {:<22} {:>10}  {}\n", t.name, t.grid, human_bytes(t.bytes),
                 quality_text(t.energy, t.outputs, found.weighing));
    }
  }
  fmt::print("{} in {:.2f} s ({}); peak memory {}\n",
             human_counted(model.parameters(), "parameter"), seconds.total,
             seconds_text(result.seconds, seconds), human_bytes(result.peak_memory_bytes));
}

// The method, which must go with what is known of the weights' inputs.
Coder coder_of(const Options& options) {
  const bool calibrated = !options.calibrate.empty();
  const std::string name = !options.method.empty() ? options.method
                           : calibrated            ? "gptq"
                                                   : std::string(default_method().name);
  const Coder coder = parse_coder(name);
  const Method& method = *coder.method;
  const std::string option = calibrated ? "--calibrate" : "--statistics";
  if (!options.resume.empty() && !calibrated && options.statistics.empty())
    throw UsageError("--resume", "only a calibrated run is worth it", "--calibrate FILE");
  if (calibrated && !options.statistics.empty())
    throw UsageError("--calibrate", "not together with --statistics", "one of them");
  if (method.feedback && !calibrated && options.statistics.empty())
    throw UsageError("--method " + name, "needs a text to calibrate on", "--calibrate FILE");
  if (!options.rewrite.empty() && !calibrated)
    throw UsageError("--rewrite", "needs a text to calibrate on", "--calibrate FILE");
  const bool measured = calibrated && options.fit.asked();  // the text serves that, too
  if (method.fit == Fit::range && !measured && options.rewrite.empty() &&
      (calibrated || !options.statistics.empty()))
    throw UsageError(option, "--method " + name + " takes none", "--method mse");
  return coder;
}

bool is_ours(const std::string& statistics) {
  return !statistics.empty() && is_statistics(MappedFile(statistics).bytes());
}

using Windows = std::vector<std::vector<std::int32_t>>;

// From windows of a text, or a file of ours; nullptr when there is neither, or nobody asks.
std::unique_ptr<LayerStatistics> statistics_of(const Options& options, const Model& model,
                                               Windows windows, const Recipe& recipe,
                                               const Team& team) {
  const Coder& coder = recipe.coder;
  const bool feedback = coder.method->feedback;
  if (coder.method->fit == Fit::range) return nullptr;
  if (!windows.empty()) {
    CalibrationOptions calibration;
    calibration.feedback = feedback;
    calibration.method = coder.options;
    calibration.outputs = options.targets.size();
    calibration.memory_bytes = recipe.memory_bytes;
    calibration.held_out = hold_out(windows);
    return std::make_unique<Calibration>(model, std::move(windows), calibration, team);
  }
  if (options.statistics.empty()) return nullptr;
  if (is_ours(options.statistics)) {
    return std::make_unique<StoredStatistics>(options.statistics, model, feedback, coder.options,
                                              team);
  }
  if (feedback) {
    throw Error(options.statistics, "an imatrix is not enough for --method gptq",
                "what zeropoint calibrate writes, or --method mse");
  }
  return nullptr;
}

std::string how_of(const Options& options, const Coder& coder) {
  std::string how =
      "--method " + (options.method.empty() ? std::string(coder.method->name) : options.method);
  if (!options.rewrite.empty())
    how += fmt::format(" --rewrite {} --seed {}", options.rewrite, options.seed);
  if (!options.fit.budget.empty()) how += " --fit " + options.fit.budget;
  if (options.fit.max_kl) how += fmt::format(" --max-kld {}", *options.fit.max_kl);
  if (!options.calibrate.empty())
    how += fmt::format(" --tokens {} --context {}", options.tokens, options.context);
  return how;
}

Recipe recipe_of(const Options& options, const Team& team) {
  Recipe recipe;
  for (const std::string& t : options.targets) recipe.targets.push_back(parse_target(t));
  for (const std::string& e : options.exceptions) recipe.exceptions.push_back(parse_exception(e));
  recipe.coder = coder_of(options);
  recipe.how = how_of(options, recipe.coder);
  recipe.pre_tokenizer = options.pre_tokenizer;
  recipe.memory_bytes =
      options.memory.empty() ? machine_memory_bytes() / 4 : parse_size(options.memory, "--memory");
  recipe.force = options.force || options.dry_run;  // which writes nothing
  recipe.resume = options.resume;
  recipe.threads = team.threads();
  return recipe;
}

// All that --judge and --report could be refused for once outputs are planned.
std::optional<JudgeText> prepare(const Options& options, const LoadedModel& loaded,
                                 const Plan& plan, const Common& common) {
  if (!options.report.empty()) check_report_path(options.report, plan);
  if (options.judge.empty()) return {};
  JudgeText text{read_documents(options.judge), options.context};
  check_judgeable(plan, loaded, text);
  say_unread(text.documents, loaded, common);
  return text;
}

FitText fit_text(const Options& options) {
  FitText text{options.calibrate, options.tokens, options.context};
  if (text.files.empty() && !options.judge.empty()) text.files = {options.judge};
  return text;
}

// Chooses grids where a budget is given; shown before anything else runs.
Fitted fit(const Options& options, const CalibrationText& calibration, const LoadedModel& loaded,
           Recipe& recipe, const Team& team, const Common& common, Display& display) {
  if (!options.fit.asked()) return {};
  const FitText text = fit_text(options);
  const std::int64_t tokens = fit_tokens(text);
  Windows windows = options.calibrate.empty() ? read_windows(text.files, loaded, options.model,
                                                             tokens, text.context, common)
                                              : calibration.windows(tokens);
  Fitted fitted = allot_all(options.fit, std::move(windows), loaded, recipe, team, display);
  for (std::size_t i = 0; i < recipe.targets.size() && !common.json && !common.quiet; ++i) {
    display.print(fmt::format("{}: grids by what they lose\n{}\n", recipe.targets[i].container,
                              to_text(fitted.allotments[i])));
  }
  return fitted;
}

void show_plan(const LoadedModel& loaded, const Plan& plan,
               const std::vector<Allotment>& allotments, const std::vector<RewriteResult>& rewrites,
               const CalibrationText& text, const Recipe& recipe, const Common& common) {
  const Model& model = *plan.model;
  if (!common.json) {
    print_plan(plan, model, common.verbose);
    return fmt::print("{}{}", text.plan_text(recipe.memory_bytes, recipe.threads),
                      rewrites_text(rewrites, false));
  }
  Json object;
  object["outputs"] = Json::array();
  object["parameters"] = model.parameters();
  for (const PlannedOutput& output : plan.outputs) {
    Json j = output_json(output, nullptr, model);
    j["exists"] = is_there(output.path);
    if (!allotments.empty()) j["fit"] = to_json(allotments[object["outputs"].size()]);
    j["rules"] = Json::array();
    for (const Rule& r : output.rules)
      j["rules"].push_back({{"roles", r.roles}, {"grid", r.grid}, {"why", r.why}});
    object["outputs"].push_back(std::move(j));
  }
  object["memory_bytes"] = plan.memory_bytes;
  object["notes"] = notes_of(loaded);
  if (text.own_tokens() > 0)
    object["own_text"] = text.plan_json(recipe.memory_bytes, recipe.threads);
  if (!rewrites.empty()) object["rewrites"] = rewrites_json(rewrites, false);
  print_json(object);
}

Json result_json(const LoadedModel& loaded, const Plan& plan, const CalibrationText& text,
                 const RunResult& result, const JobSeconds& seconds,
                 const std::vector<Allotment>& allotments,
                 const std::vector<RewriteResult>& rewrites,
                 const std::vector<Judgement>& judgements) {
  const Model& model = *plan.model;
  Json object;
  object["outputs"] = Json::array();
  object["parameters"] = model.parameters();
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    object["outputs"].push_back(output_json(plan.outputs[i], &result.outputs[i], model));
    if (!judgements.empty()) object["outputs"].back()["judge"] = to_json(judgements[i]);
    if (!allotments.empty()) object["outputs"].back()["fit"] = to_json(allotments[i]);
  }
  const RunSeconds& s = result.seconds;
  object["seconds"] = {{"load", seconds.load},   {"own_text", seconds.own_text},
                       {"fit", seconds.fit},     {"rewrite", seconds.rewrite},
                       {"read", s.read},         {"calibrate", s.calibrate},
                       {"quantize", s.quantize}, {"write", s.write},
                       {"judge", seconds.judge}, {"total", seconds.total}};
  object["peak_memory_bytes"] = result.peak_memory_bytes;
  object["notes"] = notes_of(loaded);
  if (text.own_tokens() > 0) object["own_text"] = text.own_json();
  if (!text.name().empty()) object["text"] = to_json(text.reading(result.text_loss));
  if (!rewrites.empty()) object["rewrites"] = rewrites_json(rewrites, true);
  if (!judgements.empty()) object["judge"] = object["outputs"].front()["judge"];
  return object;
}

void print_judgements(const Plan& plan, const std::vector<Judgement>& judgements) {
  for (std::size_t i = 0; i < judgements.size(); ++i)
    fmt::print("\n{} against its source\n{}", plan.outputs[i].path.string(),
               to_text(judgements[i]));
}

// Done, but a limit was not met: 3.
int exit_code(const std::vector<Allotment>& allotments) {
  return std::ranges::all_of(allotments, &Allotment::met) ? 0 : 3;
}

// A plan and what it borrows beside the loaded model.
struct Prepared {
  std::unique_ptr<RewrittenModel> rewritten;  // nullptr: the model is as it was
  std::unique_ptr<LayerStatistics> statistics;
  std::unique_ptr<ColumnImportance> importance;
  Plan plan;
};

// Where that comes from, without folders: they differ from machine to machine.
StatisticsOrigin origin_of(const Options& options, const Model& model, const Prepared& known) {
  if (known.importance) return known.importance->origin();
  StatisticsOrigin origin;
  if (!options.statistics.empty())
    origin.file = std::filesystem::path(options.statistics).filename().string();
  for (const std::string& file : options.calibrate) {
    origin.dataset += origin.dataset.empty() ? "" : ", ";
    origin.dataset += std::filesystem::path(file).filename().string();
  }
  origin.entries = std::ranges::count_if(
      model.weights, [&](const Weight& w) { return has_inputs(model.decoder, w.use); });
  origin.chunks = known.statistics->windows();
  return origin;
}

// What is known of the model's inputs; the recipe borrows it.
void know(const Options& options, const Model& model, const Windows& windows, const Team& team,
          Recipe& recipe, Prepared& to) {
  to.statistics = statistics_of(options, model, windows, recipe, team);
  if (!options.statistics.empty() && !to.statistics)
    to.importance = std::make_unique<ColumnImportance>(options.statistics, model);
  recipe.importance = to.importance.get();
  recipe.statistics = to.statistics.get();
  recipe.origin.reset();
  if (to.importance || to.statistics) recipe.origin = origin_of(options, model, to);
}

// The same over the model that the rewrites leave, for the grids that the plan has.
Prepared rewritten_plan(const Options& options, const LoadedModel& loaded, const Windows& windows,
                        Recipe recipe, const Plan& plan, const std::vector<ChosenRewrite>& rewrites,
                        const Team& team, Progress& progress) {
  Prepared out;
  Windows seen = windows;
  hold_out(seen);
  out.rewritten =
      rewrite(plan, {rewrites, options.seed, std::move(seen), recipe.memory_bytes}, team, progress);
  recipe.model = &out.rewritten->model();
  know(options, *recipe.model, windows, team, recipe, out);
  out.plan = make_plan(loaded, recipe);
  return out;
}

// Refused before anything is read.
void check_paths(const Options& options, const Recipe& recipe) {
  for (const Target& target : recipe.targets) {
    if (!target.path.empty()) check_output_path(target.path, recipe.force);
  }
  if (!options.report.empty() && !options.dry_run)
    check_report_can_be_written(options.report, options.force);
}

// The stages to come, for remaining time.
JobOutline outline_of(const Options& options, const Recipe& recipe, std::int64_t own_tokens,
                      const Windows& windows, std::size_t rewrites) {
  JobOutline job;
  job.threads = recipe.threads;
  job.outputs = std::ssize(recipe.targets);
  job.own_text_tokens = own_tokens;
  if (options.fit.asked()) {
    job.fit_tokens = fit_tokens(fit_text(options));
    job.fit_choices = fit_choices(options.fit);
  }
  for (const auto& window : windows) job.calibration_tokens += std::ssize(window);
  if (recipe.statistics != nullptr) {
    job.calibration_stages = recipe.statistics->stages();
    job.calibration_work = recipe.statistics->work();
  }
  job.rewrites = static_cast<std::int64_t>(rewrites);
  job.feedback = recipe.coder.method->feedback;
  constexpr std::int64_t kBytesPerToken = 4;
  std::error_code none;
  const auto judged = std::filesystem::file_size(options.judge, none);
  if (!options.judge.empty() && !none)
    job.judge_tokens = static_cast<std::int64_t>(judged) / kBytesPerToken;
  return job;
}

int quantize(const Options& options, const Common& common) {
  Laps laps;
  const Team team(common.threads, &cancellation());
  Recipe recipe = recipe_of(options, team);
  const std::vector<ChosenRewrite> rewrites =
      options.rewrite.empty() ? std::vector<ChosenRewrite>() : parse_rewrites(options.rewrite);
  if (options.fit.asked()) check_fit(options.fit, fit_text(options), recipe);
  check_paths(options, recipe);
  CalibrationText calibration({"--calibrate", options.calibrate, options.tokens, options.context,
                               options.dry_run ? "" : options.save_text,
                               options.dry_run ? "" : options.resume, recipe.force});
  const std::unique_ptr<LoadedModel> loaded = open_model(options.model, common);
  calibration.read(*loaded, options.model, common);
  Windows windows = calibration.windows(options.tokens);
  Prepared prepared;
  know(options, loaded->model, windows, team, recipe, prepared);
  JobSeconds seconds;
  seconds.load = laps.lap();
  std::unique_ptr<Display> display = make_progress(common);
  display->expect(expected_work(loaded->model, outline_of(options, recipe, calibration.own_tokens(),
                                                          windows, rewrites.size())));
  if (calibration.is_missing() && (!options.dry_run || options.fit.asked())) {
    if (!options.fit.asked()) make_plan(*loaded, recipe);  // what it refuses needs no text
    calibration.write(recipe.memory_bytes, team, *display);
    windows = calibration.windows(options.tokens);
    know(options, loaded->model, windows, team, recipe, prepared);
    seconds.own_text = laps.lap();
  }
  Fitted fitted = fit(options, calibration, *loaded, recipe, team, common, *display);
  const std::vector<Allotment>& allotments = fitted.allotments;
  if (options.fit.asked()) seconds.fit = laps.lap();
  prepared.plan = make_plan(*loaded, recipe);
  const std::optional<JudgeText> text = prepare(options, *loaded, prepared.plan, common);
  if (!options.calibrate.empty() || !options.judge.empty())
    warn_beyond_context(common, loaded->model.decoder, options.context, "windows");
  for (const PlannedOutput& output : prepared.plan.outputs)
    print_notes(output, output.layout.notes, *display);
  if (options.dry_run) {
    display.reset();
    show_plan(*loaded, prepared.plan, allotments, plan_rewrites(loaded->model, rewrites),
              calibration, recipe, common);
    return exit_code(allotments);
  }
  if (!rewrites.empty()) {
    laps.lap();
    prepared =
        rewritten_plan(options, *loaded, windows, recipe, prepared.plan, rewrites, team, *display);
    seconds.rewrite = laps.lap();
  }
  const RunResult result = [&] {
    const WhenInterrupted words(prepared.plan.resume.empty()
                                    ? "nothing was written"
                                    : "run it again to continue after the last finished layer");
    return run_plan(prepared.plan, options.force, team, *display);
  }();
  for (std::size_t i = 0; i < result.outputs.size(); ++i)
    print_notes(prepared.plan.outputs[i], result.outputs[i].notes, *display);
  const WhenInterrupted words(text ? "the outputs are complete, but not judged"
                                   : "the outputs are complete");
  laps.lap();
  std::vector<Judgement> judgements;
  measure_written(fitted, prepared.plan, *loaded, team, *display);
  if (options.fit.asked()) seconds.fit += laps.lap();
  if (text) {
    judgements = judge_outputs(prepared.plan, *loaded, *text, team, *display);
    seconds.judge = laps.lap();
    for (std::size_t i = 0; i < judgements.size(); ++i) {
      const OutputResult& output = result.outputs[i];
      replace_model_card(prepared.plan.outputs[i], {output.energy, output.outputs, &judgements[i]});
    }
  }
  seconds.total = laps.all();
  display.reset();
  const std::vector<RewriteResult> rewritten =
      prepared.rewritten ? prepared.rewritten->results() : std::vector<RewriteResult>();
  if (!options.report.empty()) {
    const WhenInterrupted no_report("the outputs are complete, but there is no report");
    write_report({*loaded, prepared.plan, *prepared.plan.coder.method, options.rewrite, result,
                  judgements, options.judge, fitted, options.fit, fit_text(options),
                  options.calibrate.empty() ? options.statistics : calibration.name(),
                  common.command, seconds.total},
                 options.report, options.force);
  }
  if (common.json) {
    print_json(result_json(*loaded, prepared.plan, calibration, result, seconds, allotments,
                           rewritten, judgements));
  } else if (!common.quiet) {
    print_result(prepared.plan, calibration, result, seconds, allotments, rewritten,
                 common.verbose);
    fmt::print("{}", hint_text(*loaded, prepared.plan, result, team.threads()));
    print_judgements(prepared.plan, judgements);
    if (!options.report.empty()) fmt::print("report written: {}\n", options.report);
  }
  return exit_code(allotments);
}

}  // namespace

void add_quantize(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "quantize",
                                 "Write a model in a runtime's own quantized format", kExamples);
  auto options = std::make_shared<Options>();
  sub->add_option("MODEL", options->model, "Hugging Face folder or checkpoint file")->required();
  sub->add_option("--to", options->targets, "CONTAINER[:GRID][=PATH]; may be given several times")
      ->required()
      ->allow_extra_args(false);
  sub->add_option("--method", options->method,
                  "How codes are chosen: nearest, mse, hqq or gptq (default: gptq with "
                  "--calibrate, mse without); "
                  "gptq:upstream=on|off,order=on|off,damp=X,shrink=X,sweeps=N,floats=keep|adjust; "
                  "nearest:observer=NAME,percentile=P cuts weights, see list observers");
  sub->add_option("--rewrite", options->rewrite,
                  "What is done to the float model before, NAME[,NAME...] of awq, "
                  "smoothquant[:alpha=0.5], rotation; with --calibrate")
      ->allow_extra_args(false);
  sub->add_option("--seed", options->seed, "Of the random signs of --rewrite rotation")
      ->capture_default_str();
  sub->add_option("--calibrate", options->calibrate,
                  "Texts the model is run over, to code each weight for what it meets: " +
                      std::string(kDocumentForms) + ". " + kOwnForms)
      ->allow_extra_args(true);
  add_save_text(*sub, options->save_text);
  sub->add_option("--tokens", options->tokens,
                  "Tokens of --calibrate, spread over its texts; one window of sixteen is held out "
                  "to measure on")
      ->capture_default_str();
  add_fit_options(*sub, options->fit);
  sub->add_option("--set", options->exceptions,
                  "ROLE-OR-PATTERN=GRID: exceptions, first match wins")
      ->allow_extra_args(false);
  sub->add_option(
      "--statistics", options->statistics,
      "What zeropoint calibrate wrote, or llama.cpp's imatrix: weighs the search by each "
      "column's importance; ours serves --method gptq, too");
  sub->add_option("--resume", options->resume,
                  "A folder that keeps the finished layers of a calibrated run: run the same "
                  "command again to continue after the last of them");
  sub->add_option("--memory", options->memory,
                  "Most memory to use beside the mapped input, e.g. 2G (default: a quarter of the "
                  "machine's)");
  sub->add_option("--pre-tokenizer", options->pre_tokenizer,
                  "llama.cpp's name for the pre-tokenizer, when the tokenizer's regex isn't known");
  sub->add_option(
      "--judge", options->judge,
      "Evaluate the results against the source on this text: " + std::string(kDocumentForms));
  sub->add_option("--context", options->context, "Tokens of a window of --calibrate and --judge")
      ->capture_default_str();
  sub->add_option("--report", options->report,
                  "FILE.html: what happened, to look at; one page with everything in it");
  sub->add_flag("--dry-run", options->dry_run, "Show exact sizes and every choice; write nothing");
  sub->add_flag("--force", options->force, "Replace what exists");
  sub->callback([options, &common, &run] {
    run = [options, &common] { return quantize(*options, common); };
  });
}

}  // namespace zp::cli
