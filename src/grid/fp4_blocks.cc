// MXFP4 and NVFP4 as GGUF stores them: FP4 (E2M1) codes behind their scales, in one record.
// Source: ggml-common.h, ggml-quants.c, the OCP microscaling specification.
//
//   mxfp4:blocks  17 bytes for 32 weights: u8 e, then 16 bytes of codes; r = v 2^(e - 128)
//   nvfp4:blocks  36 bytes for 64 weights: 4 scales UE4M3 (one for 16 weights), then 4 x 8 bytes of
//                 codes; r = v s / 2; of a scale the highest bit counts nothing, and 0x7F, but not
//                 0xFF, is 0
//   v             twice E2M1's values, 0 1 2 3 4 6 8 12 and their negatives from code 8 on; of a
//                 group of n weights byte j holds weight j in its low half, weight j + n/2 in its
//                 high one
//
// Range: the format's own: the scale's exponent is that of the largest magnitude less 2 (MXFP4), or
// the scale nearest to a sixth of it (NVFP4). Search: every stored scale from the one that clips
// the largest weight to half of itself up to four times the one that covers it, each with the
// nearest codes: the best of them but for gains below 2^-17, the two ends are a heuristic. NVFP4's
// one scale for the tensor, which some programs store beside, is not made here: scales below 2^-9
// are lost.
#include "grid/fp4_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "grid/grid_of.h"

namespace zp {
namespace {

constexpr float kTop = kFp4Values.back();

// What code k decodes to at scale 1.
constexpr std::array<float, 16> kValues = [] {
  std::array<float, 16> all{};
  for (std::size_t k = 0; k < 8; ++k) {
    all[k] = kFp4Values[k];
    all[k + 8] = k == 0 ? 0 : -kFp4Values[k];
  }
  return all;
}();

// 2^(e - 128), also where that is subnormal.
float mx_scale(std::uint8_t e) noexcept {
  return e < 2 ? std::bit_cast<float>(0x00200000u << e)
               : std::bit_cast<float>(static_cast<std::uint32_t>(e - 1) << 23);
}

// floor(log2 largest) - 2 + 127, from the number's own bits.
std::uint8_t mx_range(float largest) noexcept {
  if (largest == 0) return 0;
  return static_cast<std::uint8_t>(std::clamp(std::ilogb(largest) - 2 + 127, 0, 254));
}

// The code's bits are those of an FP32 2^120 times smaller, whose exponent may be subnormal too.
float nv_scale(std::uint8_t code) noexcept {
  const auto bits = static_cast<std::uint32_t>(code & 127);
  return code == 0x7F ? 0 : std::bit_cast<float>(bits << 20) * 0x1p119f;
}

constexpr std::uint8_t kNvLargest = 0x7E;

// The nearest UE4M3 to a sixth of the largest; halves away from zero, as the format's formula has
// it.
std::uint8_t nv_range(float largest) noexcept {
  const float s = largest / 6;
  std::uint8_t below = 0;  // the scales rise with their codes
  for (std::uint8_t step = 64; step > 0; step /= 2) {
    const auto next = static_cast<std::uint8_t>(below + step);
    if (next <= kNvLargest && 2 * nv_scale(next) <= s) below = next;
  }
  if (below == kNvLargest) return below;
  const auto above = static_cast<std::uint8_t>(below + 1);
  return s - 2 * nv_scale(below) < 2 * nv_scale(above) - s ? below : above;
}

constexpr int kCodes = 16;

// Above 2^(252 - 128) the top value is no FP32.
constexpr std::array kTypes = {
    Fp4Type{"mxfp4:blocks", 32, 32, mx_scale, mx_range, 23, 0x00400000, 0.5f, 252},
    Fp4Type{"nvfp4:blocks", 64, 16, nv_scale, nv_range, 20, 0, 0x1p119f, kNvLargest},
};

struct Fp4Blocks {
  struct Params {
    std::array<std::uint8_t, 4> scale;  ///< codes, one for each unit
  };

  const Fp4Type* type;

  std::string why_not(std::int64_t cols) const {
    return why_no_multiple(cols, static_cast<std::int64_t>(type->block));
  }
  GridShape shape(std::int64_t) const {
    return {static_cast<std::int64_t>(type->block), static_cast<std::int64_t>(type->unit), 1};
  }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t u, Floats w, Floats h, Fit fit) const noexcept {
    Fp4Tile tile;
    tile.count = 1;
    tile.set_weights(*type, w);
    if (fit == Fit::search) tile.set_importance(*type, h);
    fp4_fit(*type, tile, fit);
    p.scale[static_cast<std::size_t>(u)] = static_cast<std::uint8_t>(tile.code[0]);
  }

  int ways() const noexcept { return kCodes; }
  bool take_way(Params& p, std::int64_t u, int i, Floats w) const noexcept {
    return take_level(*this, p, u, kCodes - 1 - i, w);
  }
  double level(const Params&, Code code) const noexcept {
    return kValues[static_cast<std::size_t>(code)];
  }
  void set_scale(Params& p, std::int64_t u, double s) const noexcept {
    p.scale[static_cast<std::size_t>(u)] = fp4_scale_code(*type, s);
  }
  Values values() const { return fp4_values(*type); }

  void quantize_rows(Matrix w, Floats h, Fit fit, PlanesOut out) const noexcept {
    fp4_quantize(*type, w, h, fit, out);
  }

  void encode(const Params& p, std::int64_t j, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    const float scale = type->scale(p.scale[static_cast<std::size_t>(j) / type->unit]);
    for (std::size_t i = 0; i < w.size(); ++i) {
      codes[i] = fp4_nearest(w[i], scale);
      decoded[i] = scale * kValues[static_cast<std::size_t>(codes[i])];
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    for (std::size_t b = 0; b < codes.size(); b += type->block, to += type->bytes()) {
      const std::size_t units = type->block / type->unit;
      std::memcpy(to, params[b / type->block].scale.data(), units);
      const std::size_t half = type->unit / 2;
      for (std::size_t u = 0; u < units; ++u) {
        for (std::size_t j = 0; j < half; ++j) {
          const Code* at = codes.data() + b + u * type->unit + j;
          to[units + u * half + j] = static_cast<std::byte>(at[0] | at[half] << 4);
        }
      }
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const std::byte* from = in[0];
    const std::size_t units = type->block / type->unit;
    const std::size_t half = type->unit / 2;
    for (std::size_t b = 0; b < out.size(); b += type->block, from += type->bytes()) {
      for (std::size_t u = 0; u < units; ++u) {
        const float scale = type->scale(std::to_integer<std::uint8_t>(from[u]));
        for (std::size_t j = 0; j < half; ++j) {
          const auto byte = std::to_integer<std::size_t>(from[units + u * half + j]);
          float* to = out.data() + b + u * type->unit + j;
          to[0] = scale * kValues[byte & 15];
          to[half] = scale * kValues[byte >> 4];
        }
      }
    }
  }
};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  for (const Fp4Type& type : kTypes) {
    if (type.name != spec) continue;
    const double limit = std::min(
        3.4028234663852886e38,
        double{kTop} * static_cast<double>(type.scale(static_cast<std::uint8_t>(type.largest))));
    return std::make_unique<GridOf<Fp4Blocks>>(
        Fp4Blocks{&type}, VectorCode<Fp4Blocks>{.quantize_rows = &Fp4Blocks::quantize_rows},
        std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(spec.substr(0, spec.find(':'))),
                            static_cast<std::int64_t>(8 * type.bytes()),
                            static_cast<std::int64_t>(type.block)}},
        limit);
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(kTypes); }

}  // namespace

std::uint8_t fp4_scale_code(const Fp4Type& type, double s) noexcept {
  int below = 0;  // the scales rise with their codes
  for (int step = 128; step > 0; step /= 2) {
    const int next = below + step;
    if (next <= type.largest && type.scale(static_cast<std::uint8_t>(next)) <= s) below = next;
  }
  const auto code = static_cast<std::uint8_t>(below);
  if (below == type.largest) return code;
  const auto above = static_cast<std::uint8_t>(below + 1);
  return s - type.scale(code) < type.scale(above) - s ? code : above;
}

Values fp4_values(const Fp4Type& type) {
  Values values;
  for (const float level : kFp4Values) {
    values.levels.push_back(level);
    if (level != 0) values.levels.insert(values.levels.begin(), -level);
  }
  const int most = std::ilogb(type.scale(static_cast<std::uint8_t>(type.largest)));
  values.scale =
      type.powers() ? ScaleRange{"e8m0", 1, -128, most} : ScaleRange{"fp8_e4m3", 4, -10, most};
  return values;
}

extern const GridFamily grid_fp4_blocks;
const GridFamily grid_fp4_blocks{
    "fp4 blocks", "mxfp4:blocks nvfp4:blocks",
    "GGUF's records of FP4 (E2M1) codes: 32 with a power of two, or 64 "
    "with an FP8 scale for each 16",
    examples, make};

}  // namespace zp
