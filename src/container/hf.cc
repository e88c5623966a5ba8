// Hugging Face folders in plain floating point: safetensors with the checkpoint's own names and
// orientation, for transformers and whatever else reads such folders.

#include "container/checkpoint_folder.h"

namespace zp {
namespace {

class Hf final : public Container {
 public:
  std::string_view name() const override { return "hf"; }
  std::string_view summary() const override {
    return "Hugging Face folder of safetensors in FP32, FP16 or BF16";
  }
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return true; }
  std::string_view default_grid() const override { return "bf16"; }
  AffineForm affine_defaults(std::string_view) const override { return {}; }

  std::vector<Rule> rules(std::string_view grid, const ContainerInput&) const override {
    return {{"", std::string(grid), "what was asked for"}};
  }

  Verdict accepts(const Grid& grid, const TensorUse&) const override {
    if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
    return {false, "hf holds fp32, fp16 and bf16"};
  }

  std::string fallback(const Grid&, const Weight&) const override { return {}; }

  Layout layout(const ContainerInput& input,
                std::span<const Assignment> assignments) const override {
    std::vector<std::unique_ptr<RowReader>> derived;
    std::vector<FolderTensor> tensors;
    FloatVote types;
    for (const Assignment& a : assignments) {
      const FloatType& type = *float_type_of_grid(a.grid->spec());
      types.add(type, a.weight->use);
      const RowReader* rows = a.weight->rows;
      if (a.weight->use.transposed) {
        derived.push_back(transposed_rows(*rows));
        rows = derived.back().get();
      }
      tensors.push_back({a.weight, rows, a.grid, {{a.weight->use.hf, type.dtype}}});
    }
    Layout layout = folder_layout(tensors, {{"format", "pt"}});
    layout.derived = std::move(derived);
    for (TensorJob& job : layout.jobs) {
      if (job.weight->use.transposed) job.form = RowForm::transposed;
    }
    add_json(layout, "config.json", folder_config(input, types.winner()));
    add_companions(layout, input);
    add_transformers_notes(layout, input);
    return layout;
  }
};

constinit const Hf instance;

}  // namespace

extern const Container& container_hf;
const Container& container_hf = instance;

}  // namespace zp
