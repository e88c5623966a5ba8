#include "container/hf_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "model/numbered_name.h"

namespace zp {

const StackedRow* stacked_row(const Architecture& architecture, const TensorUse& use) {
  if (!architecture.only_stacked) return nullptr;
  const auto found = std::ranges::find_if(architecture.stacked, [&](const StackedRow& row) {
    return row.one_mlp == (use.experts == 0) && row.part == use.part &&
           std::ranges::find(row.roles, use.place.role) != row.roles.end();
  });
  return found == architecture.stacked.end() ? nullptr : &*found;
}

HfTensors::HfTensors(const Architecture& architecture, std::span<const Assignment> assignments,
                     const Beside& beside)
    : architecture_(architecture), beside_(beside) {
  for (const Assignment& a : assignments) by_place_[key(a.weight->use)] = &a;
}

void HfTensors::add(const Assignment& a) {
  const TensorUse& use = a.weight->use;
  const StackedRow* stacked = stacked_row(architecture_, use);
  if (stacked != nullptr) return add_stacked(a, *stacked);
  const RowReader* rows = a.weight->rows;
  if (use.transposed) rows = keep(transposed_rows(*rows));
  push(a, use.hf, rows, use.transposed ? RowForm::transposed : RowForm::same);
}

void HfTensors::add_module(const Assignment& a, std::vector<FolderTensor::Plane> planes,
                           std::vector<MadeTensor> made) {
  const TensorUse& use = a.weight->use;
  if (stacked_row(architecture_, use) != nullptr) {
    throw Error("tensor \"" + use.hf + "\"", "what stands in one tensor with others is no module",
                "gate, up and down in floating point");
  }
  tensors_.push_back({a.weight, a.weight->rows, a.grid, std::move(planes)});
  tensors_.back().made = std::move(made);
  forms_.push_back(RowForm::same);
}

Layout HfTensors::layout(std::int64_t shard_bytes) {
  Layout layout = folder_layout(tensors_, {{"format", "pt"}}, shard_bytes, beside_);
  layout.derived = std::move(derived_);
  for (std::size_t i = 0; i < forms_.size(); ++i) layout.jobs[i].form = forms_[i];
  return layout;
}

// With the first of its roles come the others.
void HfTensors::add_stacked(const Assignment& a, const StackedRow& row) {
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

const RowReader* HfTensors::keep(std::unique_ptr<RowReader> rows) {
  derived_.push_back(std::move(rows));
  return derived_.back().get();
}

void HfTensors::push(const Assignment& a, const std::string& name, const RowReader* rows,
                     RowForm form) {
  const FloatType& type = *float_type_of_grid(a.grid->spec());
  tensors_.push_back({a.weight, rows, a.grid, {{beside_.name(name), type.dtype}}});
  tensors_.back().stacked = form == RowForm::stacked && a.weight->use.experts > 0;
  forms_.push_back(form);
}

}  // namespace zp
