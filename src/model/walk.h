// What a decoder computes, stated once.
//
// walk() goes through the network and names every step to `ops`, which does with it what it is for:
// the engine computes, others record a tape, write a graph's nodes or count bytes. An Ops has a
// movable type Value (an activation: one row per token) and these operations:
//
//   embed()                       the tokens' rows of the embedding
//   add_positions(x)              learned positions
//   scale(x, factor)
//   norm(x, place)                the decoder's kind of norm over a row
//   norm_heads(x, place)          the same over each head of a row
//   linear(x, place)              x W^T, and the bias where the model has one
//   slice(x, begin, width)        columns of x
//   rotate(x)                     rotary embedding of each head
//   attend(q, k, v, layer)        causal attention; keys and values join the layer's cache
//   activate(x, activation)
//   multiply(x, y), add(x, y)     elementwise
//   soft_cap(x, cap)              cap tanh(x / cap)
//
// Values that aren't needed again are moved in, so that an implementation may work in place.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

#include "model/architecture.h"

namespace zp {

/// Which weight an operation reads. layer -1: outside the layers.
struct Place {
  std::int64_t layer = -1;
  Role role = Role::embedding;
  auto operator<=>(const Place&) const = default;
};

template <class Ops>
class Walk {
 public:
  using Value = typename Ops::Value;

  Walk(const Model& model, Ops& ops) : model_(model), decoder_(model.decoder), ops_(ops) {}

  /// What enters the first layer.
  Value embedding() {
    Value x = ops_.embed();
    if (decoder_.embedding_scale != 1) x = ops_.scale(std::move(x), decoder_.embedding_scale);
    if (model_.has(Role::position)) x = ops_.add_positions(std::move(x));
    return x;
  }

  Value layer(std::int64_t layer, Value x) {
    if (!decoder_.parallel)
      return half(layer, Role::down, half(layer, Role::attention_output, std::move(x)));
    const Value normed = ops_.norm(x, {layer, Role::attention_norm});
    x = ops_.add(std::move(x), attention(layer, normed));
    return ops_.add(std::move(x), mlp(layer, normed));
  }

  // The same in steps. A layer whose attention and MLP read the same input has no halves.

  /// The half whose last linear is `last`: attention_output or down.
  Value half(std::int64_t layer, Role last, Value x) {
    const Value read = inputs(layer, last, x);
    return finish_half(layer, last, std::move(x), read);
  }
  /// The same where what the last linear reads is there: x is what entered the half.
  Value finish_half(std::int64_t layer, Role last, Value x, const Value& read) {
    const Role norm = last == Role::down ? Role::ffn_post_norm : Role::attention_post_norm;
    Value branch = ops_.linear(read, {layer, last});
    if (model_.has(norm)) branch = ops_.norm(branch, {layer, norm});
    return ops_.add(std::move(x), std::move(branch));
  }
  /// What linears read, from what enters their half of the layer: that of `query` (and key and
  /// value), `attention_output`, `gate` (and up), or `down`.
  Value inputs(std::int64_t layer, Role role, const Value& x) {
    switch (role) {
      case Role::attention_output:
        return attended(layer, inputs(layer, Role::query, x));
      case Role::down:
        return mlp_inner(layer, inputs(layer, Role::gate, x));
      case Role::gate:
        return ops_.norm(x, {layer, decoder_.parallel ? Role::attention_norm : Role::ffn_norm});
      default:
        return ops_.norm(x, {layer, Role::attention_norm});
    }
  }

  /// What the head reads, from what leaves the last layer.
  Value head_inputs(const Value& x) { return ops_.norm(x, {-1, Role::output_norm}); }
  /// From what leaves the last layer to the logits.
  Value logits(Value x) {
    x = ops_.linear(head_inputs(x), {-1, decoder_.tied ? Role::embedding : Role::head});
    if (decoder_.logit_soft_cap != 0) x = ops_.soft_cap(std::move(x), decoder_.logit_soft_cap);
    return x;
  }

 private:
  Value attention(std::int64_t layer, const Value& x) {
    return ops_.linear(attended(layer, x), {layer, Role::attention_output});
  }

  Value attended(std::int64_t layer, const Value& x) {
    const std::int64_t query = decoder_.heads * decoder_.head_dim;
    const std::int64_t key = decoder_.kv_heads * decoder_.head_dim;
    if (model_.has(Role::qkv)) {
      const Value qkv = ops_.linear(x, {layer, Role::qkv});
      return attended(layer, ops_.slice(qkv, 0, query), ops_.slice(qkv, query, key),
                      ops_.slice(qkv, query + key, key));
    }
    return attended(layer, ops_.linear(x, {layer, Role::query}), ops_.linear(x, {layer, Role::key}),
                    ops_.linear(x, {layer, Role::value}));
  }

  Value attended(std::int64_t layer, Value q, Value k, Value v) {
    if (model_.has(Role::query_norm)) q = ops_.norm_heads(std::move(q), {layer, Role::query_norm});
    if (model_.has(Role::key_norm)) k = ops_.norm_heads(std::move(k), {layer, Role::key_norm});
    if (decoder_.rope.dims != 0) {
      q = ops_.rotate(std::move(q));
      k = ops_.rotate(std::move(k));
    }
    return ops_.attend(std::move(q), std::move(k), std::move(v), layer);
  }

  Value mlp(std::int64_t layer, const Value& x) {
    return ops_.linear(mlp_inner(layer, x), {layer, Role::down});
  }

  Value mlp_inner(std::int64_t layer, const Value& x) {
    const std::int64_t width = decoder_.ffn;
    if (model_.has(Role::gate_up)) {
      const Value both = ops_.linear(x, {layer, Role::gate_up});
      return ops_.multiply(ops_.activate(ops_.slice(both, 0, width), decoder_.activation),
                           ops_.slice(both, width, width));
    }
    if (!decoder_.gated) {
      return ops_.activate(ops_.linear(x, {layer, Role::up}), decoder_.activation);
    }
    Value gate = ops_.activate(ops_.linear(x, {layer, Role::gate}), decoder_.activation);
    return ops_.multiply(std::move(gate), ops_.linear(x, {layer, Role::up}));
  }

  const Model& model_;
  const Decoder& decoder_;
  Ops& ops_;
};

}  // namespace zp
