#include "source/text_part.h"

#include <gtest/gtest.h>

#include "format/sample_files.h"
#include "model/architecture.h"

namespace zp {
namespace {

Checkpoint checkpoint(const char* config, std::initializer_list<const char*> names) {
  Checkpoint c;
  c.config() = parse_json(config, "test");
  for (const char* name : names) {
    Tensor t;
    t.name = name;
    t.shape = {2, 3};
    t.bytes = 24;
    c.add(std::move(t), "test");
  }
  return c;
}

std::vector<std::string> names(const std::vector<Tensor>& tensors) {
  std::vector<std::string> all;
  for (const Tensor& t : tensors) all.push_back(t.name);
  return all;
}

using Texts = std::vector<std::string>;

constexpr const char* kMistral3 = R"({"architectures": ["Mistral3ForConditionalGeneration"],
  "model_type": "mistral3", "eos_token_id": 2, "vision_config": {"depth": 1},
  "text_config": {"model_type": "ministral3", "hidden_size": 64}})";

TEST(TextPart, IsAModelOfItsOwnUnderBothFormsOfNames) {
  Checkpoint old =
      checkpoint(kMistral3, {"language_model.model.norm.weight", "language_model.lm_head.weight",
                             "vision_tower.conv.weight", "multi_modal_projector.norm.weight"});
  Checkpoint now = checkpoint(
      kMistral3, {"model.language_model.norm.weight", "lm_head.weight",
                  "model.vision_tower.conv.weight", "model.multi_modal_projector.norm.weight"});
  EXPECT_EQ(old.whole, nullptr);
  for (Checkpoint* c : {&old, &now}) {
    take_text_part(*c, "config.json");
    EXPECT_EQ(names(c->tensors), (Texts{"model.norm.weight", "lm_head.weight"}));
    EXPECT_NE(c->find("lm_head.weight"), nullptr);
    EXPECT_EQ(c->beside.size(), 2u);
    EXPECT_EQ(c->config(), parse_json(R"({"model_type": "ministral3", "hidden_size": 64,
      "architectures": ["Ministral3ForCausalLM"], "eos_token_id": 2, "tie_word_embeddings": false})",
                                      "test"));
    EXPECT_EQ(c->notes,
              Texts{"the text's part is what is computed; beside it: projector (1 tensor, 6 "
                    "parameters, 24 B); vision tower (1 tensor, 6 parameters, 24 B)"});
    EXPECT_EQ(c->whole->config, parse_json(kMistral3, "test"));
  }
}

TEST(TextPart, OfGemma3IsTiedUnlessAHeadIsStored) {
  Checkpoint c = checkpoint(
      R"({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
          "mm_tokens_per_image": 256, "vision_config": {},
          "text_config": {"model_type": "gemma3_text", "hidden_size": 64}})",
      {"language_model.model.norm.weight", "vision_tower.vision_model.conv.weight",
       "multi_modal_projector.mm_soft_emb_norm.weight"});
  take_text_part(c, "config.json");
  EXPECT_EQ(names(c.tensors), Texts{"model.norm.weight"});
  EXPECT_EQ(c.beside.size(), 2u);
  EXPECT_EQ(c.config(), parse_json(R"({"model_type": "gemma3_text", "hidden_size": 64,
    "architectures": ["Gemma3ForCausalLM"], "tie_word_embeddings": true})",
                                   "test"));
}

TEST(TextPart, OfPhi4IsWhatTheAdaptersAreBeside) {
  Checkpoint c = checkpoint(
      R"({"model_type": "phi4mm", "auto_map": {}, "vision_lora": {"r": 256}, "hidden_size": 64,
          "tie_word_embeddings": true})",
      {"model.layers.0.mlp.down_proj.base_layer.weight",
       "model.layers.0.mlp.down_proj.lora_A.vision.weight",
       "model.layers.0.mlp.down_proj.lora_B.speech.weight",
       "model.embed_tokens_extend.image_embed.img_projection.0.weight", "model.norm.weight"});
  take_text_part(c, "config.json");
  EXPECT_EQ(names(c.tensors), (Texts{"model.layers.0.mlp.down_proj.weight", "model.norm.weight"}));
  EXPECT_EQ(c.beside.size(), 3u);
  EXPECT_EQ(c.whole->names.at("model.layers.0.mlp.down_proj.weight"),
            "model.layers.0.mlp.down_proj.base_layer.weight");
  EXPECT_EQ(c.config(), parse_json(R"({"model_type": "phi3", "hidden_size": 64,
    "tie_word_embeddings": true, "architectures": ["Phi3ForCausalLM"]})",
                                   "test"));
}

// As microsoft/Phi-3.5-vision-instruct has it: no object of the text's part, fields of the image's
// part between the text's own.
TEST(TextPart, OfPhi3VIsThePhi3ThatItsConfigIs) {
  const char* published = R"({"architectures": ["Phi3VForCausalLM"], "attention_dropout": 0.0,
    "auto_map": {"AutoConfig": "configuration_phi3_v.Phi3VConfig",
                 "AutoModelForCausalLM": "modeling_phi3_v.Phi3VForCausalLM"},
    "bos_token_id": 1, "eos_token_id": 2, "embd_layer": {"embedding_cls": "image",
      "hd_transform_order": "sub_glb", "projection_cls": "mlp", "use_hd_transform": true,
      "with_learnable_separator": true},
    "hidden_act": "silu", "hidden_size": 96, "img_processor": {"image_dim_out": 1024,
      "model_name": "openai/clip-vit-large-patch14-336", "name": "clip_vision_model",
      "num_img_tokens": 144},
    "intermediate_size": 128, "max_position_embeddings": 131072, "model_type": "phi3_v",
    "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 4,
    "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
    "rope_scaling": {"long_factor": [1.08, 1.1, 1.13, 1.28, 1.31, 1.34, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9],
      "short_factor": [1.08, 1.1, 1.13, 1.28, 1.31, 1.34, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9],
      "type": "su"},
    "rope_theta": 10000.0, "sliding_window": 262144, "tie_word_embeddings": false,
    "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 64})";
  Checkpoint c = checkpoint(
      published,
      {"lm_head.weight", "model.embed_tokens.weight", "model.layers.0.self_attn.qkv_proj.weight",
       "model.norm.weight", "model.vision_embed_tokens.glb_GN",
       "model.vision_embed_tokens.img_processor.vision_model.embeddings.class_embedding",
       "model.vision_embed_tokens.img_projection.0.weight", "model.vision_embed_tokens.sub_GN"});
  take_text_part(c, "config.json");
  EXPECT_EQ(names(c.tensors),
            (Texts{"lm_head.weight", "model.embed_tokens.weight",
                   "model.layers.0.self_attn.qkv_proj.weight", "model.norm.weight"}));
  EXPECT_EQ(c.notes, Texts{"the text's part is what is computed; beside it: vision tower and "
                           "projector (4 tensors, 24 parameters, 96 B)"});
  for (const char* of_images : {"img_processor", "embd_layer", "auto_map"})
    EXPECT_FALSE(c.config().contains(of_images)) << of_images;
  const Architecture& architecture = find_architecture(c.config(), "config.json");
  EXPECT_EQ(architecture.name, "phi3");
  const Decoder d = architecture.read_config(c.config(), "config.json");
  EXPECT_EQ(d.hidden, 96);
  EXPECT_EQ(d.context, 131072);
  EXPECT_EQ(d.rope.scaling, RopeScaling::longrope);
  EXPECT_EQ(d.rope.original_context, 4096);
  EXPECT_EQ(d.rope.long_factor.size(), 12u);
  EXPECT_FALSE(d.tied);
  EXPECT_EQ(c.whole->config, parse_json(published, "test"));
}

TEST(TextPart, OtherModelsStayAsTheyAre) {
  Checkpoint c =
      checkpoint(R"({"model_type": "llama", "text_config": {}})", {"vision_tower.conv.weight"});
  take_text_part(c, "config.json");
  EXPECT_EQ(c.tensors.size(), 1u);
  EXPECT_TRUE(c.config().contains("text_config"));
  EXPECT_TRUE(c.notes.empty());
}

TEST(TextPart, RefusesWhatItCannotTakeApart) {
  const auto refusal = [](const char* config, std::initializer_list<const char*> tensors) {
    Checkpoint c = checkpoint(config, tensors);
    return sample::refusal([&] { take_text_part(c, "config.json"); });
  };
  EXPECT_EQ(refusal(R"({"model_type": "mistral3", "text_config": {"model_type": "qwen9"}})", {}),
            "config.json: \"text_config\": model_type not supported: expected mistral, ministral3, "
            "mistral4, found \"qwen9\"");
  EXPECT_NE(refusal(R"({"model_type": "mistral3"})", {}).find("\"text_config\": missing"),
            std::string::npos);
  EXPECT_NE(refusal(kMistral3, {"language_model.model.a.weight", "model.language_model.a.weight"})
                .find("two tensors would have one name"),
            std::string::npos);
}

}  // namespace
}  // namespace zp
