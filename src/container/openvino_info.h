// What an OpenVINO model's file says of its graph as a whole.
//
//   nncf/weight_compression/mode         what most of the layers' weights are, in NNCF's words
//   nncf/weight_compression/group_size   how many of a row share a scale; -1: all
//   runtime_options/...                  what the runtime takes unless its caller says otherwise
//
// NNCF writes the first two into models that it compresses. The NPU's plugin reads them, and tools
// that list models; the CPU's and the GPU's go by the constants alone.
#pragma once

#include <span>

#include "container/container.h"
#include "format/openvino.h"

namespace zp {

/// accurate: products with activations that aren't rounded to 8 bits, and caches in FP32.
openvino::Info openvino_info(std::span<const Assignment> assignments, bool accurate);

}  // namespace zp
