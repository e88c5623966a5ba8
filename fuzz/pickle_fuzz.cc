// PyTorch checkpoints from bytes: both forms, and a bare pickle as the object of either.
#include "base/error.h"
#include "format/pickle.h"
#include "read_rows.h"
#include "source/pytorch_objects.h"

namespace {

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const zp::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  attempt([&] { read_rows("pytorch", file); });
  attempt([&] {
    const auto object = zp::pickle::read(file, 0, zp::pytorch::allowed_names(), "input");
    attempt([&] { zp::pytorch::storages_of(object, "input"); });
    zp::pytorch::tensors_of(object, "input");
  });
  return 0;
}
