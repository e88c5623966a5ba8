// What a decoder computes, recorded: steps in the order in which they run, each of which makes one
// value, one row per token. Whoever has to know what comes before what asks this record; whoever
// computes the network, follows something through it or writes it as a graph goes over its steps
// (interpreter.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "model/architecture.h"

namespace zp {

// clang-format off
enum class Operation {
  embed,          // the tokens' rows of its weight
  add_positions,  // learned positions, added
  scale,          // times `number`
  temper,         // queries, times what the decoder says of their position
  norm,           // the decoder's kind of norm over a row
  norm_heads,     // the same over each head of a row
  norm_values,    // each head over its root mean square; a norm without weight
  linear,         // x W^T, and the bias where the model has one
  route,          // of the router's scores for each token the experts' weights, 0 for those not chosen; its weight corrects the choice
  dispatch,       // rows of x once for each expert its token goes through: the first expert's tokens, the next one's, ...
  expert_linear,  // of each row by the weights of its expert
  combine,        // of each token the sum of its rows, each times its expert's weight, in the experts' order; its weight is a factor for each expert
  slice,          // `width` columns from `begin` on
  share,          // heads of so many columns of the first value as `parts` says, each with all of the second's behind it
  part,           // the columns in groups, of which each has as many as `parts` together: the first part of all groups, then the second, ...
  rotate,         // rotary embedding of each head, as the layer has it
  attend,         // causal attention of queries, keys and values; keys and values join its layer's cache, which is that of the layer they come from; its weight is the heads' sinks
  convolve,       // of each column a sum over the last tokens, each times its weight; what it sees joins the layer's state
  delta,          // the gated delta rule: reads queries, keys and values, the shares that are written, and decays; its state is the layer's
  scan,           // a selective state space: reads inputs with what writes and what reads states, and time steps; its state is the layer's
  activate,       // `activation` of each element
  multiply,       // elementwise
  scale_by,       // times the one number of its weight
  weigh,          // each row times the one number of another's
  add,            // elementwise
  clamp,          // at most `number`, at least `least`
  shift,          // plus `number`
  soft_cap,       // `number` * tanh(x / `number`)
};
// clang-format on

/// A value is called by the number of the step that makes it.
using ValueId = std::size_t;

struct Step {
  Operation operation = Operation::embed;
  std::vector<ValueId> reads;
  std::int64_t width = 0;  ///< columns of the value it makes
  std::int64_t rows = 1;   ///< its rows for each token
  bool by_expert = false;  ///< they stand by their experts, not by their tokens
  Place
      place;  ///< of its weight, the expert left open; of `rotate` and `norm_values` the layer alone
  ValueId last_reader = 0;  ///< of the value it makes; 0: nobody reads it
  std::int64_t begin = 0;
  std::vector<std::int64_t> parts;  ///< columns
  double number = 0;
  double least = 0;
  Activation activation = Activation::silu;
};

/// What linears read: a value, or the rows of it that go to one expert.
struct LinearInput {
  ValueId value = 0;
  std::int64_t expert = -1;
  auto operator<=>(const LinearInput&) const = default;
};

/// What enters a layer and what leaves it.
struct LayerValues {
  ValueId enters = 0;
  ValueId leaves = 0;
};

/// The last step makes the logits.
struct Network {
  std::vector<Step> steps;
  std::vector<LayerValues> layers;
  std::map<Place, LinearInput> inputs;                ///< of each linear
  std::map<LinearInput, std::vector<Place>> readers;  ///< the linears of each, in order

  /// What leaves the last layer.
  ValueId hidden() const { return layers.back().leaves; }
  ValueId logits() const { return steps.size() - 1; }
};

/// Every model has a layer at least.
Network record(const Model& model);

/// What the weight multiplies; none: it is a norm, a bias, or an embedding that is looked up only.
std::optional<LinearInput> input_of(const Network& network, const TensorUse& use);
/// The linears that read it, in the order of Place; empty for other values.
std::vector<Place> readers(const Network& network, LinearInput input);
/// What it is called in files and messages: by its layer, its expert and the first of its readers,
/// a fused matrix by the first of its parts.
Place input_name(const Network& network, LinearInput input);
/// What linears read of a value: all of it, or for each expert its rows.
std::vector<LinearInput> linear_inputs_of(const Network& network, ValueId value);
/// The value that says which rows of a dispatched one, or of one made from it, go to which expert.
ValueId routes_of(const Network& network, ValueId value);

// A network in pieces: values that linears read, and what else must be there to go on from them.

/// The values that linears of the layer (-1: the head) read, in the order in which they are made.
std::vector<ValueId> linear_inputs(const Network& network, std::int64_t layer);
/// Values made by `last` and the steps before it that steps behind it read. A norm's is not among
/// them, nor what is dispatched, but what they read: they are cheap to compute again.
std::vector<ValueId> needed_behind(const Network& network, ValueId last);
/// The same without `last` itself, where that is no sum, but with the sums and what attention gave
/// that it can be computed again from.
std::vector<ValueId> needed_without(const Network& network, ValueId last);
/// The value from `first` to before `end` behind which the fewest columns are needed, the latest of
/// these.
ValueId narrowest(const Network& network, ValueId first, ValueId end);
/// Floats of these values together for each token.
std::int64_t columns(const Network& network, std::span<const ValueId> values);

/// For each step whether it must run to make `wanted`, where the values marked in `given` are
/// there.
std::vector<bool> needed_steps(const Network& network, const std::vector<bool>& given,
                               std::span<const ValueId> wanted);

}  // namespace zp
