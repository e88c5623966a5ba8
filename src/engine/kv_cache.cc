#include "engine/kv_cache.h"

#include "base/checked.h"
#include "model/rotary.h"

namespace zp {
namespace {

std::int64_t floats_of(const Decoder& d, std::int64_t capacity) {
  const std::string where = "KV cache";
  const std::int64_t rows =
      checked_mul(checked_mul(2 * d.layers, d.kv_heads, where), capacity, where);
  return checked_mul(rows, d.head_dim, where);
}

}  // namespace

KvCache::KvCache(const Decoder& decoder, std::int64_t capacity)
    : capacity_(capacity),
      kv_heads_(decoder.kv_heads),
      head_dim_(decoder.head_dim),
      floats_(new float[static_cast<std::size_t>(floats_of(decoder, capacity))]),
      frequencies_(rotary_frequencies(decoder.rope, capacity)) {}

std::int64_t KvCache::bytes(const Decoder& decoder, std::int64_t capacity) {
  return checked_mul(floats_of(decoder, capacity), 4, "KV cache");
}

View2D<float> KvCache::head(std::int64_t index) const {
  return {floats_.get() + index * capacity_ * head_dim_, capacity_, head_dim_};
}

View2D<float> KvCache::keys(std::int64_t layer, std::int64_t head_index) const {
  return head(2 * layer * kv_heads_ + head_index);
}

View2D<float> KvCache::values(std::int64_t layer, std::int64_t head_index) const {
  return head((2 * layer + 1) * kv_heads_ + head_index);
}

}  // namespace zp
