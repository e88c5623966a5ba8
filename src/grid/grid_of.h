// Lifts a codec, written over one row's block, to the Grid interface over tiles of rows, so that
// one virtual call is paid per tile and step, never per weight.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "grid/grid.h"
#include "grid/held.h"
#include "kernel/matmul.h"

namespace zp {

/// sum h (w - decoded)^2 of a unit that is encoded with `params`; h empty: all one.
template <class Codec>
double unit_error(const Codec& codec, const typename Codec::Params& params, Floats w,
                  Floats h) noexcept {
  std::array<Code, 256> codes;
  std::array<float, 256> decoded;
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); i += codes.size()) {
    const Floats part = w.subspan(i, std::min(codes.size(), w.size() - i));
    codec.encode(params, 0, part, std::span(codes).first(part.size()),
                 std::span(decoded).first(part.size()));
    for (std::size_t k = 0; k < part.size(); ++k) {
      const double e = static_cast<double>(part[k]) - decoded[k];
      sum += h.empty() ? e * e : h[i + k] * e * e;
    }
  }
  return sum;
}

/// Of two parameter sets the one with the smaller error, the first when equal: what a search found
/// is taken only where it gains, stored and decoded as it will be.
template <class Codec>
typename Codec::Params better_of(const Codec& codec, const typename Codec::Params& first,
                                 const typename Codec::Params& second, Floats w,
                                 Floats h) noexcept {
  return unit_error(codec, second, w, h) < unit_error(codec, first, w, h) ? second : first;
}

/// Names of a family's types, as GridFamily::examples wants them.
template <class Types>
std::vector<std::string> names_of(const Types& types) {
  std::vector<std::string> all;
  for (const auto& type : types) all.emplace_back(type.name);
  return all;
}

/// Vector code of a codec: it gives the bytes and values of the functions for one row, and takes
/// their place. Only what is named here is called; nullptr: there is none.
template <class Codec>
struct VectorCode {
  using Params = typename Codec::Params;
  /// One block, or unit u, of many rows.
  void (Codec::*open_blocks)(Params*, Matrix w, Floats h, Fit) const noexcept = nullptr;
  void (Codec::*open_units)(Params*, std::int64_t u, Matrix w, Floats h,
                            Fit) const noexcept = nullptr;
  /// One weight of many rows, in column j of the block.
  void (Codec::*encode_column)(const Params*, std::int64_t j, Floats w, Code* codes,
                               float* decoded) const noexcept = nullptr;
  /// One whole row; returns false, with nothing done, where it has no code for this one.
  bool (Codec::*quantize_row)(Floats w, Floats h, Fit, PlanesOut) const = nullptr;
  /// As Grid::quantize() and products().
  void (Codec::*quantize_rows)(Matrix w, Floats h, Fit, PlanesOut) const = nullptr;
  void (Codec::*products)(PlanesIn, Floats x, std::span<float> out) const = nullptr;
};

/// A Codec has a trivially copyable `Params`, of one block, and for one row
///
///   std::string why_not(cols)
///   GridShape   shape(cols)
///   void open_block(Params&, Floats w, Floats h, Fit)
///   void open_unit (Params&, u, Floats w, Floats h, Fit)
///   void encode    (const Params&, j, Floats w, std::span<Code>, std::span<float> decoded)
///   void pack      (const Params*, std::span<const Code>, PlanesOut)
///   void decode_row(PlanesIn, std::span<float>)
///
/// with the meaning they have in Grid; Values values() and what held.h asks for where weights can be
/// found on the grid.
template <class Codec>
class GridOf : public Grid {
  using Params = typename Codec::Params;
  static_assert(std::is_trivially_copyable_v<Params>);

 public:
  GridOf(Codec codec, const VectorCode<Codec>& vector_code, std::string spec, Family family,
         std::vector<Plane> planes, double limit, std::optional<AffineForm> affine = {})
      : Grid(std::move(spec), family, std::move(planes), limit, affine),
        codec_(std::move(codec)),
        vector_(vector_code) {}

  std::string why_not(std::int64_t cols) const override { return codec_.why_not(cols); }
  GridShape shape(std::int64_t cols) const override { return codec_.shape(cols); }
  std::int64_t params_bytes(std::int64_t) const override { return sizeof(Params); }

  void open_block(std::byte* params, Matrix w, Floats h, Fit fit) const noexcept override {
    if (vector_.open_blocks != nullptr)
      return (codec_.*vector_.open_blocks)(&at(params, 0), w, h, fit);
    for (std::int64_t r = 0; r < w.rows; ++r) codec_.open_block(at(params, r), w.row(r), h, fit);
  }
  void open_unit(std::byte* params, std::int64_t u, Matrix w, Floats h,
                 Fit fit) const noexcept override {
    if (vector_.open_units != nullptr)
      return (codec_.*vector_.open_units)(&at(params, 0), u, w, h, fit);
    for (std::int64_t r = 0; r < w.rows; ++r) codec_.open_unit(at(params, r), u, w.row(r), h, fit);
  }
  void encode(const std::byte* params, std::int64_t j, Matrix w, View2D<Code> codes,
              View2D<float> decoded) const noexcept override {
    const bool is_column = w.stride == 1 && codes.stride == 1 && decoded.stride == 1;
    if (is_column && vector_.encode_column != nullptr) {
      const Floats column(w.data, static_cast<std::size_t>(w.rows));
      return (codec_.*vector_.encode_column)(&at(params, 0), j, column, codes.data, decoded.data);
    }
    for (std::int64_t r = 0; r < w.rows; ++r) {
      codec_.encode(at(params, r), j, w.row(r), codes.row(r), decoded.row(r));
    }
  }
  void quantize(Matrix w, Floats h, Fit fit, PlanesOut out) const override {
    if (vector_.quantize_rows != nullptr) return (codec_.*vector_.quantize_rows)(w, h, fit, out);
    quantize_by_row(w, h, fit, out);
  }
  bool hold(Matrix w, int significant, PlanesOut out) const override {
    if constexpr (Holding<Codec>) {
      // Floats of few bits are on every grid of as many codes; of far more codes none is looked for.
      constexpr int kMostWays = 1024;
      if (codec_.ways() > kMostWays) return false;
      const bool few = codec_.ways() <= (std::int64_t{1} << significant) / 4;
      return hold_rows(w, few ? significant : kExactBits, out);
    } else {
      return false;
    }
  }
  std::optional<Values> values() const override {
    if constexpr (requires { codec_.values(); }) {
      return codec_.values();
    } else {
      return std::nullopt;
    }
  }
  void pack(const std::byte* params, std::span<const Code> codes,
            PlanesOut out) const noexcept override {
    codec_.pack(&at(params, 0), codes, out);
  }
  void decode(PlanesIn in, View2D<float> out) const noexcept override {
    std::array<const std::byte*, 4> at_row{};
    for (std::size_t p = 0; p < in.size(); ++p) at_row[p] = in[p];
    for (std::int64_t r = 0; r < out.rows; ++r) {
      codec_.decode_row(PlanesIn(at_row.data(), in.size()), out.row(r));
      for (std::size_t p = 0; p < in.size(); ++p) at_row[p] += row_bytes(p, out.cols);
    }
  }
  void products(PlanesIn in, Floats x, std::span<float> out) const override {
    if (vector_.products != nullptr) return (codec_.*vector_.products)(in, x, out);
    products_by_row(in, x, out);
  }

 private:
  struct Scratch {
    Scratch(const GridShape& s, std::int64_t cols)
        : shape(s),
          params(static_cast<std::size_t>((cols + s.block - 1) / s.block)),
          codes(static_cast<std::size_t>(cols)),
          decoded(static_cast<std::size_t>(std::min(s.unit, cols))) {}
    GridShape shape;
    std::vector<Params> params;
    std::vector<Code> codes;
    std::vector<float> decoded;
  };

  void products_by_row(PlanesIn in, Floats x, std::span<float> out) const {
    const auto cols = static_cast<std::int64_t>(x.size());
    std::array<const std::byte*, 4> from{};
    const auto read = [&](std::int64_t begin, std::int64_t count, float* to) {
      for (std::size_t p = 0; p < in.size(); ++p) {
        from[p] = in[p] + begin * row_bytes(p, cols);
      }
      decode(PlanesIn(from.data(), in.size()), {to, count, cols});
    };
    multiply_read_rows(x, read, out);
  }

  bool hold_rows(Matrix w, int significant, PlanesOut out) const {
    std::array<std::byte*, 4> to{};
    std::copy(out.begin(), out.end(), to.begin());
    Scratch scratch(codec_.shape(w.cols), w.cols);
    for (std::int64_t r = 0; r < w.rows; ++r) {
      if (!hold_row(w.row(r), significant, scratch)) return false;
      codec_.pack(scratch.params.data(), scratch.codes, PlanesOut(to.data(), out.size()));
      for (std::size_t p = 0; p < out.size(); ++p) to[p] += row_bytes(p, w.cols);
    }
    return true;
  }

  bool hold_row(Floats w, int significant, Scratch& scratch) const {
    const auto& [block, unit, step] = scratch.shape;
    const auto cols = static_cast<std::int64_t>(w.size());
    for (std::int64_t j = 0; j < cols; j += unit) {
      const auto at = static_cast<std::size_t>(j);
      const auto count = static_cast<std::size_t>(std::min(unit, cols - j));
      const HeldUnit<Codec> held(codec_, j % block / unit, j % block, w.subspan(at, count),
                                 std::span(scratch.codes).subspan(at, count));
      if (!held.hold(scratch.params[static_cast<std::size_t>(j / block)], significant))
        return false;
    }
    return true;
  }

  void quantize_by_row(Matrix w, Floats h, Fit fit, PlanesOut out) const {
    std::array<std::byte*, 4> to{};
    std::copy(out.begin(), out.end(), to.begin());
    const PlanesOut row_out(to.data(), out.size());
    Scratch scratch(codec_.shape(w.cols), w.cols);
    for (std::int64_t r = 0; r < w.rows; ++r) {
      const bool done = vector_.quantize_row != nullptr &&
                        (codec_.*vector_.quantize_row)(w.row(r), h, fit, row_out);
      if (!done) quantize_row(w.row(r), h, fit, scratch, row_out);
      for (std::size_t p = 0; p < out.size(); ++p) to[p] += row_bytes(p, w.cols);
    }
  }

  // The walk without feedback over one row, a unit at a time.
  void quantize_row(Floats w, Floats h, Fit fit, Scratch& scratch, PlanesOut out) const {
    const auto part = [](auto span, std::int64_t begin, std::int64_t count) {
      return span.empty()
                 ? span
                 : span.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
    };
    const auto cols = static_cast<std::int64_t>(w.size());
    const auto& [block, unit, step] = scratch.shape;
    for (std::int64_t b = 0; b < cols; b += block) {
      Params& p = scratch.params[static_cast<std::size_t>(b / block)];
      const std::int64_t in_block = std::min(block, cols - b);
      codec_.open_block(p, part(w, b, in_block), part(h, b, in_block), fit);
      for (std::int64_t u = 0; u < in_block; u += unit) {
        const std::int64_t n = std::min(unit, in_block - u);
        codec_.open_unit(p, u / unit, part(w, b + u, n), part(h, b + u, n), fit);
        codec_.encode(p, u, part(w, b + u, n), part(std::span<Code>(scratch.codes), b + u, n),
                      part(std::span<float>(scratch.decoded), 0, n));
      }
    }
    codec_.pack(scratch.params.data(), scratch.codes, out);
  }

  static Params& at(std::byte* params, std::int64_t r) {
    return reinterpret_cast<Params*>(params)[r];
  }
  static const Params& at(const std::byte* params, std::int64_t r) {
    return reinterpret_cast<const Params*>(params)[r];
  }

  Codec codec_;
  VectorCode<Codec> vector_;
};

}  // namespace zp
