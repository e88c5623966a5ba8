// Rows of 8-bit codes with a scale each, as programs of GPUs multiply them.
//
//                      codes       scale                r
//   fp8_e4m3:channel   FP8 E4M3    S: s32 s16 sbf16     s value(code)
//   llm_int8           -127...127  FP32, the magnitude  (code S) / 127, with FP32's 1 / 127 and both
//                                  of code 127          products rounded (bitsandbytes, LLM.int8())
//
// Planes: codes, scales. Range: the largest magnitude has the largest code. Search: of FP8 the best of a few
// scales up to twice that, for codes then round elsewhere; of integers affine_fit.h's.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "grid/fp8_levels.h"
#include "grid/grid_of.h"
#include "grid/scale_type.h"
#include "kernel/range.h"
#include "number/convert.h"
#include "number/fp8.h"
#include "number/integer.h"

namespace zp {
namespace {

constexpr std::string_view kFloats = "fp8_e4m3:channel";
constexpr std::string_view kIntegers = "llm_int8";
constexpr float kFp8Top = 448;
constexpr int kIntTop = 127;
constexpr float kPerCode = 7.874015718698502e-3f;                        // 1 / 127
constexpr std::array kLarger = {1.189207115, 1.414213562, 1.681792831};  // 2^(k/4)

struct RowScaled {
  struct Params {
    float scale;
  };

  bool integers;
  const ScaleTypeInfo* type;

  std::string why_not(std::int64_t) const { return {}; }
  GridShape shape(std::int64_t cols) const { return {cols, cols, 1}; }
  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t, Floats w, Floats h, Fit fit) const noexcept {
    const Range range = min_max(w);
    const double largest = std::max(range.hi, -range.lo);
    p.scale = integers ? static_cast<float>(largest) : type->covering.round(largest / kFp8Top);
    if (fit == Fit::range) return;
    if (integers) {
      const double scale = fit_scale(w, h, -kIntTop, kIntTop, false, type->nearest);
      p = better_of(*this, p, {type->nearest.round(scale * kIntTop)}, w, h);
      return;
    }
    const Params covering = p;
    for (const double larger : kLarger)
      p = better_of(*this, p, {type->nearest.round(covering.scale * larger)}, w, h);
  }

  int ways() const noexcept { return integers ? 2 * kIntTop + 1 : 256; }
  bool take_way(Params& p, std::int64_t u, int i, Floats w) const noexcept {
    return take_level(*this, p, u, integers ? kIntTop - i : ways() - 1 - i, w);
  }
  double level(const Params&, Code code) const noexcept {
    return integers ? code * double{kPerCode} : fp8_e4m3_to_float(static_cast<std::uint8_t>(code));
  }
  void set_scale(Params& p, std::int64_t, double s) const noexcept {
    p.scale = type->nearest.round(s);
  }
  Values values() const {
    Values values;
    if (integers) {
      for (int q = -kIntTop; q <= kIntTop; ++q) values.levels.push_back(q * double{kPerCode});
    } else {
      values.levels = fp8_levels();
    }
    values.scale = scale_range(*type);
    return values;
  }

  float value(const Params& p, Code code) const noexcept {
    if (integers) return static_cast<float>(code) * p.scale * kPerCode;
    return p.scale * fp8_e4m3_to_float(static_cast<std::uint8_t>(code));
  }

  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    const float step = integers ? p.scale * kPerCode : p.scale;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const float k = step == 0 ? 0.0f : w[i] / step;
      codes[i] = integers ? nearest_int(k, -kIntTop, kIntTop)
                          : Code{float_to_fp8_e4m3(std::clamp(k, -kFp8Top, kFp8Top))};
      decoded[i] = value(p, codes[i]);
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    for (std::size_t i = 0; i < codes.size(); ++i) out[0][i] = static_cast<std::byte>(codes[i]);
    type->store(params->scale, out[1]);
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const Params p{type->load(in[1])};
    if (!integers) {
      fp8_e4m3_to_float(in[0], out);
      for (float& v : out) v *= p.scale;
      return;
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = value(p, std::to_integer<std::int8_t>(in[0][i]));
  }

  double limit() const {
    return integers ? 0x1p120 : std::min(type->largest * kFp8Top / 2, 0x1p120);
  }
};

std::unique_ptr<Grid> made(std::string spec, const RowScaled& codec) {
  return std::make_unique<GridOf<RowScaled>>(
      codec, VectorCode<RowScaled>{}, std::move(spec), Family::blocks,
      std::vector<Plane>{{"codes", codec.integers ? "int8" : "fp8_e4m3", 8, 1},
                         {"scales", std::string(codec.type->type_name), 8 * codec.type->bytes, 0}},
      codec.limit());
}

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm& defaults) {
  if (spec == kIntegers) return made(std::string(spec), RowScaled{true, &info(ScaleType::s32)});
  if (!spec.starts_with(kFloats)) return nullptr;
  const std::string_view word = spec.substr(kFloats.size());
  for (const ScaleType type : {ScaleType::s32, ScaleType::s16, ScaleType::sbf16}) {
    const std::string spelled = ":" + std::string(info(type).word);
    if (word == spelled || (word.empty() && type == defaults.scale))
      return made(std::string(kFloats) + spelled, RowScaled{false, &info(type)});
  }
  throw UsageError("grid \"" + std::string(spec) + "\"", "wrong word",
                   std::string(kFloats) + "[:s32|s16|sbf16]", std::string(word));
}

std::vector<std::string> examples() {
  std::vector<std::string> all = {std::string(kIntegers)};
  for (const char* scale : {":s32", ":s16", ":sbf16"}) all.push_back(std::string(kFloats) + scale);
  return all;
}

}  // namespace

extern const GridFamily grid_row_scaled;
const GridFamily grid_row_scaled{
    "row-scaled", "fp8_e4m3:channel[:s32|s16|sbf16] llm_int8",
    "FP8 or whole numbers of 8 bits, a scale for each row: compressed-tensors' FP8, Quanto's, bitsandbytes' LLM.int8()",
    examples, make};

}  // namespace zp
