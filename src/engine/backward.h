// The network's operations, differentiated: from the gradient of a value those of what it was made
// of, and of the weights that made it.
#pragma once

#include <map>

#include "engine/compute.h"

namespace zp {

/// What is found of the gradients of weights goes here.
class WeightGradients {
 public:
  virtual ~WeightGradients() = default;
  /// Whether anybody asks for that weight's; others are not computed.
  virtual bool wants(Place place) const = 0;
  /// Of a matrix' rows [begin, begin + gradient.rows), to be added to what came before. Different
  /// rows from many threads, each row's parts in the same order whatever their number.
  virtual void add_rows(Place place, std::int64_t begin, Matrix gradient) = 0;
  /// Of what a norm multiplies by, the same.
  virtual void add_norm(Place place, Floats gradient) = 0;
  /// Of a matrix' adapter (Engine::adapt), wanted or not, the same.
  virtual void add_adapter(Place, const LowRankGradient&) {}
};

/// Floats of a matrix that are decoded at once, for all threads together.
constexpr std::int64_t kWeightsAtOnce = 1 << 22;

/// Goes over steps backwards. Their values are there; caches are not read: every run of the batch begins
/// at its sequence's first token. Sums have one order, whatever the number of threads and the instruction set.
class Backward {
 public:
  using Values = std::map<ValueId, Activations>;

  /// values: of all steps from `first` on, and what they read. Borrows all.
  Backward(const Decoder& decoder, const Network& network, const PlacedWeights& weights,
           const Team& team, BufferPool& pool, const Batch& batch, const Values& values,
           WeightGradients& of_weights);

  /// gradients: of values, before `end`; those of steps [first, end) become those of what these
  /// read before `first`.
  Values run(Values gradients, ValueId first, ValueId end);

 private:
  void back(const Step& step, ValueId made, Activations gradient);
  void add(ValueId to, Activations gradient);
  Matrix at(ValueId value) const { return values_.at(value).view(); }
  Activations zeros(std::int64_t rows, std::int64_t cols);
  template <class F>
  Activations changed(Activations gradient, const F& f);

  /// Rows of x that were multiplied by one matrix.
  struct Product {
    Place place;
    std::int64_t begin;
    std::int64_t count;
  };
  Activations through(std::span<const Product> products, Matrix x, Matrix gradient);
  void through_matrix(const Product& product, Matrix gradient, View2D<float> out);
  void to_matrix(const Product& product, Matrix x, Matrix gradient);
  Activations through_norm(const Step& step, Matrix x, Matrix gradient, std::int64_t width,
                           double epsilon, Floats weight);
  void back_embed(Place place, Matrix gradient);
  void back_share(const Step& step, Matrix gradient);
  void back_attend(const Step& step, Matrix gradient);
  void back_combine(const Step& step, Matrix gradient);
  void back_delta(const Step& step, Matrix gradient);
  void back_scan(const Step& step, Matrix gradient);
  Activations back_convolve(const Step& step, Matrix gradient);
  Activations turned_back(const Step& step, Activations gradient);
  float tempered(std::int64_t row) const;

  const Decoder& decoder_;
  const Network& network_;
  const PlacedWeights& weights_;
  const Team& team_;
  BufferPool& pool_;
  const Batch& batch_;
  const Values& values_;
  WeightGradients& of_weights_;
  Values gradients_;
};

}  // namespace zp
