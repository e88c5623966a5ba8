// Hugging Face's safetensors. F8_E8M0, F4 and complex types are refused.
#include "format/safetensors.h"

#include <cstring>

#include "source/checkpoint.h"

namespace zp {
namespace {

constexpr std::size_t kLengthBytes = 8;

// "{" where the header begins; any file begins with eight bytes that could be a length.
bool recognizes(Bytes file) {
  if (file.size() <= kLengthBytes || file[kLengthBytes] != std::byte{'{'}) return false;
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  return length >> 32 == 0;  // and a GGUF version stands in the upper half
}

void read(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  safetensors::Header header = safetensors::read_header(file, where);
  // What mlx-lm writes of itself.
  if (const auto format = header.metadata.find("format");
      format != header.metadata.end() && format->second == "mlx") {
    checkpoint.world = World::mlx;
  }
  for (safetensors::TensorInfo& t : header.tensors) {
    const auto [rows, cols] = matrix_shape(t.shape, where);
    Tensor tensor;
    tensor.name = std::move(t.name);
    tensor.type = info(t.dtype).name;
    tensor.shape = std::move(t.shape);
    tensor.bytes = t.bytes;
    tensor.stored =
        file.subspan(static_cast<std::size_t>(t.begin), static_cast<std::size_t>(t.bytes));
    if (info(t.dtype).floating) tensor.rows = stored_rows(tensor.stored, t.dtype, rows, cols);
    checkpoint.add(std::move(tensor), where);
  }
}

}  // namespace

extern const SourceKind source_safetensors;
const SourceKind source_safetensors = {
    "safetensors",
    "safetensors: a file, a folder, shards with an index; Hugging Face's, also quantized by GPTQ, AWQ, "
    "compressed-tensors, bitsandbytes, ModelOpt or in FP8, and MLX's",
    recognizes, read};

}  // namespace zp
