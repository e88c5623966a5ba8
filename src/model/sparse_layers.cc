#include "model/sparse_layers.h"

#include <algorithm>

namespace zp {

void read_sparse_layers(ConfigReader& fields, Decoder& d) {
  const std::int64_t step = fields.count("decoder_sparse_step", kMostLayers, 1);
  const std::vector<std::int64_t> dense = fields.indices("mlp_only_layers", d.layers);
  set_experts(d, [&](std::int64_t layer) {
    return (layer + 1) % step == 0 && std::ranges::count(dense, layer) == 0;
  });
}

void write_sparse_layers(const Decoder& d, Json& config) {
  config["decoder_sparse_step"] = 1;
  Json dense = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (!d.layer(i).experts) dense.push_back(i);
  }
  config["mlp_only_layers"] = std::move(dense);
}

}  // namespace zp
