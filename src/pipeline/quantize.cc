#include "pipeline/quantize.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/memory.h"
#include "calibrate/calibration.h"
#include "calibrate/stored_statistics.h"
#include "calibrate/windows.h"
#include "pipeline/expected_work.h"
#include "pipeline/judge_outputs.h"
#include "pipeline/model_card.h"
#include "pipeline/text_files.h"
#include "pipeline/trained_output.h"

namespace zp {
namespace {

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

// The method, which must go with what is known of the weights' inputs.
std::shared_ptr<const Coder> coder_of(const QuantizeRequest& request) {
  const bool calibrated = !request.calibrate.empty();
  const std::string name = !request.method.empty() ? request.method
                           : calibrated            ? "gptq"
                                                   : std::string(default_coder()->name());
  std::shared_ptr<const Coder> coder = make_coder(name);
  const std::string option = calibrated ? "`calibrate`" : "`statistics`";
  if (!request.resume.empty() && !calibrated && request.statistics.empty())
    throw UsageError("`resume`", "only a calibrated run is worth it", "`calibrate` FILE");
  if (calibrated && !request.statistics.empty())
    throw UsageError("`calibrate`", "not together with `statistics`", "one of them");
  if (coder->feedback() && !calibrated && request.statistics.empty())
    throw UsageError("`method` " + name, "needs a text to calibrate on", "`calibrate` FILE");
  for (const auto& [training, asked] : {std::pair("`refine`", !request.refine.empty()),
                                        std::pair("`distill`", !request.distill.empty())}) {
    if (asked && !calibrated)
      throw UsageError(training, "needs a text to learn on", "`calibrate` FILE");
  }
  if (!request.rewrite.empty() && !calibrated)
    throw UsageError("`rewrite`", "needs a text to calibrate on", "`calibrate` FILE");
  const bool measured = calibrated && request.fit.asked();  // the text serves that, too
  if (coder->fit() == Fit::range && !measured && request.rewrite.empty() &&
      (calibrated || !request.statistics.empty()))
    throw UsageError(option, "`method` " + name + " takes none", "`method` mse");
  return coder;
}

// The fields that decide codes and grids, for model cards.
std::string how_of(const QuantizeRequest& request, const Coder& coder, std::int64_t tokens) {
  std::string how =
      " `method` " + (request.method.empty() ? std::string(coder.name()) : request.method);
  if (!request.merge.empty()) how += " `merge` " + request.merge;
  if (!request.adapter.empty())
    how += " `adapter` " +
           std::filesystem::path(request.adapter + "/").parent_path().filename().string();
  if (!request.rewrite.empty())
    how += fmt::format(" `rewrite` {} `seed` {}", request.rewrite, request.seed);
  if (!request.fit.size.empty()) how += " `fit` " + request.fit.size;
  if (request.fit.max_kl) how += fmt::format(" `max-kld` {}", *request.fit.max_kl);
  if (request.accurate) how += " `accurate`";
  if (!request.refine.empty()) how += " `refine` " + refine_text(parse_refine(request.refine));
  if (!request.distill.empty()) how += " `distill` " + distill_text(parse_distill(request.distill));
  if (!request.calibrate.empty())
    how += fmt::format(" `tokens` {} `context` {}", tokens, request.context);
  return how;
}

std::int64_t split_bytes(const QuantizeRequest& request) {
  if (!request.split_size) return 0;
  if (*request.split_size > 0) return *request.split_size;
  throw UsageError("`split-size`", "no size of a file", "1 byte and more",
                   std::to_string(*request.split_size));
}

Recipe recipe_of(const QuantizeRequest& request, int threads) {
  Recipe recipe;
  for (const std::string& t : request.to) recipe.targets.push_back(parse_target(t));
  for (const std::string& e : request.set) recipe.exceptions.push_back(parse_exception(e));
  recipe.coder = coder_of(request);
  recipe.accurate = request.accurate;
  recipe.pre_tokenizer = request.pre_tokenizer;
  recipe.spell = request.spell;
  recipe.split_bytes = split_bytes(request);
  recipe.memory_bytes = request.memory.value_or(machine_memory_bytes() / 4);
  recipe.force = request.force || request.dry_run;  // which writes nothing
  recipe.resume = request.resume;
  recipe.threads = threads;
  return recipe;
}

bool is_ours(const std::string& statistics) {
  return !statistics.empty() && is_statistics(MappedFile(statistics).bytes());
}

class Job {
 public:
  Job(const QuantizeRequest& request, const Team& team, Progress& progress)
      : request_(request), team_(team), progress_(progress) {}

  QuantizeOutcome run() {
    check();
    load();
    write_own_text();
    allot();
    plan();
    if (request_.dry_run) return planned();
    rewrite();
    code();
    refine();
    distill();
    judge();
    out_.seconds.total = laps_.all();
    out_.own_text = text_->own(recipe_.memory_bytes, recipe_.threads);
    out_.calibration = request_.calibrate.empty() ? request_.statistics : text_->name();
    return std::move(out_);
  }

 private:
  // What is wrong with the request alone.
  void check() {
    recipe_ = recipe_of(request_, team_.threads());
    if (!request_.rewrite.empty()) rewrites_ = parse_rewrites(request_.rewrite);
    if (!request_.refine.empty()) refine_ = parse_refine(request_.refine);
    if (!request_.distill.empty()) distill_ = parse_distill(request_.distill);
    if (request_.fit.asked()) check_budget(request_.fit, request_.budget_texts(), recipe_);
    for (const Target& target : recipe_.targets) {
      if (target.path.empty()) continue;
      check_output_path(target.path, recipe_.force);
      check_differ("`save-text`", request_.save_text, target.path);
    }
    text_.emplace(TextRequest{"`calibrate`", request_.calibrate, request_.tokens, request_.context,
                              request_.dry_run ? "" : request_.save_text,
                              request_.dry_run ? "" : request_.resume, recipe_.force});
  }

  void load() {
    out_.loaded = load_model(request_.model, progress_, request_.merge, request_.adapter);
    text_->read(*out_.loaded, request_.model, remarks_, progress_);
    recipe_.how = how_of(request_, *recipe_.coder, text_->tokens());
    take_windows();
    out_.seconds.load = laps_.lap();
    const std::vector<Work> work = expected_work(out_.loaded->model, outline());
    for (const auto& window : windows_) out_.calibration_tokens += std::ssize(window);
    for (const Work& w : work) {
      if (w.stage == "calibrate" || w.stage == "quantize")
        out_.calibration_seconds += w.amount * w.seconds_per_unit;
    }
    progress_.expect(work);
  }

  void take_windows() {
    windows_ = text_->windows();
    bind_statistics(out_.loaded->model);
  }

  void write_own_text() {
    if (!text_->is_missing() || (request_.dry_run && !request_.fit.asked())) return;
    // What a plan refuses needs no text.
    if (!request_.fit.asked()) make_plan(*out_.loaded, recipe_);
    text_->write(recipe_.memory_bytes, team_, progress_);
    take_windows();
    out_.seconds.own_text = laps_.lap();
  }

  // Chooses grids where a budget is given.
  void allot() {
    if (!request_.fit.asked()) return;
    const std::int64_t tokens = measured_tokens(text_->tokens());
    out_.allotments = allot_all(
        request_.fit, request_.calibrate.empty() ? judge_windows(tokens) : text_->windows(tokens),
        *out_.loaded, recipe_, team_, progress_);
    out_.seconds.budget = laps_.lap();
  }

  Windows judge_windows(std::int64_t tokens) {
    const std::vector<Document> documents = read_documents(request_.judge);
    remarks_.say(documents, *out_.loaded, progress_);
    const std::optional<Tokenizer>& tokenizer = out_.loaded->tokenizer;
    return calibration_windows(documents, tokenizer ? &*tokenizer : nullptr, request_.model, tokens,
                               request_.context);
  }

  void plan() {
    out_.plan = make_plan(*out_.loaded, recipe_);
    for (const PlannedOutput& output : out_.plan.outputs)
      check_differ("`report`", request_.report, output.path);
    check_training();
    if (!request_.judge.empty()) {
      judge_text_ = {read_documents(request_.judge), request_.context};
      check_judgeable(out_.plan, *out_.loaded, *judge_text_);
      remarks_.say(judge_text_->documents, *out_.loaded, progress_);
    }
    if (!request_.calibrate.empty() || !request_.judge.empty())
      say_beyond_context(out_.loaded->model.decoder, request_.context, "windows", progress_);
    for (const PlannedOutput& output : out_.plan.outputs) say_notes(output, output.layout.notes);
  }

  static void check_differ(const char* option, const std::string& file,
                           const std::filesystem::path& output) {
    if (!file.empty() &&
        std::filesystem::weakly_canonical(output) == std::filesystem::weakly_canonical(file))
      throw Error(option, "has the path of an output", {}, file);
  }

  QuantizeOutcome planned() {
    out_.rewrites = plan_rewrites(out_.loaded->model, rewrites_);
    out_.own_text = text_->own(recipe_.memory_bytes, recipe_.threads);
    return std::move(out_);
  }

  // The same plan over the model that the rewrites leave, for the grids that the plan has.
  void rewrite() {
    if (rewrites_.empty()) return;
    laps_.lap();
    Windows seen = windows_;
    hold_out(seen);
    out_.rewritten =
        zp::rewrite(out_.plan, {rewrites_, request_.seed, std::move(seen), recipe_.memory_bytes},
                    team_, progress_);
    out_.rewrites = out_.rewritten->results();
    recipe_.model = &out_.rewritten->model();
    bind_statistics(*recipe_.model);
    out_.plan = make_plan(*out_.loaded, recipe_);
    out_.seconds.rewrite = laps_.lap();
  }

  void code() {
    progress_.when_interrupted(request_.resume.empty()
                                   ? "nothing was written"
                                   : "run it again to continue after the last finished layer");
    out_.run = run_plan(out_.plan, request_.force, team_, progress_);
    for (std::size_t i = 0; i < out_.plan.outputs.size(); ++i)
      say_notes(out_.plan.outputs[i], out_.run->outputs[i].notes);
    if (!request_.calibrate.empty()) out_.text = text_->reading(windows_, out_.run->text_loss);
  }

  void check_training() {
    if (refine_) check_trainable(out_.plan, "refined");
    if (distill_) check_trainable(out_.plan, "distilled");
    if (windows_.empty()) return;  // the model writes them first
    const int threads = team_.threads();
    if (refine_)
      check_memory("`refine`", refine_bytes(out_.plan, *refine_, windows_, threads),
                   "or fewer `tokens`");
    if (distill_)
      check_memory("`distill`", distill_bytes(out_.plan, *distill_, windows_, threads),
                   "a smaller `context`, or scales alone");
  }

  void check_memory(const char* option, std::int64_t bytes, const char* otherwise) {
    out_.plan.memory_bytes = std::max(out_.plan.memory_bytes, bytes);
    if (recipe_.memory_bytes == 0 || bytes <= recipe_.memory_bytes) return;
    throw Error(option, "does not fit the memory budget",
                fmt::format("`memory` of at least {} bytes, {}", bytes, otherwise),
                std::to_string(recipe_.memory_bytes));
  }

  void refine() {
    if (!refine_) return;
    progress_.when_interrupted("the outputs are complete, but not refined");
    laps_.lap();
    out_.refined = refine_outputs(out_.plan, *out_.loaded, recipe_, *refine_, windows_,
                                  out_.run->outputs, team_, progress_);
    out_.seconds.refine = laps_.lap();
  }

  void distill() {
    if (!distill_) return;
    progress_.when_interrupted("the outputs are complete, but not distilled");
    laps_.lap();
    out_.distilled = distill_outputs(out_.plan, *out_.loaded, recipe_, *distill_, windows_,
                                     out_.run->outputs, team_, progress_);
    out_.seconds.distill = laps_.lap();
  }

  void judge() {
    progress_.when_interrupted(judge_text_ ? "the outputs are complete, but not judged"
                                           : "the outputs are complete");
    laps_.lap();
    measure_written(out_.allotments, out_.plan, *out_.loaded, team_, progress_);
    if (request_.fit.asked()) out_.seconds.budget += laps_.lap();
    if (!judge_text_) return;
    out_.judgements = judge_outputs(out_.plan, *out_.loaded, *judge_text_, team_, progress_);
    out_.seconds.judge = laps_.lap();
    for (std::size_t i = 0; i < out_.judgements.size(); ++i) {
      const OutputResult& output = out_.run->outputs[i];
      replace_model_card(out_.plan.outputs[i],
                         {output.energy, output.outputs, &out_.judgements[i]});
    }
  }

  // What is known of the model's inputs; the recipe borrows it.
  void bind_statistics(const Model& model) {
    out_.statistics = statistics_of(model);
    out_.importance = !request_.statistics.empty() && !out_.statistics
                          ? std::make_unique<ColumnImportance>(request_.statistics, model)
                          : nullptr;
    recipe_.importance = out_.importance.get();
    recipe_.statistics = out_.statistics.get();
    recipe_.origin.reset();
    if (out_.importance || out_.statistics) recipe_.origin = origin_of(model);
  }

  // From windows of a text, or a file of ours; nullptr when there is neither, or nobody asks.
  std::unique_ptr<LayerStatistics> statistics_of(const Model& model) const {
    const std::optional<FeedbackOptions> feedback = recipe_.coder->feedback();
    if (recipe_.coder->fit() == Fit::range) return nullptr;
    if (!windows_.empty()) {
      Windows windows = windows_;
      CalibrationOptions options;
      options.feedback = feedback.has_value();
      options.method = feedback.value_or(FeedbackOptions());
      options.outputs = request_.to.size();
      options.memory_bytes = recipe_.memory_bytes;
      options.held_out = hold_out(windows);
      return std::make_unique<Calibration>(model, std::move(windows), options, team_);
    }
    if (request_.statistics.empty()) return nullptr;
    if (is_ours(request_.statistics)) {
      return std::make_unique<StoredStatistics>(request_.statistics, model, feedback,
                                                recipe_.memory_bytes, team_);
    }
    if (feedback) {
      throw Error(request_.statistics, "an imatrix is not enough for `method` gptq",
                  "what zeropoint calibrate writes, or `method` mse");
    }
    return nullptr;
  }

  // Where that comes from, without folders: they differ from machine to machine.
  StatisticsOrigin origin_of(const Model& model) const {
    if (out_.importance) return out_.importance->origin();
    StatisticsOrigin origin;
    if (!request_.statistics.empty())
      origin.file = std::filesystem::path(request_.statistics).filename().string();
    for (const std::string& file : request_.calibrate) {
      origin.dataset += origin.dataset.empty() ? "" : ", ";
      origin.dataset += std::filesystem::path(file).filename().string();
    }
    const Network network = record(model);
    origin.entries = std::ranges::count_if(
        model.weights, [&](const Weight& w) { return input_of(network, w.use).has_value(); });
    origin.chunks = out_.statistics->windows();
    return origin;
  }

  // The stages to come, for remaining time.
  JobOutline outline() const {
    JobOutline job;
    job.threads = recipe_.threads;
    job.outputs = std::ssize(recipe_.targets);
    job.own_text_tokens = text_->own_tokens();
    if (request_.fit.asked()) {
      job.fit_tokens = measured_tokens(text_->tokens());
      job.fit_choices = tried_choices(request_.fit);
    }
    for (const auto& window : windows_) job.calibration_tokens += std::ssize(window);
    if (recipe_.statistics != nullptr) {
      job.calibration_stages = recipe_.statistics->stages();
      job.calibration_work = recipe_.statistics->work();
    }
    if (!windows_.empty()) {
      Windows learned = windows_;
      const Windows held_out = hold_out(learned);
      const std::int64_t length = std::ssize(windows_.front());
      if (refine_)
        job.refine_tokens = refine_tokens(out_.loaded->model.decoder.layers, length,
                                          std::ssize(learned), std::ssize(held_out), *refine_);
      if (distill_)
        job.distill_tokens =
            distill_tokens(length, std::ssize(learned), std::ssize(held_out), *distill_);
    }
    job.rewrites = std::ssize(rewrites_);
    job.feedback = recipe_.coder->feedback().has_value();
    constexpr std::int64_t kBytesPerToken = 4;
    std::error_code none;
    const auto judged = std::filesystem::file_size(request_.judge, none);
    if (!request_.judge.empty() && !none)
      job.judge_tokens = static_cast<std::int64_t>(judged) / kBytesPerToken;
    return job;
  }

  // What people should know, before the output is written or of what it became.
  void say_notes(const PlannedOutput& output, const std::vector<std::string>& notes) {
    for (const std::string& note : notes)
      progress_.remark(fmt::format("note: {}: {}", output.opened().string(), note));
  }

  const QuantizeRequest& request_;
  const Team& team_;
  Progress& progress_;
  Laps laps_;
  Recipe recipe_;
  std::vector<std::unique_ptr<Rewrite>> rewrites_;
  std::optional<RefineOptions> refine_;
  std::optional<DistillOptions> distill_;
  std::optional<CalibrationText> text_;
  UnreadRemarks remarks_;
  Windows windows_;
  std::optional<JudgeText> judge_text_;
  QuantizeOutcome out_;
};

}  // namespace

std::vector<std::string> QuantizeRequest::budget_texts() const {
  if (!calibrate.empty()) return calibrate;
  return judge.empty() ? std::vector<std::string>() : std::vector<std::string>{judge};
}

QuantizeOutcome quantize(const QuantizeRequest& request, const Team& team, Progress& progress) {
  return Job(request, team, progress).run();
}

double calibrated_seconds(const Model& model, std::int64_t outputs, int threads) {
  JobOutline job;
  job.threads = threads;
  job.outputs = outputs;
  job.own_text_tokens = job.calibration_tokens = job.calibration_work =
      QuantizeRequest().tokens.value();
  job.calibration_stages = 1;
  job.feedback = true;
  double seconds = 0;
  for (const Work& work : expected_work(model, job)) seconds += work.amount * work.seconds_per_unit;
  return seconds;
}

}  // namespace zp
