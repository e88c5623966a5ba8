// Mixtures written out for models, against what llama-quantize gives each tensor.
#include "container/mixture.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "container/container.h"
#include "container/gguf_mixtures.h"
#include "format/gguf.h"

namespace zp {
namespace {

Decoder decoder(std::int64_t layers, std::int64_t heads, std::int64_t kv_heads) {
  Decoder d;
  d.layers = layers;
  d.heads = heads;
  d.kv_heads = kv_heads;
  return d;
}

std::vector<Rule> rules(const char* name, const Decoder& d, bool weighted = false) {
  return mixture_rules(*find_mixture(gguf_mixtures(), name), d, weighted);
}

// Which layers of a role have a grid, by the first rule that names it: "layers.A-B.role" or "role".
std::string grid_of(const std::vector<Rule>& rules, const std::string& role, std::int64_t layer) {
  for (const Rule& rule : rules) {
    if (rule.roles.empty()) return rule.grid;
    std::string left = rule.roles;
    while (!left.empty()) {
      const std::string one = left.substr(0, left.find(','));
      left.erase(0, one.size() + 1);
      if (one == role) return rule.grid;
      long long first = -1, last = -1;
      char name[32] = {};
      if (std::sscanf(one.c_str(), "layers.%lld-%lld.%31s", &first, &last, name) != 3) {
        if (std::sscanf(one.c_str(), "layers.%lld.%31s", &first, name) != 2) continue;
        last = first;
      }
      if (role == name && layer >= first && layer <= last) return rule.grid;
    }
  }
  return {};
}

std::set<std::int64_t> layers_with(const std::vector<Rule>& rules, const std::string& role,
                                   const std::string& grid, std::int64_t layers) {
  std::set<std::int64_t> found;
  for (std::int64_t i = 0; i < layers; ++i) {
    if (grid_of(rules, role, i) == grid) found.insert(i);
  }
  return found;
}

using Set = std::set<std::int64_t>;

// Values are counted by the layers that have them.
TEST(Mixture, OfAHybridTheLayersWithAttentionCount) {
  Decoder d = decoder(16, 32, 8);
  set_layers(d, [](std::int64_t i, Layer& layer) {
    if (!Set{2, 5, 8, 10, 12, 14}.contains(i)) layer.mixer = Mixer::short_convolution;
  });
  const auto all = rules("q4_k_m", d);
  EXPECT_EQ(layers_with(all, "value", "q6_k", 16), (Set{8, 14}));
  EXPECT_EQ(layers_with(all, "down", "q6_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(grid_of(all, "conv_in", 0), "q4_k");
}

TEST(Mixture, Q4KMGivesMoreBitsWhereLlamaQuantizeDoes) {
  const auto all = rules("q4_k_m", decoder(16, 32, 8));
  EXPECT_EQ(layers_with(all, "down", "q6_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(layers_with(all, "value", "q6_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(layers_with(all, "qkv", "q6_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(grid_of(all, "gate", 0), "q4_k");
  EXPECT_EQ(grid_of(all, "value", 2), "q4_k");
  EXPECT_EQ(grid_of(all, "head", -1), "q6_k");
  EXPECT_EQ(grid_of(all, "embedding", -1), "q4_k");
}

TEST(Mixture, ATiedEmbeddingIsTreatedAsTheHead) {
  Decoder d = decoder(16, 32, 8);
  d.tied = true;
  EXPECT_EQ(grid_of(rules("q4_k_m", d), "embedding", -1), "q6_k");
  EXPECT_EQ(grid_of(rules("iq2_xxs", d), "embedding", -1), "q5_k");
  d.tied = false;
  EXPECT_EQ(grid_of(rules("iq2_xxs", d), "embedding", -1), "q2_k");
}

TEST(Mixture, SharedKeysGiveValuesMoreBits) {
  EXPECT_EQ(grid_of(rules("q2_k", decoder(32, 32, 32)), "value", 5), "q3_k");
  EXPECT_EQ(grid_of(rules("q2_k", decoder(32, 32, 8)), "value", 5), "q4_k");
  EXPECT_EQ(grid_of(rules("q2_k", decoder(80, 64, 8)), "value", 5), "q5_k");
  EXPECT_EQ(grid_of(rules("q2_k_s", decoder(32, 32, 16)), "value", 5), "q2_k");
  EXPECT_EQ(grid_of(rules("iq4_xs", decoder(32, 32, 8)), "value", 5), "q5_k");
}

TEST(Mixture, SeventyBillionKeepsSixBitsWhereTheMixtureHasThem) {
  const auto all = rules("q4_k_m", decoder(80, 64, 8));
  EXPECT_EQ(grid_of(all, "value", 0), "q6_k");
  EXPECT_EQ(grid_of(all, "value", 11), "q5_k");
  EXPECT_EQ(grid_of(all, "down", 11), "q4_k");
}

TEST(Mixture, FirstLayersOfQ3KMAndQ4KS) {
  const auto medium = rules("q3_k_m", decoder(32, 32, 32));
  EXPECT_EQ(layers_with(medium, "value", "q5_k", 32), (Set{0, 1}));
  EXPECT_EQ(layers_with(medium, "down", "q5_k", 32), (Set{0, 1}));
  EXPECT_EQ(grid_of(medium, "down", 2), "q4_k");
  EXPECT_EQ(grid_of(medium, "attention_output", 9), "q4_k");
  EXPECT_EQ(grid_of(medium, "up", 0), "q3_k");
  const auto small = rules("q4_k_s", decoder(16, 32, 32));
  EXPECT_EQ(layers_with(small, "value", "q5_k", 16), (Set{0, 1, 2, 3}));
  EXPECT_EQ(layers_with(small, "down", "q5_k", 16), (Set{0, 1}));
}

TEST(Mixture, StatisticsChangeWhatLlamaQuantizeChanges) {
  const Decoder d = decoder(32, 32, 32);
  EXPECT_EQ(grid_of(rules("q4_0", d), "down", 0), "q4_0");
  EXPECT_EQ(grid_of(rules("q4_0", d, true), "down", 3), "q4_1");
  EXPECT_EQ(grid_of(rules("q4_0", d, true), "down", 4), "q4_0");
  EXPECT_EQ(grid_of(rules("iq4_xs", d), "down", 0), "q5_k");
  EXPECT_EQ(grid_of(rules("iq4_xs", d, true), "down", 0), "iq4_xs");
  EXPECT_EQ(grid_of(rules("iq3_xxs", d), "value", 0), "iq3_s");
  EXPECT_EQ(grid_of(rules("iq3_xxs", d, true), "value", 0), "iq3_xxs");
}

TEST(Mixture, IQ3XSThinsTheInnerLayers) {
  const auto all = rules("iq3_xs", decoder(16, 32, 32));
  EXPECT_EQ(layers_with(all, "gate_up", "iq3_s", 16), (Set{0, 1, 14, 15}));
  EXPECT_EQ(grid_of(all, "query", 0), "iq3_xxs");
  EXPECT_EQ(grid_of(all, "down", 8), "iq3_s");
}

// llama_tensor_get_type() of llama.cpp's src/llama-quant.cpp, hparams.n_expert == 8: value, key and
// attention_output of a model with as many keys as queries.
TEST(Mixture, EightExpertsHaveMoreBitsInAttentionWhereLlamaQuantizeHas) {
  Decoder d = decoder(16, 32, 32);
  d.experts.count = 8;
  const std::map<std::string, std::string> out = {
      {"q6_k", "q6_k"},   {"q5_k_m", "q5_k"},  {"q5_k_s", "q5_k"},       {"q5_1", "q5_1"},
      {"q5_0", "q5_0"},   {"q4_k_m", "q5_k"},  {"q4_k_s", "q5_k"},       {"q4_1", "q4_1"},
      {"q4_0", "q4_0"},   {"iq4_nl", "q5_k"},  {"iq4_xs", "q5_k"},       {"q3_k_l", "q3_k"},
      {"q3_k_m", "q5_k"}, {"q3_k_s", "q5_k"},  {"iq3_m", "q5_k"},        {"iq3_s", "q5_k"},
      {"iq3_xs", "q5_k"}, {"iq3_xxs", "q5_k"}, {"q2_k", "q5_k"},         {"q2_k_s", "q2_k"},
      {"tq2_0", "tq2_0"}, {"tq1_0", "tq1_0"},  {"nvfp4", "nvfp4:blocks"}};
  for (const auto& [name, grid] : out) {
    const auto all = rules(name.c_str(), d);
    EXPECT_EQ(grid_of(all, "value", 0), "q8_0") << name;
    EXPECT_EQ(grid_of(all, "qkv", 9), "q8_0") << name;
    EXPECT_EQ(grid_of(all, "key", 9), "q8_0") << name;
    EXPECT_EQ(grid_of(all, "attention_output", 9), grid) << name;
    EXPECT_EQ(grid_of(all, "up", 0), find_mixture(gguf_mixtures(), name)->grid) << name;
  }
  for (const char* name : {"iq2_m", "iq2_s", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s"}) {
    const auto all = rules(name, d);
    EXPECT_EQ(grid_of(all, "value", 9), "q4_k") << name;
    EXPECT_EQ(grid_of(all, "key", 9), "q4_k") << name;
    EXPECT_EQ(grid_of(all, "attention_output", 9), "q5_k") << name;
  }
  EXPECT_EQ(layers_with(rules("iq3_m", d), "down", "q4_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(layers_with(rules("q4_k_m", d), "down", "q6_k", 16), (Set{0, 1, 4, 7, 10, 13, 14, 15}));
}

TEST(Mixture, OtherNumbersOfExpertsChangeValuesOfTheSmallestMixturesAlone) {
  Decoder d = decoder(16, 32, 32);
  for (const std::int64_t experts : {2, 4, 16, 128}) {
    d.experts.count = experts;
    EXPECT_EQ(grid_of(rules("iq2_xs", d), "value", 9), experts < 4 ? "q2_k" : "q4_k");
    EXPECT_EQ(grid_of(rules("iq1_s", d), "attention_output", 9), "iq2_xxs");
    EXPECT_EQ(grid_of(rules("q3_k_m", d), "value", 9), "q4_k");
    EXPECT_EQ(grid_of(rules("q3_k_m", d), "key", 9), "q3_k");
    EXPECT_EQ(layers_with(rules("iq3_m", d), "down", "q4_k", 16), (Set{0, 1}));
  }
}

TEST(Mixture, FewLayersLeaveOutEmptyLines) {
  for (const Mixture& m : gguf_mixtures()) {
    for (const std::int64_t layers : {1, 2, 7}) {
      for (const Rule& rule : mixture_rules(m, decoder(layers, 4, 2), false))
        EXPECT_EQ(rule.roles.find(",,"), std::string::npos) << m.name;
    }
  }
}

TEST(Mixture, EveryGridIsATypeOfTheFormatAndNumbersAreUnique) {
  std::map<std::int32_t, std::string_view> numbers;
  for (const Mixture& m : gguf_mixtures()) {
    EXPECT_TRUE(numbers.emplace(m.file_type, m.name).second) << m.name;
    EXPECT_NE(gguf::type_of_grid(m.grid), nullptr) << m.name;
    EXPECT_NE(gguf::type_of_grid(m.head), nullptr) << m.name;
    for (const auto lines : {m.lines, m.of_eight_experts}) {
      for (const MixtureLine& line : lines)
        EXPECT_NE(gguf::type_of_grid(line.grid), nullptr) << m.name;
    }
  }
}

TEST(Mixture, FallbacksEndInAFloatingType) {
  for (const Mixture& m : gguf_mixtures()) {
    std::string_view grid = m.grid;
    for (int steps = 0; steps < 3 && grid != "fp16"; ++steps) grid = gguf_fallback(grid);
    EXPECT_EQ(grid, "fp16") << m.name;
  }
  EXPECT_EQ(gguf_fallback("q4_k"), "q5_0");
  EXPECT_EQ(gguf_fallback("q6_k"), "q8_0");
  EXPECT_EQ(gguf_fallback("q2_k"), "iq4_nl");
  EXPECT_EQ(gguf_fallback("q4_0"), "fp16");
  EXPECT_EQ(gguf_fallback("fp16"), "");
}

}  // namespace
}  // namespace zp
