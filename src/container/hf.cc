// Hugging Face folders in plain floating point: safetensors with the checkpoint's own names and
// orientation, for transformers and whatever else reads such folders. Of a model of several parts the
// others are copied, and config.json is that of all, so that it is read as what it was.

#include <algorithm>
#include <map>

#include "base/error.h"
#include "container/checkpoint_folder.h"
#include "model/numbered_name.h"

namespace zp {
namespace {

/// Tensors as checkpoints have them: transposed where the table says so, experts in one where there
/// are no tensors of single ones; by their names beside the model's other parts.
class HfTensors {
 public:
  HfTensors(const Architecture& architecture, std::span<const Assignment> assignments,
            const Beside& beside)
      : architecture_(architecture), beside_(beside) {
    for (const Assignment& a : assignments) by_place_[key(a.weight->use)] = &a;
  }

  void add(const Assignment& a) {
    const TensorUse& use = a.weight->use;
    if (use.experts > 0 && architecture_.only_stacked) return add_stacked(a, stacked_row(use));
    const RowReader* rows = a.weight->rows;
    if (use.transposed) rows = keep(transposed_rows(*rows));
    push(a, use.hf, rows, use.transposed ? RowForm::transposed : RowForm::same);
  }

  Layout layout() {
    Layout layout = folder_layout(tensors_, {{"format", "pt"}}, kShardBytes, beside_);
    layout.derived = std::move(derived_);
    for (std::size_t i = 0; i < forms_.size(); ++i) layout.jobs[i].form = forms_[i];
    return layout;
  }

 private:
  using Key = std::pair<Place, Part>;
  static Key key(const TensorUse& use) { return {use.place, use.part}; }

  const StackedRow& stacked_row(const TensorUse& use) const {
    return *std::ranges::find_if(architecture_.stacked, [&](const StackedRow& row) {
      return row.part == use.part &&
             std::ranges::find(row.roles, use.place.role) != row.roles.end();
    });
  }

  // With the first of its roles come the others.
  void add_stacked(const Assignment& a, const StackedRow& row) {
    const TensorUse& use = a.weight->use;
    if (use.place.role != row.roles.front()) return;
    const std::string name = numbered_name(row.hf, use.place);
    const Grid& grid = use.place.expert > 0 ? *tensors_.back().grid : *a.grid;
    const bool is_bias = use.part == Part::bias;
    std::vector<const RowReader*> parts;
    for (const Role role : row.roles) {
      const Assignment& part = *by_place_.at({{use.place.layer, role, use.place.expert}, use.part});
      if (part.grid->spec() != grid.spec())
        throw Error("hf, tensor \"" + name + "\"", "experts of one tensor on different grids");
      parts.push_back(is_bias ? keep(transposed_rows(*part.weight->rows)) : part.weight->rows);
    }
    const RowReader* rows = parts.front();
    if (parts.size() > 1) rows = keep(stacked_rows(std::move(parts), row.interleaved));
    if (row.transposed || is_bias) rows = keep(transposed_rows(*rows));
    push(a, name, rows, RowForm::stacked);
  }

  const RowReader* keep(std::unique_ptr<RowReader> rows) {
    derived_.push_back(std::move(rows));
    return derived_.back().get();
  }

  void push(const Assignment& a, const std::string& name, const RowReader* rows, RowForm form) {
    const FloatType& type = *float_type_of_grid(a.grid->spec());
    tensors_.push_back({a.weight, rows, a.grid, {{beside_.name(name), type.dtype}}});
    tensors_.back().stacked = form == RowForm::stacked;
    forms_.push_back(form);
  }

  const Architecture& architecture_;
  const Beside& beside_;
  std::map<Key, const Assignment*> by_place_;
  std::vector<std::unique_ptr<RowReader>> derived_;
  std::vector<FolderTensor> tensors_;
  std::vector<RowForm> forms_;
};

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
    const Beside beside = input.beside == nullptr ? Beside() : *input.beside;
    const bool whole = beside.config != nullptr;
    HfTensors tensors(*input.model.architecture, assignments, beside);
    FloatVote types;
    for (const Assignment& a : assignments) {
      types.add(*float_type_of_grid(a.grid->spec()), a.weight->use);
      tensors.add(a);
    }
    Layout layout = tensors.layout();
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
