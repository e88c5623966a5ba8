// The network's operations, computed.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "engine/activations.h"
#include "engine/attention.h"
#include "engine/gated_delta.h"
#include "engine/low_rank.h"
#include "engine/selective_scan.h"
#include "model/network.h"

namespace zp {

/// A model's weights by place. Matrices stay where they are stored; norms and biases are held.
class PlacedWeights {
 public:
  struct Entry {
    const RowReader* matrix = nullptr;
    std::vector<float> row;   ///< what a norm multiplies by, or a number for each head or expert
    std::vector<float> taps;  ///< a convolution's: of each token it sees a row, the oldest first
    std::vector<float> bias;
    const LowRank* adapter = nullptr;  ///< of the matrix
  };

  explicit PlacedWeights(const Model& model);
  const Entry& at(Place place) const { return entries_.at(place); }
  /// nullptr: the model has none there.
  const Entry* find(Place place) const {
    const auto found = entries_.find(place);
    return found == entries_.end() ? nullptr : &found->second;
  }
  void replace(Place place, const RowReader& matrix) { entries_.at(place).matrix = &matrix; }
  void adapt(Place place, const LowRank& adapter) { entries_.at(place).adapter = &adapter; }

 private:
  std::map<Place, Entry> entries_;
};

/// Of an `attend` step; its sinks are the weights'.
AttentionShape attention_shape(const Decoder& decoder, const PlacedWeights& weights, Place place);
/// Of a `delta` step, and of a `scan` step. They borrow decoder and weights.
GatedDelta gated_delta(const Decoder& decoder, const PlacedWeights& weights, Place place);
SelectiveScan selective_scan(const Decoder& decoder, const PlacedWeights& weights, Place place);

/// Tokens that go through the network together: their ids and where they stand.
struct Batch {
  std::vector<std::int32_t> ids;
  std::vector<TokenRun> runs;
  /// Of a rotation, for each row dims / 2 values.
  struct Turns {
    std::vector<float> cos;
    std::vector<float> sin;
  };
  Turns global;
  Turns local;

  const Turns& turns(RopeKind kind) const { return kind == RopeKind::local ? local : global; }
};

/// Ops of model/interpreter.h. Every value has one row per token of the batch.
class Compute {
 public:
  using Value = Activations;

  Compute(const Model& model, const PlacedWeights& weights, const Team& team, BufferPool& pool,
          const Batch& batch);

  Value copy(const Value& x);
  Value embed(Place place);
  Value add_positions(Value x);
  Value scale(Value x, double factor);
  Value temper(Value x);
  Value norm(const Value& x, Place place);
  Value norm_heads(Value x, Place place);
  Value norm_values(Value x, std::int64_t layer);
  Value linear(const Value& x, Place place);
  Value route(Value scores, Place place);
  Value dispatch(const Value& x, const Value& routes);
  Value expert_linear(const Value& x, const Value& routes, Place place);
  Value combine(Value x, const Value& routes, Place place);
  Value slice(const Value& x, std::int64_t begin, std::int64_t width);
  Value part(const Value& x, std::span<const std::int64_t> parts);
  Value share(const Value& x, const Value& y, std::int64_t head);
  Value rotate(Value x, std::int64_t layer);
  Value attend(const Value& q, const Value& k, const Value& v, Place place);
  Value convolve(const Value& x, Place place);
  Value delta(const Value& qkv, const Value& beta, const Value& decay, Place place);
  Value scan(const Value& x, const Value& steps, Place place);
  Value activate(Value x, Activation activation);
  Value multiply(Value x, const Value& y);
  Value scale_by(Value x, Place place);
  Value weigh(Value x, const Value& y);
  Value add(Value x, const Value& y);
  Value clamp(Value x, double least, double most);
  Value shift(Value x, double by);
  Value soft_cap(Value x, double cap);

 private:
  template <class F>
  void each_row(std::int64_t rows, const F& f);
  void norm_into(Matrix x, Place place, std::int64_t width, View2D<float> out);
  void norm_into(Matrix x, const PlacedWeights::Entry& weights, double epsilon, std::int64_t width,
                 View2D<float> out);
  /// Some rows of x and the weights they are multiplied by.
  struct Product {
    const PlacedWeights::Entry* weights;
    std::int64_t begin;
    std::int64_t count;
  };
  void multiply_into(Matrix x, std::span<const Product> products, View2D<float> out);

  const Decoder& decoder_;
  const PlacedWeights& weights_;
  const Team& team_;
  BufferPool& pool_;
  const Batch& batch_;
};

}  // namespace zp
