// A checkpoint's tensors given to the uses an architecture has for them.
#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "model/architecture.h"
#include "model/beside.h"
#include "model/gguf_rows.h"
#include "model/numbered_name.h"
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
    Decoder own_keys = decoder;
    set_layers(own_keys, [](std::int64_t, Layer& layer) { layer.keys_of.reset(); });
    if (own_keys != decoder) {
      for (const TensorUse& use : tensor_uses(architecture, own_keys))
        known_.insert(use.name(world));
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
    if (const std::optional<Stacked> stacked = find_stacked(use)) {
      if (tensor != nullptr) {
        throw Error(where_, "experts stand twice", "one tensor for each, or one for all",
                    "\"" + tensor->name + "\" and \"" + stacked->tensor->name + "\"");
      }
      return bind_stacked(use, *stacked, derived);
    }
    if (tensor == nullptr && use.place.role == Role::embedding)
      tensor = take(tied_head_.name(world_));
    if (tensor == nullptr) {
      throw Error(where_, "tensor missing", wanted(use), longer_name(use.name(world_)));
    }
    check(*tensor, use);
    const RowReader* rows = tensor->rows.get();
    if (use.is_stacked(world_)) {
      derived.push_back(slice_rows(*rows, use.place.expert * use.rows, use.rows));
      rows = derived.back().get();
    }
    // Some worlds have dimensions of one besides.
    if (rows->cols() != use.cols && !transposed(use)) {
      derived.push_back(reshaped_rows(*rows, use.rows, use.cols));
      rows = derived.back().get();
    }
    if (std::unique_ptr<RowReader> own_form = own_form_of(*rows, use)) {
      rows = own_form.get();
      derived.push_back(std::move(own_form));
    }
    return {.use = use, .rows = rows, .stored_type = tensor->type};
  }

  /// What is left must be known to be no weight, or to stand beside the decoder.
  void finish(std::span<const Tensor> tensors) {
    take(tied_head_.name(world_));
    for (const Tensor& tensor : tensors) {
      if (used_.contains(&tensor) || is_ignored(tensor.name) || has_place(tensor.name) ||
          !beside_what(architecture_, decoder_, world_, tensor.name).empty()) {
        continue;
      }
      throw Error(where_, "tensor has no use in architecture " + std::string(architecture_.name),
                  {}, "\"" + tensor.name + "\" of shape " + shape_text(tensor.shape));
    }
  }

 private:
  /// A tensor that holds all experts' matrices or biases, and a role's place among its rows.
  struct Stacked {
    const StackedRow* row = nullptr;
    const Tensor* tensor = nullptr;
  };

  /// Forms in which the use may stand in a tensor of all experts.
  std::vector<const StackedRow*> stacked_rows_of(const TensorUse& use) const {
    std::vector<const StackedRow*> all;
    if (world_ != World::hf) return all;
    for (const StackedRow& row : architecture_.stacked) {
      if (row.one_mlp == (use.place.expert < 0) && row.part == use.part &&
          std::ranges::find(row.roles, use.place.role) != row.roles.end())
        all.push_back(&row);
    }
    return all;
  }

  std::optional<Stacked> find_stacked(const TensorUse& use) const {
    for (const StackedRow* row : stacked_rows_of(use)) {
      const Tensor* tensor = find(numbered_name(row->hf, use.place));
      if (tensor != nullptr) return Stacked{row, tensor};
    }
    return std::nullopt;
  }

  /// What is missing: the tensor, or those that may hold it with others.
  std::string wanted(const TensorUse& use) const {
    std::string text;
    if (stacked_rows_of(use).empty() || !architecture_.only_stacked)
      text = "\"" + use.name(world_) + "\" of shape " + shape_text(use.shape(world_));
    for (const StackedRow* row : stacked_rows_of(use))
      text += (text.empty() ? "\"" : ", or \"") + numbered_name(row->hf, use.place) + "\"";
    return text;
  }

  Weight bind_stacked(const TensorUse& use, const Stacked& stacked,
                      std::vector<std::unique_ptr<RowReader>>& derived) {
    const Tensor& tensor = *stacked.tensor;
    const StackedRow& row = *stacked.row;
    used_.insert(&tensor);
    const std::int64_t number = std::ssize(row.roles);
    const std::int64_t each = use.is_matrix() ? use.rows : use.cols;
    std::vector<std::int64_t> shape = {number * each};
    if (!row.one_mlp) shape.insert(shape.begin(), use.experts);
    if (use.is_matrix()) shape.push_back(use.cols);
    if (row.transposed) std::swap(shape[1], shape[2]);
    check(tensor, shape);
    const auto keep = [&](std::unique_ptr<RowReader> rows) -> const RowReader& {
      derived.push_back(std::move(rows));
      return *derived.back();
    };
    // Its rows are columns of the tensor where biases of an expert are one row of it.
    const bool turn = row.transposed || !use.is_matrix();
    const std::int64_t of_expert = row.one_mlp ? shape[0] : use.is_matrix() ? shape[1] : 1;
    const std::int64_t expert = std::max(use.place.expert, std::int64_t{0});
    const RowReader* rows = &keep(slice_rows(*tensor.rows, expert * of_expert, of_expert));
    if (turn) rows = &keep(transposed_rows(*rows));
    const auto role = std::ranges::find(row.roles, use.place.role) - row.roles.begin();
    rows = &keep(slice_rows(*rows, row.interleaved ? role : role * each, each,
                            row.interleaved ? number : 1));
    if (!use.is_matrix()) rows = &keep(transposed_rows(*rows));
    return {.use = use, .rows = rows, .stored_type = tensor.type};
  }

  const Tensor* find(const std::string& name) const {
    if (name.empty()) return nullptr;
    auto it = by_name_.find(name);
    const std::string_view prefix = prefix_of(architecture_, world_, name);
    if (it == by_name_.end() && !prefix.empty()) it = by_name_.find(name.substr(prefix.size()));
    return it == by_name_.end() ? find(newer_name(name)) : it->second;
  }

  /// Empty when it is the same.
  std::string newer_name(std::string name) const {
    const auto& [older, newer] = architecture_.newer_part;
    const auto at = older.empty() || world_ != World::hf ? name.npos : name.find(older);
    return at == name.npos ? std::string() : name.replace(at, older.size(), newer);
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
    if (world_ == World::mlx && architecture_.mlx.sums_norms)
      return norm_without_one(rows, use, decoder_);
    return world_ == World::gguf ? rows_from_gguf(rows, use, decoder_) : nullptr;
  }

  void check(const Tensor& tensor, const TensorUse& use) const { check(tensor, use.shape(world_)); }
  void check(const Tensor& tensor, const std::vector<std::int64_t>& expected) const {
    const std::string where = where_ + ": tensor \"" + tensor.name + "\"";
    if (tensor.shape != expected) {
      throw Error(where, "wrong shape", shape_text(expected), shape_text(tensor.shape));
    }
    if (tensor.rows == nullptr) throw Error(where, "type can't hold weights", {}, tensor.type);
  }

  /// Whether it is keys or values, or their norm, of a layer that reads another's.
  bool has_place(const std::string& name) const {
    return known_.contains(name) ||
           known_.contains(std::string(architecture_.optional_prefix) + name);
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
  std::unordered_set<std::string> known_;  // where layers read others' keys: had they their own
  TensorUse tied_head_;                    // without names when the model isn't tied
};

/// Rows multiplied by the factors that are of them.
class MultipliedRows final : public RowReader {
 public:
  MultipliedRows(const RowReader& of, std::vector<WeightFactor> factors)
      : RowReader(of.rows(), of.cols()), of_(of), factors_(std::move(factors)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    for (std::int64_t r = begin; r < begin + count; ++r) {
      const double factor = factor_of(r);
      for (std::int64_t j = 0; j < cols(); ++j, ++out) *out = static_cast<float>(*out * factor);
    }
  }

 private:
  double factor_of(std::int64_t row) const {
    double product = 1;
    for (const WeightFactor& f : factors_) {
      if (f.rows == 0 || (row >= f.begin && row < f.begin + f.rows)) product *= f.factor;
    }
    return product;
  }

  const RowReader& of_;
  std::vector<WeightFactor> factors_;
};

double factor_of(std::span<const WeightFactor> factors, Role role) {
  const auto found =
      std::ranges::find_if(factors, [&](const WeightFactor& f) { return f.role == role; });
  return found == factors.end() ? 1 : found->factor;
}

/// MLX folders have them in their weights but for what a head that is the embedding differs from it
/// by, which the norm before it takes.
void multiply(Weight& weight, std::span<const WeightFactor> factors, World world,
              std::vector<std::unique_ptr<RowReader>>& derived) {
  std::vector<WeightFactor> own;
  std::ranges::copy_if(factors, std::back_inserter(own), [&](const WeightFactor& f) {
    return f.role == weight.use.place.role && f.factor != 1 &&
           (world == World::hf || is_norm(f.role));
  });
  if (own.empty()) return;
  derived.push_back(std::make_unique<MultipliedRows>(*weight.rows, std::move(own)));
  weight.rows = derived.back().get();
}

}  // namespace

Model bind_model(const Architecture& architecture, Decoder decoder, std::span<const Tensor> tensors,
                 const std::string& where, World world) {
  Model model;
  model.architecture = &architecture;
  model.decoder = std::move(decoder);
  std::vector<WeightFactor> factors = std::exchange(model.decoder.factors, {});
  Binder binder(architecture, model.decoder, tensors, where, world);
  if (binder.has_another_head()) {
    model.decoder.tied = false;
    binder.untie();
    model.notes.emplace_back(
        "the stored head differs from the embedding and is used, though config.json ties them");
  }
  if (model.decoder.tied && !factors.empty()) {
    factors.push_back(
        {Role::output_norm, factor_of(factors, Role::head) / factor_of(factors, Role::embedding)});
  }
  for (const TensorUse& use : tensor_uses(architecture, model.decoder)) {
    model.weights.push_back(binder.bind(use, model.derived));
    multiply(model.weights.back(), factors, world, model.derived);
  }
  binder.finish(tensors);
  const auto beside = beside_decoder(architecture, model.decoder, tensors, world);
  if (!beside.empty())
    model.notes.push_back("beside what is computed: " + beside_words(count_beside(beside)));
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
