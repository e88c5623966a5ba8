// GGUF layouts of small models of every architecture, read back as files.
#include "format/gguf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "container/container.h"
#include "container/gguf_metadata.h"

namespace zp {
namespace {

const Container& gguf_container() { return find_container("gguf"); }

const Architecture& named(std::string_view name) {
  for (const Architecture* a : architectures()) {
    if (a->name == name) return *a;
  }
  throw Error("test", "no such architecture");
}

Decoder small(const Architecture& architecture) {
  Decoder d;
  d.architecture = architecture.name;
  d.layers = 2;
  d.hidden = 64;
  d.heads = 4;
  d.kv_heads = architecture.name == "gpt2" ? 4 : 2;
  d.head_dim = 16;
  d.ffn = 96;
  d.vocabulary = 40;
  d.context = 32;
  d.activation = architecture.gguf.computes.activation;
  d.tied = architecture.gguf.computes.tied;
  d.attention_bias = d.head_bias = architecture.gguf.computes.needs_biases;
  d.norm = d.activation == Activation::gelu_tanh ? Norm::layer : Norm::rms;
  d.rope.dims = architecture.name == "gpt2" ? 0 : 16;
  if (architecture.gguf.computes.needs_caps) d.attention_soft_cap = d.logit_soft_cap = 30;
  if (architecture.gguf.computes.needs_logit_cap) d.logit_soft_cap = 30;
  const std::int64_t period = architecture.gguf.computes.window_period;
  if (architecture.gguf.computes.needs_window)
    set_windows(d, 8, [&](std::int64_t layer) {
      return period == 0 ? layer == 0 : !ends_period(layer, period);
    });
  if (architecture.fix != nullptr) architecture.fix(d);
  if (architecture.gguf.graph != nullptr) architecture.gguf.graph(d);
  if (architecture.name.starts_with("lfm2")) {
    d.convolution = 3;
    set_layers(d, [](std::int64_t i, Layer& layer) {
      if (i == 0) layer.mixer = Mixer::short_convolution;
    });
  }
  if (d.rope.trailing) {
    d.kv_heads = d.heads;
    d.value_dim = 8;
    d.rope.dims = 8;
    d.latent = {.rank = 32, .query_rank = 64, .norm_epsilon = 1e-6};
  }
  const bool falcon = architecture.name == "falcon_h1";
  const bool nemotron = architecture.name == "nemotron_h";
  if (architecture.name == "granite_hybrid" || falcon || nemotron) {
    d.convolution = 4;
    d.conv_bias = true;
    d.space = {.heads = 4, .head_dim = 16, .groups = 2, .state = 8, .normed = !falcon};
    set_layers(d, [&](std::int64_t i, Layer& layer) {
      if (!falcon) layer.mixer = i == 0 ? Mixer::state_space : nemotron ? Mixer::none : layer.mixer;
      if (nemotron) layer.feeds = i == 1;
    });
  }
  if (d.output_gate) {
    d.convolution = 4;
    d.delta = {.keys = 2, .values = 4, .key_dim = 8, .value_dim = 8};
    set_layers(d, [](std::int64_t i, Layer& layer) {
      if (i == 0) layer.mixer = Mixer::gated_delta;
    });
  }
  return d;
}

/// A model whose weights count up from 0 in each tensor.
struct Sample {
  Sample(const Architecture& architecture, const Decoder& decoder) {
    model.architecture = &architecture;
    model.decoder = decoder;
    for (TensorUse& use : tensor_uses(architecture, decoder)) {
      std::vector<float> values(static_cast<std::size_t>(use.rows * use.cols));
      std::iota(values.begin(), values.end(), 0.0f);
      model.derived.push_back(constant_rows(std::move(values), use.rows, use.cols));
      model.weights.push_back({std::move(use), model.derived.back().get(), "fp32"});
    }
  }
  explicit Sample(std::string_view name) : Sample(named(name), small(named(name))) {}

  ContainerInput input() const { return {model, nullptr, none, none, {}, "small", {}}; }

  Layout layout(const char* matrices = "fp32") const {
    std::vector<Assignment> all;
    for (const Weight& w : model.weights) {
      const bool plain = !w.use.is_matrix() || w.use.place.role == Role::position;
      all.push_back({&w, make_grid(plain ? "fp32" : matrices)});
    }
    return gguf_container().layout(input(), all);
  }

  Model model;
  Json none;
};

/// The file as the header says it, with the data's room but without data.
gguf::Header header_of(const Layout& layout) {
  std::vector<std::byte> file(static_cast<std::size_t>(layout.bytes()));
  for (const auto& [offset, bytes] : layout.files.at(0).fixed) {
    std::copy(bytes.begin(), bytes.end(), file.begin() + offset);
  }
  return gguf::read_header(file, "file");
}

template <class T>
std::optional<T> value(const gguf::Header& header, std::string_view key) {
  const gguf::Value* found = header.find(key);
  return found == nullptr ? std::nullopt : std::optional<T>(std::get<T>(*found));
}

constexpr auto count = value<std::uint32_t>;
constexpr auto real = value<float>;

const TensorJob* find(const Layout& layout, std::string_view name) {
  const auto it = std::find_if(layout.jobs.begin(), layout.jobs.end(),
                               [&](const TensorJob& job) { return job.name == name; });
  return it == layout.jobs.end() ? nullptr : &*it;
}

std::vector<float> values_of(const RowReader& rows) {
  std::vector<float> values(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), values.data());
  return values;
}

TEST(Gguf, HeaderAndJobsAgreeForEveryArchitecture) {
  for (const Architecture* a : architectures()) {
    for (const char* grid : {"fp32", "bf16", "q8_0"}) {
      const Sample sample(a->name);
      const Layout layout = sample.layout(grid);
      const gguf::Header header = header_of(layout);
      ASSERT_EQ(header.tensors.size(), layout.jobs.size());
      std::int64_t end = header.data_begin;
      for (std::size_t i = 0; i < layout.jobs.size(); ++i) {
        const TensorJob& job = layout.jobs[i];
        ASSERT_EQ(job.planes.size(), 1u);
        EXPECT_EQ(job.name, header.tensors[i].name);
        EXPECT_EQ(job.planes[0].offset, end) << job.name;
        EXPECT_EQ(job.planes[0].offset % gguf::kDefaultAlignment, 0) << job.name;
        const std::int64_t bytes = job.rows->rows() * job.grid->row_bytes(0, job.rows->cols());
        EXPECT_EQ(bytes, header.tensors[i].bytes) << job.name;
        end += (bytes + gguf::kDefaultAlignment - 1) / gguf::kDefaultAlignment *
               gguf::kDefaultAlignment;
      }
      EXPECT_EQ(layout.bytes(), end);
      EXPECT_EQ(value<std::string>(header, "general.architecture"),
                a->gguf.name_of(sample.model.decoder));
    }
  }
}

TEST(Gguf, StatesTheModelsSizes) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  d.head_dim = 32;
  d.rope.dims = 32;
  d.rope.theta = 500000;
  const gguf::Header header = header_of(Sample(llama, d).layout("q8_0"));
  EXPECT_EQ(count(header, "llama.vocab_size"), 40u);
  EXPECT_EQ(count(header, "llama.context_length"), 32u);
  EXPECT_EQ(count(header, "llama.embedding_length"), 64u);
  EXPECT_EQ(count(header, "llama.block_count"), 2u);
  EXPECT_EQ(count(header, "llama.feed_forward_length"), 96u);
  EXPECT_EQ(count(header, "llama.attention.head_count"), 4u);
  EXPECT_EQ(count(header, "llama.attention.head_count_kv"), 2u);
  EXPECT_EQ(count(header, "llama.attention.key_length"), 32u);
  EXPECT_EQ(count(header, "llama.rope.dimension_count"), 32u);
  EXPECT_EQ(real(header, "llama.rope.freq_base"), 500000.0f);
  EXPECT_EQ(real(header, "llama.attention.layer_norm_rms_epsilon"), 1e-5f);
  EXPECT_EQ(count(header, "general.file_type"), 7u);
  EXPECT_EQ(count(header, "llama.attention.sliding_window"), std::nullopt);
}

TEST(Gguf, StatesLayerNormsEpsilonAndNoRopeForGpt2) {
  const gguf::Header header = header_of(Sample("gpt2").layout());
  EXPECT_EQ(real(header, "gpt2.attention.layer_norm_epsilon"), 1e-5f);
  EXPECT_EQ(real(header, "gpt2.rope.freq_base"), std::nullopt);
  EXPECT_EQ(count(header, "gpt2.attention.key_length"), std::nullopt);
}

TEST(Gguf, Lfm2StatesTheHeadsOfKeysOfEachLayer) {
  const Sample sample("lfm2");
  const gguf::Header header = header_of(sample.layout());
  EXPECT_EQ(value<std::vector<std::int32_t>>(header, "lfm2.attention.head_count_kv"),
            (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(count(header, "lfm2.shortconv.l_cache"), 3u);
  const auto convolution =
      std::ranges::find(header.tensors, "blk.0.shortconv.conv.weight", &gguf::TensorInfo::name);
  ASSERT_NE(convolution, header.tensors.end());
  EXPECT_EQ(convolution->shape, (std::vector<std::int64_t>{64, 3}));
  Decoder d = sample.model.decoder;
  d.conv_bias = true;
  EXPECT_THROW(Sample(named("lfm2"), d).layout(), Error);
}

// Of each layer heads of keys, where it has attention, and the width of its MLP.
TEST(Gguf, NemotronsLayersAreToldBySizes) {
  const gguf::Header header = header_of(Sample("nemotron_h").layout());
  EXPECT_EQ(value<std::vector<std::int32_t>>(header, "nemotron_h.feed_forward_length"),
            (std::vector<std::int32_t>{0, 96}));
  Decoder d = small(named("nemotron_h"));
  d.experts = {.count = 4, .chosen = 2, .ffn = 32, .renormalized = true, .shared_ffn = 48};
  d.experts.routing = Routing::sigmoid;
  EXPECT_THROW(Sample(named("nemotron_h"), d).layout(), Error);  // an MLP beside experts
  set_layers(d, [](std::int64_t i, Layer& layer) { layer.experts = i == 1; });
  const gguf::Header experts = header_of(Sample(named("nemotron_h"), d).layout());
  EXPECT_EQ(value<std::string>(experts, "general.architecture"), "nemotron_h_moe");
  EXPECT_EQ(value<std::vector<std::int32_t>>(experts, "nemotron_h_moe.feed_forward_length"),
            (std::vector<std::int32_t>{0, 32}));
}

// By their number of layers.
TEST(Gguf, RefusesLatentQueriesThatLlamaCppTakesForOthers) {
  const Architecture& deepseek = named("deepseek_v2");
  Decoder d = small(deepseek);
  EXPECT_NO_THROW(Sample(deepseek, d).layout());
  d.layers = 27;
  EXPECT_THROW(Sample(deepseek, d).layout(), Error);
  d.latent.query_rank = 0;
  EXPECT_NO_THROW(Sample(deepseek, d).layout());
  d.layers = 28;
  EXPECT_THROW(Sample(deepseek, d).layout(), Error);
}

TEST(Gguf, Gemma4HasRopeFreqsThoughAllPairsTurn) {
  const Layout layout = Sample("gemma4").layout();
  const std::vector<float> found = values_of(*find(layout, "rope_freqs.weight")->rows);
  EXPECT_EQ(found, std::vector<float>(8, 1.0f));
}

TEST(Gguf, Qwen35StatesItsLinearAttention) {
  const Sample sample("qwen3_5");
  const gguf::Header header = header_of(sample.layout());
  EXPECT_EQ(count(header, "qwen35.full_attention_interval"), 2u);
  EXPECT_EQ(count(header, "qwen35.ssm.conv_kernel"), 4u);
  EXPECT_EQ(count(header, "qwen35.ssm.state_size"), 8u);
  EXPECT_EQ(count(header, "qwen35.ssm.group_count"), 2u);
  EXPECT_EQ(count(header, "qwen35.ssm.time_step_rank"), 4u);
  EXPECT_EQ(count(header, "qwen35.ssm.inner_size"), 32u);
  EXPECT_EQ(value<std::vector<std::int32_t>>(header, "qwen35.rope.dimension_sections"),
            (std::vector<std::int32_t>{3, 3, 2, 0}));
  for (const char* name : {"blk.0.ssm_a", "blk.0.ssm_dt.bias", "blk.0.ssm_conv1d.weight"})
    EXPECT_NE(std::ranges::find(header.tensors, name, &gguf::TensorInfo::name),
              header.tensors.end())
        << name;
}

TEST(Gguf, LinearAttentionThatLlamaCppHasNotIsRefused) {
  Decoder d = Sample("qwen3_5").model.decoder;
  d.delta.key_dim = 16;
  EXPECT_THROW(Sample(named("qwen3_5"), d).layout(), Error);
  d.delta.key_dim = 8;
  set_layers(d, [](std::int64_t i, Layer& layer) {
    layer.mixer = i == 0 ? Mixer::attention : Mixer::gated_delta;
  });
  EXPECT_THROW(Sample(named("qwen3_5"), d).layout(), Error);
}

TEST(Gguf, Phi3StatesItsWindowEvenWithoutOne) {
  EXPECT_EQ(count(header_of(Sample("phi3").layout()), "phi3.attention.sliding_window"), 0u);
}

TEST(Gguf, AHeadIsWrittenUnlessTied) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  EXPECT_NE(find(Sample(llama, d).layout(), "output.weight"), nullptr);
  d.tied = true;
  EXPECT_EQ(find(Sample(llama, d).layout(), "output.weight"), nullptr);
}

TEST(Gguf, InterleavesTheRowsOfLlamasQueriesAndKeys) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  d.attention_bias = true;
  const Sample sample(llama, d);
  const Layout layout = sample.layout();
  const std::vector<float> keys = values_of(*find(layout, "blk.0.attn_k.weight")->rows);
  const std::vector<float> bias = values_of(*find(layout, "blk.0.attn_q.bias")->rows);
  const std::vector<float> values = values_of(*find(layout, "blk.0.attn_v.bias")->rows);
  // Heads of 16: rows 0, 8, 1, 9, ... of the first, then 16, 24, ...
  EXPECT_EQ(keys[1 * 64], 8 * 64);
  EXPECT_EQ(keys[2 * 64], 1 * 64);
  EXPECT_EQ(keys[31 * 64 + 63], 31 * 64 + 63);
  EXPECT_EQ((std::vector<float>(bias.begin() + 14, bias.begin() + 20)),
            (std::vector<float>{7, 15, 16, 24, 17, 25}));
  EXPECT_EQ(values[1], 1);
}

TEST(Gguf, OtherArchitecturesKeepTheirRows) {
  const Sample sample("qwen2");
  const Layout layout = sample.layout();
  EXPECT_EQ(values_of(*find(layout, "blk.0.attn_q.weight")->rows)[64], 64);
}

TEST(Gguf, Llama3ScalingIsATensorOfDivisors) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  d.rope.scaling = RopeScaling::llama3;
  d.rope.factor = 8;
  d.rope.original_context = 64;
  const Sample sample(llama, d);
  const Layout layout = sample.layout();
  const std::vector<float> found = values_of(*find(layout, "rope_freqs.weight")->rows);
  // Wavelengths 2 pi 10000^(i/8): 6.28, 19.87, 62.83, then above 64 = original / low.
  ASSERT_EQ(found.size(), 8u);
  EXPECT_EQ(found[0], 1);
  EXPECT_NEAR(found[1], 1.29397583, 1e-6);  // s = (64 / 19.869 - 1) / 3; 1 / ((1 - s) / 8 + s)
  EXPECT_NEAR(found[2], 7.66738513, 1e-6);
  EXPECT_EQ(found[3], 8);
  EXPECT_EQ(found[7], 8);
}

TEST(Gguf, LongropeIsTwoTensorsAndAFactor) {
  const Architecture& phi3 = named("phi3");
  Decoder d = small(phi3);
  d.rope.scaling = RopeScaling::longrope;
  d.rope.short_factor.assign(8, 1.5f);
  d.rope.long_factor.assign(8, 4.0f);
  d.rope.original_context = 8;
  d.rope.attention_factor = 1.25;
  const Sample sample(phi3, d);
  const Layout layout = sample.layout();
  EXPECT_EQ(values_of(*find(layout, "rope_factors_long.weight")->rows), d.rope.long_factor);
  EXPECT_EQ(values_of(*find(layout, "rope_factors_short.weight")->rows), d.rope.short_factor);
  const gguf::Header header = header_of(layout);
  EXPECT_EQ(real(header, "phi3.rope.scaling.attn_factor"), 1.25f);
  EXPECT_EQ(count(header, "phi3.rope.scaling.original_context_length"), 8u);
}

TEST(Gguf, YarnsOwnAttentionFactorIsNotStatedTwice) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  d.rope.scaling = RopeScaling::yarn;
  d.rope.factor = 4;
  d.rope.original_context = 8;
  d.rope.attention_factor = 0.1 * std::log(4.0) + 1;
  const gguf::Header header = header_of(Sample(llama, d).layout());
  EXPECT_EQ(value<std::string>(header, "llama.rope.scaling.type"), "yarn");
  EXPECT_EQ(real(header, "llama.rope.scaling.factor"), 4.0f);
  EXPECT_EQ(real(header, "llama.rope.scaling.attn_factor"), std::nullopt);
}

TEST(Gguf, WritesYarnsAttentionFactorAsItIsWhereNothingIsStretched) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  d.rope.scaling = RopeScaling::yarn;
  d.rope.factor = 0.5;
  d.rope.attention_factor = 1.25;
  const gguf::Header header = header_of(Sample(llama, d).layout());
  EXPECT_EQ(real(header, "llama.rope.scaling.attn_factor"), 1.25f);
}

TEST(Gguf, RefusesWhatLlamaCppWouldComputeOtherwise) {
  const Architecture& qwen2 = named("qwen2");
  Decoder d = small(qwen2);
  d.rope.scaling = RopeScaling::llama3;
  EXPECT_THROW(Sample(qwen2, d).layout(), Error);
  d.rope.scaling = RopeScaling::yarn;
  d.rope.factor = 4;
  d.rope.beta_fast = 16;
  EXPECT_THROW(Sample(qwen2, d).layout(), Error);
  d.rope = small(qwen2).rope;
  d.activation = Activation::gelu_tanh;
  EXPECT_THROW(Sample(qwen2, d).layout(), Error);
}

TEST(Gguf, SaysWhereLlamaCppWillDiffer) {
  const Architecture& gpt2 = named("gpt2");
  Decoder d = small(gpt2);
  d.activation = Activation::gelu_erf;
  d.every.window = 16;
  const std::vector<std::string> notes = Sample(gpt2, d).layout().notes;
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_NE(notes[0].find("GELU"), std::string::npos);
  EXPECT_NE(notes[1].find("16 tokens"), std::string::npos);
  EXPECT_NE(notes[2].find("no tokenizer"), std::string::npos);
}

std::string rule_for(std::span<const Rule> rules, std::string_view roles) {
  for (const Rule& rule : rules) {
    if (rule.roles.find(roles) != std::string::npos || rule.roles.empty()) return rule.grid;
  }
  return {};
}

TEST(Gguf, RulesKeepTheHeadAtSixBitsWhereTheRestHasFewer) {
  const Architecture& llama = named("llama");
  Decoder d = small(llama);
  const Sample untied(llama, d);
  d.tied = true;
  const Sample tied(llama, d);
  for (const char* grid : {"q4_0", "q4_1", "q5_0", "q5_1", "q4_k", "q3_k"}) {
    const auto rules = gguf_container().rules(grid, untied.input());
    EXPECT_EQ(rule_for(rules, "head"), "q6_k");
    EXPECT_EQ(rule_for(rules, "embedding"), grid);
    EXPECT_EQ(rule_for(rules, "*_norm"), "fp32");
    EXPECT_EQ(rule_for(rules, "*.bias"), "fp32");
    EXPECT_EQ(rule_for(rules, "position"), "fp32");
    EXPECT_EQ(rule_for(rules, "down"), grid);
    EXPECT_EQ(rule_for(gguf_container().rules(grid, tied.input()), "embedding"), "q6_k");
  }
  for (const char* grid : {"fp16", "bf16", "q8_0"}) {
    EXPECT_EQ(rule_for(gguf_container().rules(grid, untied.input()), "head"), grid);
  }
}

Weight weight_of(Role role, std::int64_t cols, Part part = Part::weight) {
  Weight w;
  w.use.place.role = role;
  w.use.part = part;
  w.use.rows = 1;
  w.use.cols = cols;
  return w;
}

TEST(Gguf, AcceptsWhatLlamaCppComputesWith) {
  const auto accepts = [](const char* grid, const Weight& w) {
    return gguf_container().accepts(*make_grid(grid), w.use).possible;
  };
  const Weight matrix = weight_of(Role::up, 64);
  for (const char* grid : {"fp32", "fp16", "bf16", "q8_0", "q4_0", "q5_1"}) {
    EXPECT_TRUE(accepts(grid, matrix)) << grid;
  }
  for (const char* grid : {"fp64", "int4:g32", "int8:channel"})
    EXPECT_FALSE(accepts(grid, matrix)) << grid;
  EXPECT_FALSE(accepts("q8_0", weight_of(Role::position, 64)));
  EXPECT_TRUE(accepts("fp16", weight_of(Role::position, 64)));
  for (const Weight& w : {weight_of(Role::ffn_norm, 64), weight_of(Role::up, 64, Part::bias)}) {
    EXPECT_TRUE(accepts("fp32", w));
    EXPECT_FALSE(accepts("fp16", w));
  }
}

TEST(Gguf, OnlyRowsThatNoBlockDividesFallBack) {
  const auto fallback = [](const char* grid, std::int64_t cols) {
    return gguf_container().fallback(*make_grid(grid), weight_of(Role::down, cols));
  };
  EXPECT_EQ(fallback("q4_0", 172), "fp16");
  EXPECT_EQ(fallback("q4_0", 192), "");
  EXPECT_EQ(fallback("q4_k", 192), "q5_0");
  EXPECT_EQ(fallback("q6_k", 576), "q8_0");
  EXPECT_EQ(fallback("q4_k", 512), "");
  EXPECT_EQ(fallback("int4:g32", 172), "");
}

TEST(Gguf, FileTypeIsTheNumberOfTheMixtureAskedFor) {
  const Sample sample("llama");
  ContainerInput input = sample.input();
  input.grid = "q4_k_m";
  std::vector<Assignment> all;
  for (const Weight& w : sample.model.weights) all.push_back({&w, make_grid("fp32")});
  const gguf::Header header = header_of(gguf_container().layout(input, all));
  EXPECT_EQ(count(header, "general.file_type"), 15u);
}

TEST(Gguf, LayoutRefusesAssignmentsThatAreNotAccepted) {
  const Sample sample("llama");
  EXPECT_THROW(sample.layout("int4:g32"), Error);
  EXPECT_THROW(sample.layout("fp64"), Error);
}

Tokenizer tokens(std::vector<std::string> texts, bool rstrip) {
  Tokenizer t;
  for (std::string& text : texts) t.tokens.push_back({std::move(text), 0, TokenType::control});
  t.added.push_back({.id = 0, .text = t.tokens[0].text, .special = true, .rstrip = rstrip});
  return t;
}

TEST(Gguf, NameSaysPhi3ExactlyWhenTheTokenizerWantsIt) {
  const std::vector<std::string> phi3 = {"<|user|>", "<unk>", "<s>", "</s>", "<|endoftext|>"};
  const Tokenizer stripping = tokens(phi3, true);
  const Tokenizer keeping = tokens(phi3, false);
  const Tokenizer phi4 = tokens({"<|user|>", "<|endoftext|>"}, true);
  EXPECT_EQ(gguf_name("Phi-3.5-mini-instruct", &stripping), "Phi-3.5-mini-instruct");
  EXPECT_EQ(gguf_name("mine", &stripping), "mine (Phi-3 tokens)");
  EXPECT_EQ(gguf_name("tiny-phi3", &keeping), "tiny-phi 3");
  EXPECT_EQ(gguf_name("Phi-3 and PHI3", &phi4), "Phi 3 and PHI 3");  // llama.cpp would not load it
  EXPECT_EQ(gguf_name("phi-3", nullptr), "phi 3");
  EXPECT_EQ(gguf_name("Phi-4-mini", &phi4), "Phi-4-mini");
}

TEST(Gguf, ProvenanceIsTheSourcesAndWhatStatisticsSayOfThemselves) {
  const Sample sample("llama");
  ContainerInput input = sample.input();
  const std::vector<gguf::Pair> source = {{"general.license", std::string("mit")}};
  const StatisticsOrigin origin{"x.imatrix.gguf", "train.txt", 14, 8};
  input.provenance = source;
  EXPECT_EQ(gguf_provenance(input, false).size(), 1u);
  input.statistics = &origin;
  const std::vector<gguf::Pair> pairs = gguf_provenance(input, true);
  const auto value = [&](std::string_view key) {
    return std::ranges::find(pairs, key, &gguf::Pair::key)->value;
  };
  ASSERT_EQ(pairs.size(), 6u);
  EXPECT_TRUE(std::get<std::string>(value("general.quantized_by")).starts_with("Zeropoint "));
  EXPECT_EQ(value("general.license"), gguf::Value(std::string("mit")));
  EXPECT_EQ(value("quantize.imatrix.file"), gguf::Value(std::string("x.imatrix.gguf")));
  EXPECT_EQ(value("quantize.imatrix.dataset"), gguf::Value(std::string("train.txt")));
  EXPECT_EQ(value("quantize.imatrix.entries_count"), gguf::Value(std::uint32_t{14}));
  EXPECT_EQ(value("quantize.imatrix.chunks_count"), gguf::Value(std::uint32_t{8}));
}

}  // namespace
}  // namespace zp
