#include "pipeline/rewrite.h"

#include <algorithm>

#include "base/error.h"
#include "calibrate/calibration.h"
#include "method/sampled_rows.h"

namespace zp {
namespace {

// For each weight of the plan's model the grid in each output; nullptr where the weight isn't coded
// by rows.
std::vector<std::vector<const Grid*>> grids_of(const Plan& plan) {
  std::vector<std::vector<const Grid*>> all(plan.model->weights.size(),
                                            std::vector<const Grid*>(plan.outputs.size(), nullptr));
  for (std::size_t o = 0; o < plan.outputs.size(); ++o) {
    for (const TensorJob& job : plan.outputs[o].layout.jobs) {
      if (job.weight == nullptr || !job.has_own_rows() || job.grid->whole_tensor()) continue;
      all[static_cast<std::size_t>(job.weight - plan.model->weights.data())][o] = job.grid.get();
    }
  }
  return all;
}

// The whole symmetric matrix, the mean of its diagonal 1; all zeros where there was nothing else.
std::vector<float> whole_moments(const Moments& moments) {
  const View2D<const double> h = moments.h();
  const auto n = static_cast<std::size_t>(h.cols);
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += h.data[j * (n + 1)] / static_cast<double>(n);
  const double scale = mean > 0 ? 1 / mean : 1;
  std::vector<float> out(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      out[i * n + j] = out[j * n + i] = static_cast<float>(h.data[i * n + j] * scale);
  }
  return out;
}

// Gathers full second moments.
std::unique_ptr<Calibration> float_pass(const Model& model, const Windows& windows,
                                        const Team& team) {
  CalibrationOptions options;
  options.feedback = true;
  options.method.upstream = false;
  return std::make_unique<Calibration>(model, windows, options, team);
}

class Pass final : public RewritePass {
 public:
  Pass(const Model& of, const Cancellations& found,
       const std::vector<std::vector<const Grid*>>& grids_of_weights, Fit of_coder,
       const RewriteRequest& request, const Team& works, Progress& progress)
      : RewritePass(of, found, grids_of_weights, of_coder, request.seed, works),
        windows_(request.windows),
        progress_(progress) {}

  bool next() override {
    if (!calibration_) calibration_ = float_pass(model, windows_, team);
    if (++stage_ == calibration_->stages()) return false;
    moments_ = &calibration_->gather(progress_);
    return true;
  }

  std::optional<ReadColumns> columns(const Weight& linear) const override {
    const Network& network = calibration_->network();
    const TensorUse& use = linear.use;
    const auto input = input_of(network, use);
    if (!input || calibration_->stage_of(linear) != stage_) return {};
    const Moments& moments = moments_->at(*input);
    return ReadColumns{whole_moments(moments),
                       {moments.largest().begin(), moments.largest().end()}};
  }

 private:
  const Windows& windows_;
  Progress& progress_;
  std::unique_ptr<Calibration> calibration_;
  std::int64_t stage_ = -1;
  const std::map<LinearInput, Moments>* moments_ = nullptr;
};

// Beside the pass's own: moments as they are and as they become, and rows of linears that read one
// input, as they are and as they become.
void check_memory(const Model& model, const RewriteRequest& request, const Team& team) {
  const Decoder& d = model.decoder;
  const std::int64_t widest = widest_input(d);
  const std::int64_t bytes = float_pass(model, request.windows, team)->bytes() +
                             2 * widest * widest * static_cast<std::int64_t>(sizeof(float)) +
                             5 * SampledRows::bytes(widest);
  if (request.memory_bytes == 0 || bytes <= request.memory_bytes) return;
  throw Error("`rewrite`", "statistics of one layer do not fit the memory budget",
              "`memory` of at least " + std::to_string(bytes) + " bytes, or fewer `tokens`",
              std::to_string(request.memory_bytes));
}

}  // namespace

std::vector<RewriteResult> plan_rewrites(const Model& model,
                                         std::span<const std::unique_ptr<Rewrite>> rewrites) {
  std::vector<RewriteResult> all;
  if (rewrites.empty()) return all;
  const Cancellations found = find_cancellations(model);
  for (const auto& rewrite : rewrites) all.push_back(rewrite->plan(found));
  return all;
}

std::unique_ptr<RewrittenModel> rewrite(const Plan& plan, const RewriteRequest& request,
                                        const Team& team, Progress& progress) {
  check_memory(*plan.model, request, team);
  auto out = std::make_unique<RewrittenModel>();
  const std::vector<std::vector<const Grid*>> grids = grids_of(plan);
  const Cancellations found = find_cancellations(*plan.model);
  const Model* model = plan.model;
  for (const auto& rewrite : request.rewrites) {
    Pass pass(*model, found, grids, plan.coder->fit(), request, team, progress);
    RewriteResult& result = out->results_.emplace_back(rewrite->plan(found));
    out->models_.push_back(std::make_unique<Model>(rewritten(*model, rewrite->run(pass, result))));
    model = out->models_.back().get();
  }
  return out;
}

}  // namespace zp
