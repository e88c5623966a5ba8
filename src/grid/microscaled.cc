// Micro-scaled floats: groups of small floating-point codes, each with a scale of one byte, in two
// planes. Source: OCP Microscaling Formats 1.0; mlx docs (quantize), mlx/backend fp_quantized.h.
//
//            codes       scales             group   r = scale value(code)
//   mxfp4    FP4 E2M1    E8M0, 2^(e - 127)    32
//   mxfp8    FP8 E4M3    E8M0                 32
//   nvfp4    FP4 E2M1    FP8 E4M3             16    MLX's: without one more scale for the tensor
//
// Codes follow each other along the row, the first of two in the low half of a byte; MLX reads the
// same bytes as little-endian words.
//
// Range: the smallest power of two that covers the largest magnitude (mx), or the E4M3 nearest to a
// sixth of it (nvfp4); both as MLX chooses. Search: FP4 as in fp4_blocks.h, every stored scale near
// the range's; FP8 smaller powers of two as long as each gains, a heuristic: between normal numbers
// a power of two changes nothing.
#include <algorithm>
#include <array>
#include <cmath>

#include "grid/fp4_blocks.h"
#include "grid/fp8_levels.h"
#include "grid/grid_of.h"
#include "kernel/range.h"
#include "number/convert.h"
#include "number/fp8.h"

namespace zp {
namespace {

constexpr float kFp8Top = 448;
// The largest scales whose top value is an FP32.
constexpr std::uint8_t kLargestMx = 252;
constexpr std::uint8_t kLargestMxFp8 = 246;

// The code of the smallest power of two that is at least x, or `largest`.
std::uint8_t power_above(float x, int largest) noexcept {
  if (!(x > 0x1p-127f)) return 0;
  const int exponent = std::ilogb(x);
  const int up = x > std::ldexp(1.0f, exponent) ? 1 : 0;
  return static_cast<std::uint8_t>(std::min(exponent + up + 127, largest));
}

// fp4_blocks.h counts in twice E2M1's values, so with half the scale.
float half_e8m0(std::uint8_t code) noexcept { return 0.5f * e8m0_to_float(code); }
float half_e4m3(std::uint8_t code) noexcept { return 0.5f * fp8_e4m3_to_float(code); }
std::uint8_t mx_range(float largest) noexcept { return power_above(largest / 6, kLargestMx); }
std::uint8_t nv_range(float largest) noexcept { return float_to_fp8_e4m3(largest / 6); }

constexpr std::array kFp4 = {
    Fp4Type{"mxfp4", 32, 32, half_e8m0, mx_range, 23, 0x00400000, 0.5f, kLargestMx, true},
    Fp4Type{"nvfp4", 16, 16, half_e4m3, nv_range, 20, 0, 0x1p119f, 0x7E, true},
};

struct MicroType {
  std::string_view name;
  std::string_view codes, scales;  // types, as people read them
  std::size_t group;
  const Fp4Type* fp4;  // nullptr: the codes are FP8
};

constexpr std::array kTypes = {
    MicroType{"mxfp4", "fp4_e2m1", "e8m0", 32, &kFp4[0]},
    MicroType{"mxfp8", "fp8_e4m3", "e8m0", 32, nullptr},
    MicroType{"nvfp4", "fp4_e2m1", "fp8_e4m3", 16, &kFp4[1]},
};

// Value of an FP4 code at half the scale: -0 for code 8.
float fp4_value(std::size_t code) noexcept {
  return code < 8 ? kFp4Values[code] : -kFp4Values[code - 8];
}

struct Microscaled {
  struct Params {
    std::uint8_t scale;
  };

  const MicroType* type;

  std::int64_t group() const { return static_cast<std::int64_t>(type->group); }
  std::string why_not(std::int64_t cols) const { return why_no_multiple(cols, group()); }
  GridShape shape(std::int64_t) const { return {group(), group(), 1}; }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t, Floats w, Floats h, Fit fit) const noexcept {
    if (type->fp4 == nullptr) return open_fp8(p, w, h, fit);
    Fp4Tile tile;
    tile.count = 1;
    tile.set_weights(*type->fp4, w);
    if (fit == Fit::search) tile.set_importance(*type->fp4, h);
    fp4_fit(*type->fp4, tile, fit);
    p.scale = static_cast<std::uint8_t>(tile.code[0]);
  }

  void open_fp8(Params& p, Floats w, Floats h, Fit fit) const noexcept {
    const Range range = min_max(w);
    p.scale = power_above(std::max(range.hi, -range.lo) / kFp8Top, kLargestMxFp8);
    while (fit == Fit::search && p.scale > 0) {
      const auto lower = static_cast<std::uint8_t>(p.scale - 1);
      if (better_of(*this, p, Params{lower}, w, h).scale != lower) break;
      p.scale = lower;
    }
  }

  int ways() const noexcept { return type->fp4 != nullptr ? 16 : 256; }
  bool take_way(Params& p, std::int64_t u, int i, Floats w) const noexcept {
    return take_level(*this, p, u, ways() - 1 - i, w);
  }
  double level(const Params&, Code code) const noexcept {
    return type->fp4 != nullptr ? fp4_value(static_cast<std::size_t>(code))
                                : fp8_e4m3_to_float(static_cast<std::uint8_t>(code));
  }
  void set_scale(Params& p, std::int64_t, double s) const noexcept {
    p.scale = type->fp4 != nullptr ? fp4_scale_code(*type->fp4, s)
                                   : std::min(float_to_e8m0(static_cast<float>(s)), kLargestMxFp8);
  }
  Values values() const {
    if (type->fp4 != nullptr) return fp4_values(*type->fp4);
    const int most = std::ilogb(e8m0_to_float(kLargestMxFp8));
    return {.levels = fp8_levels(), .scale = {"e8m0", 1, -127, most}};
  }

  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    if (type->fp4 != nullptr) {
      const float half = type->fp4->scale(p.scale);
      for (std::size_t i = 0; i < w.size(); ++i) {
        codes[i] = fp4_nearest(w[i], half);
        decoded[i] = half * fp4_value(static_cast<std::size_t>(codes[i]));
      }
      return;
    }
    const float scale = e8m0_to_float(p.scale);
    const float inverse = std::ldexp(1.0f, 127 - p.scale);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::uint8_t code = float_to_fp8_e4m3(w[i] * inverse);
      codes[i] = code;
      decoded[i] = scale * fp8_e4m3_to_float(code);
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    for (std::size_t g = 0; g < codes.size() / type->group; ++g)
      out[1][g] = static_cast<std::byte>(params[g].scale);
    const std::size_t in_byte = type->fp4 != nullptr ? 2 : 1;
    for (std::size_t i = 0; i < codes.size(); i += in_byte)
      out[0][i / in_byte] =
          static_cast<std::byte>(in_byte == 1 ? codes[i] : codes[i] | codes[i + 1] << 4);
  }

  bool quantize_row(Floats w, Floats h, Fit fit, PlanesOut out) const noexcept {
    if (type->fp4 == nullptr) return false;
    fp4_quantize(*type->fp4, {w.data(), 1, static_cast<std::int64_t>(w.size())}, h, fit, out);
    return true;
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    for (std::size_t g = 0; g < out.size() / type->group; ++g) {
      const auto code = std::to_integer<std::uint8_t>(in[1][g]);
      const std::span<float> of_group = out.subspan(g * type->group, type->group);
      if (type->fp4 != nullptr) {
        decode_fp4(in[0] + g * type->group / 2, type->fp4->scale(code), of_group);
      } else {
        fp8_e4m3_to_float(in[0] + g * type->group, of_group);
        for (float& value : of_group) value *= e8m0_to_float(code);
      }
    }
  }

  static void decode_fp4(const std::byte* in, float half, std::span<float> out) noexcept {
    for (std::size_t i = 0; i < out.size(); i += 2) {
      const auto pair = std::to_integer<std::size_t>(in[i / 2]);
      out[i] = half * fp4_value(pair & 15);
      out[i + 1] = half * fp4_value(pair >> 4);
    }
  }
};

double limit_of(const MicroType& type) {
  if (type.fp4 == nullptr) return kFp8Top * static_cast<double>(e8m0_to_float(kLargestMxFp8));
  const auto largest = static_cast<std::uint8_t>(type.fp4->largest);
  return kFp4Values.back() * static_cast<double>(type.fp4->scale(largest));
}

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  const auto* type = std::ranges::find(kTypes, spec, &MicroType::name);
  if (type == kTypes.end()) return nullptr;
  return std::make_unique<GridOf<Microscaled>>(
      Microscaled{type}, VectorCode<Microscaled>{.quantize_row = &Microscaled::quantize_row},
      std::string(spec), Family::microscaled,
      std::vector<Plane>{
          {"codes", std::string(type->codes), type->fp4 != nullptr ? 4 : 8, 1},
          {"scales", std::string(type->scales), 8, static_cast<std::int64_t>(type->group)}},
      limit_of(*type));
}

std::vector<std::string> examples() { return names_of(kTypes); }

}  // namespace

extern const GridFamily grid_microscaled;
const GridFamily grid_microscaled{
    "micro-scaled", "mxfp4 mxfp8 nvfp4",
    "FP4 or FP8 codes in groups of 32 with a power of two, or of 16 with an FP8 scale, in planes",
    examples, make};

}  // namespace zp
