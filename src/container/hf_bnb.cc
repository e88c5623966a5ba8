// Folders as transformers saves them with bitsandbytes; of a linear X with `out` rows and `in` columns, in blocks of K
// weights of a row:
//
//   X.weight                                u8 [out in / 2, 1]    codes, the first of two in the high half
//   X.weight.absmax                         f32 [out in / K]      what a block is multiplied by
//   X.weight.quant_map                      f32 [16]              what each code stands for
//   X.weight.quant_state.bitsandbytes__nf4  u8                    JSON: shape, size of blocks, type (or __fp4)
//
// and of LLM.int8(), in a folder of its own, X.weight i8 [out, in] and X.SCB f32 [out].
//
// Blocks' scales are stored as they are: no grid has them quantized again ("double quantization").
// Source: bitsandbytes/functional.py, QuantState; transformers, utils/quantization_config.py.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "container/quantized_folder.h"

namespace zp {
namespace {

constexpr std::string_view kHeld =
    "hf-bnb holds fp32, fp16, bf16 and llm_int8, or nf4, fp4 in groups of 32 to 4096, a power of two";
constexpr std::array<std::int64_t, 8> kBlocks = {32, 64, 128, 256, 512, 1024, 2048, 4096};

std::int64_t block_of(const Grid& grid) { return grid.shape(1).block; }

bool is_int8(const Grid& grid) { return grid.spec() == "llm_int8"; }

// "nf4" or "fp4".
const std::string& kind_of(const Grid& grid) { return grid.planes()[0].type_name; }

template <class T>
std::vector<std::byte> bytes_of(std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

constexpr double kThreshold = 6;  // bitsandbytes' own: magnitudes beyond it are not rounded

// What codes 0 to 15 decode to with a scale of 1.
std::array<float, 16> levels_of(const Grid& grid) {
  std::array<std::byte, 8> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::byte>(2 * i << 4 | (2 * i + 1));
  constexpr float kOne = 1;
  const std::array<const std::byte*, 2> planes = {codes.data(),
                                                  reinterpret_cast<const std::byte*>(&kOne)};
  std::array<float, 16> levels{};
  grid.decode(planes, View2D<float>(levels.data(), 1, std::ssize(levels)));
  return levels;
}

class HfBnb final : public QuantizedFolder {
 public:
  std::string_view name() const override { return "hf-bnb"; }
  std::string_view summary() const override {
    return "Hugging Face folder in bitsandbytes' layout, for transformers: nf4, fp4, LLM.int8()";
  }
  std::string_view default_grid() const override { return "nf4:g64"; }
  AffineForm affine_defaults(std::string_view) const override { return {}; }

 protected:
  std::string_view held() const override { return kHeld; }

  bool holds(const Grid& grid) const override {
    return is_int8(grid) || (grid.family() == Family::codebook &&
                             std::ranges::find(kBlocks, block_of(grid)) != kBlocks.end());
  }

  std::string why_not(const Grid& grid, const TensorUse& use) const override {
    return is_int8(grid) ? "" : why_no_multiple(use.cols, block_of(grid));
  }

  CodedModule coded(const Grid& grid, const TensorUse& use, const std::string& path,
                    const FloatType& type) const override {
    const std::string weight = path + ".weight";
    if (is_int8(grid)) {
      return {{{weight, DType::i8}, {path + ".SCB", DType::f32, {}, {use.rows}}},
              {{path + ".weight_format", DType::u8, {}, {std::byte{0}}}}};  // rows as they are
    }
    const std::int64_t count = use.rows * use.cols;
    const std::array<float, 16> levels = levels_of(grid);
    const Json state = {{"quant_type", kind_of(grid)},
                        {"blocksize", block_of(grid)},
                        {"dtype", type.torch},
                        {"shape", {use.rows, use.cols}}};
    const std::string text = state.dump();
    return {{{weight, DType::u8, {}, {count / 2, 1}},
             {weight + ".absmax", DType::f32, {}, {count / block_of(grid)}}},
            {{weight + ".quant_map", DType::f32, {16}, bytes_of(std::span<const float>(levels))},
             {weight + ".quant_state.bitsandbytes__" + kind_of(grid),
              DType::u8,
              {std::ssize(text)},
              bytes_of(std::span<const char>(text))}}};
  }

  Json statement(std::span<const FolderModule> modules, const FloatType& type) const override {
    const std::vector<GridModules> grids = by_grid(modules);
    const bool int8 = is_int8(*grids[0].grid);
    for (const GridModules& other : grids) {
      if (is_int8(*other.grid) != int8) {
        throw Error("hf-bnb, module \"" + other.paths[0] + "\"", "4 bits and 8 in one folder",
                    grids[0].grid->spec() + " or the like in all modules", other.grid->spec());
      }
    }
    Json stated = {
        {"quant_method", "bitsandbytes"}, {"load_in_4bit", !int8}, {"load_in_8bit", int8}};
    if (int8) {
      stated["llm_int8_threshold"] = kThreshold;
      stated["llm_int8_has_fp16_weight"] = false;
    } else {
      stated["bnb_4bit_quant_type"] = kind_of(*grids[0].grid);
      stated["bnb_4bit_use_double_quant"] = false;
      stated["bnb_4bit_compute_dtype"] = type.torch;
      stated["bnb_4bit_quant_storage"] = "uint8";
    }
    stated["llm_int8_skip_modules"] = left_floating(modules);
    return stated;
  }

  std::vector<std::string> notes(std::span<const FolderModule> modules) const override {
    const std::vector<GridModules> grids = by_grid(modules);
    if (grids.empty() || !is_int8(*grids[0].grid)) return {};
    return {
        "bitsandbytes rounds what such linears read to 8 bits, too, with a scale for each token, but "
        "for columns with magnitudes beyond 6"};
  }
};

constinit const HfBnb instance;

}  // namespace

extern const Container& container_hf_bnb;
const Container& container_hf_bnb = instance;

}  // namespace zp
