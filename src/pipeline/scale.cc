#include "pipeline/scale.h"

#include <algorithm>

#include "pipeline/linears.h"

namespace zp {
namespace {

// A link's readers, ready for the method.
class Readers {
 public:
  Readers(const RewritePass& pass, const ScaleLink& link, const Moments& moments)
      : moments_(whole_moments(moments)),
        largest_(moments.largest().begin(), moments.largest().end()) {
    for (const Place place : link.readers) {
      const Weight& weight = *pass.model.find(place);
      const auto at = static_cast<std::size_t>(&weight - pass.model.weights.data());
      rows_.emplace_back(*weight.rows);
      largest_of_weights_.push_back(largest_of_columns(*weight.rows));
      view_.readers.push_back({rows_.back().view(), largest_of_weights_.back(), pass.grids[at]});
    }
    const auto cols = std::ssize(link.source);
    view_.moments = Matrix(moments_.data(), cols, cols);
    view_.largest = largest_;
    view_.source = link.source;
    view_.sources = link.writer_width;
    view_.fit = pass.fit;
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  const LinkedReaders& view() const { return view_; }

 private:
  std::vector<float> moments_;
  std::vector<float> largest_;
  std::vector<SampledRows> rows_;
  std::vector<std::vector<float>> largest_of_weights_;
  LinkedReaders view_;
};

// Where a norm holds what it multiplies by less one, it must not shrink: near -1 it would lose
// bits.
void let_norms_grow(std::vector<float>& factors) {
  const float most = *std::ranges::max_element(factors);
  for (float& f : factors) f /= most;
}

bool changes(const Scaling& scaling) {
  return std::ranges::any_of(scaling.factors, [](float f) { return f != 1; });
}

}  // namespace

Rewriting scale_links(const RewritePass& pass, const ChosenRewrite& chosen, Progress& progress,
                      RewriteResult& result) {
  Rewriting out;
  const std::unique_ptr<Calibration> calibration = float_pass(pass.model, pass.windows, pass.team);
  double losses = 0;
  for (std::int64_t stage = 0; stage < calibration->stages(); ++stage) {
    const std::map<ValueId, Moments>& moments = calibration->gather(progress);
    for (const ScaleLink& link : pass.cancellations.links) {
      const Place first = link.readers.front();
      if (calibration->stage_of(*pass.model.find(first)) != stage) continue;
      const Readers readers(pass, link, moments.at(calibration->network().inputs.at(first)));
      Scaling found = chosen.rewrite->scale(readers.view(), chosen.options, pass.team);
      losses += found.loss;
      if (!changes(found)) continue;
      ++result.changed;
      if (link.norm && pass.model.decoder.norm_plus_one) let_norms_grow(found.factors);
      add_factors(out, link, found.factors);
    }
  }
  if (result.possible > 0) result.loss = losses / static_cast<double>(result.possible);
  return out;
}

}  // namespace zp
