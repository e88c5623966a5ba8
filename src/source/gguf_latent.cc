#include "source/gguf_latent.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::string_view kKeys = ".attn_k_b.weight";
constexpr std::string_view kValues = ".attn_v_b.weight";
constexpr std::string_view kBoth = ".attn_kv_b.weight";

class LatentRows final : public RowReader {
 public:
  // keys: heads x rank rows of key_dim; values: heads x value_dim rows of rank.
  LatentRows(std::unique_ptr<RowReader> keys, std::unique_ptr<RowReader> values, std::int64_t heads)
      : RowReader(heads * keys->cols() + values->rows(), values->cols()),
        keys_(std::move(keys)),
        values_(std::move(values)),
        value_dim_(values_->rows() / heads) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const std::int64_t key_dim = keys_->cols();
    const std::int64_t of_head = key_dim + value_dim_;
    for (std::int64_t at = begin; at < begin + count;) {
      const std::int64_t head = at / of_head;
      const std::int64_t row = at % of_head;
      const bool is_key = row < key_dim;
      const std::int64_t some = std::min((is_key ? key_dim : of_head) - row, begin + count - at);
      if (is_key) {
        read_keys(head, row, some, out);
      } else {
        values_->read(head * value_dim_ + row - key_dim, some, out);
      }
      at += some;
      out += some * cols();
    }
  }

 private:
  // Columns [begin, begin + count) of the head's part.
  void read_keys(std::int64_t head, std::int64_t begin, std::int64_t count, float* out) const {
    thread_local std::vector<float> turned;
    turned.resize(static_cast<std::size_t>(cols() * keys_->cols()));
    keys_->read(head * cols(), cols(), turned.data());
    for (std::int64_t c = 0; c < cols(); ++c) {
      for (std::int64_t r = 0; r < count; ++r)
        out[r * cols() + c] = turned[static_cast<std::size_t>(c * keys_->cols() + begin + r)];
    }
  }

  std::unique_ptr<RowReader> keys_;
  std::unique_ptr<RowReader> values_;
  std::int64_t value_dim_;
};

Tensor joined(Tensor keys, Tensor values, std::string name, const std::string& where) {
  const auto& k = keys.shape;
  const auto& v = values.shape;
  if (k.size() != 3 || v.size() != 3 || k[0] != v[0] || k[1] != v[2])
    throw Error(where, "keys and values of heads don't fit each other",
                "heads x latent x keys, heads x values x latent", keys.name);
  if (keys.rows == nullptr || values.rows == nullptr)
    throw Error(where, "type not read", "weights of " + name, keys.type + ", " + values.type);
  Tensor both;
  both.name = std::move(name);
  both.type = keys.type == values.type ? keys.type : keys.type + "+" + values.type;
  both.shape = {k[0] * (k[2] + v[1]), k[1]};
  both.bytes = keys.bytes + values.bytes;
  both.rows = std::make_unique<LatentRows>(std::move(keys.rows), std::move(values.rows), k[0]);
  return both;
}

std::string renamed(std::string_view name, std::string_view end, std::string_view other) {
  return std::string(name.substr(0, name.size() - end.size())) + std::string(other);
}

}  // namespace

void join_latent_heads(Checkpoint& checkpoint) {
  const auto is_part = [](const Tensor& t) {
    return t.name.ends_with(kKeys) || t.name.ends_with(kValues);
  };
  if (std::ranges::none_of(checkpoint.tensors, is_part)) return;
  const std::string where = checkpoint.path.string();
  std::map<std::string, Tensor> keys;
  std::map<std::string, Tensor> values;
  std::vector<Tensor> all;
  for (Tensor& t : checkpoint.tensors) {
    if (t.name.ends_with(kKeys)) {
      keys.emplace(renamed(t.name, kKeys, kBoth), std::move(t));
    } else if (t.name.ends_with(kValues)) {
      values.emplace(renamed(t.name, kValues, kBoth), std::move(t));
    } else {
      if (t.name.ends_with(kBoth))
        throw Error(where, "keys and values of heads stand together and apart", "one of both",
                    t.name);
      all.push_back(std::move(t));
    }
  }
  for (auto& [name, of_keys] : keys) {
    const auto found = values.find(name);
    if (found == values.end())
      throw Error(where, "keys of heads without their values", renamed(name, kBoth, kValues),
                  of_keys.name);
    all.push_back(joined(std::move(of_keys), std::move(found->second), name, where));
    values.erase(found);
  }
  if (!values.empty())
    throw Error(where, "values of heads without their keys",
                renamed(values.begin()->first, kBoth, kKeys), values.begin()->second.name);
  checkpoint.replace(std::move(all));
}

}  // namespace zp
