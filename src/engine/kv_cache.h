// What every layer, or the one that is under way, has of one sequence's tokens: keys and values of
// each where it has attention, and where it has another mixer, a state that comes of all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/view.h"
#include "model/decoder.h"
#include "model/rotary.h"

namespace zp {

/// How keys and values are kept. BF16 takes half the memory and has FP32's range, so that no key is
/// too large for it.
enum class KvType { fp32, bf16 };

class KvCache {
 public:
  /// Room for `capacity` tokens in all layers that have keys of their own. Memory is touched only as tokens come.
  KvCache(const Decoder& decoder, std::int64_t capacity, KvType type = KvType::fp32)
      : KvCache(decoder, capacity, Layers::all, type) {}
  /// The same for who goes through the network layer by layer: each layer has the room of the one
  /// before.
  static KvCache of_one_layer(const Decoder& decoder, std::int64_t capacity) {
    return {decoder, capacity, Layers::one, KvType::fp32};
  }

  std::int64_t capacity() const { return capacity_; }
  /// Tokens that are in it.
  std::int64_t length() const { return length_; }
  /// Forgets the tokens from `length` on, where a layer has a state all of them: it can't go back.
  /// 0 begins a new sequence. length <= length(). Returns the tokens that are left.
  std::int64_t truncate(std::int64_t length);

  /// Whether it serves a sequence of so many tokens as a cache of just that capacity would.
  bool fits(const Decoder& decoder, std::int64_t tokens) const;
  /// The same tokens with another capacity, which has room for them; a new sequence where the
  /// rotary embedding depends on it. All layers must be in it.
  KvCache resized(const Decoder& decoder, std::int64_t capacity) const;

  /// The key and the value of a token, head_dim and value_dim, of one of the layer's kv_heads.
  void set(std::int64_t layer, std::int64_t head, std::int64_t token, Floats key, Floats value);
  /// Those of tokens [from, from + count), one row each; `scratch` holds what isn't kept in FP32.
  Matrix keys(std::int64_t layer, std::int64_t head, std::int64_t from, std::int64_t count,
              std::vector<float>& scratch) const;
  Matrix values(std::int64_t layer, std::int64_t head, std::int64_t from, std::int64_t count,
                std::vector<float>& scratch) const;

  /// Decoder::state_floats(layer) values, FP32 whatever the type; what they are where there are no
  /// tokens isn't said.
  std::span<float> state(std::int64_t layer);

  /// Of the model's rotary embedding of that kind, global or local. It may depend on the capacity.
  const RotaryFactors& rotary(RopeKind kind) const {
    return kind == RopeKind::local ? rotary_.local : rotary_.global;
  }

  static std::int64_t bytes(const Decoder& decoder, std::int64_t capacity,
                            KvType type = KvType::fp32) {
    return parts_of(decoder, capacity, type).back().end;
  }
  /// Of the layer that has most.
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

  enum class Layers { all, one };
  /// Where a layer's state and rows lie among the bytes.
  struct Part {
    std::int64_t begin = 0;
    std::int64_t rows = 0;  ///< behind the state
    std::int64_t end = 0;
    std::int64_t heads = 0;  ///< of keys and of values; and their sizes
    std::int64_t key_dim = 0;
    std::int64_t value_dim = 0;
  };
  static std::vector<Part> parts_of(const Decoder& decoder, std::int64_t capacity, KvType type);

  KvCache(const Decoder& decoder, std::int64_t capacity, Layers layers, KvType type);
  const Part& part(std::int64_t layer) const { return parts_[static_cast<std::size_t>(layer)]; }
  /// A head of a layer's keys, or of its values.
  struct Head {
    std::byte* rows;
    std::int64_t dim;
  };
  /// `index`: keys, then values.
  Head head(std::int64_t layer, std::int64_t index) const;
  void set_row(Head head, std::int64_t token, Floats row) const;
  Matrix rows(std::int64_t layer, std::int64_t index, std::int64_t from, std::int64_t count,
              std::vector<float>& scratch) const;
  std::int64_t row_bytes(std::int64_t dim) const;

  KvType type_;
  std::int64_t capacity_;
  std::int64_t length_ = 0;
  std::vector<Part> parts_;             // of each layer
  std::unique_ptr<std::byte[]> bytes_;  // [layer] a state, [key, value][head][token][dim]
  Rotary rotary_;
};

}  // namespace zp
