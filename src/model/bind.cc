// A checkpoint's tensors given to the uses an architecture has for them.
#include <fnmatch.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/checked.h"
#include "model/architecture.h"
#include "model/gguf_rows.h"
#include "tensor/same_values.h"

namespace zp {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text.empty() ? "a scalar" : text;
}

/// Without names when the model has none.
TensorUse use_of(const Architecture& architecture, const Decoder& decoder, Role role) {
  for (TensorUse& use : tensor_uses(architecture, decoder)) {
    if (use.place.role == role && use.part == Part::weight) return std::move(use);
  }
  return {};
}

class Binder {
 public:
  Binder(const Architecture& architecture, const Decoder& decoder, std::span<const Tensor> tensors,
         const std::string& where, World world)
      : architecture_(architecture), decoder_(decoder), where_(where), world_(world) {
    for (const Tensor& tensor : tensors) {
      if (!by_name_.emplace(tensor.name, &tensor).second) {
        throw Error(where_, "tensor stands twice", {}, "\"" + tensor.name + "\"");
      }
    }
    if (!decoder.tied) return;
    Decoder untied = decoder;
    untied.tied = false;
    tied_head_ = use_of(architecture, untied, Role::head);
  }

  /// Whether the tied model stores a head that isn't its embedding.
  bool has_another_head() const {
    const TensorUse use = use_of(architecture_, decoder_, Role::embedding);
    const Tensor* head = find(tied_head_.name(world_));
    const Tensor* embedding = find(use.name(world_));
    if (head == nullptr || embedding == nullptr) return false;
    check(*head, tied_head_);
    check(*embedding, use);
    return !same_values(*head, *embedding);
  }

  void untie() { tied_head_ = {}; }

  Weight bind(const TensorUse& use, std::vector<std::unique_ptr<RowReader>>& derived) {
    const Tensor* tensor = take(use.name(world_));
    if (tensor == nullptr && use.place.role == Role::embedding)
      tensor = take(tied_head_.name(world_));
    if (tensor == nullptr) {
      const std::string& name = use.name(world_);
      throw Error(where_, "tensor missing",
                  "\"" + name + "\" of shape " + shape_text(shape_of(use)), longer_name(name));
    }
    check(*tensor, use);
    const RowReader* rows = tensor->rows.get();
    if (use.is_stacked(world_)) {
      derived.push_back(slice_rows(*rows, use.place.expert * use.rows, use.rows));
      rows = derived.back().get();
    }
    if (std::unique_ptr<RowReader> own_form = own_form_of(*rows, use)) {
      rows = own_form.get();
      derived.push_back(std::move(own_form));
    }
    return {.use = use, .rows = rows, .stored_type = tensor->type};
  }

  /// What is left must be known to be no weight.
  void finish(std::span<const Tensor> tensors) {
    take(tied_head_.name(world_));
    for (const Tensor& tensor : tensors) {
      if (!used_.contains(&tensor) && !is_ignored(tensor.name)) {
        throw Error(where_, "tensor has no use in architecture " + std::string(architecture_.name),
                    {}, "\"" + tensor.name + "\" of shape " + shape_text(tensor.shape));
      }
    }
  }

 private:
  const Tensor* find(const std::string& name) const {
    if (name.empty()) return nullptr;
    auto it = by_name_.find(name);
    const std::string_view prefix = architecture_.optional_prefix;
    if (it == by_name_.end() && world_ == World::hf && name.starts_with(prefix))
      it = by_name_.find(name.substr(prefix.size()));
    return it == by_name_.end() ? nullptr : it->second;
  }

  /// A tensor's whose name has more in front, in quotes; empty when there is none.
  std::string longer_name(const std::string& name) const {
    for (const auto& [other, tensor] : by_name_) {
      if (other.ends_with("." + name)) return "\"" + other + "\"";
    }
    return {};
  }

  const Tensor* take(const std::string& name) {
    const Tensor* tensor = find(name);
    if (tensor != nullptr) used_.insert(tensor);
    return tensor;
  }

  bool transposed(const TensorUse& use) const { return use.transposed && world_ == World::hf; }

  std::unique_ptr<RowReader> own_form_of(const RowReader& rows, const TensorUse& use) const {
    if (transposed(use)) return transposed_rows(rows);
    return world_ == World::gguf ? rows_from_gguf(rows, use, decoder_) : nullptr;
  }

  std::vector<std::int64_t> shape_of(const TensorUse& use) const {
    std::vector<std::int64_t> shape = {use.cols};
    if (use.is_matrix()) shape = {use.rows, use.cols};
    if (transposed(use)) shape = {use.cols, use.rows};
    if (use.is_stacked(world_)) shape.insert(shape.begin(), use.experts);
    return shape;
  }

  void check(const Tensor& tensor, const TensorUse& use) const {
    const std::vector<std::int64_t> expected = shape_of(use);
    const std::string where = where_ + ": tensor \"" + tensor.name + "\"";
    if (tensor.shape != expected) {
      throw Error(where, "wrong shape", shape_text(expected), shape_text(tensor.shape));
    }
    if (tensor.rows == nullptr) throw Error(where, "type can't hold weights", {}, tensor.type);
  }

  bool is_ignored(const std::string& name) const {
    if (world_ == World::gguf)
      return reads_rope_tensors(architecture_.gguf) && is_rope_tensor(name);
    const Names patterns = architecture_.ignored;
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
      return fnmatch(std::string(pattern).c_str(), name.c_str(), 0) == 0;
    });
  }

  const Architecture& architecture_;
  const Decoder& decoder_;
  const std::string& where_;
  World world_;
  std::unordered_map<std::string, const Tensor*> by_name_;
  std::unordered_set<const Tensor*> used_;
  TensorUse tied_head_;  // without names when the model isn't tied
};

}  // namespace

Model bind_model(const Architecture& architecture, Decoder decoder, std::span<const Tensor> tensors,
                 const std::string& where, World world) {
  Model model;
  model.architecture = &architecture;
  model.decoder = std::move(decoder);
  Binder binder(architecture, model.decoder, tensors, where, world);
  if (binder.has_another_head()) {
    model.decoder.tied = false;
    binder.untie();
    model.notes.emplace_back(
        "the stored head differs from the embedding and is used, though config.json ties them");
  }
  for (const TensorUse& use : tensor_uses(architecture, model.decoder)) {
    model.weights.push_back(binder.bind(use, model.derived));
  }
  binder.finish(tensors);
  return model;
}

std::int64_t Model::parameters() const {
  std::int64_t sum = 0;
  for (const Weight& w : weights)
    sum += w.use.rows * w.use.cols;  // the tensors are there: no overflow
  return sum;
}

std::int64_t Model::active_parameters() const {
  std::int64_t sum = 0;
  for (const Weight& w : weights) {
    if (w.use.place.expert < decoder.experts.chosen) sum += w.use.rows * w.use.cols;
  }
  return sum;
}

bool Model::has(Role role) const {
  return std::ranges::any_of(architecture->table, [&](const TensorRow& row) {
    return row.role == role && (row.when == nullptr || row.when(decoder));
  });
}

const Weight* Model::find(Place place) const {
  const auto found = std::ranges::find_if(
      weights, [&](const Weight& w) { return w.use.place == place && w.use.part == Part::weight; });
  return found == weights.end() ? nullptr : &*found;
}

}  // namespace zp
