// Super-blocks written: see the table in super_blocks_layouts.h. Codes move sixteen at a time: the
// same shift on each byte of two 64-bit words.
#include <hwy/highway.h>

#include <cstring>

#include "grid/super_blocks_scales.h"
#include "number/half.h"

namespace zp {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <int kBits>
void pack_bits_of(const CodeField& f, int weights, const std::uint8_t* codes,
                  std::byte* out) noexcept {
  constexpr int kParts = 8 / kBits;
  const hn::Full128<std::uint64_t> d;
  const hn::Full128<std::uint8_t> bytes;
  const auto mask = hn::Set(d, all_bytes((1 << kBits) - 1));
  for (int run = 0; run < weights; run += f.stride * kParts, out += f.stride) {
    for (int i = 0; i < f.stride; i += 16) {
      auto all = hn::Zero(d);
      for (int part = 0; part < kParts; ++part) {
        const auto from = hn::BitCast(d, hn::LoadU(bytes, codes + run + part * f.stride + i));
        const auto bits = hn::And(hn::ShiftRightSame(from, f.shift), mask);
        all = hn::Or(all, hn::ShiftLeftSame(bits, part * kBits));
      }
      hn::StoreU(hn::BitCast(bytes, all), bytes, reinterpret_cast<std::uint8_t*>(out) + i);
    }
  }
}

void pack_field(const CodeField& f, int weights, const std::uint8_t* codes,
                std::byte* out) noexcept {
  switch (f.bits) {
    case 1:
      return pack_bits_of<1>(f, weights, codes, out + f.at);
    case 2:
      return pack_bits_of<2>(f, weights, codes, out + f.at);
    case 4:
      return pack_bits_of<4>(f, weights, codes, out + f.at);
    default:
      return;  // the second field of a layout may have none
  }
}

void store_half(float v, std::byte* out) noexcept {
  const std::uint16_t bits = float_to_fp16(v);
  std::memcpy(out, &bits, sizeof bits);
}

/// Whole numbers as bytes, the first eight in the first word; negative ones in two's complement.
std::array<std::uint64_t, 2> as_bytes(const std::array<float, kSuperUnits>& numbers,
                                      int bias) noexcept {
  std::array<std::uint8_t, kSuperUnits> bytes;
  for (std::size_t u = 0; u < kSuperUnits; ++u)
    bytes[u] = static_cast<std::uint8_t>(static_cast<int>(numbers[u]) + bias);
  return {load_word<std::uint64_t>(bytes.data()), load_word<std::uint64_t>(bytes.data() + 8)};
}

}  // namespace

void super_pack(const SuperLayout& layout, const SuperParams& p, const std::uint8_t* codes,
                std::byte* out) noexcept {
  store_half(p.d, out + layout.d_at);
  if (layout.has_min()) store_half(p.dmin, out + layout.dmin_at);
  pack_scales(layout.scales, {as_bytes(p.scale, layout.scale_bias), as_bytes(p.min, 0)},
              out + layout.scales_at);
  for (const CodeField& f : layout.fields) pack_field(f, layout.weights(), codes, out);
}

}  // namespace zp
