// Folders as llm-compressor writes them with compressed-tensors, for vLLM and transformers. Of a linear X:
//
//   grid                 format           tensors behind X
//   intN:gK, :channel    pack-quantized   weight_packed i32 [out, in N / 32], weight_scale, weight_shape i64 [2]
//     with zero                           weight_zero_point i32 [out N / 32, groups]
//   int8:channel         int-quantized    weight i8, weight_scale [out, 1]; inputs of 8 bits (W8A8)
//   fp8_e4m3:channel     float-quantized  weight f8_e4m3, weight_scale [out, 1]; inputs in FP8
//   mxfp4                mxfp4-pack-...   weight_packed u8 [out, in / 2], weight_scale u8
//   mxfp8                mxfp8-quantized  weight f8_e4m3, weight_scale u8
//   nvfp4                nvfp4-pack-...   weight_packed u8 [out, in / 2], weight_scale f8_e4m3,
//                                         weight_global_scale f32, one, that divides: 1
//
// Packed codes are counted from the lowest. config.json has a group for each grid: that of most
// parameters is for all linears, others are for modules by name, and "ignore" names those in floating
// point. Source: compressed_tensors/compressors, quantization/quant_scheme.py.
#include <algorithm>
#include <array>
#include <cstring>

#include "container/quantized_folder.h"

namespace zp {
namespace {

constexpr std::string_view kHeld =
    "hf-compressed holds fp32, fp16, bf16, [u]int2 to [u]int8 in groups or channels, \"sym\", "
    "\"restricted\" or \"zero\", scales s32, s16 or sbf16, and fp8_e4m3:channel, mxfp4, mxfp8, nvfp4";

// Of grids without a formula.
struct MicroFormat {
  std::string_view grid;
  std::string_view format;
  std::string_view codes;
  DType codes_type;
  DType scales_type;
  std::string_view strategy;
  std::string_view scales_torch;
  int bits;
  int group;
};
constexpr std::array kMicro = {
    MicroFormat{"mxfp4", "mxfp4-pack-quantized", ".weight_packed", DType::u8, DType::u8, "group",
                "torch.uint8", 4, 32},
    MicroFormat{"mxfp8", "mxfp8-quantized", ".weight", DType::f8_e4m3, DType::u8, "group",
                "torch.uint8", 8, 32},
    MicroFormat{"nvfp4", "nvfp4-pack-quantized", ".weight_packed", DType::u8, DType::f8_e4m3,
                "tensor_group", "torch.float8_e4m3fn", 4, 16},
};

const MicroFormat* micro_format(const Grid& grid) {
  const auto* found = std::ranges::find(kMicro, grid.spec(), &MicroFormat::grid);
  return found == kMicro.end() ? nullptr : found;
}

bool is_w8a8(const AffineForm& f) {
  return f.bits == 8 && f.grouping == Grouping::channel && f.offset != Offset::zero;
}

bool is_fp8(const Grid& grid) { return grid.spec().starts_with("fp8_e4m3:channel:"); }

std::string_view format_of(const Grid& grid) {
  if (is_fp8(grid)) return "float-quantized";
  if (const MicroFormat* micro = micro_format(grid)) return micro->format;
  return is_w8a8(*grid.affine()) ? "int-quantized" : "pack-quantized";
}

std::vector<std::byte> bytes_of(const auto& values) {
  std::vector<std::byte> bytes(sizeof values);
  std::memcpy(bytes.data(), &values, sizeof values);
  return bytes;
}

CodedModule micro_module(const MicroFormat& micro, const std::string& path) {
  CodedModule module{{{path + std::string(micro.codes), micro.codes_type},
                      {path + ".weight_scale", micro.scales_type}}};
  if (micro.strategy == "tensor_group")
    module.made.push_back({path + ".weight_global_scale", DType::f32, {1}, bytes_of(1.0f)});
  return module;
}

const FloatType* fp8_scale(const Grid& grid) {
  return float_type_of_grid(grid.planes()[1].type_name);
}

CodedModule fp8_module(const Grid& grid, const std::string& path) {
  return {{{path + ".weight", DType::f8_e4m3}, {path + ".weight_scale", fp8_scale(grid)->dtype}}};
}

CodedModule linear_module(const AffineForm& f, const TensorUse& use, const std::string& path) {
  const DType scale = float_type_of_scale(f.scale)->dtype;
  const std::uint32_t half = 1U << (f.bits - 1);
  if (is_w8a8(f)) {
    const PlaneForm codes = {.add = f.is_signed ? 0 : half};
    return {{{path + ".weight", DType::i8, codes}, {path + ".weight_scale", scale}}};
  }
  const PlaneForm codes = {.add = f.is_signed ? half : 0};
  PlaneForm zeros = codes;
  zeros.along = WordsAlong::column;
  CodedModule module{
      {{path + ".weight_packed", DType::i32, codes}, {path + ".weight_scale", scale}}};
  if (f.offset == Offset::zero)
    module.planes.push_back({path + ".weight_zero_point", DType::i32, zeros});
  const std::array<std::int64_t, 2> shape = {use.rows, use.cols};
  module.made.push_back({path + ".weight_shape", DType::i64, {2}, bytes_of(shape)});
  return module;
}

Json weights_words(const Grid& grid) {
  Json words = {{"symmetric", true}, {"dynamic", false}};
  if (const MicroFormat* micro = micro_format(grid)) {
    words["num_bits"] = micro->bits;
    words["type"] = "float";
    words["strategy"] = micro->strategy;
    words["group_size"] = micro->group;
    words["scale_dtype"] = micro->scales_torch;
    return words;
  }
  if (is_fp8(grid)) {
    words["num_bits"] = 8;
    words["type"] = "float";
    words["strategy"] = "channel";
    return words;
  }
  const AffineForm& f = *grid.affine();
  const bool grouped = f.grouping == Grouping::group;
  words["num_bits"] = f.bits;
  words["type"] = "int";
  words["symmetric"] = f.offset != Offset::zero;
  words["strategy"] = grouped ? "group" : "channel";
  words["group_size"] = grouped ? Json(f.group) : Json();
  return words;
}

Json group_words(const GridModules& of_grid, bool all) {
  Json group = {{"format", format_of(*of_grid.grid)},
                {"weights", weights_words(*of_grid.grid)},
                {"input_activations", nullptr},
                {"output_activations", nullptr}};
  group["targets"] = all ? Json::array({"Linear"}) : Json(of_grid.paths);
  const bool fp8 = is_fp8(*of_grid.grid);
  if (fp8 || format_of(*of_grid.grid) == "int-quantized") {
    group["input_activations"] = {{"num_bits", 8},         {"type", fp8 ? "float" : "int"},
                                  {"symmetric", true},     {"strategy", "token"},
                                  {"group_size", nullptr}, {"dynamic", true}};
  }
  return group;
}

class HfCompressed final : public QuantizedFolder {
 public:
  std::string_view name() const override { return "hf-compressed"; }
  std::string_view summary() const override {
    return "Hugging Face folder in compressed-tensors' layouts, for vLLM and transformers: packed "
           "integers, int8 and FP8 with inputs of 8 bits, micro-scaled";
  }
  std::string_view default_grid() const override { return "int4:g128"; }
  AffineForm affine_defaults(std::string_view stored_type) const override {
    AffineForm form;
    form.group = 128;
    form.scale = float_type_for(stored_type).scale;
    return form;
  }

 protected:
  std::string_view held() const override { return kHeld; }

  bool holds(const Grid& grid) const override {
    if (micro_format(grid) != nullptr || is_fp8(grid)) return true;
    const AffineForm* f = grid.affine();
    return f != nullptr && f->bits <= 8 && f->offset != Offset::min &&
           f->grouping != Grouping::tensor && float_type_of_scale(f->scale) != nullptr;
  }

  // Programs hold scales in the model's type.
  const FloatType* type_in(const Grid& grid) const override {
    return is_fp8(grid) ? fp8_scale(grid) : float_type_in(grid);
  }

  std::string why_not(const Grid& grid, const TensorUse& use) const override {
    const AffineForm* f = grid.affine();
    if (f == nullptr || f->grouping != Grouping::group) return {};
    return why_no_multiple(use.cols, f->group);
  }

  CodedModule coded(const Grid& grid, const TensorUse& use, const std::string& path,
                    const FloatType&) const override {
    if (is_fp8(grid)) return fp8_module(grid, path);
    const MicroFormat* micro = micro_format(grid);
    return micro != nullptr ? micro_module(*micro, path) : linear_module(*grid.affine(), use, path);
  }

  Json statement(std::span<const FolderModule> modules, const FloatType&) const override {
    const std::vector<GridModules> grids = by_grid(modules);
    Json groups = Json::object();
    // Of two that name a module the first counts.
    for (std::size_t i = grids.size(); i-- > 0;)
      groups["group_" + std::to_string(grids.size() - 1 - i)] = group_words(grids[i], i == 0);
    const auto other = [&](const GridModules& g) {
      return format_of(*g.grid) != format_of(*grids[0].grid);
    };
    const bool mixed = std::ranges::any_of(grids, other);
    return {{"quant_method", "compressed-tensors"},
            {"format", mixed ? "mixed-precision" : format_of(*grids[0].grid)},
            {"quantization_status", "compressed"},
            {"config_groups", std::move(groups)},
            {"ignore", left_floating(modules)},
            {"kv_cache_scheme", nullptr},
            {"global_compression_ratio", nullptr}};
  }

  std::vector<std::string> notes(std::span<const FolderModule> modules) const override {
    std::vector<std::string> notes;
    for (const GridModules& of_grid : by_grid(modules)) {
      const std::string& spec = of_grid.grid->spec();
      const AffineForm* f = of_grid.grid->affine();
      if (f != nullptr && f->offset == Offset::zero) {
        notes.push_back(spec +
                        ": transformers 5.23 reads zero-points where it is told to decode all, "
                        "CompressedTensorsConfig(dequantize=True)");
      }
      if (is_fp8(*of_grid.grid)) {
        notes.push_back(spec +
                        " is FP8_DYNAMIC there: programs round a linear's inputs to FP8, too, "
                        "with a scale for each token");
      } else if (f != nullptr && is_w8a8(*f)) {
        notes.push_back(spec +
                        " is W8A8 there: programs round a linear's inputs to 8 bits, too, "
                        "with a scale for each token; int8:g128 leaves them as they are");
      } else if (f != nullptr && 32 % f->bits != 0) {
        notes.push_back(spec +
                        ": words have no gaps, as compressed-tensors packs them since codes "
                        "may lie in two; older ones read such widths otherwise");
      }
    }
    return notes;
  }
};

constinit const HfCompressed instance;

}  // namespace

extern const Container& container_hf_compressed;
const Container& container_hf_compressed = instance;

}  // namespace zp
