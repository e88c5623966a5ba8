#include "pipeline/sensitivity.h"

#include <algorithm>

#include "base/checked.h"
#include "calibrate/calibration.h"
#include "grid/plane_buffers.h"
#include "method/method.h"
#include "pipeline/check_weights.h"
#include "pipeline/plan.h"

namespace zp {
namespace {

constexpr std::int64_t kLogitFloats = 1 << 22;
constexpr std::int64_t kSampledTiles = 8;  // of half a million weights: thousands of groups

}  // namespace

// A model some of whose weights are others, from a layer's inputs to its divergence.
class Sensitivity::Tail {
 public:
  Tail(Sensitivity& whole, Progress& progress)
      : whole_(whole), engine_(whole.model_, whole.team_), progress_(progress) {}

  Engine& engine() { return engine_; }
  Activations embed(std::int64_t group) { return engine_.embed(whole_.groups_.chunks(group)); }
  Activations layer(std::int64_t layer, Activations x, std::int64_t group) {
    progress_.advance(x.rows());
    return engine_.layer(layer, std::move(x), whole_.groups_.chunks(group));
  }

  // x: what leaves the last layer. Groups in their order.
  void score(const Activations& x, std::int64_t group) {
    progress_.advance(x.rows());
    const std::int64_t length = whole_.groups_.length();
    const std::int64_t scored = length - 1 - length / 2;
    const std::int64_t step =
        std::max(kLogitFloats / whole_.model_.decoder.vocabulary, std::int64_t{1});
    for (std::int64_t begin = length / 2; begin < x.rows(); begin += length) {
      for (std::int64_t s = 0; s < scored; s += step)
        score_rows(x, group, begin + s, std::min(step, scored - s));
    }
  }

  std::vector<TokenScore> take_scores() { return std::exchange(scores_, {}); }

 private:
  void score_rows(const Activations& x, std::int64_t group, std::int64_t begin,
                  std::int64_t count) {
    Stream& reference = whole_.reference_;
    const Matrix hidden = reference.rows(group, reference.network().hidden());
    const Activations expected = reference.engine().logits(hidden.rows_from(begin, count));
    const Activations found = engine_.logits(x.view().rows_from(begin, count));
    const std::size_t place = scores_.size();
    scores_.resize(place + static_cast<std::size_t>(count));
    whole_.team_.run(count, [&](std::int64_t r) {
      // Which token came doesn't matter to the divergence.
      scores_[place + static_cast<std::size_t>(r)] =
          zp::score(expected.view().row(r), found.view().row(r), 0);
    });
  }

  Sensitivity& whole_;
  Engine engine_;
  Progress& progress_;
  std::vector<TokenScore> scores_;
};

Sensitivity::Sensitivity(const Model& model, Windows windows, bool weighted, const Team& team)
    : model_(model),
      windows_(std::move(windows)),
      weighted_(weighted),
      team_(team),
      groups_(model.decoder, windows_),
      reference_(model, groups_, team),
      float_(model, groups_, team) {}

Sensitivity::~Sensitivity() = default;

// As calibration's, which runs beside it: hidden states at the layer, behind the last one and in
// the calibration; activations of a group in two models; logits of both. Coded weights of a layer
// and of those outside, or of one and its probe.
std::int64_t Sensitivity::bytes(std::span<const Choosable> weights) const {
  const Decoder& d = model_.decoder;
  const std::int64_t convolved = d.convolution > 0 ? size_of(Dim::conv_in, d, 0) : 0;
  const std::int64_t inner = most_of_layers(d, [&](std::int64_t layer) {
    return std::max({(d.output_gate ? 2 : 1) * d.query_columns(layer), d.attended_columns(layer),
                     d.ffn_of(layer)});
  });
  const std::int64_t delta = size_of(Dim::delta_qkvz, d, 0);
  const std::int64_t latent = d.latent.rank > 0 ? size_of(Dim::kv_b, d, 0) : 0;
  const std::int64_t widest = std::max({d.hidden, inner, convolved, delta, latent});
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  std::map<std::int64_t, std::int64_t> of_layer;
  for (const Choosable& c : weights) {
    std::int64_t most = 0;
    for (const auto& grid : c.grids) most = std::max(most, c.bytes(*grid));
    of_layer[c.use().place.layer] += most;
  }
  std::int64_t coded = 0;
  for (const auto& [layer, bytes] : of_layer) coded = layer < 0 ? coded : std::max(coded, bytes);
  coded += of_layer[-1];
  return checked_mul(3 * tokens() * kFloat, d.hidden, "`fit`") +
         12 * groups_.together() * widest * kFloat +
         2 * std::max(kLogitFloats, d.vocabulary) * kFloat + 2 * groups_.bytes(d) + coded;
}

Floats Sensitivity::importance(const Weight& weight) const {
  const auto found = importance_.find(&weight);
  return found == importance_.end() ? Floats() : Floats(found->second);
}

double Sensitivity::code(const Weight& weight, const std::shared_ptr<const Grid>& grid,
                         std::int64_t tiles, CodedRows* rows) const {
  InputStatistics inputs;
  if (weighted_) inputs.importance = importance(weight);
  return code_rows(weight, grid, inputs, importance(weight), tiles, team_, rows);
}

Sensitivity::Coded Sensitivity::coded(const Choosable& c,
                                      const std::shared_ptr<const Grid>& grid) const {
  Coded all;
  for (const Weight* weight : c.weights) {
    const TensorJob job{weight->use.hf, weight, weight->rows, grid, {}};
    all.push_back(std::make_unique<CodedRows>(job, model_.decoder));
    code(*weight, grid, weight->use.rows, all.back().get());
  }
  return all;
}

void Sensitivity::replace(const Choosable& c, const Coded& coded, Tail& tail) const {
  for (std::size_t i = 0; i < c.weights.size(); ++i) {
    const RowReader& rows = coded.empty() ? *c.weights[i]->rows : *coded[i];
    tail.engine().replace(c.weights[i]->use.place, rows);
  }
}

void Sensitivity::find_reference(Progress& progress) {
  progress.stage("float model", model_.decoder.layers * tokens(), "tokens x layers");
  for (std::int64_t g = 0; g < groups_.count(); ++g) {
    for (const LayerValues& layer : reference_.network().layers)
      progress.advance(reference_.go_on(g, layer.leaves).rows());
  }
}

std::vector<double> Sensitivity::losses_of(const Choosable& c, Tail& tail) {
  const TensorUse& use = c.use();
  const Coded probe = coded(c, c.grids[c.probe]);
  const std::vector<LayerValues>& layers = float_.network().layers;
  replace(c, probe, tail);
  for (std::int64_t g = 0; g < groups_.count(); ++g) {
    const bool head = use.place.role == Role::head;
    Activations x;
    if (use.place.role == Role::embedding) {
      x = tail.embed(g);
    } else if (head) {
      x = tail.engine().copy_of(reference_.rows(g, reference_.network().hidden()));
    } else {
      x = tail.engine().copy_of(
          float_.rows(g, layers[static_cast<std::size_t>(use.place.layer)].enters));
    }
    for (std::int64_t layer = std::max(use.place.layer, std::int64_t{0});
         !head && layer < model_.decoder.layers; ++layer)
      x = tail.layer(layer, std::move(x), g);
    tail.score(x, g);
  }
  replace(c, {}, tail);
  const double divergence = std::max(0.0, summarize(tail.take_scores(), true).compared->kl.mean);
  std::vector<double> out;
  const std::int64_t tiles = std::max(kSampledTiles / std::ssize(c.weights), std::int64_t{1});
  for (const auto& grid : c.grids) {
    double& sum = out.emplace_back(0);
    for (const Weight* weight : c.weights) sum += code(*weight, grid, tiles, nullptr);
  }
  const double squares = out[c.probe];
  for (double& loss : out) loss = squares > 0 ? divergence * (loss / squares) : 0;
  return out;
}

std::vector<std::vector<double>> Sensitivity::losses(std::span<const Choosable> weights,
                                                     Progress& progress) {
  const std::int64_t layers = model_.decoder.layers;
  find_reference(progress);
  std::int64_t passes = 0;
  for (const Choosable& c : weights) {
    const std::int64_t first = c.use().place.role == Role::head ? layers : c.use().place.layer;
    passes += layers - std::max(first, std::int64_t{0}) + 1;
  }
  progress.stage("measure " + std::to_string(weights.size()) + " tensors", passes * tokens(),
                 "tokens x layers");
  Calibration calibration(model_, windows_, {}, team_);
  Tail tail(*this, progress);
  std::vector<std::vector<double>> out(weights.size());
  Silent silent;
  for (std::int64_t stage = 0; stage <= layers; ++stage) {  // the last: outside the layers
    calibration.next(silent);
    for (std::int64_t g = 0; stage < layers && g < groups_.count(); ++g)
      float_.go_on(g, float_.network().layers[static_cast<std::size_t>(stage)].enters);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i].use().place.layer != (stage < layers ? stage : -1)) continue;
      for (const Weight* weight : weights[i].weights) {
        const Floats h = calibration.of(*weight, 0).importance;
        importance_[weight].assign(h.begin(), h.end());
      }
      out[i] = losses_of(weights[i], tail);
    }
  }
  return out;
}

DivergenceSummary Sensitivity::divergence(std::span<const Choosable> weights,
                                          std::span<const std::size_t> choice, Progress& progress) {
  const std::int64_t layers = model_.decoder.layers;
  progress.stage("verify", (layers + 1) * tokens(), "tokens x layers");
  Tail tail(*this, progress);
  const auto code_layer = [&](std::int64_t layer) {
    std::vector<Coded> all;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i].use().place.layer != layer) continue;
      all.push_back(coded(weights[i], weights[i].grids[choice[i]]));
      replace(weights[i], all.back(), tail);
    }
    return all;
  };
  const auto outside = code_layer(-1);
  std::vector<Activations> hidden;
  for (std::int64_t g = 0; g < groups_.count(); ++g) hidden.push_back(tail.embed(g));
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const auto of_layer = code_layer(layer);
    for (std::int64_t g = 0; g < groups_.count(); ++g) {
      Activations& x = hidden[static_cast<std::size_t>(g)];
      x = tail.layer(layer, std::move(x), g);
    }
  }
  for (std::int64_t g = 0; g < groups_.count(); ++g)
    tail.score(hidden[static_cast<std::size_t>(g)], g);
  return summarize(tail.take_scores(), true).compared->kl;
}

}  // namespace zp
