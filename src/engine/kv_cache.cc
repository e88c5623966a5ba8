#include "engine/kv_cache.h"

#include <algorithm>

#include "model/rotary.h"

namespace zp {
namespace {

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

}  // namespace

KvCache::KvCache(const Decoder& decoder, std::int64_t capacity, std::int64_t layers)
    : layers_(layers),
      capacity_(capacity),
      kv_heads_(decoder.kv_heads),
      head_dim_(decoder.head_dim),
      floats_(new float[static_cast<std::size_t>(
          checked_mul(layer_bytes(decoder, capacity) / kFloat, layers, "KV cache"))]),
      frequencies_(rotary_frequencies(decoder.rope, capacity)) {}

std::int64_t KvCache::layer_bytes(const Decoder& d, std::int64_t capacity) {
  const std::string where = "KV cache";
  const std::int64_t rows = checked_mul(2 * d.kv_heads, capacity, where);
  return checked_mul(checked_mul(rows, d.head_dim, where), kFloat, where);
}

View2D<float> KvCache::head(std::int64_t layer, std::int64_t index) const {
  const std::int64_t at = 2 * (layer % layers_) * kv_heads_ + index;
  return {floats_.get() + at * capacity_ * head_dim_, capacity_, head_dim_};
}

bool KvCache::fits(const Decoder& decoder, std::int64_t tokens) const {
  return tokens <= capacity_ && rotary_frequencies(decoder.rope, tokens) == frequencies_;
}

KvCache KvCache::resized(const Decoder& decoder, std::int64_t capacity) const {
  KvCache out(decoder, capacity);
  if (out.frequencies_ != frequencies_) return out;
  out.length_ = std::min(length_, capacity);
  for (std::int64_t layer = 0; layer < layers_; ++layer) {
    for (std::int64_t index = 0; index < 2 * kv_heads_; ++index)
      std::copy_n(head(layer, index).data, out.length_ * head_dim_, out.head(layer, index).data);
  }
  return out;
}

View2D<float> KvCache::keys(std::int64_t layer, std::int64_t head_index) const {
  return head(layer, head_index);
}

View2D<float> KvCache::values(std::int64_t layer, std::int64_t head_index) const {
  return head(layer, kv_heads_ + head_index);
}

}  // namespace zp
