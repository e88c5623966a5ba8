// safetensors from bytes: whatever is accepted must read back equal after being written again.
#include <cstdlib>

#include "base/error.h"
#include "format/safetensors.h"
#include "read_rows.h"

namespace {

void check_round_trip(zp::Bytes file) {
  zp::safetensors::Header first = zp::safetensors::read_header(file, "input");
  const zp::Bytes data = file.subspan(static_cast<std::size_t>(first.data_begin));
  std::vector<std::byte> copy = zp::safetensors::write_header(first);
  copy.insert(copy.end(), data.begin(), data.end());
  const zp::safetensors::Header second = zp::safetensors::read_header(copy, "copy");
  if (first.metadata != second.metadata || first.tensors.size() != second.tensors.size())
    std::abort();
  for (std::size_t i = 0; i < first.tensors.size(); ++i) {
    const auto& a = first.tensors[i];
    const auto& b = second.tensors[i];
    if (a.name != b.name || a.dtype != b.dtype || a.shape != b.shape || a.begin != b.begin ||
        a.bytes != b.bytes)
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  try {
    check_round_trip(file);
    read_rows("safetensors", file);
  } catch (const zp::Error&) {
  }
  return 0;
}
