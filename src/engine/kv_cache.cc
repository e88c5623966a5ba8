#include "engine/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/checked.h"
#include "number/convert.h"

namespace zp {
namespace {

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

std::int64_t bytes_of(KvType type) { return type == KvType::fp32 ? 4 : 2; }

}  // namespace

KvCache::KvCache(const Decoder& decoder, std::int64_t capacity, Layers layers, KvType type)
    : type_(type),
      capacity_(capacity),
      parts_(parts_of(decoder, capacity, type)),
      rotary_(rotary_of(decoder, capacity)) {
  std::int64_t bytes = parts_.back().end;
  if (layers == Layers::one) {
    bytes = layer_bytes(decoder, capacity, type);
    for (Part& p : parts_)
      p = {0, p.rows - p.begin, p.end - p.begin, p.heads, p.key_dim, p.value_dim};
  }
  bytes_.reset(new std::byte[static_cast<std::size_t>(bytes)]);
}

KvCache::Rotary KvCache::rotary_of(const Decoder& decoder, std::int64_t length) {
  return {rotary_factors(decoder.rope, length), rotary_factors(decoder.local_rope, length)};
}

std::vector<KvCache::Part> KvCache::parts_of(const Decoder& d, std::int64_t capacity, KvType type) {
  const std::string where = "KV cache";
  std::vector<Part> parts;
  std::int64_t end = 0;
  for (std::int64_t layer = 0; layer < d.layers; ++layer) {
    const std::int64_t begin = end;
    const std::int64_t rows = checked_add(begin, d.state_floats(layer) * kFloat, where);
    const bool keys = d.layer(layer).attends() && !d.layer(layer).keys_of;
    const std::int64_t of_token =
        keys ? (d.key_columns(layer) + d.value_columns(layer)) * bytes_of(type) : 0;
    end = checked_add(rows, checked_mul(of_token, capacity, where), where);
    parts.push_back({begin, rows, end, keys ? d.kv_heads_of(layer) : 0, d.head_dim_of(layer),
                     d.value_dim_of(layer)});
  }
  return parts;
}

std::int64_t KvCache::layer_bytes(const Decoder& d, std::int64_t capacity, KvType type) {
  std::int64_t most = 0;
  for (const Part& part : parts_of(d, capacity, type)) most = std::max(most, part.end - part.begin);
  return most;
}

std::int64_t KvCache::row_bytes(std::int64_t dim) const { return dim * bytes_of(type_); }

KvCache::Head KvCache::head(std::int64_t layer, std::int64_t index) const {
  const Part& p = part(layer);
  const std::int64_t keys = std::min(index, p.heads);
  const std::int64_t before = keys * row_bytes(p.key_dim) + (index - keys) * row_bytes(p.value_dim);
  return {bytes_.get() + p.rows + capacity_ * before, index < p.heads ? p.key_dim : p.value_dim};
}

std::span<float> KvCache::state(std::int64_t layer) {
  const Part& p = part(layer);
  return {reinterpret_cast<float*>(bytes_.get() + p.begin),
          static_cast<std::size_t>((p.rows - p.begin) / kFloat)};
}

std::int64_t KvCache::truncate(std::int64_t length) {
  const bool states = std::ranges::any_of(parts_, [](const Part& p) { return p.rows > p.begin; });
  length_ = states && length < length_ ? 0 : length;
  return length_;
}

bool KvCache::fits(const Decoder& decoder, std::int64_t tokens) const {
  return tokens <= capacity_ && rotary_of(decoder, tokens) == rotary_;
}

KvCache KvCache::resized(const Decoder& decoder, std::int64_t capacity) const {
  KvCache out(decoder, capacity, type_);
  if (out.rotary_ != rotary_) return out;
  out.length_ = std::min(length_, capacity);
  for (std::int64_t layer = 0; layer < decoder.layers; ++layer) {
    const Part& p = part(layer);
    std::copy_n(bytes_.get() + p.begin, p.rows - p.begin, out.bytes_.get() + out.part(layer).begin);
    for (std::int64_t index = 0; index < 2 * p.heads; ++index) {
      const Head from = head(layer, index);
      std::copy_n(from.rows, out.length_ * row_bytes(from.dim), out.head(layer, index).rows);
    }
  }
  return out;
}

void KvCache::set_row(Head head, std::int64_t token, Floats row) const {
  std::byte* const to = head.rows + token * row_bytes(head.dim);
  if (type_ == KvType::fp32) {
    std::memcpy(to, row.data(), row.size_bytes());
  } else {
    float_to_bf16(row, to);
  }
}

void KvCache::set(std::int64_t layer, std::int64_t head_index, std::int64_t token, Floats key,
                  Floats value) {
  set_row(head(layer, head_index), token, key);
  set_row(head(layer, part(layer).heads + head_index), token, value);
}

Matrix KvCache::rows(std::int64_t layer, std::int64_t index, std::int64_t from, std::int64_t count,
                     std::vector<float>& scratch) const {
  const auto [begin, dim] = head(layer, index);
  const std::byte* const first = begin + from * row_bytes(dim);
  if (type_ == KvType::fp32) return {reinterpret_cast<const float*>(first), count, dim};
  scratch.resize(std::max(scratch.size(), static_cast<std::size_t>(count * dim)));
  bf16_to_float(first, std::span(scratch).first(static_cast<std::size_t>(count * dim)));
  return {scratch.data(), count, dim};
}

Matrix KvCache::keys(std::int64_t layer, std::int64_t head_index, std::int64_t from,
                     std::int64_t count, std::vector<float>& scratch) const {
  return rows(layer, head_index, from, count, scratch);
}

Matrix KvCache::values(std::int64_t layer, std::int64_t head_index, std::int64_t from,
                       std::int64_t count, std::vector<float>& scratch) const {
  return rows(layer, part(layer).heads + head_index, from, count, scratch);
}

}  // namespace zp
