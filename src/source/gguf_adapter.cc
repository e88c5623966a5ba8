#include "source/gguf_adapter.h"

#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "base/error.h"
#include "model/gguf_rows.h"
#include "source/peft_adapter.h"
#include "tensor/rows.h"

namespace zp {
namespace {

using Form = std::function<std::unique_ptr<RowReader>(const RowReader& rows)>;

// The columns of a matrix stand for what its A reads, its rows for what its B gives.
std::vector<float> columns_moved(std::vector<float> a, std::int64_t inputs,
                                 const std::vector<std::int64_t>& columns, bool to_gguf) {
  std::vector<float> out(a.size());
  for (std::size_t begin = 0; begin < a.size(); begin += static_cast<std::size_t>(inputs)) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const auto other = static_cast<std::size_t>(columns[j]);
      out[begin + (to_gguf ? j : other)] = a[begin + (to_gguf ? other : j)];
    }
  }
  return out;
}

std::vector<float> rows_moved(std::vector<float> b, std::int64_t rank, const TensorUse& use,
                              const Form& form) {
  const std::unique_ptr<RowReader> rows = constant_rows(b, use.rows, rank);
  const std::unique_ptr<RowReader> moved = form(*rows);
  if (moved) moved->read(0, use.rows, b.data());
  return b;
}

void move(peft::Module& module, std::int64_t rank, const TensorUse& use, const Decoder& decoder,
          bool to_gguf) {
  const std::vector<std::int64_t> columns = gguf_columns(use, decoder);
  if (!columns.empty()) {
    module.a = columns_moved(std::move(module.a), module.inputs, columns, to_gguf);
    return;
  }
  module.b = rows_moved(std::move(module.b), rank, use, [&](const RowReader& rows) {
    return to_gguf ? gguf_rows({use, &rows, {}}, decoder) : rows_from_gguf(rows, use, decoder);
  });
}

// Of the model, by one of their names.
std::map<std::string, const TensorUse*> matrices_of(const Model& model,
                                                    std::string (*name)(const TensorUse&)) {
  std::map<std::string, const TensorUse*> out;
  for (const Weight& weight : model.weights) {
    if (weight.use.is_matrix()) out.emplace(name(weight.use), &weight.use);
  }
  return out;
}

}  // namespace

peft::Adapter adapter_from_gguf(gguf::Lora lora, const Model& model, const std::string& where) {
  const std::string_view architecture = model.architecture->gguf.name_of(model.decoder);
  if (lora.architecture != architecture)
    throw Error(where + ": general.architecture", "an adapter of another model",
                std::string(architecture), lora.architecture);
  peft::Adapter out;
  out.rank = lora.rank;
  out.alpha = lora.alpha == 0 ? static_cast<double>(lora.rank) : static_cast<double>(lora.alpha);
  const auto matrices = matrices_of(model, [](const TensorUse& use) { return use.gguf; });
  for (peft::Module& module : lora.modules) {
    const auto found = matrices.find(module.name);
    if (found == matrices.end() || found->second->place.expert >= 0)
      throw Error(where + ": tensor \"" + module.name + "\"",
                  "the model has no such matrix, so the adapter is another's");
    const TensorUse& use = *found->second;
    module.name = peft_name(use);
    // Other shapes are refused by their names where the adapter is merged.
    if (module.inputs == use.cols && module.outputs == use.rows)
      move(module, lora.rank, use, model.decoder, false);
    out.modules.push_back(std::move(module));
  }
  return out;
}

gguf::Lora adapter_to_gguf(peft::Adapter adapter, const Model& model) {
  gguf::Lora out;
  out.architecture = model.architecture->gguf.name_of(model.decoder);
  out.rank = adapter.rank;
  out.alpha = adapter.scale() * static_cast<float>(adapter.rank);
  const auto matrices = matrices_of(model, peft_name);
  for (peft::Module& module : adapter.modules) {
    const TensorUse& use = *matrices.at(module.name);
    module.name = use.gguf;
    move(module, adapter.rank, use, model.decoder, true);
    out.modules.push_back(std::move(module));
  }
  return out;
}

}  // namespace zp
