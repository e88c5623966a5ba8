#include "container/checkpoint_folder.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "container/folder_fixture.h"

namespace zp {
namespace {

std::vector<FolderTensor> tensors_of(const FolderFixture& f, const std::string& spec) {
  std::vector<FolderTensor> tensors;
  for (const Assignment& a : f.assign({}, spec)) {
    tensors.push_back({a.weight, a.weight->rows, a.grid, {{a.weight->use.hf, DType::f32}}});
  }
  return tensors;
}

TEST(CheckpointFolder, CutsShardsAtTheLimitAndIndexesThem) {
  FolderFixture f("fp32");
  for (const char* name : {"a.weight", "b.weight", "c.weight"})
    f.add(Role::query, name, 10, 10);  // 400 bytes each
  f.add(Role::query, "large.weight", 100, 10);
  f.add(Role::query, "last.weight", 10, 10);
  const auto files = written(folder_layout(tensors_of(f, "fp32"), {{"format", "pt"}}, 800));
  ASSERT_EQ(files.size(), 5u);
  const Json index = json_of(files.at("model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], 4 * 400 + 4000);
  EXPECT_EQ(index["weight_map"], Json({{"hf.a.weight", "model-00001-of-00004.safetensors"},
                                       {"hf.b.weight", "model-00001-of-00004.safetensors"},
                                       {"hf.c.weight", "model-00002-of-00004.safetensors"},
                                       {"hf.large.weight", "model-00003-of-00004.safetensors"},
                                       {"hf.last.weight", "model-00004-of-00004.safetensors"}}));
  std::size_t i = 0;
  for (const auto& [name, file] : index["weight_map"].items()) {
    const Buffer& bytes = files.at(file.get<std::string>());
    const auto t = tensor_of(bytes, name);
    const RowReader& rows = *f.model.weights[i++].rows;
    ASSERT_EQ(t.shape, (std::vector<std::int64_t>{rows.rows(), rows.cols()})) << name;
    std::vector<float> values(static_cast<std::size_t>(rows.rows() * rows.cols()));
    rows.read(0, rows.rows(), values.data());
    EXPECT_EQ(std::memcmp(bytes.data() + t.begin, values.data(), values.size() * 4), 0) << name;
  }
}

TEST(CheckpointFolder, CopiesWhatStandsBesideIntoShardsOfItsOwn) {
  FolderFixture f("fp32");
  f.add(Role::query, "a.weight", 10, 10);  // 400 bytes
  Buffer bytes(700);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7);
  const Bytes all = bytes;
  const std::vector<Tensor> tensors = [&] {
    std::vector<Tensor> made;
    made.push_back(stored_tensor("tower.half.weight", "bf16", {3, 5}, all.first(30)));
    made.push_back(stored_tensor("tower.ids", "int64", {1, 4}, all.subspan(30, 32)));
    made.push_back(stored_tensor("tower.none", "fp32", {0}, {}));
    made.push_back(stored_tensor("model.last.weight", "fp32", {9, 16}, all.subspan(100, 576)));
    return made;
  }();
  const std::map<std::string, std::string> names = {{"model.last.weight", "language.last.weight"}};
  Beside beside;
  for (const Tensor& t : tensors) beside.tensors.push_back({"tower", &t});
  beside.names = &names;
  const Layout layout = folder_layout(tensors_of(f, "fp32"), {{"format", "pt"}}, 600, beside);
  EXPECT_EQ(layout.beside.size(), 4u);
  EXPECT_EQ(layout.copied_bytes(), 30 + 32 + 576);
  const auto files = written(layout);
  const Json index = json_of(files.at("model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], 400 + 30 + 32 + 576);
  EXPECT_EQ(index["weight_map"],
            Json({{"hf.a.weight", "model-00001-of-00003.safetensors"},
                  {"tower.half.weight", "model-00002-of-00003.safetensors"},
                  {"tower.ids", "model-00002-of-00003.safetensors"},
                  {"tower.none", "model-00002-of-00003.safetensors"},
                  {"language.last.weight", "model-00003-of-00003.safetensors"}}));
  for (const Tensor& t : tensors) {
    const std::string& name = beside.name(t.name);
    const Buffer& file = files.at(index["weight_map"][name].get<std::string>());
    const auto found = tensor_of(file, name);
    EXPECT_EQ(found.shape, t.shape) << name;
    EXPECT_EQ(info(found.dtype).name, t.type) << name;
    EXPECT_TRUE(std::ranges::equal(
        Bytes(file).subspan(static_cast<std::size_t>(found.begin), t.stored.size()), t.stored))
        << name;
  }
}

TEST(CheckpointFolder, OneShardNeedsNoIndex) {
  FolderFixture f("fp32");
  f.add(Role::query, "a.weight", 10, 10);
  const Layout layout = folder_layout(tensors_of(f, "fp32"), {}, 100);
  ASSERT_EQ(layout.files.size(), 1u);
  EXPECT_EQ(layout.files[0].name, "model.safetensors");
  EXPECT_TRUE(layout.folder);
}

TEST(CheckpointFolder, KnowsItsSizeBeforeAnythingIsRead) {
  FolderFixture f("fp32");
  f.add(Role::query, "a.weight", 10, 10);
  const Layout layout = folder_layout(tensors_of(f, "fp32"), {});
  const Buffer file = written(layout).at("model.safetensors");
  EXPECT_EQ(layout.bytes(), static_cast<std::int64_t>(file.size()));
  EXPECT_EQ(
      static_cast<std::int64_t>(file.size()) - safetensors::read_header(file, "file").data_begin,
      400);
}

}  // namespace
}  // namespace zp
