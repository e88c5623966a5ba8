// Windows of a text on their way through a model's layers, all of them through one before the next.
#pragma once

#include <map>
#include <vector>

#include "tune/learner.h"

namespace zp {

class LayerWalk {
 public:
  using Values = std::map<ValueId, Activations>;

  /// Borrows both.
  LayerWalk(Engine& engine, std::vector<std::span<const std::int32_t>> windows);

  /// Steps [first(), end()) are those of the next layer; before the first one stands what makes the tokens' rows.
  ValueId first() const;
  ValueId end() const;
  /// All windows through it.
  void advance();

  std::size_t windows() const { return windows_.size(); }
  /// What left the layer that a window went through last.
  Matrix left(std::size_t window) const;
  /// Some values of the next layer; what enters it stays as it is.
  Values computed(std::size_t window, std::span<const ValueId> wanted);
  /// The gradients of the next layer's weights from that of what leaves it. values: all that its steps read or make.
  void backward(std::size_t window, const Values& values, Activations gradient,
                WeightGradients& of_weights);
  /// All that the next layer's steps read or make.
  std::vector<ValueId> all_values() const;
  /// What leaves the next layer.
  ValueId leaves() const;

 private:
  Chunk chunk(std::size_t window) { return {&cache_, windows_[window]}; }
  Values copies(std::size_t window);

  Engine& engine_;
  std::vector<std::span<const std::int32_t>> windows_;
  KvCache cache_;
  std::size_t layer_ = 0;  // the next
  std::vector<Values> entered_;
};

}  // namespace zp
