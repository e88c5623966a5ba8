// imatrix files from bytes, both forms: what is accepted must come back from being written.
#include <cstdlib>

#include "base/error.h"
#include "format/imatrix.h"

namespace {

void check_round_trip(zp::Bytes file) {
  const zp::Imatrix first = zp::read_imatrix(file, "input");
  if (!zp::is_imatrix(file)) std::abort();
  for (const zp::ImatrixEntry& e : first.entries) {
    if (e.importance().size() > e.sums.size()) std::abort();
    if (e.name.size() > 48) return;  // GGUF takes names of 63 bytes with what is added
  }
  const zp::Imatrix second = zp::read_imatrix(zp::write_imatrix(first), "copy");
  if (second.entries.size() != first.entries.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  try {
    check_round_trip(file);
  } catch (const zp::Error&) {
  }
  return 0;
}
