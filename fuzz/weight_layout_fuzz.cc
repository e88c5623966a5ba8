// A folder's quantization_config, a line, and its safetensors file behind it: modules that are
// joined must give their rows.
#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "read_rows.h"
#include "source/weight_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  const auto end = std::find(file.begin(), file.end(), std::byte{'\n'});
  if (end == file.end()) return 0;
  const std::string stated(reinterpret_cast<const char*>(data),
                           static_cast<std::size_t>(end - file.begin()));
  try {
    zp::Checkpoint checkpoint;
    checkpoint.config() = zp::Json::object();
    checkpoint.config()["quantization_config"] = zp::parse_json(stated, "config");
    add_tensors("safetensors", file.subspan(stated.size() + 1), checkpoint);
    zp::join_weight_layouts(checkpoint);
    read_rows(checkpoint);
  } catch (const zp::Error&) {
  }
  return 0;
}
