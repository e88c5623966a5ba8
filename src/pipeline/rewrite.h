// Rewrites over a whole model: each takes the model that the one before it left, in a float pass
// over the calibration text, and leaves one that computes the same.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "calibrate/windows.h"
#include "method/rewrite.h"
#include "pipeline/plan.h"

namespace zp {

struct RewriteRequest {
  std::span<const std::unique_ptr<Rewrite>> rewrites;  ///< borrowed
  std::uint64_t seed = 0;                              ///< of random signs
  Windows windows;                                     ///< of the calibration text
  std::int64_t memory_bytes = 0;                       ///< budget; 0: none
};

/// Known before it runs: changed is 0 and loss 1.
std::vector<RewriteResult> plan_rewrites(const Model& model,
                                         std::span<const std::unique_ptr<Rewrite>> rewrites);

class RewrittenModel {
 public:
  /// The last one, over all those before.
  const Model& model() const { return *models_.back(); }
  const std::vector<RewriteResult>& results() const { return results_; }

 private:
  friend std::unique_ptr<RewrittenModel> rewrite(const Plan& plan, const RewriteRequest& request,
                                                 const Team& team, Progress& progress);
  std::vector<std::unique_ptr<Model>> models_;
  std::vector<RewriteResult> results_;
};

/// The plan's model, rewritten for the grids that the plan has; the plan borrows the one, the
/// result borrows the other. Throws Error for statistics that don't fit the memory budget.
std::unique_ptr<RewrittenModel> rewrite(const Plan& plan, const RewriteRequest& request,
                                        const Team& team, Progress& progress);

}  // namespace zp
