#include "tune/layer_walk.h"

#include <algorithm>
#include <set>

namespace zp {

LayerWalk::LayerWalk(Engine& engine, std::vector<std::span<const std::int32_t>> windows)
    : engine_(engine),
      windows_(std::move(windows)),
      cache_(engine.make_cache(std::ssize(std::ranges::max(
          windows_, {}, [](std::span<const std::int32_t> window) { return window.size(); })))),
      entered_(windows_.size()) {}

ValueId LayerWalk::leaves() const { return engine_.network().layers[layer_].leaves; }

ValueId LayerWalk::end() const { return leaves() + 1; }

ValueId LayerWalk::first() const {
  return layer_ == 0 ? 0 : engine_.network().layers[layer_ - 1].leaves + 1;
}

void LayerWalk::advance() {
  const std::vector<ValueId> wanted = needed_behind(engine_.network(), leaves());
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const Chunk through = chunk(i);
    entered_[i] = engine_.run({&through, 1}, std::move(entered_[i]), wanted);
  }
  ++layer_;
}

Matrix LayerWalk::left(std::size_t window) const {
  return entered_[window].at(engine_.network().layers[layer_ - 1].leaves).view();
}

LayerWalk::Values LayerWalk::copies(std::size_t window) {
  Values out;
  for (const auto& [value, rows] : entered_[window])
    out.emplace(value, engine_.copy_of(rows.view()));
  return out;
}

LayerWalk::Values LayerWalk::computed(std::size_t window, std::span<const ValueId> wanted) {
  const Chunk through = chunk(window);
  return engine_.run({&through, 1}, copies(window), wanted);
}

void LayerWalk::backward(std::size_t window, const Values& values, Activations gradient,
                         WeightGradients& of_weights) {
  const Chunk through = chunk(window);
  Values gradients;
  gradients.emplace(leaves(), std::move(gradient));
  engine_.backward({&through, 1}, values, std::move(gradients), first(), end(), of_weights);
}

std::vector<ValueId> LayerWalk::all_values() const {
  std::set<ValueId> all;
  for (ValueId made = first(); made < end(); ++made) {
    all.insert(made);
    const auto& reads = engine_.network().steps[made].reads;
    all.insert(reads.begin(), reads.end());
  }
  return {all.begin(), all.end()};
}

}  // namespace zp
