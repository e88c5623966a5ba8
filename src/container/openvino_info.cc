#include "container/openvino_info.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "container/openvino_weights.h"

namespace zp {
namespace {

struct Mode {
  std::string_view codes;
  std::string_view scales;  ///< empty: any
  std::string_view name;
};
constexpr std::array kModes = {
    Mode{"u4", "", "int4_asym"},
    Mode{"i4", "", "int4_sym"},
    Mode{"u8", "", "int8_asym"},
    Mode{"i8", "", "int8_sym"},
    Mode{"nf4", "", "nf4"},
    Mode{"f4e2m1", "f8e8m0", "mxfp4"},
    Mode{"f4e2m1", "f8e4m3", "nvfp4"},
    Mode{"f8e4m3", "f8e8m0", "mxfp8_e4m3"},
};

// A mode and a group size.
using Compression = std::pair<std::string_view, std::int64_t>;

void add_compression(openvino::Info& info, std::span<const Assignment> assignments) {
  std::map<Compression, std::int64_t> weights;
  for (const Assignment& a : assignments) {
    const std::vector<OpenVinoPlane> planes = openvino_planes(a);
    if (a.weight->use.place.layer < 0 || planes.size() < 2) continue;
    const auto* mode = std::ranges::find_if(kModes, [&](const Mode& m) {
      return m.codes == planes[0].type && (m.scales.empty() || m.scales == planes[1].type);
    });
    if (mode == kModes.end()) continue;
    const std::int64_t group = planes[0].shape.size() > 2 ? planes[0].shape[2] : -1;
    weights[{mode->name, group}] += a.weight->use.rows * a.weight->use.cols;
  }
  if (weights.empty()) return;
  const auto by_count = [](const auto& pair) { return pair.second; };
  const Compression most = std::ranges::max_element(weights, {}, by_count)->first;
  info.emplace_back("nncf/weight_compression/mode", most.first);
  info.emplace_back("nncf/weight_compression/group_size", std::to_string(most.second));
}

}  // namespace

openvino::Info openvino_info(std::span<const Assignment> assignments, bool accurate) {
  openvino::Info info;
  add_compression(info, assignments);
  if (accurate) {
    info.emplace_back("runtime_options/DYNAMIC_QUANTIZATION_GROUP_SIZE", "0");
    info.emplace_back("runtime_options/KV_CACHE_PRECISION", "f32");
  }
  return info;
}

}  // namespace zp
