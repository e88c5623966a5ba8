// A checkpoint's tensors bound to an architecture's table.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "model/architecture.h"
#include "model/beside.h"
#include "model/sample_models.h"

namespace zp {
namespace {

const Architecture& named(std::string_view name) {
  for (const Architecture* a : architectures()) {
    if (a->name == name) return *a;
  }
  throw Error("test", "no such architecture");
}

Decoder small(std::string_view name) {
  Decoder d;
  d.architecture = name;
  d.layers = 2;
  d.hidden = 8;
  d.heads = 2;
  d.kv_heads = name == "gpt2" ? 2 : 1;
  d.head_dim = 4;
  d.ffn = 12;
  d.vocabulary = 16;
  d.context = 6;
  if (name == "nemotron_h") {
    set_layers(d, [](std::int64_t i, Layer& layer) {
      layer.feeds = i == 0;
      if (layer.feeds) layer.mixer = Mixer::none;
    });
  }
  return d;
}

Tensor tensor(std::string name, std::vector<std::int64_t> shape) {
  const std::int64_t cols = shape.back();
  const std::int64_t rows =
      std::accumulate(shape.begin(), shape.end() - 1, std::int64_t{1}, std::multiplies());
  std::vector<float> values(static_cast<std::size_t>(rows * cols));
  std::iota(values.begin(), values.end(), 0.0f);
  return {std::move(name), "fp32", std::move(shape), rows * cols * 4,
          constant_rows(values, rows, cols)};
}

/// Every tensor the architecture wants, as a checkpoint stores it.
std::vector<Tensor> checkpoint(const Architecture& architecture, const Decoder& decoder) {
  std::vector<Tensor> tensors;
  for (const TensorUse& use : tensor_uses(architecture, decoder)) {
    std::vector<std::int64_t> shape = {use.rows, use.cols};
    if (use.transposed) std::swap(shape[0], shape[1]);
    if (!use.is_matrix()) shape = {use.cols};
    if (use.is_convolution()) shape = {use.rows, 1, use.cols};
    tensors.push_back(tensor(use.hf, shape));
  }
  return tensors;
}

std::vector<Tensor>::iterator find(std::vector<Tensor>& tensors, std::string_view name) {
  return std::find_if(tensors.begin(), tensors.end(),
                      [&](const Tensor& t) { return t.name == name; });
}

std::string refusal(const Architecture& architecture, const Decoder& decoder,
                    const std::vector<Tensor>& tensors) {
  try {
    bind_model(architecture, decoder, tensors, "model");
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Bind, EveryArchitectureBindsItsOwnTensors) {
  for (const Architecture* a : architectures()) {
    const Decoder d = small(a->name);
    const std::vector<Tensor> tensors = checkpoint(*a, d);
    const Model model = bind_model(*a, d, tensors, "model");
    EXPECT_EQ(model.weights.size(), tensors.size()) << a->name;
    EXPECT_EQ(model.parameters(), parameters(tensor_uses(*a, d))) << a->name;
    for (const Weight& w : model.weights) {
      EXPECT_EQ(w.rows->rows(), w.use.rows) << w.use.hf;
      EXPECT_EQ(w.rows->cols(), w.use.cols) << w.use.hf;
    }
  }
}

TEST(Bind, NamesAreUniqueInEveryWorld) {
  for (const Architecture* a : architectures()) {
    for (const auto world : {&TensorUse::hf, &TensorUse::gguf, &TensorUse::module}) {
      std::vector<std::string> names;
      for (const TensorUse& use : tensor_uses(*a, small(a->name))) names.push_back(use.*world);
      std::sort(names.begin(), names.end());
      EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << a->name;
    }
  }
}

TEST(Bind, TransposesConv1D) {
  const Architecture& gpt2 = named("gpt2");
  const Decoder d = small("gpt2");
  const std::vector<Tensor> tensors = checkpoint(gpt2, d);
  const Model model = bind_model(gpt2, d, tensors, "model");
  const auto up = std::find_if(model.weights.begin(), model.weights.end(), [](const Weight& w) {
    return w.use.hf == "transformer.h.1.mlp.c_fc.weight";
  });
  ASSERT_NE(up, model.weights.end());
  std::vector<float> row(8);
  up->rows->read(1, 1, row.data());  // stored 8 x 12, values counted up
  EXPECT_EQ(row, (std::vector<float>{1, 13, 25, 37, 49, 61, 73, 85}));
}

TEST(Bind, Gpt2WithoutPrefixAndWithMaskBuffers) {
  const Architecture& gpt2 = named("gpt2");
  Decoder d = small("gpt2");
  d.tied = true;
  std::vector<Tensor> tensors = checkpoint(gpt2, d);
  for (Tensor& t : tensors) t.name = t.name.substr(std::string("transformer.").size());
  tensors.push_back(tensor("h.0.attn.bias", {6, 6}));
  EXPECT_EQ(refusal(gpt2, d, tensors), "accepted");
}

TEST(Bind, TiedModelsMayStoreTheHeadInstead) {
  const Architecture& llama = named("llama");
  Decoder d = small("llama");
  d.tied = true;
  std::vector<Tensor> tensors = checkpoint(llama, d);
  tensors.push_back(tensor("lm_head.weight", {16, 8}));
  EXPECT_EQ(refusal(llama, d, tensors), "accepted");
  tensors.erase(find(tensors, "model.embed_tokens.weight"));
  const Model model = bind_model(llama, d, tensors, "model");
  EXPECT_EQ(model.weights.front().use.place.role, Role::embedding);
  EXPECT_EQ(model.weights.front().rows, find(tensors, "lm_head.weight")->rows.get());
  tensors.erase(find(tensors, "lm_head.weight"));
  EXPECT_NE(refusal(llama, d, tensors).find("embed_tokens"), std::string::npos);
}

TEST(Bind, AStoredHeadThatDiffersFromTheEmbeddingIsUsed) {
  const Architecture& llama = named("llama");
  Decoder d = small("llama");
  d.tied = true;
  std::vector<Tensor> tensors = checkpoint(llama, d);
  tensors.push_back(tensor("lm_head.weight", {16, 8}));
  EXPECT_TRUE(bind_model(llama, d, tensors, "model").decoder.tied);
  std::vector<float> values(16 * 8, 1.0f);
  tensors.back().rows = constant_rows(values, 16, 8);
  const Model model = bind_model(llama, d, tensors, "model");
  EXPECT_FALSE(model.decoder.tied);
  EXPECT_EQ(model.find({-1, Role::head})->rows, tensors.back().rows.get());
  EXPECT_EQ(model.find({-1, Role::embedding})->rows, tensors.front().rows.get());
  ASSERT_EQ(model.notes.size(), 1U);
  EXPECT_NE(model.notes[0].find("head"), std::string::npos);
}

TEST(Bind, AHeadOfAnotherShapeThanTheTiedEmbeddingIsRefused) {
  const Architecture& llama = named("llama");
  Decoder d = small("llama");
  d.tied = true;
  std::vector<Tensor> tensors = checkpoint(llama, d);
  tensors.push_back(tensor("lm_head.weight", {17, 8}));
  EXPECT_EQ(refusal(llama, d, tensors),
            "model: tensor \"lm_head.weight\": wrong shape: expected 16 x 8, found 17 x 8");
}

TEST(Bind, NamesMayLackThePrefixOfTheModelWithoutItsHead) {
  for (const Architecture* a : architectures()) {
    const Decoder d = small(a->name);
    std::vector<Tensor> tensors = checkpoint(*a, d);
    for (Tensor& t : tensors) {
      if (t.name.starts_with(a->optional_prefix)) t.name.erase(0, a->optional_prefix.size());
    }
    EXPECT_NE(tensors.front().name, tensor_uses(*a, d).front().hf) << a->name;
    EXPECT_EQ(refusal(*a, d, tensors), "accepted") << a->name;
  }
}

TEST(Bind, ANameWithMoreInFrontIsShownForTheOneThatIsMissing) {
  const Architecture& llama = named("llama");
  const Decoder d = small("llama");
  std::vector<Tensor> tensors = checkpoint(llama, d);
  for (Tensor& t : tensors) t.name = "_orig_mod." + t.name;
  EXPECT_EQ(refusal(llama, d, tensors),
            "model: tensor missing: expected \"model.embed_tokens.weight\" of shape 16 x 8, found "
            "\"_orig_mod.model.embed_tokens.weight\"");
}

TEST(Bind, RefusesWhatIsMissingMisshapenOrUnknown) {
  const Architecture& llama = named("llama");
  const Decoder d = small("llama");
  std::vector<Tensor> tensors = checkpoint(llama, d);
  tensors.erase(find(tensors, "lm_head.weight"));
  EXPECT_NE(refusal(llama, d, tensors).find("\"lm_head.weight\" of shape 16 x 8"),
            std::string::npos);
  tensors.push_back(tensor("lm_head.weight", {8, 16}));
  EXPECT_NE(refusal(llama, d, tensors).find("expected 16 x 8, found 8 x 16"), std::string::npos);
  tensors.back() = tensor("lm_head.weight", {16, 8});
  tensors.push_back(tensor("model.layers.2.mlp.up_proj.weight", {12, 8}));
  EXPECT_NE(refusal(llama, d, tensors).find("model.layers.2.mlp.up_proj.weight"),
            std::string::npos);
  tensors.back() = tensor("lm_head.weight", {16, 8});
  EXPECT_NE(refusal(llama, d, tensors).find("twice"), std::string::npos);
  tensors.pop_back();
  tensors.back().rows = nullptr;
  EXPECT_NE(refusal(llama, d, tensors).find("type can't hold weights"), std::string::npos);
}

Decoder with_experts(std::string_view name) {
  Decoder d = small(name);
  d.experts = {.count = 3, .chosen = 2, .ffn = 5, .shared_ffn = 6};
  d.every.experts = true;
  return d;
}

/// What newer checkpoints of Qwen3-MoE and GLM-4.5 hold, and of Mixtral and Phi-3.5-MoE where
/// transformers 5 saved them in its own form.
std::vector<Tensor> stacked(const Architecture& architecture, const Decoder& decoder) {
  std::vector<Tensor> tensors = checkpoint(architecture, decoder);
  std::erase_if(tensors, [](const Tensor& t) { return t.name.find(".experts.") != t.name.npos; });
  for (Tensor& t : tensors) {
    const auto at = t.name.find("block_sparse_moe.gate");
    if (at == t.name.npos) continue;
    t.name = t.name.substr(0, at) +
             (architecture.name == "phimoe" ? "mlp.router.weight" : "mlp.gate.weight");
  }
  for (std::int64_t layer = 0; layer < decoder.layers; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".mlp.experts.";
    tensors.push_back(tensor(at + "gate_up_proj", {3, 10, 8}));
    tensors.push_back(tensor(at + "down_proj", {3, 8, 5}));
  }
  return tensors;
}

TEST(Bind, ExpertsMayStandInOneTensor) {
  for (const char* name : {"qwen3_moe", "glm4_moe", "mixtral", "phimoe"}) {
    const Decoder d = with_experts(name);
    const std::vector<Tensor> tensors = stacked(named(name), d);
    const Model model = bind_model(named(name), d, tensors, "model");
    std::vector<float> row(8);
    model.find({1, Role::gate, 2})->rows->read(4, 1, row.data());
    EXPECT_EQ(row.front(), (2 * 10 + 4) * 8.0f);
    model.find({1, Role::up, 1})->rows->read(2, 1, row.data());
    EXPECT_EQ(row.front(), (1 * 10 + 5 + 2) * 8.0f);
    model.find({0, Role::down, 2})->rows->read(7, 1, row.data());
    EXPECT_EQ(row.front(), (2 * 8 + 7) * 5.0f);
  }
}

TEST(Bind, ConvolutionsHaveAColumnAGroup) {
  const Architecture& lfm2 = named("lfm2");
  Decoder d = small("lfm2");
  d.convolution = 3;
  set_layers(d, [](std::int64_t index, Layer& layer) {
    if (index == 1) layer.mixer = Mixer::short_convolution;
  });
  const std::string name = "model.layers.1.conv.conv.weight";
  for (const auto& [world, shape] :
       {std::pair{World::hf, std::vector<std::int64_t>{8, 1, 3}}, {World::mlx, {8, 3, 1}}}) {
    std::vector<Tensor> tensors = checkpoint(lfm2, d);
    *find(tensors, name) = tensor(name, shape);
    const Model model = bind_model(lfm2, d, tensors, "model", world);
    std::vector<float> rows(6);
    model.find({1, Role::convolution})->rows->read(5, 2, rows.data());
    EXPECT_EQ(rows, (std::vector<float>{15, 16, 17, 18, 19, 20}));
  }
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{8, 3}, {8, 3, 1}, {8, 1, 4}, {1, 8, 3}, {24}}) {
    std::vector<Tensor> tensors = checkpoint(lfm2, d);
    *find(tensors, name) = tensor(name, shape);
    EXPECT_NE(refusal(lfm2, d, tensors).find("wrong shape: expected 8 x 1 x 3"), std::string::npos);
  }
  std::vector<Tensor> tensors = checkpoint(lfm2, d);
  tensors.erase(find(tensors, name));
  EXPECT_NE(refusal(lfm2, d, tensors)
                .find("tensor missing: expected \"" + name + "\" of shape 8 x 1 x 3"),
            std::string::npos);
  tensors = checkpoint(lfm2, d);
  tensors.push_back(tensor("model.layers.1.self_attn.q_proj.weight", {8, 8}));
  EXPECT_NE(refusal(lfm2, d, tensors).find("tensor has no use"), std::string::npos);
}

TEST(Bind, RefusesExpertsThatAreMissingOrStandTwice) {
  const Architecture& qwen = named("qwen3_moe");
  const Decoder d = with_experts("qwen3_moe");
  std::vector<Tensor> tensors = stacked(qwen, d);
  tensors.push_back(tensor("model.layers.1.mlp.experts.2.up_proj.weight", {5, 8}));
  EXPECT_EQ(refusal(qwen, d, tensors),
            "model: experts stand twice: expected one tensor for each, or one for all, found "
            "\"model.layers.1.mlp.experts.2.up_proj.weight\" and "
            "\"model.layers.1.mlp.experts.gate_up_proj\"");
  tensors = stacked(qwen, d);
  *find(tensors, "model.layers.1.mlp.experts.down_proj") =
      tensor("model.layers.1.mlp.experts.down_proj", {2, 8, 5});
  EXPECT_NE(refusal(qwen, d, tensors).find("expected 3 x 8 x 5, found 2 x 8 x 5"),
            std::string::npos);
  tensors.erase(find(tensors, "model.layers.1.mlp.experts.down_proj"));
  EXPECT_NE(
      refusal(qwen, d, tensors)
          .find("missing: expected \"model.layers.1.mlp.experts.0.down_proj.weight\" of shape "
                "8 x 5, or \"model.layers.1.mlp.experts.down_proj\""),
      std::string::npos);
  tensors = checkpoint(qwen, d);
  tensors.erase(find(tensors, "model.layers.0.mlp.experts.1.gate_proj.weight"));
  EXPECT_NE(refusal(qwen, d, tensors).find("model.layers.0.mlp.experts.1.gate_proj.weight"),
            std::string::npos);
  tensors = checkpoint(qwen, d);
  tensors.push_back(tensor("model.layers.0.mlp.experts.3.gate_proj.weight", {5, 8}));
  EXPECT_NE(refusal(qwen, d, tensors).find("tensor has no use"), std::string::npos);
  tensors = checkpoint(qwen, d);
  find(tensors, "model.layers.0.mlp.gate.weight")->shape = {4, 8};
  EXPECT_NE(
      refusal(qwen, d, tensors).find("gate.weight\": wrong shape: expected 3 x 8, found 4 x 8"),
      std::string::npos);
}

/// What checkpoints of gpt-oss hold: floats, or MXFP4 decoded.
std::vector<Tensor> stacked_gpt_oss(const Decoder& decoder, bool floats) {
  std::vector<Tensor> tensors = checkpoint(named("gpt_oss"), decoder);
  std::erase_if(tensors, [](const Tensor& t) { return t.name.find(".experts.") != t.name.npos; });
  for (std::int64_t layer = 0; layer < decoder.layers; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".mlp.experts.";
    tensors.push_back(floats ? tensor(at + "gate_up_proj", {3, 8, 10})
                             : tensor(at + "gate_up_proj_blocks", {3, 10, 8}));
    tensors.push_back(floats ? tensor(at + "down_proj", {3, 5, 8})
                             : tensor(at + "down_proj_blocks", {3, 8, 5}));
    tensors.push_back(tensor(at + "gate_up_proj_bias", {3, 10}));
    tensors.push_back(tensor(at + "down_proj_bias", {3, 8}));
  }
  return tensors;
}

std::vector<float> rows_of(const Model& model, Place place, Part part = Part::weight) {
  const auto found = std::ranges::find_if(
      model.weights, [&](const Weight& w) { return w.use.place == place && w.use.part == part; });
  std::vector<float> values(static_cast<std::size_t>(found->use.rows * found->use.cols));
  found->rows->read(0, found->use.rows, values.data());
  return values;
}

TEST(Bind, GateAndUpMayStandInTurnsAndTransposed) {
  const Decoder d = with_experts("gpt_oss");
  for (const bool floats : {true, false}) {
    const std::vector<Tensor> tensors = stacked_gpt_oss(d, floats);
    const Model model = bind_model(named("gpt_oss"), d, tensors, "model");
    const std::vector<float> gate = rows_of(model, {1, Role::gate, 2});
    const std::vector<float> up = rows_of(model, {1, Role::up, 2});
    for (int r = 0; r < 5; ++r) {
      for (int c = 0; c < 8; ++c) {
        const auto at = static_cast<std::size_t>(r * 8 + c);
        const int row = 2 * r;
        EXPECT_EQ(gate[at], static_cast<float>(160 + (floats ? c * 10 + row : row * 8 + c)));
        EXPECT_EQ(up[at] - gate[at], floats ? 1 : 8);
      }
    }
    const std::vector<float> down = rows_of(model, {0, Role::down, 1});
    EXPECT_EQ(down[7 * 5 + 2], floats ? 40 + 2 * 8 + 7 : 40 + 7 * 5 + 2);
    EXPECT_EQ(rows_of(model, {0, Role::gate, 1}, Part::bias),
              (std::vector<float>{10, 12, 14, 16, 18}));
    EXPECT_EQ(rows_of(model, {0, Role::up, 2}, Part::bias),
              (std::vector<float>{21, 23, 25, 27, 29}));
    EXPECT_EQ(rows_of(model, {0, Role::down, 2}, Part::bias).front(), 16);
  }
}

TEST(Bind, RefusesGptOssWhoseTensorsDoNotFit) {
  const Architecture& gpt_oss = named("gpt_oss");
  const Decoder d = with_experts("gpt_oss");
  std::vector<Tensor> tensors = stacked_gpt_oss(d, true);
  const std::string at = "model.layers.1.mlp.experts.";
  tensors.erase(find(tensors, at + "gate_up_proj"));
  EXPECT_EQ(refusal(gpt_oss, d, tensors), "model: tensor missing: expected \"" + at +
                                              "gate_up_proj\", or \"" + at +
                                              "gate_up_proj_blocks\"");
  tensors = stacked_gpt_oss(d, true);
  *find(tensors, at + "down_proj") = tensor(at + "down_proj", {3, 8, 5});
  EXPECT_EQ(
      refusal(gpt_oss, d, tensors),
      "model: tensor \"" + at + "down_proj\": wrong shape: expected 3 x 5 x 8, found 3 x 8 x 5");
  tensors = stacked_gpt_oss(d, true);
  *find(tensors, at + "down_proj_bias") = tensor(at + "down_proj_bias", {3, 5});
  EXPECT_NE(refusal(gpt_oss, d, tensors).find("expected 3 x 8, found 3 x 5"), std::string::npos);
  tensors = stacked_gpt_oss(d, true);
  const std::string sinks = "model.layers.0.self_attn.sinks";
  *find(tensors, sinks) = tensor(sinks, {3});
  EXPECT_EQ(refusal(gpt_oss, d, tensors),
            "model: tensor \"" + sinks + "\": wrong shape: expected 2, found 3");
}

TEST(Bind, WhatPredictsFurtherTokensStandsBesideAndIsCounted) {
  const Architecture& glm = named("glm4_moe");
  const Decoder d = with_experts("glm4_moe");
  for (const bool prefix : {true, false}) {
    std::vector<Tensor> tensors = checkpoint(glm, d);
    tensors.push_back(tensor("model.layers.2.eh_proj.weight", {8, 16}));
    tensors.push_back(tensor("model.layers.2.enorm.weight", {8}));
    if (!prefix) {
      for (Tensor& t : tensors) {
        if (t.name.starts_with("model.")) t.name.erase(0, 6);
      }
    }
    const Model model = bind_model(glm, d, tensors, "model");
    EXPECT_EQ(model.notes, std::vector<std::string>{
                               "beside what is computed: multi-token prediction (2 tensors, "
                               "136 parameters, 544 B)"});
    const auto beside = beside_decoder(glm, d, tensors, World::hf);
    ASSERT_EQ(beside.size(), 2u);
    EXPECT_EQ(beside[0].tensor, &tensors[tensors.size() - 2]);
  }
  std::vector<Tensor> tensors = checkpoint(glm, d);
  tensors.push_back(tensor("model.layers.1.eh_proj.weight", {8, 16}));
  EXPECT_NE(refusal(glm, d, tensors).find("tensor has no use"), std::string::npos);
}

// As Qwen's models have them.
TEST(Bind, AModuleOfMultiTokenPredictionStandsBesideAnyDecoder) {
  const Architecture& qwen = named("qwen3");
  const Decoder d = small("qwen3");
  std::vector<Tensor> tensors = checkpoint(qwen, d);
  tensors.push_back(tensor("mtp.layers.0.input_layernorm.weight", {8}));
  EXPECT_EQ(bind_model(qwen, d, tensors, "model").notes.size(), 1u);
  EXPECT_EQ(beside_decoder(qwen, d, tensors, World::hf).size(), 1u);
  tensors.back().name = "mtp2.weight";
  EXPECT_NE(refusal(qwen, d, tensors).find("tensor has no use"), std::string::npos);
}

float first_of(const Model& model, Role role, std::int64_t layer, std::int64_t row) {
  const RowReader& rows = *model.find({layer, role})->rows;
  std::vector<float> values(static_cast<std::size_t>(rows.cols()));
  rows.read(row, 1, values.data());
  return values[1];
}

// A head that is the embedding is multiplied as that is: the norm before it makes up for it.
TEST(Bind, FactorsAreMultipliedIntoWeights) {
  const Architecture& falcon = named("falcon_h1");
  Decoder d = small("falcon_h1");
  d.tied = true;
  d.factors = {{Role::embedding, 4},
               {Role::head, 0.5},
               {Role::gate, 3},
               {Role::up, 2, 1, 2},
               {Role::up, 5, 2, 1}};
  const std::vector<Tensor> tensors = checkpoint(falcon, d);
  const Model tied = bind_model(falcon, d, tensors, "model");
  EXPECT_TRUE(tied.decoder.factors.empty());
  EXPECT_EQ(first_of(tied, Role::embedding, -1, 0), 4);
  EXPECT_EQ(first_of(tied, Role::output_norm, -1, 0), 0.125f);
  EXPECT_EQ(first_of(tied, Role::gate, 1, 11), 3 * 89);
  EXPECT_EQ(first_of(tied, Role::up, 1, 0), 1);
  EXPECT_EQ(first_of(tied, Role::up, 1, 1), 2 * 9);
  EXPECT_EQ(first_of(tied, Role::up, 1, 2), 10 * 17);
  EXPECT_EQ(first_of(tied, Role::up, 1, 3), 25);
  d.tied = false;
  const std::vector<Tensor> with_head = checkpoint(falcon, d);
  const Model untied = bind_model(falcon, d, with_head, "model");
  EXPECT_EQ(first_of(untied, Role::head, -1, 0), 0.5f);
  EXPECT_EQ(first_of(untied, Role::output_norm, -1, 0), 1);
  // mlx-lm has multiplied all of its weights but for that.
  d.tied = true;
  const Model mlx = bind_model(falcon, d, tensors, "model", World::mlx);
  EXPECT_EQ(first_of(mlx, Role::gate, 1, 11), 89);
  EXPECT_EQ(first_of(mlx, Role::output_norm, -1, 0), 0.125f);
}

TEST(Bind, BiasesAreThereWhenTheConfigSaysSo) {
  const Architecture& llama = named("llama");
  Decoder d = small("llama");
  const std::size_t without = tensor_uses(llama, d).size();
  d.attention_bias = true;
  EXPECT_EQ(tensor_uses(llama, d).size(), without + 4 * 2);
  d.mlp_bias = true;
  EXPECT_EQ(tensor_uses(llama, d).size(), without + 7 * 2);
}

TEST(Bind, ExpertsWithoutNumberAreRefusedBeforeTheyAreListed) {
  Decoder d = sample_decoder("qwen3_moe");
  d.experts = {.count = 1 << 12, .chosen = 2, .ffn = 24};
  d.every.experts = true;
  d.layers = 1 << 12;
  try {
    tensor_uses(sample_architecture("qwen3_moe"), d);
    FAIL() << "16,777,216 experts are listed";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("too many experts"), std::string::npos);
  }
}

}  // namespace
}  // namespace zp
