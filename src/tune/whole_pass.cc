#include "tune/whole_pass.h"

#include <algorithm>
#include <set>

#include "engine/state_gradient.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsOfLogits = 64;  // at once, for vocabularies are large

}  // namespace

WholePass::WholePass(Engine& engine) : engine_(engine), cache_(engine.make_cache(1)) {
  for (const LayerValues& layer : engine.network().layers) ends_.push_back(layer.leaves);
}

std::int64_t WholePass::bytes(const Model& model, std::int64_t length, int threads) {
  const Network network = record(model);
  const auto width = [&](ValueId value) {
    return network.steps[value].width * network.steps[value].rows;
  };
  std::int64_t kept = 0;
  std::int64_t widest = 0;  // values of a layer
  std::int64_t columns = 0;
  for (const LayerValues& layer : network.layers) {
    for (const ValueId value : needed_behind(network, layer.leaves)) kept += width(value);
    std::int64_t all = width(layer.enters);
    for (ValueId value = layer.enters + 1; value <= layer.leaves; ++value) {
      all += width(value);
      columns = std::max(columns, width(value));
    }
    widest = std::max(widest, all);
  }
  std::int64_t head = 0;
  for (ValueId value = network.hidden(); value <= network.logits(); ++value) head += width(value);
  // Values, their gradients, copies of both at one step; a teacher's row beside.
  constexpr std::int64_t kTimes = 3;
  const std::int64_t floats = (kept + kTimes * widest) * length +
                              (kTimes * head + width(network.logits())) * kRowsOfLogits +
                              kWeightsAtOnce + columns * length +
                              state_gradient_floats(model.decoder, length, threads) +
                              threads * kMatmulRows * (length + 2 * columns);
  return floats * static_cast<std::int64_t>(sizeof(float));
}

WholePass::Values WholePass::copies(const Values& of) {
  Values out;
  for (const auto& [value, rows] : of) out.emplace(value, engine_.copy_of(rows.view()));
  return out;
}

Matrix WholePass::forward(std::span<const std::int32_t> ids) {
  ids_.assign(ids.begin(), ids.end());
  if (!cache_.fits(engine_.model().decoder, std::ssize(ids_)))
    cache_ = engine_.make_cache(std::ssize(ids_));
  kept_.clear();
  kept_.emplace_back();
  const Chunk chunk{&cache_, ids_};
  for (const ValueId end : ends_) {
    const std::vector<ValueId> wanted = needed_behind(engine_.network(), end);
    kept_.push_back(engine_.run({&chunk, 1}, copies(kept_.back()), wanted));
  }
  return kept_.back().at(engine_.network().hidden()).view();
}

void WholePass::backward(const std::function<void(std::int64_t begin, View2D<float> logits)>& loss,
                         WeightGradients& of_weights) {
  const Network& network = engine_.network();
  const Chunk chunk{&cache_, ids_};
  Values gradients;
  gradients.emplace(network.hidden(), head(loss, &of_weights));
  for (std::size_t piece = ends_.size(); piece-- > 0;) {
    const ValueId first = piece == 0 ? 0 : ends_[piece - 1] + 1;
    const ValueId end = ends_[piece] + 1;
    std::set<ValueId> there;
    for (ValueId made = first; made < end; ++made) {
      there.insert(made);
      there.insert(network.steps[made].reads.begin(), network.steps[made].reads.end());
    }
    const std::vector<ValueId> wanted(there.begin(), there.end());
    const Values values = engine_.run({&chunk, 1}, std::move(kept_[piece]), wanted);
    gradients = engine_.backward({&chunk, 1}, values, std::move(gradients), first, end, of_weights);
  }
  kept_.clear();
}

void WholePass::score(const std::function<void(std::int64_t begin, View2D<float> logits)>& loss) {
  head(loss, nullptr);
}

// The gradient of what leaves the last layer, where there are weights to learn.
Activations WholePass::head(
    const std::function<void(std::int64_t begin, View2D<float> logits)>& loss,
    WeightGradients* of_weights) {
  const Network& network = engine_.network();
  const ValueId hidden = network.hidden();
  std::vector<ValueId> wanted;
  for (ValueId value = hidden; value <= network.logits(); ++value) wanted.push_back(value);
  const Matrix all = kept_.back().at(hidden).view();
  Activations out = engine_.copy_of(all);
  for (std::int64_t begin = 0; begin < all.rows; begin += kRowsOfLogits) {
    const std::int64_t count = std::min(kRowsOfLogits, all.rows - begin);
    Values given;
    given.emplace(hidden, engine_.copy_of(all.rows_from(begin, count)));
    const Values values = engine_.run({}, std::move(given), wanted);
    Activations logits = engine_.copy_of(values.at(network.logits()).view());
    loss(begin, logits.view());
    if (of_weights == nullptr) continue;
    Values gradients;
    gradients.emplace(network.logits(), std::move(logits));
    const Values back = engine_.backward({}, values, std::move(gradients), hidden + 1,
                                         network.logits() + 1, *of_weights);
    for (std::int64_t r = 0; r < count; ++r)
      std::ranges::copy(back.at(hidden).view().row(r), out.view().row(begin + r).begin());
  }
  return out;
}

}  // namespace zp
