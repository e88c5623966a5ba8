// Linear quantization, the integers int2...int8 and int16: r = s (q - z) or r = s q + m.
//
//   sym         z = 0 (unsigned codes: 2^(N-1)), codes over the full signed range
//   restricted  the same without the lowest code
//   zero        z an integer code, stored like the codes
//   min         m a float of the scale's type; codes unsigned
//
// Planes: codes (N-bit little-endian stream along the row), scales, then zeros (N-bit stream) or
// mins. decode is s (q - z) in FP32. For `min` it is s q rounded to the scale's type, plus m
// rounded to it: that is what MLX, the runtime of this form, computes (a power-of-two scale has an
// FP32 m).
#include "grid/affine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "base/checked.h"
#include "base/error.h"
#include "grid/grid_of.h"
#include "grid/held_linear.h"
#include "grid/linear_codes.h"
#include "grid/linear_groups.h"
#include "kernel/range.h"
#include "number/integer.h"

namespace zp {
namespace {

constexpr std::array<std::string_view, 4> kOffsetWords = {"sym", "restricted", "zero", "min"};

struct Affine {
  AffineForm form;
  const ScaleTypeInfo* scale;
  const ScaleTypeInfo* offset;  // type of m
  int lowest;                   // smallest code used
  int highest;
  int centre;  // the code of 0 for sym and restricted

  explicit Affine(const AffineForm& f)
      : form(f),
        scale(&info(f.scale)),
        offset(f.scale == ScaleType::pow2 ? &info(ScaleType::s32) : scale),
        lowest(f.is_signed ? -(1 << (f.bits - 1)) : 0),
        highest(lowest + (1 << f.bits) - 1),
        centre(f.is_signed ? 0 : 1 << (f.bits - 1)) {
    if (f.offset == Offset::restricted) ++lowest;
  }

  using Params = LinearParams;

  bool has_zero() const { return form.offset == Offset::zero; }
  bool has_min() const { return form.offset == Offset::min; }

  std::string why_not(std::int64_t) const { return {}; }
  GridShape shape(std::int64_t cols) const {
    const std::int64_t group = form.grouping == Grouping::group ? form.group : cols;
    return {group, group, 1};
  }
  std::int64_t groups(std::int64_t cols) const { return ceil_div(cols, shape(cols).block); }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t, Floats w, Floats h, Fit fit) const noexcept {
    p = from_range(w);
    if (fit == Fit::range) return;
    if (std::ssize(w) > kTileWeights) {
      p = better_of(*this, p, from_search(w, h), w, h);
    } else {
      GroupTile& tile = empty_tile(std::ssize(w), h);
      tile.add(w, h);
      fit_groups(linear(), tile, &p);
    }
  }

  /// The same unit of many rows.
  void open_units(Params* params, std::int64_t, Matrix w, Floats h, Fit fit) const noexcept {
    for (std::int64_t r = 0; r < w.rows; ++r) params[r] = from_range(w.row(r));
    if (fit == Fit::range) return;
    if (w.cols > kTileWeights) {
      for (std::int64_t r = 0; r < w.rows; ++r) open_unit(params[r], 0, w.row(r), h, fit);
      return;
    }
    for (std::int64_t r = 0; r < w.rows;) {
      const std::int64_t begin = r;
      GroupTile& tile = empty_tile(w.cols, h);
      for (; r < w.rows && !tile.full(); ++r) tile.add(w.row(r), h);
      fit_groups(linear(), tile, params + begin);
    }
  }

  LinearForm linear() const noexcept {
    const auto arithmetic = form.scale == ScaleType::s16     ? Arithmetic::fp16
                            : form.scale == ScaleType::sbf16 ? Arithmetic::bf16
                                                             : Arithmetic::fp32;
    const bool may_flip = form.offset == Offset::sym && form.scale != ScaleType::pow2;
    return {lowest, highest, form.offset, may_flip, scale, offset, arithmetic};
  }

  static GroupTile& empty_tile(std::int64_t length, Floats h) noexcept {
    static thread_local GroupTile tile;
    tile.begin(length, !h.empty());
    return tile;
  }

  Params from_range(Floats w) const noexcept {
    const Range range = min_max(w);
    return from_range(range.lo, range.hi);
  }

  Params from_range(double lo, double hi) const noexcept {
    const int levels = highest - lowest;
    if (has_min()) {
      return {scale->covering.round((hi - lo) / levels), offset->nearest.round(lo), 0};
    }
    if (has_zero()) return around_zero(std::min(lo, 0.0), std::max(hi, 0.0));
    return {scale->covering.round(std::max(hi / (highest - centre), lo / (lowest - centre))), 0,
            centre};
  }

  Params around_zero(double lo, double hi) const noexcept {
    const float s = scale->covering.round((hi - lo) / (highest - lowest));
    const double z = s > 0 ? round_half_even(lowest - lo / s) : lowest;
    return {s, 0, static_cast<std::int32_t>(std::clamp<double>(z, lowest, highest))};
  }

  Params from_search(Floats w, Floats h) const noexcept {
    if (has_min()) {
      const ScaleOffset fit =
          fit_scale_offset(w, h, highest - lowest, scale->nearest, offset->nearest);
      return {fit.scale, fit.offset, 0};
    }
    const bool may_flip = form.offset == Offset::sym && form.scale != ScaleType::pow2;
    if (!has_zero()) {
      return {fit_scale(w, h, lowest - centre, highest - centre, may_flip, scale->nearest), 0,
              centre};
    }
    const ScaleZero fit = fit_scale_zero(w, h, lowest, highest, from_range(w).zero, scale->nearest);
    return {fit.scale, 0, fit.zero};
  }

  float value(const Params& p, int q) const noexcept {
    if (!has_min()) return p.scale * static_cast<float>(q - p.zero);
    return scale->arithmetic(scale->arithmetic(p.scale * static_cast<float>(q)) + p.offset);
  }

  int ways() const noexcept { return linear_ways(linear()); }
  bool take_way(Params& p, std::int64_t, int i, Floats w) const noexcept {
    return take_linear_way(linear(), centre, i, w, p);
  }
  double level(const Params& p, Code q) const noexcept {
    return has_min() ? std::numeric_limits<double>::quiet_NaN() : q - p.zero;
  }
  void set_scale(Params& p, std::int64_t, double s) const noexcept {
    p.scale = scale->nearest.round(s);
  }
  Values values() const { return linear_values(linear(), lowest + (highest - lowest + 1) / 2); }

  // w: any number of weights of the unit.
  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    const int lo = lowest - p.zero;
    const int hi = highest - p.zero;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const float k = p.scale == 0 ? 0.0f : (w[i] - p.offset) / p.scale;
      codes[i] = nearest_int(k, lo, hi) + p.zero;
      if (scale->bytes == 2 && has_min()) codes[i] = best_of_neighbours(p, w[i], codes[i]);
      decoded[i] = value(p, codes[i]);
    }
  }

  /// One weight of many rows, in vector code.
  void encode_column(const Params* params, std::int64_t, Floats w, Code* codes,
                     float* decoded) const noexcept {
    nearest_codes_of_column(linear(), w, params, codes, decoded);
  }

  /// The bytes of the walk, in vector code; false: not for such groups.
  bool quantize_row(Floats w, Floats h, Fit fit, PlanesOut out) const {
    const auto group = static_cast<std::size_t>(shape(std::ssize(w)).block);
    if (fit == Fit::search && group > kTileWeights) return false;
    static thread_local std::vector<Code> codes;
    static thread_local std::vector<Params> params;
    codes.resize(w.size());
    params.resize(static_cast<std::size_t>(groups(std::ssize(w))));
    range_row(w, group, params.data());
    if (fit == Fit::search) search_row(w, h, group, params.data());
    nearest_codes(linear(), w, group, params.data(), codes.data());
    pack(params.data(), codes, out);
    return true;
  }

  void range_row(Floats w, std::size_t group, Params* params) const {
    if (form.scale != ScaleType::pow2) return range_groups(linear(), centre, w, group, params);
    for (std::size_t b = 0; b < w.size(); b += group)
      *params++ = from_range(w.subspan(b, std::min(group, w.size() - b)));
  }

  void search_row(Floats w, Floats h, std::size_t group, Params* params) const {
    for (std::size_t b = 0; b < w.size();) {
      // A row's last group, where it is shorter, has a tile of its own.
      GroupTile& tile = empty_tile(static_cast<std::int64_t>(std::min(group, w.size() - b)), h);
      const auto count = static_cast<std::size_t>(tile.count);
      for (; !tile.full() && w.size() - b >= count && b < w.size(); b += count)
        tile.add(w.subspan(b, count), h.empty() ? h : h.subspan(b, count));
      fit_groups(linear(), tile, params);
      params += tile.groups;
    }
  }

  // Decoding in a 16-bit type rounds twice, so the nearest code on paper may not be it.
  Code best_of_neighbours(const Params& p, float w, Code q) const noexcept {
    Code best = q;
    for (const Code c : {q - 1, q + 1}) {
      if (c >= lowest && c <= highest && std::fabs(w - value(p, c)) < std::fabs(w - value(p, best)))
        best = c;
    }
    return best;
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    pack_bits(codes, form.bits, out[0]);
    const std::int64_t n = groups(static_cast<std::int64_t>(codes.size()));
    for (std::int64_t g = 0; g < n; ++g) {
      scale->store(params[g].scale, out[1] + g * scale->bytes);
      if (has_min()) offset->store(params[g].offset, out[2] + g * offset->bytes);
    }
    if (!has_zero()) return;
    static thread_local std::vector<Code> zeros;
    zeros.clear();
    std::transform(params, params + n, std::back_inserter(zeros),
                   [](const Params& p) { return p.zero; });
    pack_bits(zeros, form.bits, out[2]);
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const auto cols = static_cast<std::int64_t>(out.size());
    const auto count = static_cast<std::size_t>(groups(cols));
    static thread_local std::vector<Code> codes, zeros;
    static thread_local std::vector<Params> params;
    params.resize(count);
    zeros.resize(count);
    if (has_zero()) unpack_bits(in[2], form.bits, form.is_signed, zeros);
    for (std::size_t g = 0; g < count; ++g) {
      const auto at = static_cast<std::int64_t>(g);
      params[g] = {scale->load(in[1] + at * scale->bytes),
                   has_min() ? offset->load(in[2] + at * offset->bytes) : 0.0f,
                   has_zero()  ? zeros[g]
                   : has_min() ? 0
                               : centre};
    }
    codes.resize(out.size());
    unpack_bits(in[0], form.bits, form.is_signed, codes);
    decode_codes(linear(), codes, static_cast<std::size_t>(shape(cols).block), params.data(),
                 out.data());
  }

  // Beyond it a scale can't be stored, or decoding overflows.
  double limit() const {
    if (form.scale == ScaleType::s16 && has_min())
      return 30000;  // s q alone must stay below 65,504
    return std::min(scale->largest * (highest - centre) / 2, 0x1p126);
  }
};

// ---- spec strings

std::string spell(const AffineForm& f) {
  std::string spec =
      (f.is_signed || f.offset == Offset::min ? "int" : "uint") + std::to_string(f.bits);
  spec += f.grouping == Grouping::group     ? ":g" + std::to_string(f.group)
          : f.grouping == Grouping::channel ? ":channel"
                                            : ":tensor";
  spec += ":" + std::string(kOffsetWords[static_cast<std::size_t>(f.offset)]);
  return spec + ":" + std::string(info(f.scale).word);
}

// The whole number `text` is, or -1.
std::int64_t whole_number(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-' ? value : -1;
}

// Applies one word of a spec; false if it is none.
bool apply(std::string_view word, AffineForm& f) {
  if (word == "channel" || word == "tensor") {
    f.grouping = word == "channel" ? Grouping::channel : Grouping::tensor;
    return true;
  }
  if (word.size() > 1 && word[0] == 'g') {
    f.grouping = Grouping::group;
    f.group = whole_number(word.substr(1));
    return f.group >= 1 && f.group <= (std::int64_t{1} << 32);
  }
  for (std::size_t i = 0; i < kOffsetWords.size(); ++i) {
    if (word == kOffsetWords[i]) {
      f.offset = static_cast<Offset>(i);
      return true;
    }
  }
  for (const ScaleType t : {ScaleType::s32, ScaleType::s16, ScaleType::sbf16, ScaleType::pow2}) {
    if (word == info(t).word) {
      f.scale = t;
      return true;
    }
  }
  return false;
}

std::vector<Plane> planes_of(const Affine& codec) {
  const AffineForm& f = codec.form;
  const std::string code_type = IntFormat{f.bits, f.is_signed}.name();
  const std::int64_t group = f.grouping == Grouping::group ? f.group : 0;
  const auto floats = [&](const char* name, const ScaleTypeInfo& type) {
    return Plane{name, std::string(type.type_name), 8 * type.bytes, group};
  };
  std::vector<Plane> planes = {{"codes", code_type, f.bits, 1}, floats("scales", *codec.scale)};
  if (codec.has_zero()) planes.push_back({"zeros", code_type, f.bits, group});
  if (codec.has_min()) planes.push_back(floats("mins", *codec.offset));
  return planes;
}

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm& defaults) {
  const bool is_unsigned = spec.starts_with("uint");
  if (!is_unsigned && !spec.starts_with("int")) return nullptr;
  AffineForm f = defaults;
  f.is_signed = !is_unsigned;
  const auto wrong = [&](std::string_view word) {
    throw UsageError("grid \"" + std::string(spec) + "\"", "wrong word",
                     "[u]intN[:gK|:channel|:tensor][:sym|restricted|zero|min][:s32|s16|sbf16|pow2],"
                     " N = 2...8, 16",
                     std::string(word));
  };
  std::size_t begin = is_unsigned ? 4 : 3;
  for (bool first = true; begin <= spec.size(); first = false) {
    const std::size_t end = std::min(spec.find(':', begin), spec.size());
    const std::string_view word = spec.substr(begin, end - begin);
    if (first) {
      const std::int64_t bits = whole_number(word);
      if (!((bits >= 2 && bits <= 8) || bits == 16)) wrong(word);
      f.bits = static_cast<int>(bits);
    } else if (!apply(word, f)) {
      wrong(word);
    }
    begin = end + 1;
  }
  if (f.offset == Offset::min) f.is_signed = false;
  const Affine codec(f);
  const VectorCode<Affine> vector_code = {.open_units = &Affine::open_units,
                                          .encode_column = &Affine::encode_column,
                                          .quantize_row = &Affine::quantize_row};
  return std::make_unique<GridOf<Affine>>(codec, vector_code, spell(f), Family::affine,
                                          planes_of(codec), codec.limit(), f);
}

std::vector<std::string> examples() {
  std::vector<std::string> all;
  for (const std::string_view integer :
       {"int2", "int3", "int4", "int5", "int6", "int7", "int8", "int16", "uint2", "uint3", "uint4",
        "uint5", "uint6", "uint7", "uint8", "uint16"}) {
    for (const std::string_view form :
         {":g32:sym:s32", ":g32:restricted:s16", ":g64:zero:s32", ":g16:zero:sbf16", ":g32:min:s32",
          ":g64:min:s16", ":g128:min:sbf16", ":channel:sym:s32", ":channel:zero:s16",
          ":tensor:restricted:s32", ":tensor:zero:pow2", ":g7:sym:pow2", ":g32:min:pow2"}) {
      // With a minimum, uintN is intN under another name.
      if (integer.starts_with('u') && form.find(":min:") != form.npos) continue;
      all.push_back(std::string(integer) + std::string(form));
    }
  }
  return all;
}

}  // namespace

AffineParams affine_params(const AffineForm& form, double lo, double hi) {
  const Affine grid(form);
  const LinearParams p = grid.from_range(lo, hi);
  return {p.scale, p.offset, p.zero, grid.lowest, grid.highest};
}

extern const GridFamily grid_affine;
const GridFamily grid_affine{"int", "[u]intN[:gK|:channel|:tensor][:OFFSET][:SCALE]",
                             "linear quantization r = s (q - z) or s q + m; N = 2...8, 16; OFFSET "
                             "sym restricted zero min; SCALE s32 s16 sbf16 pow2",
                             examples, make};

}  // namespace zp
