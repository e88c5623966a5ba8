#include "source/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "format/sample_files.h"
#include "grid/grid.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = "../shared/data";

/// Sum of value times place (1, 2, ... 96, 0, 1 ...): a wrong order shows in it.
double weighted_sum(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.rows->rows() * tensor.rows->cols()));
  tensor.rows->read(0, tensor.rows->rows(), values.data());
  double sum = 0;
  std::size_t place = 0;
  for (const float v : values) sum += v * static_cast<double>(++place % 97);
  return sum;
}

TEST(Checkpoint, ShapesAsMatrices) {
  const auto shape = [](std::vector<std::int64_t> s) {
    const MatrixShape m = matrix_shape(s, "x");
    return std::pair(m.rows, m.cols);
  };
  EXPECT_EQ(shape({}), std::pair(std::int64_t{1}, std::int64_t{1}));
  EXPECT_EQ(shape({5}), std::pair(std::int64_t{1}, std::int64_t{5}));
  EXPECT_EQ(shape({2, 3, 5}), std::pair(std::int64_t{6}, std::int64_t{5}));
  EXPECT_EQ(shape({std::int64_t{1} << 62, std::int64_t{1} << 62, 0}),
            std::pair(std::int64_t{0}, std::int64_t{0}));
}

TEST(Checkpoint, AFolderGivesTensorsAndConfig) {
  const fs::path folder = fs::path(testing::TempDir()) / "zp_checkpoint";
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::ofstream(folder / "model.safetensors") << sample::safetensors_sound();
  std::ofstream(folder / "config.json") << R"({"model_type":"llama"})";
  for (const fs::path& path : {folder, folder / "model.safetensors"}) {
    const Checkpoint checkpoint = open_checkpoint(path);
    EXPECT_EQ(checkpoint.kind, "safetensors");
    EXPECT_EQ(checkpoint.config()["model_type"], "llama");
    EXPECT_TRUE(checkpoint.generation_config().is_null());
    EXPECT_EQ(weighted_sum(*checkpoint.find("a")), 1 + 4 + 9 + 16);
  }
  fs::remove_all(folder);
}

TEST(Checkpoint, AQuantizedGgufIsReadThroughItsGrid) {
  // Q8_0: a scale of 0.5 in FP16, then -16 ... 15.
  sample::Raw block;
  block.number<std::uint16_t>(0x3800);
  for (int i = -16; i < 16; ++i) block.number(static_cast<std::int8_t>(i));
  const std::string file = sample::gguf(0, {}, {{.ne = {32}, .type = 8}}, block.bytes());
  Checkpoint checkpoint;
  source_kind_of(sample::view(file))->read(sample::view(file), "x.gguf", checkpoint);
  const Tensor& tensor = checkpoint.tensors[0];
  EXPECT_EQ(tensor.type, "q8_0");
  ASSERT_NE(tensor.rows, nullptr);
  std::vector<float> values(32);
  tensor.rows->read(0, 1, values.data());
  EXPECT_EQ(values[0], -8.0F);
  EXPECT_EQ(values[31], 7.5F);
}

TEST(Checkpoint, EveryGridOfGgufTakesTheBytesOfTheFormat) {
  for (std::int32_t id = 0; id < 64; ++id) {
    const gguf::Type* type = gguf::type_of_id(id);
    if (type == nullptr || type->grid.empty()) continue;
    try {
      const auto grid = make_grid(type->grid);
      ASSERT_EQ(grid->planes().size(), 1U) << type->name;
      EXPECT_EQ(grid->row_bytes(0, 2 * type->block), 2 * type->block_bytes) << type->name;
    } catch (const UsageError&) {
      continue;  // no such grid
    }
  }
}

// Sums computed by PyTorch 2.13 and safetensors' own reader.
TEST(Checkpoint, RealFilesGiveTheValuesThatPyTorchReads) {
  struct Expected {
    const char* path;
    std::size_t tensors;
    const char* name;
    const char* type;
    double sum;
  };
  const Expected expected[] = {
      {"models/en-bn-llama", 56, "model.layers.3.mlp.down_proj.weight", "bf16", -2745.021796},
      {"models/micro-lm-gpt2", 28, "transformer.h.0.attn.c_attn.bias", "fp32", -35.45782304},
      {"models/stories260k", 47, "model.embed_tokens.weight", "fp32", -35420.94338},
      {"models/tinystories-656k", 20, "lm_head.weight", "fp32", 120245.3489},
      {"checkpoints/zip-pt/tiny_transformer.pt", 56, "token_embedding_table.weight", "fp32",
       -6337.514412},
      {"checkpoints/zip-pt/tinystoriesgru-0.2M.pt", 19, "tril", "fp32", 1578782},
      {"checkpoints/legacy-pickle/resnet20-12fca82f.th", 97, "module.conv1.weight", "fp32",
       304.6045686},
  };
  if (!fs::exists(kShared)) GTEST_SKIP() << "no real models in " << kShared;
  for (const Expected& e : expected) {
    const Checkpoint checkpoint = open_checkpoint(kShared / e.path);
    EXPECT_EQ(checkpoint.tensors.size(), e.tensors) << e.path;
    const Tensor* tensor = checkpoint.find(e.name);
    ASSERT_NE(tensor, nullptr) << e.name;
    EXPECT_EQ(tensor->type, e.type);
    EXPECT_NEAR(weighted_sum(*tensor), e.sum, 1e-8 * std::abs(e.sum)) << e.name;
  }
}

TEST(Checkpoint, ARealCheckpointThatNamesItsTrainersClassIsRefused) {
  const fs::path path = kShared / "checkpoints/zip-pt/micro-lm-base.pth";
  if (!fs::exists(path)) GTEST_SKIP() << "no " << path;
  const std::string text = sample::refusal([&] { open_checkpoint(path); });
  EXPECT_NE(text.find("esp32_llm.model.ESP32LLMConfig"), text.npos) << text;
}

TEST(Checkpoint, RealVocabulariesOfLlamaCppAreRead) {
  const fs::path folder = kShared / "gguf";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    const Checkpoint checkpoint = open_checkpoint(entry.path());
    EXPECT_TRUE(checkpoint.tensors.empty());
    EXPECT_GE(checkpoint.metadata.size(), 16U);
    ++files;
  }
  EXPECT_EQ(files, 5);
}

}  // namespace
}  // namespace zp
