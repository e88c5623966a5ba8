// Super-blocks written: see the table in super_blocks_layouts.h. Codes move eight at a
// time: the same shift on each byte of a 64-bit word.
#include <cstring>

#include "grid/super_blocks_scales.h"
#include "number/half.h"

namespace zp {
namespace {

void pack_field(const CodeField& f, int weights, const std::uint8_t* codes,
                std::byte* out) noexcept {
  const std::uint64_t mask = all_bytes(static_cast<std::uint8_t>((1 << f.bits) - 1));
  const int parts = 8 / f.bits;
  out += f.at;
  for (int run = 0; run < weights; run += f.stride * parts, out += f.stride) {
    for (int i = 0; i < f.stride; i += 8) {
      std::uint64_t word = 0;
      for (int part = 0; part < parts; ++part) {
        word |= (load_word<std::uint64_t>(codes + run + part * f.stride + i) >> f.shift & mask)
                << (part * f.bits);
      }
      std::memcpy(out + i, &word, sizeof word);
    }
  }
}

void store_half(float v, std::byte* out) noexcept {
  const std::uint16_t bits = float_to_fp16(v);
  std::memcpy(out, &bits, sizeof bits);
}

/// A whole number as a byte; negative ones in two's complement.
std::uint64_t stored(float v) noexcept { return static_cast<std::uint8_t>(static_cast<int>(v)); }

}  // namespace

void super_pack(const SuperLayout& layout, const SuperParams& p, const std::uint8_t* codes,
                std::byte* out) noexcept {
  store_half(p.d, out + layout.d_at);
  if (layout.has_min()) store_half(p.dmin, out + layout.dmin_at);
  SuperScales scales{};
  for (std::size_t u = 0; u < static_cast<std::size_t>(layout.units); ++u) {
    const std::size_t shift = 8 * (u % 8);
    scales.scale[u / 8] |= stored(p.scale[u] + static_cast<float>(layout.scale_bias)) << shift;
    scales.min[u / 8] |= stored(p.min[u]) << shift;
  }
  pack_scales(layout.scales, scales, out + layout.scales_at);
  for (const CodeField& f : layout.fields) {
    if (f.bits > 0) pack_field(f, layout.weights(), codes, out);
  }
}

}  // namespace zp
