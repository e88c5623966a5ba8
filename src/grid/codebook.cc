// 4-bit codebooks with an FP32 scale for each group of K weights of a row: r = s level(code).
//
//   nf4   quantiles of the normal distribution (Dettmers et al., "QLoRA", 2023, appendix E)
//   fp4   bitsandbytes' own FP4: 0, 1/192, 1/6, 1/4, 1/3, 1/2, 2/3, 1 with a sign above
//
// Levels are those of bitsandbytes' tables, in FP32. Planes: codes, two to a byte with the first
// one above, rows padded with 0; scales. `range` takes the largest magnitude for the scale, as
// bitsandbytes does. Its second quantization, of the scales, is not made here.
#include "grid/codebook.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "grid/grid_of.h"
#include "grid/scale_type.h"
#include "kernel/range.h"

namespace zp {
namespace {

constexpr Codebook codebook(std::string_view name, const std::array<float, 16>& levels) {
  Codebook book{.name = name, .levels = levels, .sorted = levels, .code = {}, .middles = {}};
  std::ranges::sort(book.sorted);
  const auto end = std::unique(book.sorted.begin(), book.sorted.end());
  std::fill(end, book.sorted.end(), *(end - 1));
  for (std::size_t k = 0; k < 16; ++k) {
    const auto* first = std::ranges::find(book.levels, book.sorted[k]);
    book.code[k] = static_cast<std::uint8_t>(first - book.levels.begin());
    // The same level twice has no middle: nothing lies above it.
    if (k > 0) {
      book.middles[k - 1] = book.sorted[k] == book.sorted[k - 1]
                                ? std::numeric_limits<float>::infinity()
                                : 0.5f * (book.sorted[k - 1] + book.sorted[k]);
    }
  }
  return book;
}

constexpr std::array kBooks = {
    codebook("nf4", {-1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
                     -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
                     0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
                     0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
                     0.7229568362236023f, 1.0f}),
    codebook("fp4", {0.0f, 5.208333333e-03f, 0.66666667f, 1.0f, 0.33333333f, 0.5f, 0.16666667f,
                     0.25f, -0.0f, -5.208333333e-03f, -0.66666667f, -1.0f, -0.33333333f, -0.5f,
                     -0.16666667f, -0.25f}),
};

struct CodebookGrid {
  const Codebook* book;
  std::int64_t group;

  struct Params {
    float scale;
  };

  std::string why_not(std::int64_t) const { return {}; }
  GridShape shape(std::int64_t) const { return {group, group, 1}; }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}
  void open_unit(Params& p, std::int64_t, Floats w, Floats h, Fit fit) const noexcept {
    const Range range = min_max(w);
    p.scale = std::max(range.hi, -range.lo);
    if (fit == Fit::search) p = better_of(*this, p, Params{codebook_scale(*book, w, h)}, w, h);
  }

  int ways() const noexcept { return static_cast<int>(book->levels.size()); }
  bool take_way(Params& p, std::int64_t u, int i, Floats w) const noexcept {
    return take_level(*this, p, u, ways() - 1 - i, w);
  }
  double level(const Params&, Code code) const noexcept {
    return book->levels[static_cast<std::size_t>(code)];
  }
  void set_scale(Params& p, std::int64_t, double s) const noexcept {
    p.scale = static_cast<float>(s);
  }
  Values values() const {
    Values values;
    for (const float level : book->sorted) values.levels.push_back(level);
    values.scale = scale_range(info(ScaleType::s32));
    return values;
  }

  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    const float inverse = codebook_inverse(p.scale);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::size_t k = codebook_nearest(*book, w[i], inverse);
      codes[i] = book->code[k];
      decoded[i] = p.scale * book->levels[book->code[k]];
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    for (std::size_t i = 0; i < codes.size(); i += 2) {
      const Code second = i + 1 < codes.size() ? codes[i + 1] : 0;
      out[0][i / 2] = static_cast<std::byte>(codes[i] << 4 | second);
    }
    const std::size_t groups =
        (codes.size() + static_cast<std::size_t>(group) - 1) / static_cast<std::size_t>(group);
    for (std::size_t g = 0; g < groups; ++g)
      std::memcpy(out[1] + 4 * g, &params[g].scale, sizeof(float));
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const auto size = static_cast<std::size_t>(group);
    for (std::size_t i = 0; i < out.size(); ++i) {
      float scale;
      std::memcpy(&scale, in[1] + 4 * (i / size), sizeof scale);
      const auto pair = std::to_integer<unsigned>(in[0][i / 2]);
      out[i] = scale * book->levels[i % 2 == 0 ? pair >> 4 : pair & 15];
    }
  }
};

/// The group of "nf4" or "nf4:g128"; 0 if the words are no such thing.
std::int64_t group_of(std::string_view words) {
  if (words.empty()) return 64;  // bitsandbytes' default
  if (!words.starts_with(":g")) return 0;
  std::int64_t group = 0;
  const char* last = words.data() + words.size();
  const auto [end, error] = std::from_chars(words.data() + 2, last, group);
  return error == std::errc() && end == last && words[2] != '-' && group <= 1 << 16 ? group : 0;
}

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  for (const Codebook& book : kBooks) {
    if (!spec.starts_with(book.name)) continue;
    const std::string_view words = spec.substr(book.name.size());
    const std::int64_t group = group_of(words);
    if (group < 1) {
      throw UsageError("grid \"" + std::string(spec) + "\"", "wrong word",
                       std::string(book.name) + ":gK, K = 1...65536", std::string(words));
    }
    return std::make_unique<GridOf<CodebookGrid>>(
        CodebookGrid{&book, group}, VectorCode<CodebookGrid>{},
        std::string(book.name) + ":g" + std::to_string(group), Family::codebook,
        std::vector<Plane>{{"codes", std::string(book.name), 4, 1}, {"scales", "fp32", 32, group}},
        0x1.FFFFFEp127);
  }
  return nullptr;
}

std::vector<std::string> examples() { return {"nf4:g64", "nf4:g32", "nf4:g7", "fp4:g64"}; }

}  // namespace

float codebook_inverse(float scale) noexcept {
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

std::size_t codebook_nearest(const Codebook& book, float w, float inverse) noexcept {
  const float y = w * inverse;
  std::size_t above = 0;
  for (const float middle : book.middles) above += y > middle ? 1 : 0;
  return above;
}

extern const GridFamily grid_codebook;
const GridFamily grid_codebook{"codebook", "nf4[:gK] fp4[:gK]",
                               "bitsandbytes' codebooks of sixteen levels, an FP32 scale for each "
                               "group of 64 weights if not said otherwise",
                               examples, make};

}  // namespace zp
