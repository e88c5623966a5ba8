// ONNX from bytes: whatever is accepted must be written the same after being read back.
#include <cstdlib>

#include "base/error.h"
#include "format/onnx.h"
#include "read_rows.h"

namespace {

void check_round_trip(zp::Bytes file) {
  const std::vector<std::byte> first = zp::onnx::write(zp::onnx::read(file, "input"));
  if (zp::onnx::write(zp::onnx::read(first, "copy")) != first) std::abort();
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
