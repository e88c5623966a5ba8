// For tests that code or train every weight many times: the bundled model's first layer alone.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json_file.h"
#include "base/mapped_file.h"
#include "format/safetensors.h"

namespace zp::sample {

/// Writes models/demo's first layer, its embedding and its tokenizer to a folder that is new: a third of
/// its weights.
inline void write_short_demo(const std::filesystem::path& folder) {
  const std::filesystem::path demo = "models/demo";
  std::filesystem::create_directory(folder);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"})
    std::filesystem::copy(demo / name, folder / name);
  Json config = read_json(demo / "config.json");
  config["num_hidden_layers"] = 1;
  std::ofstream(folder / "config.json") << config.dump();

  const MappedFile file(demo / "model.safetensors");
  safetensors::Header header = safetensors::read_header(file.bytes(), demo.string());
  std::erase_if(header.tensors, [](const safetensors::TensorInfo& tensor) {
    return tensor.name.starts_with("model.layers.") && !tensor.name.starts_with("model.layers.0.");
  });
  std::string data;
  for (const safetensors::TensorInfo& tensor : header.tensors)
    data.append(reinterpret_cast<const char*>(file.bytes().data()) + tensor.begin,
                static_cast<std::size_t>(tensor.bytes));
  const std::vector<std::byte> head = safetensors::write_header(header);
  std::ofstream out(folder / "model.safetensors", std::ios::binary);
  out.write(reinterpret_cast<const char*>(head.data()), std::ssize(head));
  out << data;
}

}  // namespace zp::sample
