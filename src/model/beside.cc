#include "model/beside.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/checked.h"
#include "base/human.h"
#include "model/numbered_name.h"

namespace zp {
namespace {

// [2^62, 2^62, 0] has none.
std::int64_t elements(const Tensor& tensor) {
  if (std::ranges::count(tensor.shape, 0) > 0) return 0;
  std::int64_t count = 1;
  for (const std::int64_t n : tensor.shape) count = checked_mul(count, n, tensor.name);
  return count;
}

// -1: of none.
std::int64_t layer_of(const Architecture& architecture, World world, const std::string& name) {
  for (const TensorRow& row : architecture.table) {
    const std::string_view pattern = world == World::gguf ? row.gguf : row.hf;
    const auto length = pattern.find(kNumber);
    if (length == std::string_view::npos) continue;
    std::string_view begin = pattern.substr(0, length);
    if (!name.starts_with(begin)) begin.remove_prefix(prefix_of(architecture, world, begin).size());
    std::int64_t layer = -1;
    if (name.starts_with(begin))
      std::from_chars(name.data() + begin.size(), name.data() + name.size(), layer);
    return layer;
  }
  return -1;
}

}  // namespace

const std::string& Beside::name(const std::string& alone) const {
  if (names == nullptr) return alone;
  const auto found = names->find(alone);
  return found == names->end() ? alone : found->second;
}

// A module of its own predicts further tokens in Qwen's models, layers beyond the last in others.
std::string_view beside_what(const Architecture& architecture, const Decoder& decoder, World world,
                             const std::string& name) {
  if (world == World::hf && name.starts_with("mtp.")) return "multi-token prediction";
  const bool beyond = layer_of(architecture, world, name) >= decoder.layers;
  return beyond ? architecture.beyond_layers : std::string_view();
}

std::vector<BesideTensor> beside_decoder(const Architecture& architecture, const Decoder& decoder,
                                         std::span<const Tensor> tensors, World world) {
  std::vector<BesideTensor> found;
  for (const Tensor& tensor : tensors) {
    const std::string_view what = beside_what(architecture, decoder, world, tensor.name);
    if (!what.empty()) found.push_back({what, &tensor, true});
  }
  return found;
}

std::vector<BesideCount> count_beside(std::span<const BesideTensor> tensors) {
  std::map<std::string_view, BesideCount> by_what;
  for (const BesideTensor& t : tensors) {
    BesideCount& count = by_what[t.what];
    count.what = t.what;
    count.tensors += 1;
    count.parameters = checked_add(count.parameters, elements(*t.tensor), t.tensor->name);
    count.bytes = checked_add(count.bytes, t.tensor->bytes, t.tensor->name);
  }
  std::vector<BesideCount> counts;
  for (const auto& [what, count] : by_what) counts.push_back(count);
  return counts;
}

std::string beside_words(std::span<const BesideCount> counts) {
  std::string text;
  for (const BesideCount& c : counts) {
    text += fmt::format("{}{} ({}, {} parameters, {})", text.empty() ? "" : "; ", c.what,
                        human_counted(c.tensors, "tensor"), human_count(c.parameters),
                        human_bytes(c.bytes));
  }
  return text;
}

}  // namespace zp
