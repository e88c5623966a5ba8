#include "pipeline/expected_work.h"

namespace zp {
namespace {

constexpr double kFlops = 60e9;   // of a thread, in products of matrices
constexpr double kSearch = 2e-8;  // thread seconds to find a weight's code
constexpr double kDisk = 1e9;     // bytes a second
constexpr double kBytesPerWeight = 0.7;
// Times a pass for a token: products of few rows are slower, and not all that is written is used.
constexpr double kWritten = 2;
// Times a pass through a layer's weights, which is two operations each: second moments; with error
// feedback also the quantized model and its targets.
constexpr double kDistill = 5;  // forwards, again by layers, back; the teacher's head
constexpr double kRefine = 3;   // of a layer: forwards and back
constexpr double kMoments = 1.8;
constexpr double kFeedback = 4;

}  // namespace

double own_text_seconds(const Model& model, std::int64_t tokens, int threads) {
  return kWritten * 2 * static_cast<double>(model.parameters()) * static_cast<double>(tokens) /
         (kFlops * threads);
}

std::vector<Work> expected_work(const Model& model, const JobOutline& job) {
  const auto parameters = static_cast<double>(model.parameters());
  const auto layers = static_cast<double>(model.decoder.layers);
  const auto outputs = static_cast<double>(job.outputs);
  const auto seconds = [&](double operations) { return operations / (kFlops * job.threads); };
  const double layer_pass = seconds(2 * parameters / layers);  // of one token
  std::vector<Work> all;
  if (job.own_text_tokens > 0) {
    all.push_back({"own text", static_cast<double>(job.own_text_tokens),
                   own_text_seconds(model, 1, job.threads)});
  }
  if (job.fit_tokens > 0) {
    const double passes = layers * static_cast<double>(job.fit_tokens) * outputs;
    const double tensors = static_cast<double>(model.weights.size()) / layers;
    all.push_back({"float model", passes, layer_pass});
    all.push_back({"measure", passes * tensors * (layers / 2 + 1), layer_pass});
    all.push_back({"verify", passes * static_cast<double>(job.fit_choices), layer_pass});
  }
  if (job.calibration_tokens > 0) {
    const auto tokens = static_cast<double>(job.calibration_tokens);
    const double rewrites = static_cast<double>(job.rewrites) * (layers + 1);
    const auto stages = static_cast<double>(job.calibration_stages);
    const double by_output = job.feedback ? kFeedback * outputs : kMoments;
    all.push_back({"calibrate", static_cast<double>(job.calibration_work) + tokens * rewrites,
                   layer_pass * by_output * layers / (stages + rewrites)});
  }
  const double spread = job.feedback ? seconds(10 * static_cast<double>(model.decoder.hidden)) : 0;
  all.push_back({"quantize", parameters * outputs, kSearch / job.threads + spread});
  all.push_back({"write", parameters * outputs * kBytesPerWeight, 1 / kDisk});
  if (job.refine_tokens > 0)
    all.push_back(
        {"refine", static_cast<double>(job.refine_tokens) * outputs, kRefine * layer_pass});
  if (job.distill_tokens > 0)
    all.push_back({"distill", static_cast<double>(job.distill_tokens) * outputs,
                   seconds(kDistill * 2 * parameters)});
  if (job.judge_tokens > 0) {
    all.push_back({"evaluate", static_cast<double>(job.judge_tokens),
                   seconds(2 * parameters * (outputs + 1))});
  }
  return all;
}

}  // namespace zp
