#include "source/gguf_adapter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "format/sample_files.h"
#include "model/gguf_rows.h"
#include "model/sample_models.h"
#include "source/peft_adapter.h"
#include "tensor/merged_rows.h"

namespace zp {
namespace {

constexpr std::int64_t kRank = 2;

std::vector<float> small(std::int64_t count, Random& random) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back((static_cast<float>(random.below(5)) - 2) / 8);
  return out;
}

bool is_adapted(const TensorUse& use) {
  return use.is_matrix() && use.place.layer >= 0 && use.place.expert < 0;
}

peft::Adapter adapter_of(const Model& model) {
  peft::Adapter out;
  out.rank = kRank;
  out.alpha = 3;
  Random random(3);
  for (const Weight& weight : model.weights) {
    const TensorUse& use = weight.use;
    if (!is_adapted(use)) continue;
    out.modules.push_back({peft_name(use), use.cols, use.rows, small(kRank * use.cols, random),
                           small(kRank * use.rows, random)});
  }
  return out;
}

std::vector<float> all_of(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), out.data());
  return out;
}

std::vector<float> in_gguf(const Weight& weight, const Decoder& decoder) {
  const std::unique_ptr<RowReader> moved = gguf_rows(weight, decoder);
  return all_of(moved ? *moved : *weight.rows);
}

std::unique_ptr<RowReader> merged(const RowReader& rows, const peft::Module& module, float scale) {
  return merged_rows(std::shared_ptr<const RowReader>(std::shared_ptr<void>(), &rows),
                     constant_rows(module.a, kRank, module.inputs),
                     constant_rows(module.b, module.outputs, kRank), scale);
}

// The matrices of a model's GGUF with the adapter in its form are those of the model with the adapter:
// queries' and keys' rows are interleaved in some, values go in tiles, by rows and by columns, in others.
TEST(GgufAdapter, AddsToTheGgufsMatricesWhatItAddsToTheModels) {
  for (const SampleModel& sample : sample_models()) {
    const Model& model = sample.model;
    if (!model.architecture->multiplied.empty()) continue;  // which check_adaptable() refuses
    const peft::Adapter adapter = adapter_of(model);
    const gguf::Lora lora = adapter_to_gguf(adapter, model);
    EXPECT_EQ(lora.architecture, model.architecture->gguf.name_of(model.decoder));
    EXPECT_EQ(lora.alpha, 3.0f);
    std::size_t i = 0;
    for (const Weight& weight : model.weights) {
      if (!is_adapted(weight.use)) continue;
      EXPECT_EQ(lora.modules[i].name, weight.use.gguf);
      Weight with = weight;
      const auto sum = merged(*weight.rows, adapter.modules[i], adapter.scale());
      with.rows = sum.get();
      const std::vector<float> plain = in_gguf(weight, model.decoder);
      const auto rows = constant_rows(plain, weight.use.rows, weight.use.cols);
      EXPECT_EQ(all_of(*merged(*rows, lora.modules[i], adapter.scale())),
                in_gguf(with, model.decoder))
          << sample.name << ", " << weight.use.gguf;
      ++i;
    }
    ASSERT_EQ(i, lora.modules.size());

    const peft::Adapter back = adapter_from_gguf(lora, model, "test");
    EXPECT_EQ(back.scale(), adapter.scale());
    for (std::size_t m = 0; m < back.modules.size(); ++m) {
      EXPECT_EQ(back.modules[m].name, adapter.modules[m].name);
      EXPECT_EQ(back.modules[m].a, adapter.modules[m].a) << back.modules[m].name;
      EXPECT_EQ(back.modules[m].b, adapter.modules[m].b) << back.modules[m].name;
    }
  }
}

TEST(GgufAdapter, OfAnAlphaOfNothingAddsItsProduct) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  gguf::Lora lora = adapter_to_gguf(adapter_of(sample.model), sample.model);
  lora.alpha = 0;
  EXPECT_EQ(adapter_from_gguf(lora, sample.model, "test").scale(), 1.0f);
}

TEST(GgufAdapter, OfAnotherModelIsRefused) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const gguf::Lora lora = adapter_to_gguf(adapter_of(sample.model), sample.model);
  const auto refused = [&](auto change) {
    gguf::Lora other = lora;
    change(other);
    return sample::refusal([&] { adapter_from_gguf(std::move(other), sample.model, "test"); });
  };
  EXPECT_EQ(refused([](gguf::Lora& l) { l.architecture = "qwen2"; }),
            "test: general.architecture: an adapter of another model: expected llama, found qwen2");
  EXPECT_NE(refused([](gguf::Lora& l) {
              l.modules[0].name = "blk.99.attn_q.weight";
            }).find("the model has no such matrix"),
            std::string::npos);
}

}  // namespace
}  // namespace zp
