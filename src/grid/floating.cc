// Floating-point grids: every weight is rounded by itself, half to even.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/checked.h"
#include "grid/grid_of.h"
#include "number/convert.h"
#include "tensor/stored_products.h"

namespace zp {
namespace {

// Codes are the weight's FP32 bits for the formats that hold every FP32 value (Code has 32 bits),
// and the format's own bits otherwise.
struct Floating {
  const FloatFormat* format;

  struct Params {};

  std::int64_t bytes() const { return format->bits / 8; }
  bool wide() const { return format->bits >= 32; }
  std::string why_not(std::int64_t) const { return {}; }
  GridShape shape(std::int64_t cols) const { return {cols, cols, 1}; }
  void open_block(Params&, Floats, Floats, Fit) const noexcept {}
  void open_unit(Params&, std::int64_t, Floats, Floats, Fit) const noexcept {}

  void encode(const Params&, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    for (std::size_t i = 0; i < w.size(); ++i) {
      codes[i] = wide() ? std::bit_cast<Code>(w[i]) : static_cast<Code>(zp::encode(*format, w[i]));
      decoded[i] =
          wide() ? w[i]
                 : static_cast<float>(zp::decode(*format, static_cast<std::uint64_t>(codes[i])));
    }
  }

  void pack(const Params*, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    for (const Code code : codes) {
      auto bits = static_cast<std::uint64_t>(static_cast<std::uint32_t>(code));
      if (format->bits == 64)
        bits = std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(code)));
      std::memcpy(to, &bits, static_cast<std::size_t>(bytes()));  // little endian
      to += bytes();
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    if (format->bits == 32) {
      std::memcpy(out.data(), in[0], out.size_bytes());
    } else {
      converter(*format).to_float(in[0], out);
    }
  }

  void products(PlanesIn in, Floats x, std::span<float> out) const {
    stored_products(*format, in[0], x, out);
  }

  bool quantize_row(Floats w, Floats, Fit, PlanesOut out) const noexcept {
    if (format->bits == 32) {
      std::memcpy(out[0], w.data(), w.size_bytes());
    } else {
      converter(*format).from_float(w, out[0]);
    }
    return true;
  }
};

constexpr std::array<std::string_view, 6> kNames = {"fp64", "fp32",     "fp16",
                                                    "bf16", "fp8_e4m3", "fp8_e5m2"};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  if (std::find(kNames.begin(), kNames.end(), spec) == kNames.end()) return nullptr;
  const FloatFormat* format = find_float_format(spec);
  const double limit = std::min<double>(zp::decode(*format, format->max_code()), 0x1.FFFFFEp127);
  return std::make_unique<GridOf<Floating>>(
      Floating{format},
      VectorCode<Floating>{.quantize_row = &Floating::quantize_row,
                           .products = &Floating::products},
      std::string(spec), Family::floating,
      std::vector<Plane>{{"values", std::string(format->name), format->bits, 1}}, limit);
}

std::vector<std::string> examples() { return {kNames.begin(), kNames.end()}; }

}  // namespace

extern const GridFamily grid_floating;
const GridFamily grid_floating{"float", "fp64 fp32 fp16 bf16 fp8_e4m3 fp8_e5m2",
                               "floating point, every weight by itself", examples, make};

}  // namespace zp
