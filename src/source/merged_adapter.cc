#include "source/merged_adapter.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/human.h"
#include "base/json_fields.h"
#include "tensor/merged_rows.h"

namespace zp {
namespace {

constexpr std::string_view kFirst = ".lora_A.";
constexpr std::string_view kSecond = ".lora_B.";
constexpr std::string_view kWeight = ".weight";
constexpr std::int64_t kMostRank = 1 << 16;

struct Adapter {
  std::int64_t rank = 0;
  float scale = 0;  // alpha / r
};

std::string end_of(std::string_view which, const std::string& name) {
  return std::string(which) + name + std::string(kWeight);
}

Adapter read_adapter(const Checkpoint& checkpoint, const std::string& name,
                     const std::string& where) {
  const std::string field = name + "_lora";
  const Json* found = checkpoint.whole == nullptr ? nullptr : checkpoint.whole->config.find(field);
  if (found == nullptr || !found->is_object())
    throw Error(where, "no adapter of that name", "config.json with \"" + field + "\"", name);
  const JsonFields fields(*found, where + ": \"" + field + "\"");
  Adapter adapter;
  adapter.rank = fields.integer("r");
  if (adapter.rank < 1 || adapter.rank > kMostRank) {
    throw Error(fields.where() + ": \"r\"", "no rank of an adapter",
                "1 to " + std::to_string(kMostRank), std::to_string(adapter.rank));
  }
  adapter.scale = static_cast<float>(fields.real("lora_alpha") / static_cast<double>(adapter.rank));
  return adapter;
}

Tensor* find(std::vector<Tensor>& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

void check(const Tensor* tensor, std::int64_t rows, std::int64_t cols, const std::string& name,
           const std::string& where) {
  const std::string expected = fmt::format("\"{}\" of shape {} x {}", name, rows, cols);
  if (tensor == nullptr) throw Error(where, "tensor missing", expected);
  if (tensor->rows == nullptr || tensor->shape != std::vector{rows, cols})
    throw Error(where, "wrong shape or type of an adapter's matrix", expected);
}

}  // namespace

void merge_adapter(Checkpoint& checkpoint, const std::string& name) {
  const std::string where = checkpoint.path.string();
  const Adapter adapter = read_adapter(checkpoint, name, where);
  std::vector<Tensor> of_adapter;
  const auto stays = [&](const OtherTensor& other) {
    return !other.tensor.name.ends_with(end_of(kFirst, name)) &&
           !other.tensor.name.ends_with(end_of(kSecond, name));
  };
  std::vector<OtherTensor>& beside = checkpoint.beside;
  const auto taken = std::stable_partition(beside.begin(), beside.end(), stays);
  for (auto other = taken; other != beside.end(); ++other)
    of_adapter.push_back(std::move(other->tensor));
  beside.erase(taken, beside.end());
  std::int64_t merged = 0;
  for (Tensor& a : of_adapter) {
    const std::string end = end_of(kFirst, name);
    if (!a.name.ends_with(end)) continue;
    const std::string path = a.name.substr(0, a.name.size() - end.size());
    Tensor* weight = find(checkpoint.tensors, path + std::string(kWeight));
    if (weight == nullptr || weight->rows == nullptr || weight->shape.size() != 2)
      throw Error(where, "an adapter beside no matrix", {}, "\"" + a.name + "\"");
    const std::string second = path + end_of(kSecond, name);
    Tensor* b = find(of_adapter, second);
    check(&a, adapter.rank, weight->shape[1], a.name, where);
    check(b, weight->shape[0], adapter.rank, second, where);
    weight->rows =
        merged_rows(std::move(weight->rows), std::move(a.rows), std::move(b->rows), adapter.scale);
    weight->stored = {};
    ++merged;
  }
  if (merged == 0 || 2 * merged != std::ssize(of_adapter))
    throw Error(where, "an adapter with a part missing", "two matrices beside each that it changes",
                human_counted(std::ssize(of_adapter), "tensor"));
  checkpoint.whole.reset();
  checkpoint.notes.push_back(fmt::format(
      "adapter \"{}\" merged: {} of rank {}, times {:g}; what was trained beside it is left out",
      name, human_counted(merged, "tensor"), adapter.rank, adapter.scale));
}

}  // namespace zp
