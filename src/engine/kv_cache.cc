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
      kv_heads_(decoder.kv_heads),
      head_dim_(decoder.head_dim),
      parts_(parts_of(decoder, capacity, type)),
      rotary_(rotary_of(decoder, capacity)) {
  std::int64_t bytes = parts_.back().end;
  if (layers == Layers::one) {
    bytes = layer_bytes(decoder, capacity, type);
    for (Part& p : parts_) p = {0, p.end - p.begin, p.state};
  }
  bytes_.reset(new std::byte[static_cast<std::size_t>(bytes)]);
}

KvCache::Rotary KvCache::rotary_of(const Decoder& decoder, std::int64_t length) {
  return {rotary_factors(decoder.rope, length), rotary_factors(decoder.local_rope, length)};
}

std::vector<KvCache::Part> KvCache::parts_of(const Decoder& d, std::int64_t capacity, KvType type) {
  const std::string where = "KV cache";
  const std::int64_t rows = checked_mul(2 * d.kv_heads, capacity, where);
  const std::int64_t of_rows =
      checked_mul(checked_mul(rows, d.head_dim, where), bytes_of(type), where);
  std::vector<Part> parts;
  std::int64_t end = 0;
  for (std::int64_t layer = 0; layer < d.layers; ++layer) {
    const bool state = d.layer(layer).mixer != Mixer::attention;
    const std::int64_t begin = end;
    end = checked_add(begin, state ? d.state_floats(layer) * kFloat : of_rows, where);
    parts.push_back({begin, end, state});
  }
  return parts;
}

std::int64_t KvCache::layer_bytes(const Decoder& d, std::int64_t capacity, KvType type) {
  std::int64_t most = 0;
  for (const Part& part : parts_of(d, capacity, type)) most = std::max(most, part.end - part.begin);
  return most;
}

std::int64_t KvCache::row_bytes() const { return head_dim_ * bytes_of(type_); }

std::byte* KvCache::head(std::int64_t layer, std::int64_t index) const {
  return bytes_.get() + part(layer).begin + index * capacity_ * row_bytes();
}

std::span<float> KvCache::state(std::int64_t layer) {
  const Part& p = part(layer);
  return {reinterpret_cast<float*>(bytes_.get() + p.begin),
          static_cast<std::size_t>((p.end - p.begin) / kFloat)};
}

std::int64_t KvCache::truncate(std::int64_t length) {
  const bool states = std::ranges::any_of(parts_, [](const Part& p) { return p.state; });
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
    if (p.state) {
      std::copy_n(bytes_.get() + p.begin, p.end - p.begin,
                  out.bytes_.get() + out.part(layer).begin);
      continue;
    }
    for (std::int64_t index = 0; index < 2 * kv_heads_; ++index)
      std::copy_n(head(layer, index), out.length_ * row_bytes(), out.head(layer, index));
  }
  return out;
}

void KvCache::set_row(std::byte* head, std::int64_t token, Floats row) const {
  std::byte* const to = head + token * row_bytes();
  if (type_ == KvType::fp32) {
    std::memcpy(to, row.data(), row.size_bytes());
  } else {
    float_to_bf16(row, to);
  }
}

void KvCache::set(std::int64_t layer, std::int64_t head_index, std::int64_t token, Floats key,
                  Floats value) {
  set_row(head(layer, head_index), token, key);
  set_row(head(layer, kv_heads_ + head_index), token, value);
}

Matrix KvCache::rows(const std::byte* head, std::int64_t from, std::int64_t count,
                     std::vector<float>& scratch) const {
  const std::byte* const first = head + from * row_bytes();
  if (type_ == KvType::fp32) return {reinterpret_cast<const float*>(first), count, head_dim_};
  scratch.resize(std::max(scratch.size(), static_cast<std::size_t>(count * head_dim_)));
  bf16_to_float(first, std::span(scratch).first(static_cast<std::size_t>(count * head_dim_)));
  return {scratch.data(), count, head_dim_};
}

Matrix KvCache::keys(std::int64_t layer, std::int64_t head_index, std::int64_t from,
                     std::int64_t count, std::vector<float>& scratch) const {
  return rows(head(layer, head_index), from, count, scratch);
}

Matrix KvCache::values(std::int64_t layer, std::int64_t head_index, std::int64_t from,
                       std::int64_t count, std::vector<float>& scratch) const {
  return rows(head(layer, kv_heads_ + head_index), from, count, scratch);
}

}  // namespace zp
