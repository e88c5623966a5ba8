#include "zeropoint/quantize.h"

#include <filesystem>

#include "api/evaluation.h"
#include "api/running.h"
#include "api/texts.h"
#include "api/translated.h"
#include "pipeline/fallbacks.h"
#include "pipeline/pattern.h"
#include "pipeline/quantize.h"
#include "report/write_report.h"

namespace zeropoint {
namespace {

zp::QuantizeRequest asked_for(const QuantizeRequest& request) {
  zp::QuantizeRequest asked;
  asked.model = request.model;
  asked.merge = request.merge;
  asked.adapter = request.adapter;
  asked.to = request.to;
  asked.method = request.method;
  asked.rewrite = request.rewrite;
  asked.seed = request.seed;
  asked.set = request.set;
  asked.calibrate = request.calibrate;
  asked.save_text = request.save_text;
  asked.tokens = request.tokens;
  asked.context = request.context;
  asked.statistics = request.statistics;
  asked.fit = {request.fit, request.max_kld};
  asked.refine = request.refine;
  asked.distill = request.distill;
  asked.resume = request.resume;
  asked.judge = request.judge;
  asked.accurate = request.accurate;
  asked.pre_tokenizer = request.pre_tokenizer;
  asked.report = request.report;
  asked.split_size = request.split_size;
  asked.memory = request.memory;
  asked.dry_run = request.dry_run;
  asked.force = request.force;
  return asked;
}

Quality quality_of(const zp::Energy& weights, const std::optional<zp::Energy>& outputs,
                   zp::Weighing weighing, const std::optional<zp::HeldOut>& held_out) {
  Quality q;
  q.sqnr_db = weights.sqnr_db();
  if (outputs)
    (weighing == zp::Weighing::moments ? q.output_sqnr_db : q.weighted_sqnr_db) =
        outputs->sqnr_db();
  if (held_out)
    q.held_out = HeldOut{held_out->times(), held_out->held_out.sqnr_db(), held_out->seen.sqnr_db()};
  return q;
}

QuantizedTensor tensor_of(const zp::TensorJob& job) {
  const std::int64_t rows = job.rows->rows();
  const std::int64_t cols = job.rows->cols();
  QuantizedTensor t;
  t.name = job.name;
  if (job.weight != nullptr) {
    t.role = zp::role_name(job.weight->use.place.role);
    t.expert = job.weight->use.place.expert;
  }
  t.shape = rows == 1 ? std::vector{cols} : std::vector{rows, cols};
  t.grid = job.grid->spec();
  t.bytes = job.grid->bytes(rows, cols);
  return t;
}

Fit fit_of(const zp::Allotment& allotment) {
  Fit fit;
  fit.met = allotment.met();
  fit.tokens = allotment.tokens;
  fit.predicted_kl = allotment.predicted;
  fit.measured_kl = {allotment.divergence().mean, allotment.divergence().se};
  fit.of_file = allotment.written.has_value();
  for (const zp::Allotted& a : allotment.tensors) {
    fit.tensors.push_back({zp::use_name(a.weight->use),
                           std::string(zp::role_name(a.weight->use.place.role)), a.grid, a.bits,
                           a.loss});
  }
  return fit;
}

QuantizedOutput planned_output(const zp::PlannedOutput& output, const zp::Model& model) {
  QuantizedOutput out;
  out.path = output.opened().string();
  out.container = output.container->name();
  out.grid = output.grid;
  out.bytes = output.layout.bytes();
  out.bits_per_weight = output.bits_per_weight(model);
  for (const zp::TensorJob& job : output.layout.jobs) out.tensors.push_back(tensor_of(job));
  for (const zp::Rule& r : output.rules) out.rules.push_back({r.roles, r.grid, r.why});
  const zp::Fallbacks f = zp::fallbacks_of(output, model);
  out.fallback = {f.tensors, f.of, f.share, f.why};
  out.notes = output.layout.notes;
  return out;
}

// What only the run could tell.
void add_found(QuantizedOutput& out, const zp::OutputResult& result) {
  out.fidelity = zp::fidelity_word(result.fidelity);
  out.quality = quality_of(result.energy, result.outputs, result.weighing, result.held_out);
  for (std::size_t i = 0; i < out.tensors.size(); ++i) {
    const zp::TensorResult& t = result.tensors[i];
    out.tensors[i].quality = quality_of(t.energy, t.outputs, result.weighing, t.held_out);
  }
  out.notes.insert(out.notes.end(), result.notes.begin(), result.notes.end());
}

QuantizeSeconds seconds_of(const zp::QuantizeOutcome& done) {
  const zp::RunSeconds run = done.run ? done.run->seconds : zp::RunSeconds();
  const zp::QuantizeSeconds& job = done.seconds;
  return {job.load,     job.own_text, job.budget, job.rewrite, run.read,  run.calibrate,
          run.quantize, run.write,    job.refine, job.distill, job.judge, job.total};
}

QuantizedOutput output_of(const zp::QuantizeOutcome& done, std::size_t i) {
  QuantizedOutput out = planned_output(done.plan.outputs[i], *done.plan.model);
  if (done.run) {
    add_found(out, done.run->outputs[i]);
  } else {
    out.exists = std::filesystem::exists(std::filesystem::symlink_status(out.path));
  }
  if (!done.judgements.empty()) out.judge = evaluation_of(done.judgements[i]);
  if (!done.allotments.targets.empty()) out.fit = fit_of(done.allotments.targets[i]);
  if (!done.refined.empty()) {
    const zp::RefinedOutput& r = done.refined[i];
    out.refine = Trained{r.before, r.better() ? r.after : r.before, r.trained, r.left, r.seconds};
  }
  if (!done.distilled.empty()) {
    const zp::DistilledOutput& d = done.distilled[i];
    out.distill = Trained{d.before(), d.after(), d.trained, d.left, d.seconds};
  }
  return out;
}

Quantization quantization_of(const zp::QuantizeOutcome& done) {
  Quantization out;
  out.dry_run = !done.run;
  for (std::size_t i = 0; i < done.plan.outputs.size(); ++i)
    out.outputs.push_back(output_of(done, i));
  out.parameters = done.plan.model->parameters();
  out.memory_bytes = done.plan.memory_bytes;
  if (done.run) out.peak_memory_bytes = done.run->peak_memory_bytes;
  out.seconds = seconds_of(done);
  out.notes = zp::notes_of(*done.loaded);
  for (const zp::RewriteResult& r : done.rewrites)
    out.rewrites.push_back({r.name, r.possible, r.changed, r.loss, r.notes});
  out.calibration_tokens = done.calibration_tokens;
  out.own_text = own_text_of(done.own_text);
  if (done.text) out.text = reading_of(*done.text);
  out.met = done.allotments.met();
  return out;
}

}  // namespace

Quantization quantize(const QuantizeRequest& request, const Work& work) {
  return translated([&] {
    const zp::QuantizeRequest asked = asked_for(request);
    const bool reported = !asked.report.empty() && !asked.dry_run;
    if (reported) zp::check_report_can_be_written(asked.report, asked.force);
    Running running(work);
    const zp::QuantizeOutcome done = zp::quantize(asked, running.team(), running.progress());
    if (reported) zp::write_report(asked, done, "");
    return quantization_of(done);
  });
}

}  // namespace zeropoint
