// GGUF from bytes: the header of whatever is accepted must be written the same twice.
#include <cstdlib>

#include "base/error.h"
#include "format/gguf.h"
#include "read_rows.h"

namespace {

void check_round_trip(zp::Bytes file) {
  zp::gguf::Header first = zp::gguf::read_header(file, "input");
  std::vector<std::byte> header = zp::gguf::write_header(first);
  std::vector<std::byte> copy = header;
  if (!first.tensors.empty()) {
    const auto& last = first.tensors.back();
    copy.resize(copy.size() + static_cast<std::size_t>(last.offset + last.bytes));
  }
  zp::gguf::Header second = zp::gguf::read_header(copy, "copy");
  // Bytes and not values are compared: a float may be NaN.
  if (zp::gguf::write_header(second) != header) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  try {
    check_round_trip(file);
    read_rows("gguf", file);
  } catch (const zp::Error&) {
  }
  return 0;
}
