// The grids of IQ1, IQ2 and IQ3 (lattice.h). Of a cell's codes the first holds the entry and its
// signs, the others are 0.
#include <cstring>
#include <type_traits>

#include "grid/grid_of.h"
#include "grid/lattice.h"
#include "number/half.h"

namespace zp {
namespace {

struct LatticeBlocks {
  using Params = LatticeParams;

  const LatticeType* type;

  std::size_t cells() const { return std::min(kLatticeCells, kLatticeBlock / type->dims); }
  std::string why_not(std::int64_t cols) const { return why_no_multiple(cols, kLatticeBlock); }
  GridShape shape(std::int64_t) const {
    const std::size_t step = type->signs == LatticeSigns::even ? 8 : type->dims;
    return {kLatticeBlock, static_cast<std::int64_t>(type->unit), static_cast<std::int64_t>(step)};
  }

  void open_block(Params& p, Floats w, Floats h, Fit fit) const noexcept {
    lattice_fit(*type, p, w, h, fit);
  }
  void open_unit(Params& p, std::int64_t u, Floats w, Floats, Fit) const noexcept {
    lattice_fit_unit(*type, p, static_cast<std::size_t>(u), w);
  }

  // What a cell of unit u decodes to.
  void decode_cell(const LatticeRecord& record, std::size_t u, Code code,
                   std::span<float> out) const {
    const float scale = fp16_to_float(record.d) * type->multiplier(record.level[u]);
    const std::array<float, 8> v = type->values(code, record.shift[u]);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = scale * v[i];
  }

  void encode(const Params& p, std::int64_t j, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    std::array<Code, kLatticeCells> found;
    const auto at = static_cast<std::size_t>(j);
    lattice_encode(*type, p, at, w, found);
    std::fill(codes.begin(), codes.end(), 0);
    for (std::size_t i = 0; i < w.size(); i += type->dims) {
      codes[i] = found[i / type->dims % kLatticeCells];
      decode_cell(p.record, at / type->unit, codes[i], decoded.subspan(i, type->dims));
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    for (std::size_t b = 0; b < codes.size(); b += kLatticeBlock, to += type->bytes) {
      LatticeRecord record = params[b / kLatticeBlock].record;
      for (std::size_t c = 0; c < cells(); ++c) record.code[c] = codes[b + c * type->dims];
      type->pack(record, to);
    }
  }

  void quantize_rows(Matrix w, Floats h, Fit fit, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    Params p;
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (std::size_t b = 0; b < static_cast<std::size_t>(w.cols); b += kLatticeBlock) {
        const Floats importance = h.empty() ? h : h.subspan(b, kLatticeBlock);
        lattice_fit(*type, p, w.row(r).subspan(b, kLatticeBlock), importance, fit);
        type->pack(p.record, to);
        to += type->bytes;
      }
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    const std::byte* from = in[0];
    for (std::size_t b = 0; b < out.size(); b += kLatticeBlock, from += type->bytes) {
      LatticeRecord record;
      type->unpack(from, record);
      for (std::size_t c = 0; c < cells(); ++c) {
        const std::size_t j = c * type->dims;
        decode_cell(record, j / type->unit, record.code[c], out.subspan(b + j, type->dims));
      }
    }
  }
};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  constexpr double kFp16Largest = 65504;
  for (const LatticeType& type : lattice_types()) {
    if (type.name != spec) continue;
    const double limit = kFp16Largest * type.multiplier(type.scales - 1) * type.top();
    return std::make_unique<GridOf<LatticeBlocks>>(
        LatticeBlocks{&type},
        VectorCode<LatticeBlocks>{.quantize_rows = &LatticeBlocks::quantize_rows},
        std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(spec), static_cast<std::int64_t>(8 * type.bytes),
                            kLatticeBlock}},
        limit);
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(lattice_types()); }

}  // namespace

extern const GridFamily grid_lattice_blocks;
const GridFamily grid_lattice_blocks{"lattice", "iq3_s iq3_xxs iq2_s iq2_xs iq2_xxs iq1_m iq1_s",
                                     "llama.cpp's blocks of 256 weights whose codes name points of "
                                     "a codebook, 4 or 8 weights at once",
                                     examples, make};

}  // namespace zp
