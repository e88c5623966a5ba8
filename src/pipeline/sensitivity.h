// What a model loses where single weights, or all, take other grids: KL divergence from the float
// model, through the engine.
//
// Windows of a text go through the float model layer by layer. For each weight that a layer has,
// coded as its probe, they go on alone from what enters that layer to the logits; the layers before
// it need not run again. For small errors the loss grows with their square, so what the weight
// loses on its other grids is the probe's divergence by the ratio of their squared errors, each
// column weighed by its inputs' mean square, over some of its rows.
//
// Coded with `mse`. Memory is what enters a layer and what leaves the last one, of all tokens; in
// divergence() also one layer's coded weights. Tokens are scored as evaluate() does: the second
// half of each window.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/progress.h"
#include "calibrate/stream.h"
#include "calibrate/windows.h"
#include "grid/grid.h"
#include "judge/scores.h"
#include "pipeline/coded_rows.h"

namespace zp {

/// A weight and the grids it could take, none of the whole tensor. A layer's experts take one
/// together.
struct Choosable {
  std::vector<const Weight*> weights;  ///< one, or the experts'
  std::vector<std::shared_ptr<const Grid>> grids;
  std::size_t probe = 0;  ///< the one measured

  const TensorUse& use() const { return weights.front()->use; }
  std::int64_t bytes(const Grid& grid) const {
    std::int64_t sum = 0;
    for (const Weight* weight : weights) sum += grid.bytes(weight->use.rows, weight->use.cols);
    return sum;
  }
};

class Sensitivity {
 public:
  /// Borrows the model and the team. windows: of equal length, at least one. weighted: whether
  /// codes are searched by the columns' importance.
  Sensitivity(const Model& model, Windows windows, bool weighted, const Team& team);
  ~Sensitivity();

  std::int64_t tokens() const { return groups_.tokens(); }
  /// Memory it takes at most with weights of these grids.
  std::int64_t bytes(std::span<const Choosable> weights) const;

  /// Mean divergence with each weight alone on each of its grids: the probe's measured, others by
  /// their squared errors.
  std::vector<std::vector<double>> losses(std::span<const Choosable> weights, Progress& progress);
  /// With all of these together. choice: of each its grid. REQUIRES: losses() had the same weights.
  DivergenceSummary divergence(std::span<const Choosable> weights,
                               std::span<const std::size_t> choice, Progress& progress);

 private:
  class Tail;

  Floats importance(const Weight& weight) const;
  double code(const Weight& weight, const std::shared_ptr<const Grid>& grid, std::int64_t tiles,
              CodedRows* rows) const;
  std::vector<std::unique_ptr<CodedRows>> coded(const Choosable& c,
                                                const std::shared_ptr<const Grid>& grid) const;
  std::vector<double> losses_of(const Choosable& weight, Tail& tail);
  void find_reference(Progress& progress);

  const Model& model_;
  Windows windows_;
  bool weighted_;
  const Team& team_;
  WindowGroups groups_;
  Stream reference_;  // the float model behind its last layer
  Stream float_;      // and before the layer that is measured
  using Coded = std::vector<std::unique_ptr<CodedRows>>;
  /// All of its weights, coded, in the tail's model; back as they were where there are none.
  void replace(const Choosable& c, const Coded& coded, Tail& tail) const;

  std::map<const Weight*, std::vector<float>> importance_;
};

}  // namespace zp
