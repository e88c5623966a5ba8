#include "report/write_report.h"

#include <fmt/core.h>

#include <array>
#include <ctime>
#include <span>

#include "base/atomic_file.h"
#include "base/version.h"
#include "pipeline/inspect.h"
#include "pipeline/pattern.h"
#include "report/few_tokens.h"
#include "report/quantize_report.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

constexpr double kFiner = 0.5;  // bits per weight at least

double bits_of(const Grid& grid, const RowReader& rows) {
  return 8 * static_cast<double>(grid.bytes(rows.rows(), rows.cols())) /
         static_cast<double>(rows.rows() * rows.cols());
}

// A line with fields between backquotes, as the caller spells them.
std::string spelled(const QuantizeRequest& request, const std::string& line) {
  return request.spell ? request.spell(line) : line;
}

// The container's grid of the fewest bits above the matrix's own, or empty.
std::string finer_grid(const Container& container, const TensorJob& job) {
  const TensorUse& use = job.weight->use;
  if (!use.is_matrix()) return {};
  std::string finer;
  double least = 0;
  for (const std::string_view spec : container.budget_grids()) {
    const auto grid = make_grid(spec, container.affine_defaults(job.weight->stored_type));
    if (!grid->why_not(use.cols).empty() || !container.accepts(*grid, use).possible) continue;
    const double bits = bits_of(*grid, *job.rows);
    if (bits < bits_of(*job.grid, *job.rows) + kFiner || (!finer.empty() && bits >= least))
      continue;
    finer = spec;
    least = bits;
  }
  return finer;
}

ReportedTensor reported(const TensorJob& job, const TensorResult& result,
                        const Container& container, const QuantizeRequest& request) {
  ReportedTensor t;
  t.name = result.name;
  t.rows = job.rows->rows();
  t.cols = job.rows->cols();
  t.grid = result.grid;
  t.bytes = result.bytes;
  t.energy = result.energy;
  t.outputs = result.outputs;
  t.held_out = result.held_out;
  if (job.weight == nullptr) return t;
  t.role = role_name(job.weight->use.place.role);
  t.layer = job.weight->use.place.layer;
  if (const std::string finer = finer_grid(container, job); !finer.empty())
    t.finer_option =
        spelled(request, fmt::format("`set` '{}={}'", use_name(job.weight->use), finer));
  return t;
}

// One matrix of each role, from the layer in the middle.
std::vector<const TensorJob*> representatives(const Layout& layout, std::int64_t layers) {
  std::vector<const TensorJob*> chosen;
  for (const TensorJob& job : layout.jobs) {
    if (job.weight == nullptr) continue;
    const TensorUse& use = job.weight->use;
    const bool matrix = use.is_matrix();
    if (matrix && (use.place.layer < 0 || use.place.layer == layers / 2)) chosen.push_back(&job);
  }
  return chosen;
}

ReportedOutput reported(const PlannedOutput& output, const OutputResult& result,
                        const QuantizeOutcome& outcome, const QuantizeRequest& request) {
  const Model& model = outcome.loaded->model;
  ReportedOutput o;
  o.path = output.opened().string();
  o.container = output.container->name();
  o.grid = output.grid;
  o.bytes = output.layout.bytes();
  o.bits_per_weight = output.bits_per_weight(model);
  o.energy = result.energy;
  o.outputs = result.outputs;
  o.held_out = result.held_out;
  o.from_moments = result.weighing == Weighing::moments;
  o.notes = output.layout.notes;
  for (const std::string& note : result.notes) o.notes.push_back(spelled(request, note));
  for (std::size_t i = 0; i < output.layout.jobs.size(); ++i)
    o.tensors.push_back(
        reported(output.layout.jobs[i], result.tensors[i], *output.container, request));
  for (const TensorJob* job : representatives(output.layout, model.decoder.layers)) {
    WeightHistogram& h = o.histograms.emplace_back(
        weight_histogram(*job->rows, *job->grid, outcome.plan.coder->fit()));
    h.tensor = job->name;
    h.role = role_name(job->weight->use.place.role);
  }
  return o;
}

ReportedBudget reported(const Allotment& allotment, const QuantizeRequest& request) {
  ReportedBudget out;
  out.budget = asked_text(request.fit);
  out.texts = request.budget_texts();
  out.tokens = allotment.tokens;
  out.predicted = allotment.predicted;
  out.divergence = allotment.divergence().mean;
  out.divergence_se = allotment.divergence().se;
  out.of_file = allotment.written.has_value();
  out.met = allotment.met();
  for (const Allotted& a : allotment.tensors) {
    const TensorUse& use = a.weight->use;
    out.tensors.push_back({use_name(use), std::string(role_name(use.place.role)), use.place.layer,
                           a.grid, a.bits, a.loss});
  }
  return out;
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  std::array<char, 32> text = {};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &utc);
  return text.data();
}

QuantizeReport report_of(const QuantizeRequest& request, const QuantizeOutcome& outcome,
                         const std::string& command) {
  const LoadedModel& loaded = *outcome.loaded;
  const Inspection source = inspect(loaded.checkpoint);
  QuantizeReport report;
  report.title = loaded.title;
  report.source = loaded.checkpoint.path.string();
  report.architecture = loaded.model.architecture->name;
  report.method = outcome.plan.coder->name();
  if (!request.rewrite.empty()) report.method = request.rewrite + ", then " + report.method;
  report.text = request.judge == "-" ? "standard input" : request.judge;
  report.calibration = outcome.calibration;
  if (outcome.text) report.calibration_kind = to_text(*outcome.text);
  report.few_tokens = to_text(outcome.run->few_tokens);
  report.version = kVersion;
  report.command = command;
  report.date = date_now();
  report.seconds = outcome.seconds.total;
  report.parameters = loaded.model.parameters();
  report.source_bytes = source.bytes;
  report.source_bits_per_weight = source.bits_per_weight;
  report.notes = notes_of(loaded);
  for (std::size_t i = 0; i < outcome.plan.outputs.size(); ++i) {
    report.outputs.push_back(
        reported(outcome.plan.outputs[i], outcome.run->outputs[i], outcome, request));
    if (!outcome.judgements.empty()) report.outputs.back().judgement = outcome.judgements[i];
    if (!outcome.allotments.targets.empty())
      report.outputs.back().budget = reported(outcome.allotments.targets[i], request);
  }
  return report;
}

}  // namespace

// A file without a name is made and dropped.
void check_report_can_be_written(const fs::path& path, bool force) {
  check_output_path(path, force);
  const AtomicFile probe(path, 0, force);
}

void write_report(const QuantizeRequest& request, const QuantizeOutcome& outcome,
                  const std::string& command) {
  const std::string html = to_html(report_of(request, outcome, command));
  AtomicFile file(request.report, static_cast<std::int64_t>(html.size()), request.force);
  file.write_at(0, std::as_bytes(std::span(html)));
  file.commit();
}

}  // namespace zp
