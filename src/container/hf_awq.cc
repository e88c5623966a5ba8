// Folders as AutoAWQ writes them, version "gemm", for vLLM and transformers. Of a linear X with `out` rows and `in`
// columns, in groups of 32, 64 or 128:
//
//   X.qweight   i32 [in, out / 8]       codes from the lowest, a word's from one column
//   X.qzeros    i32 [groups, out / 8]   zero-points, a word's from one group
//   X.scales    f16 or bf16 [groups, out]
//
// Of eight in a word the lowest bits have the first, the next the third ... Grids without zero-points have 8
// for all. config.json says one size of groups for all modules, and names those in floating point. Source:
// AutoAWQ, awq/modules/linear/gemm.py, awq/utils/packing_utils.py.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "container/quantized_folder.h"

namespace zp {
namespace {

constexpr std::string_view kHeld =
    "hf-awq holds fp32, fp16, bf16 and [u]int4 in groups of 32, 64 or 128, \"zero\", \"sym\" or "
    "\"restricted\", scales s16 or sbf16";
constexpr std::array<std::int64_t, 3> kGroups = {32, 64, 128};
constexpr int kBits = 4;
constexpr std::int64_t kInWord = 8;
constexpr std::uint32_t kHalf = 8;  // of the codes' range
constexpr std::byte kTwoHalves{0x88};

class HfAwq final : public QuantizedFolder {
 public:
  std::string_view name() const override { return "hf-awq"; }
  std::string_view summary() const override {
    return "Hugging Face folder in AWQ's layout (gemm), for vLLM and transformers: 4 bits";
  }
  std::string_view default_grid() const override { return "int4:g128"; }
  AffineForm affine_defaults(std::string_view) const override {
    AffineForm form;
    form.group = 128;
    form.offset = Offset::zero;
    form.scale = ScaleType::s16;
    return form;
  }

 protected:
  std::string_view held() const override { return kHeld; }

  bool holds(const Grid& grid) const override {
    const AffineForm* f = grid.affine();
    return f != nullptr && f->bits == kBits && f->offset != Offset::min &&
           f->grouping == Grouping::group &&
           std::ranges::find(kGroups, f->group) != kGroups.end() &&
           (f->scale == ScaleType::s16 || f->scale == ScaleType::sbf16);
  }

  std::string why_not(const Grid& grid, const TensorUse& use) const override {
    if (use.rows % kInWord != 0)
      return std::to_string(use.rows) + " rows are no multiple of " + std::to_string(kInWord);
    return why_no_multiple(use.cols, grid.affine()->group);
  }

  CodedModule coded(const Grid& grid, const TensorUse& use, const std::string& path,
                    const FloatType&) const override {
    const AffineForm& f = *grid.affine();
    const PlaneForm codes = {.along = WordsAlong::column,
                             .transposed = true,
                             .order = {0, 2, 4, 6, 1, 3, 5, 7},
                             .add = f.is_signed ? kHalf : 0};
    CodedModule module{
        {{path + ".qweight", DType::i32, codes},
         {path + ".scales", float_type_of_scale(f.scale)->dtype, {.transposed = true}}}};
    const std::string zeros = path + ".qzeros";
    if (f.offset == Offset::zero) {
      module.planes.push_back({zeros, DType::i32, codes});
      return module;
    }
    const std::int64_t groups = use.cols / f.group;
    const auto bytes = static_cast<std::size_t>(groups * use.rows / 2);
    module.made.push_back({zeros,
                           DType::i32,
                           {groups, use.rows / kInWord},
                           std::vector<std::byte>(bytes, kTwoHalves)});
    return module;
  }

  Json statement(std::span<const FolderModule> modules, const FloatType&) const override {
    const std::vector<GridModules> grids = by_grid(modules);
    const std::int64_t group = grids[0].grid->affine()->group;
    for (const GridModules& other : grids) {
      if (other.grid->affine()->group != group) {
        throw Error("hf-awq, module \"" + other.paths[0] + "\"", "groups of another size",
                    std::to_string(group) + " in all modules",
                    std::to_string(other.grid->affine()->group));
      }
    }
    return {{"quant_method", "awq"}, {"bits", kBits},
            {"group_size", group},   {"zero_point", true},
            {"version", "gemm"},     {"modules_to_not_convert", left_floating(modules)}};
  }

  std::vector<std::string> notes(std::span<const FolderModule>) const override { return {}; }
};

constinit const HfAwq instance;

}  // namespace

extern const Container& container_hf_awq;
const Container& container_hf_awq = instance;

}  // namespace zp
