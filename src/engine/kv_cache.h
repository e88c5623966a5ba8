// Keys and values of one sequence's tokens in every layer, or in the one that is under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/checked.h"
#include "base/view.h"
#include "model/decoder.h"
#include "model/rotary.h"

namespace zp {

/// How keys and values are kept. BF16 takes half the memory and has FP32's range, so that no key is
/// too large for it.
enum class KvType { fp32, bf16 };

class KvCache {
 public:
  /// Room for `capacity` tokens in all layers. Memory is touched only as tokens come.
  KvCache(const Decoder& decoder, std::int64_t capacity, KvType type = KvType::fp32)
      : KvCache(decoder, capacity, decoder.layers, type) {}
  /// The same for who goes through the network layer by layer: each layer has the room of the one
  /// before.
  static KvCache of_one_layer(const Decoder& decoder, std::int64_t capacity) {
    return {decoder, capacity, 1, KvType::fp32};
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

  /// The key and the value of a token, head_dim each, of one of the kv_heads.
  void set(std::int64_t layer, std::int64_t head, std::int64_t token, Floats key, Floats value);
  /// Those of tokens [from, from + count), one row each; `scratch` holds what isn't kept in FP32.
  Matrix keys(std::int64_t layer, std::int64_t head, std::int64_t from, std::int64_t count,
              std::vector<float>& scratch) const;
  Matrix values(std::int64_t layer, std::int64_t head, std::int64_t from, std::int64_t count,
                std::vector<float>& scratch) const;

  /// Of the model's rotary embedding of that kind, global or local. It may depend on the capacity.
  const RotaryFactors& rotary(RopeKind kind) const {
    return kind == RopeKind::local ? rotary_.local : rotary_.global;
  }

  static std::int64_t bytes(const Decoder& decoder, std::int64_t capacity,
                            KvType type = KvType::fp32) {
    return checked_mul(layer_bytes(decoder, capacity, type), decoder.layers, "KV cache");
  }
  static std::int64_t layer_bytes(const Decoder& decoder, std::int64_t capacity,
                                  KvType type = KvType::fp32);

 private:
  friend class Engine;
  struct Rotary {
    RotaryFactors global;
    RotaryFactors local;
    bool operator==(const Rotary&) const = default;
  };
  static Rotary rotary_of(const Decoder& decoder, std::int64_t length);

  KvCache(const Decoder& decoder, std::int64_t capacity, std::int64_t layers, KvType type);
  /// Where a head of a layer has its first row; `index`: keys, then values.
  std::byte* head(std::int64_t layer, std::int64_t index) const;
  void set_row(std::byte* head, std::int64_t token, Floats row) const;
  Matrix rows(const std::byte* head, std::int64_t from, std::int64_t count,
              std::vector<float>& scratch) const;
  std::int64_t row_bytes() const;

  KvType type_;
  std::int64_t layers_;
  std::int64_t capacity_;
  std::int64_t length_ = 0;
  std::int64_t kv_heads_;
  std::int64_t head_dim_;
  std::unique_ptr<std::byte[]> rows_;  // [layer][key, value][head][token][dim]
  Rotary rotary_;
};

}  // namespace zp
