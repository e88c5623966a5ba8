// ONNX from bytes: whatever is accepted must be written the same after being read back, and differ
// from itself in nothing; from another graph it may differ in anything.
#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "format/onnx.h"
#include "format/onnx_difference.h"
#include "read_rows.h"

namespace {

void check_round_trip(zp::Bytes file) {
  const zp::onnx::Model model = zp::onnx::read(file, "input");
  const std::vector<std::byte> first = zp::onnx::write(model);
  if (zp::onnx::write(zp::onnx::read(first, "copy")) != first) std::abort();
  if (const auto difference = zp::onnx::first_difference(model, model);
      difference && difference->found != "two") {
    std::abort();  // one name twice is no graph
  }
  zp::onnx::Model other;
  zp::onnx::first_difference(model, other);
  other = model;
  std::reverse(other.nodes.begin(), other.nodes.end());
  zp::onnx::first_difference(model, other);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  try {
    check_round_trip(file);
    read_rows("onnx", file);
  } catch (const zp::Error&) {
  }
  return 0;
}
