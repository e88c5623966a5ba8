// For tests of folder containers: a small model, and the files a layout describes, in memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "container/container.h"
#include "format/safetensors.h"
#include "grid/plane_buffers.h"

namespace zp {

using Buffer = std::vector<std::byte>;

/// Weights with random values; names are the same in every world but for a prefix.
class FolderFixture {
 public:
  explicit FolderFixture(std::string stored_type) : stored_type_(std::move(stored_type)) {
    model.architecture = architectures().front();
    config = {{"model_type", "llama"}, {"hidden_size", 128}};
  }

  Weight& add(Role role, const std::string& name, std::int64_t rows, std::int64_t cols,
              Part part = Part::weight) {
    std::vector<float> values(static_cast<std::size_t>(rows * cols));
    for (float& v : values) v = static_cast<float>(random_.normal());
    model.derived.push_back(constant_rows(std::move(values), rows, cols));
    Weight w;
    w.use.place.role = role;
    w.use.part = part;
    w.use.hf = "hf." + name;
    w.use.module = "mlx." + name;
    w.use.rows = rows;
    w.use.cols = cols;
    w.rows = model.derived.back().get();
    w.stored_type = stored_type_;
    model.weights.push_back(std::move(w));
    return model.weights.back();
  }

  /// Every weight with the grid that `spec` of its role says, or `otherwise`.
  std::vector<Assignment> assign(const std::map<Role, std::string>& specs,
                                 const std::string& otherwise) const {
    std::vector<Assignment> all;
    for (const Weight& w : model.weights) {
      const auto found = specs.find(w.use.place.role);
      all.push_back({&w, make_grid(found == specs.end() ? otherwise : found->second)});
    }
    return all;
  }

  ContainerInput input() const { return {model, nullptr, config, no_json, folder, "tiny", {}}; }

  Model model;
  Json config;
  Json no_json;
  std::filesystem::path folder;

 private:
  std::string stored_type_;
  Random random_{1};
};

/// As a file has it.
inline Tensor stored_tensor(std::string name, std::string type, std::vector<std::int64_t> shape,
                            Bytes stored) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.type = std::move(type);
  tensor.shape = std::move(shape);
  tensor.bytes = std::ssize(stored);
  tensor.stored = stored;
  return tensor;
}

/// The planes of a job, with its grid's nearest codes.
inline PlaneBuffers nearest_planes(const TensorJob& job) {
  const std::int64_t rows = job.grid->whole_tensor() ? 1 : job.rows->rows();
  const std::int64_t cols = job.rows->rows() * job.rows->cols() / rows;
  std::vector<float> w(static_cast<std::size_t>(rows * cols));
  job.rows->read(0, job.rows->rows(), w.data());
  PlaneBuffers planes;
  job.grid->quantize({w.data(), rows, cols}, {}, Fit::range,
                     make_room(*job.grid, rows, cols, planes));
  return planes;
}

/// The layout's files by name, as writing them would leave them.
inline std::map<std::string, Buffer> written(const Layout& layout) {
  std::vector<Buffer> files;
  for (const OutputFile& f : layout.files) {
    files.emplace_back(static_cast<std::size_t>(f.copy_of.empty() ? f.bytes : 0));
    for (const auto& [offset, bytes] : f.fixed)
      std::copy(bytes.begin(), bytes.end(), files.back().begin() + offset);
    for (const auto& [offset, bytes] : f.copied)
      std::copy(bytes.begin(), bytes.end(), files.back().begin() + offset);
  }
  for (const TensorJob& job : layout.jobs) {
    const PlaneBuffers planes = nearest_planes(job);
    for (std::size_t p = 0; p < job.planes.size(); ++p) {
      const PlaneTarget& to = job.planes[p];
      const PlaneShape shape = job.plane_shape(p);
      pack_rows(to.form, shape, 0, shape.rows, planes[p], [&](std::int64_t offset, Bytes bytes) {
        std::ranges::copy(bytes, files[to.file].begin() + to.offset + offset);
      });
    }
  }
  std::map<std::string, Buffer> by_name;
  for (std::size_t i = 0; i < files.size(); ++i)
    by_name[layout.files[i].name] = std::move(files[i]);
  return by_name;
}

/// The tensor of that name in a safetensors file; fails the reading of the header's checks, if any.
inline safetensors::TensorInfo tensor_of(const Buffer& file, const std::string& name) {
  for (const safetensors::TensorInfo& t : safetensors::read_header(file, "file").tensors) {
    if (t.name == name) return t;
  }
  return {};
}

inline Json json_of(const Buffer& file) {
  return parse_json({reinterpret_cast<const char*>(file.data()), file.size()}, "json");
}

/// Element i of a tensor, as T.
template <class T>
T element(const Buffer& file, const safetensors::TensorInfo& tensor, std::int64_t i) {
  T value;
  std::memcpy(&value, file.data() + tensor.begin + i * static_cast<std::int64_t>(sizeof value),
              sizeof value);
  return value;
}

}  // namespace zp
