// Rotation (QuaRot, Ashkboos et al. 2024, arXiv 2404.00456): randomised Hadamard matrices
// (model/hadamard.h) spread what is large in few columns over many. Two kinds of spaces are turned:
// the residual stream, and the values of each layer's heads.
//
// Both are tried and taken only where they help. What counts is the error of linears' outputs on
// the calibration text, tr(E H E^T), with the grids and the fit they will have, as a share of what
// it is without; every linear counts alike. Heads are decided layer by layer, the stream as a
// whole. That is cheaper than the KL divergence of whole models, and needs no second one in memory;
// it says nothing of errors that make up for each other, or of the embedding's.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>

#include "method/moved_moments.h"
#include "method/output_error.h"
#include "method/rewrite.h"
#include "method/sampled_rows.h"

namespace zp {
namespace {

// What is turned: bits of a way to do it.
constexpr std::size_t kHeads = 1;
constexpr std::size_t kStream = 2;
constexpr std::size_t kWays = 4;

// Errors of the linears of one layer (or of the head), each as a share of its own without rotation.
struct LayerLoss {
  std::array<double, kWays> sums{};
  std::int64_t linears = 0;
};

class Rotations {
 public:
  explicit Rotations(const RewritePass& pass) : pass_(pass) {
    const Decoder& d = pass.model.decoder;
    losses_.resize(static_cast<std::size_t>(d.layers + 1));
    const bool stream = pass.cancellations.stream.why_not.empty();
    for (std::size_t way = 1; way < kWays; ++way) {
      if ((way & kStream) != 0 && !stream) continue;
      const auto all = [](std::int64_t) { return true; };
      rewritings_[way] = rewriting(way, all);
      models_[way] = rewritten(pass.model, rewritings_[way]);
    }
    stream_possible_ = stream;
  }

  Rewriting rewriting(std::size_t way, const std::function<bool(std::int64_t)>& heads) const {
    Rewriting out;
    if ((way & kStream) != 0) {
      add_stream_rotation(out, pass_.model, pass_.cancellations,
                          random_rotation(pass_.model.decoder.hidden, pass_.seed));
    }
    for (const ScaleLink& link : pass_.cancellations.links) {
      if ((way & kHeads) == 0 || link.mixable == 1 || !heads(link.writer.layer)) continue;
      const auto seed = pass_.seed + static_cast<std::uint64_t>(link.writer.layer) + 1;
      add_rotation(out, link, random_rotation(link.mixable, seed));
    }
    return out;
  }

  void measure(const Weight& weight, const std::vector<float>& h) {
    const auto at = static_cast<std::size_t>(&weight - pass_.model.weights.data());
    const Place place = weight.use.place;
    const std::vector<double> without = errors(*weight.rows, at, h, {});
    std::array<double, kWays> shares{1, 1, 1, 1};
    for (std::size_t way = 1; way < kWays; ++way) {
      const auto change = rewritings_[way].find(place);
      if (change == rewritings_[way].end()) continue;
      if (way == (kHeads | kStream) && !rewritings_[kHeads].contains(place)) {
        shares[way] = shares[kStream];
        continue;
      }
      shares[way] =
          mean_share(errors(*models_[way].weights[at].rows, at, h, change->second), without);
    }
    LayerLoss& loss = losses_[layer_index(place.layer)];
    for (std::size_t way = 0; way < kWays; ++way) loss.sums[way] += shares[way];
    ++loss.linears;
  }

  Rewriting decide(RewriteResult& result) const {
    const std::size_t way = stream_possible_ && total(kStream) < total(0) ? kStream : 0;
    std::int64_t linears = 0;
    for (const LayerLoss& loss : losses_) linears += loss.linears;
    const auto mean = [&](double sum) {
      return sum / static_cast<double>(std::max(linears, std::int64_t{1}));
    };
    if (stream_possible_) {
      result.notes.push_back(fmt::format("residual stream: {}, error {:.3f} of what it was without",
                                         way == kStream ? "turned" : "left as it is",
                                         total(kStream) / total(0)));
    }
    result.loss = mean(total(way));
    const auto heads = [&](std::int64_t layer) {
      return turns_heads(losses_[layer_index(layer)], way);
    };
    Rewriting out = rewriting(way | kHeads, heads);
    result.changed = way == kStream ? 1 : 0;
    for (const ScaleLink& link : pass_.cancellations.links)
      result.changed += link.mixable > 1 && heads(link.writer.layer) ? 1 : 0;
    return out;
  }

 private:
  std::size_t layer_index(std::int64_t layer) const {
    return static_cast<std::size_t>(layer >= 0 ? layer : pass_.model.decoder.layers);
  }

  // way: kStream or 0.
  static bool turns_heads(const LayerLoss& loss, std::size_t way) {
    return loss.sums[way | kHeads] < loss.sums[way];
  }

  // With heads turned where that helps.
  double total(std::size_t way) const {
    double sum = 0;
    for (const LayerLoss& loss : losses_)
      sum += loss.sums[turns_heads(loss, way) ? way | kHeads : way];
    return sum;
  }

  // In each output.
  std::vector<double> errors(const RowReader& rows, std::size_t at, const std::vector<float>& h,
                             const Change& change) const {
    const SampledRows sampled(rows);
    const std::vector<float> moved = moved_moments({h.data(), rows.cols(), rows.cols()}, change);
    std::vector<double> out;
    for (const Grid* grid : pass_.grids[at]) {
      out.push_back(grid == nullptr
                        ? 0
                        : output_error(*grid, pass_.fit, sampled.view(),
                                       {moved.data(), rows.cols(), rows.cols()}, pass_.team));
    }
    return out;
  }

  const RewritePass& pass_;
  bool stream_possible_ = false;
  std::array<Rewriting, kWays> rewritings_;
  std::array<Model, kWays> models_;
  std::vector<LayerLoss> losses_;  // of each layer, and of the head
};

class RotateSpaces final : public Rewrite {
 public:
  RotateSpaces()
      : Rewrite("rotation",
                "the residual stream and heads' values turned by random Hadamard matrices") {}

  RewriteResult plan(const Cancellations& found) const override {
    RewriteResult result;
    result.name = name();
    result.possible =
        std::ranges::count_if(found.links, [](const ScaleLink& l) { return l.mixable > 1; });
    if (found.stream.why_not.empty()) {
      ++result.possible;
    } else {
      result.notes.push_back("residual stream: stays, " + found.stream.why_not);
    }
    return result;
  }

  Rewriting run(RewritePass& pass, RewriteResult& result) const override {
    Rotations rotations(pass);
    while (pass.next()) {
      for (const Weight& weight : pass.model.weights) {
        if (const std::optional<ReadColumns> columns = pass.columns(weight))
          rotations.measure(weight, columns->moments);
      }
    }
    return rotations.decide(result);
  }
};

}  // namespace

std::unique_ptr<Rewrite> rewrite_rotation() { return std::make_unique<RotateSpaces>(); }

}  // namespace zp
