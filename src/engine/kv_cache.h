// Keys and values of one sequence's tokens, FP32, in every layer, or in the one that is under way.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/checked.h"
#include "base/view.h"
#include "model/decoder.h"

namespace zp {

class KvCache {
 public:
  /// Room for `capacity` tokens in all layers. Memory is touched only as tokens come.
  KvCache(const Decoder& decoder, std::int64_t capacity)
      : KvCache(decoder, capacity, decoder.layers) {}
  /// The same for who goes through the network layer by layer: each layer has the room of the one
  /// before.
  static KvCache of_one_layer(const Decoder& decoder, std::int64_t capacity) {
    return {decoder, capacity, 1};
  }

  std::int64_t capacity() const { return capacity_; }
  /// Tokens that are in it.
  std::int64_t length() const { return length_; }
  /// Forgets the tokens from `length` on; 0 begins a new sequence. length <= length().
  void truncate(std::int64_t length) { length_ = length; }

  /// Whether it serves a sequence of so many tokens as a cache of just that capacity would.
  bool fits(const Decoder& decoder, std::int64_t tokens) const;
  /// The same tokens with another capacity, which has room for them; a new sequence where the
  /// rotary embedding depends on it. All layers must be in it.
  KvCache resized(const Decoder& decoder, std::int64_t capacity) const;

  /// All rows of one head, capacity x head_dim. `head`: of the kv_heads.
  View2D<float> keys(std::int64_t layer, std::int64_t head) const;
  View2D<float> values(std::int64_t layer, std::int64_t head) const;

  /// dims / 2 frequencies of the rotary embedding, which may depend on the capacity.
  Floats frequencies() const { return frequencies_; }

  static std::int64_t bytes(const Decoder& decoder, std::int64_t capacity) {
    return checked_mul(layer_bytes(decoder, capacity), decoder.layers, "KV cache");
  }
  static std::int64_t layer_bytes(const Decoder& decoder, std::int64_t capacity);

 private:
  friend class Engine;
  KvCache(const Decoder& decoder, std::int64_t capacity, std::int64_t layers);
  /// Head `index` of a layer's keys, then values.
  View2D<float> head(std::int64_t layer, std::int64_t index) const;

  std::int64_t layers_;
  std::int64_t capacity_;
  std::int64_t length_ = 0;
  std::int64_t kv_heads_;
  std::int64_t head_dim_;
  std::unique_ptr<float[]> floats_;  // [layer][key, value][head][token][dim]
  std::vector<float> frequencies_;
};

}  // namespace zp
