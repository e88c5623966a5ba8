// Hugging Face folders in plain floating point: safetensors with the checkpoint's own names and
// orientation, for transformers and whatever else reads such folders. Of a model of several parts the
// others are copied, and config.json is that of all, so that it is read as what it was.

#include "container/hf_tensors.h"

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
  bool splits() const override { return true; }
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
    const Beside beside = input.beside == nullptr ? Beside() : *input.beside;
    const bool whole = beside.config != nullptr;
    HfTensors tensors(*input.model.architecture, assignments, beside);
    FloatVote types;
    for (const Assignment& a : assignments) {
      types.add(*float_type_of_grid(a.grid->spec()), a.weight->use);
      tensors.add(a);
    }
    Layout layout = tensors.layout(shard_bytes(input));
    add_json(layout, "config.json",
             whole ? whole_config(input, types.winner())
                   : folder_config(input, types.winner(), !layout.beside.empty()));
    add_companions(layout, input);
    if (whole) add_companions_of_whole(layout, input);
    add_transformers_notes(layout, input);
    return layout;
  }
};

constinit const Hf instance;

}  // namespace

extern const Container& container_hf;
const Container& container_hf = instance;

}  // namespace zp
