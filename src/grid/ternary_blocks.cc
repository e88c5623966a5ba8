// TQ1_0 and TQ2_0: 256 weights -1, 0 or 1 times an FP16 scale, which stands behind the codes.
// Source: ggml-common.h, ggml-quants.c.
//
//   TQ1_0, 54 bytes: five codes q + 1 in a byte, as v = ceil(256 n / 243) of the number n whose
//     base-3 digits they are, the first the highest. Bytes 0-31 hold columns m, m + 32 ... m + 128;
//     bytes 32-47 columns 160 + m, 160 + m + 16 ...; bytes 48-51 columns 240 + m, 240 + m + 4 ...,
//     four each. Digit k of a byte v is ((v 3^k mod 256) 3) / 256.
//   TQ2_0, 66 bytes: column 128 i + 32 n + m in bits 2n of byte 32 i + m, as q + 1; 3 decodes to 2.
//
// Range: the scale is the largest magnitude. Search: the best scale of all (ternary_scale.h),
// weighted or not.
#include <array>
#include <cmath>
#include <cstring>

#include "grid/grid_of.h"
#include "grid/scale_type.h"
#include "grid/ternary_scale.h"
#include "kernel/range.h"
#include "number/half.h"

namespace zp {
namespace {

constexpr std::int64_t kBlock = 256;

// Where the digits of byte i come from: first column, distance, how many.
struct Digits {
  std::size_t first;
  std::size_t distance;
  int count;
};
constexpr std::size_t kDigitBytes = 52;
constexpr Digits digits_of(std::size_t byte) {
  if (byte < 32) return {byte, 32, 5};
  if (byte < 48) return {160 + byte - 32, 16, 5};
  return {240 + byte - 48, 4, 4};
}

// Codes from 0 on, a byte each.
using Digits8 = std::array<std::uint8_t, 256>;

constexpr std::array<std::uint8_t, 243> kBase3Bytes = [] {
  std::array<std::uint8_t, 243> all{};
  for (std::size_t n = 0; n < all.size(); ++n)
    all[n] = static_cast<std::uint8_t>((n * 256 + 242) / 243);
  return all;
}();

void pack_base3(const Digits8& digit, std::byte* out) {
  for (std::size_t i = 0; i < kDigitBytes; ++i) {
    const Digits d = digits_of(i);
    unsigned n = 0;
    for (int k = 0; k < 5; ++k) {
      const std::size_t column = d.first + static_cast<std::size_t>(k) * d.distance;
      n = n * 3 + (k < d.count ? digit[column] : 0);
    }
    out[i] = static_cast<std::byte>(kBase3Bytes[n]);
  }
}

void unpack_base3(const std::byte* in, std::span<Code> codes) {
  for (std::size_t i = 0; i < kDigitBytes; ++i) {
    const Digits d = digits_of(i);
    unsigned v = std::to_integer<unsigned>(in[i]);
    for (int k = 0; k < d.count; ++k, v = v * 3 % 256)
      codes[d.first + static_cast<std::size_t>(k) * d.distance] =
          static_cast<Code>(v * 3 / 256) - 1;
  }
}

// Byte and shift of a column.
constexpr std::size_t two_bit_byte(std::size_t j) { return j / 128 * 32 + j % 32; }
constexpr unsigned two_bit_shift(std::size_t j) { return static_cast<unsigned>(j % 128 / 32 * 2); }
constexpr std::size_t kTwoBitBytes = 64;

void pack_two_bits(const Digits8& digit, std::byte* out) {
  std::array<std::uint8_t, kTwoBitBytes> bytes{};
  for (std::size_t j = 0; j < digit.size(); j += 32) {
    std::uint8_t* to = bytes.data() + two_bit_byte(j);
    for (std::size_t m = 0; m < 32; ++m)
      to[m] = static_cast<std::uint8_t>(to[m] | digit[j + m] << two_bit_shift(j));
  }
  std::memcpy(out, bytes.data(), bytes.size());
}

void unpack_two_bits(const std::byte* in, std::span<Code> codes) {
  for (std::size_t j = 0; j < codes.size(); ++j)
    codes[j] = (std::to_integer<int>(in[two_bit_byte(j)]) >> two_bit_shift(j) & 3) - 1;
}

struct Type {
  std::string_view name;
  std::int64_t code_bytes;
  void (*pack)(const Digits8& digit, std::byte* out);
  void (*unpack)(const std::byte* in, std::span<Code> codes);

  std::int64_t bytes() const { return code_bytes + 2; }
};
constexpr std::array kTypes = {
    Type{"tq1_0", kDigitBytes, pack_base3, unpack_base3},
    Type{"tq2_0", kTwoBitBytes, pack_two_bits, unpack_two_bits},
};

struct Ternary {
  struct Params {
    float d;        ///< as stored
    float inverse;  ///< of the scale codes are chosen with, or 0
  };

  const Type* type;

  std::string why_not(std::int64_t cols) const { return why_no_multiple(cols, kBlock); }
  GridShape shape(std::int64_t) const { return {kBlock, kBlock, 1}; }

  static Params params(float scale) noexcept {
    const float inverse = 1.0f / scale;
    return {info(ScaleType::s16).nearest.round(scale), std::isfinite(inverse) ? inverse : 0.0f};
  }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t, Floats w, Floats h, Fit fit) const noexcept {
    const Range range = min_max(w);
    const float largest = std::max(range.hi, -range.lo);
    p = params(largest);
    if (fit == Fit::range) return;
    const float scale = largest > 0 ? ternary_scale(w, h, largest) : 0;
    if (scale > 0) p = params(scale);
  }

  static int digit_of(float scaled) noexcept {
    return 1 + (scaled >= 0.5f ? 1 : 0) - (scaled <= -0.5f ? 1 : 0);
  }

  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const float scaled = w[i] * p.inverse;
      codes[i] = digit_of(scaled) - 1;
      decoded[i] = p.d * static_cast<float>(codes[i]);
    }
  }

  void pack_block(float scale, const Digits8& digit, std::byte* out) const noexcept {
    type->pack(digit, out);
    const std::uint16_t d = float_to_fp16(scale);
    std::memcpy(out + type->code_bytes, &d, sizeof d);
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    Digits8 digit;
    for (std::size_t b = 0; b < codes.size(); b += kBlock, to += type->bytes()) {
      for (std::size_t j = 0; j < digit.size(); ++j)
        digit[j] = static_cast<std::uint8_t>(codes[b + j] + 1);
      pack_block(params[b / kBlock].d, digit, to);
    }
  }

  void quantize_rows(Matrix w, Floats h, Fit fit, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    Digits8 digit;
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (std::size_t b = 0; b < static_cast<std::size_t>(w.cols); b += kBlock) {
        const Floats block = w.row(r).subspan(b, kBlock);
        Params p;
        open_unit(p, 0, block, h.empty() ? h : h.subspan(b, kBlock), fit);
        for (std::size_t j = 0; j < digit.size(); ++j)
          digit[j] = static_cast<std::uint8_t>(digit_of(block[j] * p.inverse));
        pack_block(p.d, digit, to);
        to += type->bytes();
      }
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const std::byte* from = in[0];
    std::array<Code, kBlock> codes;
    for (std::size_t b = 0; b < out.size(); b += kBlock, from += type->bytes()) {
      std::uint16_t bits;
      std::memcpy(&bits, from + type->code_bytes, sizeof bits);
      const float d = fp16_to_float(bits);
      type->unpack(from, codes);
      for (std::size_t j = 0; j < codes.size(); ++j) out[b + j] = d * static_cast<float>(codes[j]);
    }
  }
};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  constexpr double kFp16Largest = 65504;
  for (const Type& type : kTypes) {
    if (type.name != spec) continue;
    return std::make_unique<GridOf<Ternary>>(
        Ternary{&type}, VectorCode<Ternary>{.quantize_rows = &Ternary::quantize_rows},
        std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(spec), 8 * type.bytes(), kBlock}}, kFp16Largest);
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(kTypes); }

}  // namespace

extern const GridFamily grid_ternary_blocks;
const GridFamily grid_ternary_blocks{
    "ternary", "tq1_0 tq2_0", "llama.cpp's blocks of 256 weights -1, 0, 1 with an FP16 scale",
    examples, make};

}  // namespace zp
