// A window of tokens through a whole model and its gradient back, with the memory of one layer: what
// enters the layers is kept, and each is computed again when the gradient comes to it (Chen et al., 2016).
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "engine/engine.h"

namespace zp {

class WholePass {
 public:
  /// Borrows the engine.
  explicit WholePass(Engine& engine);

  /// Of a window of `length` tokens: what is kept, a layer's values and their gradients, and some rows of
  /// logits, of the teacher's as well.
  static std::int64_t bytes(const Model& model, std::int64_t length, int threads);

  /// What leaves the last layer; what enters each is kept until the next window.
  Matrix forward(std::span<const std::int32_t> ids);
  /// loss(begin, logits): of tokens from `begin` on, which become their gradients. Behind it `of_weights`
  /// has what it asked for. REQUIRES: forward() had the window.
  void backward(const std::function<void(std::int64_t begin, View2D<float> logits)>& loss,
                WeightGradients& of_weights);
  /// loss() of all tokens alone.
  void score(const std::function<void(std::int64_t begin, View2D<float> logits)>& loss);

 private:
  using Values = std::map<ValueId, Activations>;
  Values copies(const Values& of);
  Activations head(const std::function<void(std::int64_t, View2D<float>)>& loss,
                   WeightGradients* of_weights);

  Engine& engine_;
  std::vector<ValueId> ends_;  // of the pieces but the head: the value behind which each is cut
  KvCache cache_;
  std::vector<std::int32_t> ids_;
  std::vector<Values> kept_;  // what each piece begins with, then what the head does
};

}  // namespace zp
