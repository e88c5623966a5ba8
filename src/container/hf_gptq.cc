// Folders as AutoGPTQ and GPTQModel write them, version 1, for vLLM, GPTQModel and transformers. Of a linear X with
// `out` rows and `in` columns:
//
//   X.qweight   i32 [in N / 32, out]        codes from the lowest, a word's from one row
//   X.qzeros    i32 [groups, out N / 32]    zero-points minus 1, a word's from one group
//   X.scales    f16 or bf16 [groups, out]
//   X.g_idx     i32 [in]                    each column's group: one behind the other
//
// Grids without zero-points have half of the range for all. config.json says bits and groups of most
// modules; "dynamic" has regular expressions of modules that have others ("+:") or none ("-:"). Source:
// GPTQModel, nn_modules/qlinear, quantization/config.py.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/version.h"
#include "container/quantized_folder.h"

namespace zp {
namespace {

constexpr std::string_view kHeld =
    "hf-gptq holds fp32, fp16, bf16 and [u]int2, [u]int3, [u]int4, [u]int8 in groups of 16 to 1024, a "
    "power of two, or channels, \"sym\", \"restricted\" or \"zero\", scales s16 or sbf16";
constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array<std::int64_t, 7> kGroups = {16, 32, 64, 128, 256, 512, 1024};
constexpr std::int64_t kWord = 32;  // which rows and columns are a multiple of

std::int64_t group_of(const AffineForm& f, std::int64_t cols) {
  return f.grouping == Grouping::channel ? cols : f.group;
}

std::vector<std::byte> words(std::int64_t count, std::uint32_t word) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof word);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof word)
    std::memcpy(&bytes[at], &word, sizeof word);
  return bytes;
}

// Of one row of the array, a word's from one group: the same zero-point for all.
std::vector<std::byte> same_zeros(int bits, std::int64_t elements, std::uint32_t zero) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements * bits / 8));
  for (std::int64_t bit = 0; bit < elements * bits; ++bit) {
    if ((zero >> (bit % bits) & 1) != 0)
      bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::byte>(1 << bit % 8);
  }
  return bytes;
}

MadeTensor group_indices(const std::string& path, std::int64_t cols, std::int64_t group) {
  MadeTensor made{path + ".g_idx", DType::i32, {cols}, {}};
  for (std::int64_t c = 0; c < cols; c += group) {
    const auto of_group = words(group, static_cast<std::uint32_t>(c / group));
    made.bytes.insert(made.bytes.end(), of_group.begin(), of_group.end());
  }
  return made;
}

Json words_of(const AffineForm& f) {
  return {{"bits", f.bits},
          {"group_size", f.grouping == Grouping::channel ? -1 : f.group},
          {"sym", f.offset != Offset::zero}};
}

// A regular expression of that name alone.
std::string pattern_of(char sign, const std::string& path) {
  std::string pattern = {sign, ':', '^'};
  for (const char c : path) pattern += c == '.' ? "\\." : std::string(1, c);
  return pattern + "$";
}

class HfGptq final : public QuantizedFolder {
 public:
  std::string_view name() const override { return "hf-gptq"; }
  std::string_view summary() const override {
    return "Hugging Face folder in GPTQ's layout (version 1), for vLLM, GPTQModel and transformers: 2, "
           "3, 4 and 8 bits";
  }
  std::string_view default_grid() const override { return "int4:g128:sym"; }
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
    if (f == nullptr || f->offset == Offset::min || f->grouping == Grouping::tensor) return false;
    const bool grouped = f->grouping == Grouping::group;
    return std::ranges::find(kBits, f->bits) != kBits.end() &&
           (!grouped || std::ranges::find(kGroups, f->group) != kGroups.end()) &&
           (f->scale == ScaleType::s16 || f->scale == ScaleType::sbf16);
  }

  std::string why_not(const Grid& grid, const TensorUse& use) const override {
    if (use.rows % kWord != 0)
      return std::to_string(use.rows) + " rows are no multiple of " + std::to_string(kWord);
    const std::string why = why_no_multiple(use.cols, kWord);
    return why.empty() ? why_no_multiple(use.cols, group_of(*grid.affine(), use.cols)) : why;
  }

  CodedModule coded(const Grid& grid, const TensorUse& use, const std::string& path,
                    const FloatType&) const override {
    const AffineForm& f = *grid.affine();
    const std::int64_t group = group_of(f, use.cols);
    const std::int64_t groups = use.cols / group;
    const std::uint32_t half = 1U << (f.bits - 1);
    const std::uint32_t from_lowest = f.is_signed ? half : 0;
    const PlaneForm codes = {.transposed = true, .add = from_lowest};
    const PlaneForm scales = {.transposed = true};
    CodedModule module{{{path + ".qweight", DType::i32, codes},
                        {path + ".scales", float_type_of_scale(f.scale)->dtype, scales}}};
    const std::string zeros = path + ".qzeros";
    if (f.offset == Offset::zero) {
      module.planes.push_back(
          {zeros,
           DType::i32,
           {.along = WordsAlong::column, .transposed = true, .add = from_lowest - 1}});
    } else {
      module.made.push_back({zeros,
                             DType::i32,
                             {groups, use.rows * f.bits / kWord},
                             same_zeros(f.bits, groups * use.rows, half - 1)});
    }
    module.made.push_back(group_indices(path, use.cols, group));
    return module;
  }

  Json statement(std::span<const FolderModule> modules, const FloatType&) const override {
    const std::vector<GridModules> grids = by_grid(modules);
    Json stated = words_of(*grids[0].grid->affine());
    Json dynamic = Json::object();
    bool head = false;
    for (const FolderModule& m : modules) {
      const bool is_head = m.use == nullptr || m.use->place.layer < 0;
      head = head || (is_head && m.grid != nullptr);
      if (m.grid == nullptr && !is_head) dynamic[pattern_of('-', m.path)] = Json::object();
      if (m.grid == nullptr) continue;
      const Json own = words_of(*m.grid->affine());
      if (own != words_of(*grids[0].grid->affine())) dynamic[pattern_of('+', m.path)] = own;
    }
    if (!dynamic.empty()) stated["dynamic"] = std::move(dynamic);
    stated["quant_method"] = "gptq";
    stated["checkpoint_format"] = "gptq";
    stated["desc_act"] = false;
    stated["static_groups"] = false;
    stated["true_sequential"] = true;
    stated["damp_percent"] = 0.01;
    stated["lm_head"] = head;
    stated["pack_dtype"] = "int32";
    stated["meta"] = {{"quantizer", {"zeropoint:" + std::string(kVersion)}}};
    return stated;
  }

  std::vector<std::string> notes(std::span<const FolderModule> modules) const override {
    std::vector<std::string> notes;
    const std::vector<GridModules> grids = by_grid(modules);
    if (std::ranges::any_of(
            grids, [](const GridModules& g) { return g.grid->affine()->offset == Offset::zero; }))
      notes.emplace_back(
          "a group without negative weights has a zero-point of 0, which GPTQ's version 1 can't store: "
          "it is read as 0 here, while programs differ there; \"sym\" has no such");
    return notes;
  }
};

constinit const HfGptq instance;

}  // namespace

extern const Container& container_hf_gptq;
const Container& container_hf_gptq = instance;

}  // namespace zp
