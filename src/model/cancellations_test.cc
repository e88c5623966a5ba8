// Where changes of weights cancel, in every architecture.
#include "model/cancellations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "model/sample_models.h"

namespace zp {
namespace {

// "query key value < attention_norm" for every link of layer 0 and outside the layers.
std::vector<std::string> link_texts(const Cancellations& found) {
  std::vector<std::string> all;
  for (const ScaleLink& link : found.links) {
    if (link.readers.front().layer > 0) continue;
    std::string text;
    for (const Place reader : link.readers) text += std::string(role_name(reader.role)) + " ";
    all.push_back(text + "< " + std::string(role_name(link.writer.role)));
  }
  return all;
}

std::string unlinked_text(const Cancellations& found) {
  std::string text;
  for (const Unlinked& unlinked : found.unlinked) {
    if (unlinked.readers.front().layer > 0) continue;
    text += std::string(role_name(unlinked.readers.front().role)) + ": " + unlinked.why + "; ";
  }
  return text;
}

std::map<std::string, Cancellations> all_found() {
  std::map<std::string, Cancellations> all;
  for (const SampleModel& sample : sample_models())
    all.emplace(sample.name, find_cancellations(sample.model));
  return all;
}

const ScaleLink& link_of(const Cancellations& found, Role reader) {
  return *std::ranges::find_if(
      found.links, [&](const ScaleLink& l) { return l.readers.front().role == reader; });
}

TEST(Cancellations, LinearsAreLinkedToWhateverMakesTheirInput) {
  using Texts = std::vector<std::string>;
  const auto found = all_found();
  const Texts gated = {"query key value < attention_norm", "attention_output < value",
                       "gate up < ffn_norm", "down < up"};
  for (const char* name : {"llama_tied", "qwen2", "gemma2", "gemma3"})
    EXPECT_EQ(link_texts(found.at(name)), gated) << name;
  Texts untied = gated;
  untied.emplace_back("head < output_norm");
  for (const char* name :
       {"llama", "llama_biases", "llama_rows", "qwen3", "qwen3_rotated", "smollm3", "granite"})
    EXPECT_EQ(link_texts(found.at(name)), untied) << name;
  EXPECT_EQ(link_texts(found.at("phi3")),
            (Texts{"qkv < attention_norm", "attention_output < qkv", "gate_up < ffn_norm",
                   "down < gate_up", "head < output_norm"}));
  EXPECT_EQ(link_texts(found.at("phi")), (Texts{"query key value up < attention_norm",
                                                "attention_output < value", "head < output_norm"}));
  EXPECT_EQ(link_texts(found.at("gpt2")),
            (Texts{"qkv < attention_norm", "attention_output < qkv", "up < ffn_norm"}));
}

// By way of what goes through it; where that adds a bias, of the gate behind it.
TEST(Cancellations, AShortConvolutionIsScaledByOneOfItsThreeParts) {
  const auto found = all_found();
  for (const auto& [name, first] : {std::pair{"lfm2", 160}, {"lfm2_biases", 80}}) {
    EXPECT_EQ(unlinked_text(found.at(name)), "") << name;
    const ScaleLink& link = link_of(found.at(name), Role::conv_out);
    EXPECT_EQ(link.writer, (Place{0, Role::conv_in})) << name;
    EXPECT_EQ(link.writer_width, 240) << name;
    EXPECT_EQ(link.source.front(), first) << name;
    EXPECT_EQ(link.source.back(), first + 79) << name;
    EXPECT_EQ(link.mixable, 1) << name;
  }
}

TEST(Cancellations, WhatCannotBeScaledIsSaidWithItsReason) {
  const auto found = all_found();
  EXPECT_EQ(unlinked_text(found.at("llama")), "");
  EXPECT_EQ(unlinked_text(found.at("llama_tied")),
            "embedding: the head is the embedding, which the first layer reads, too; ");
  EXPECT_EQ(
      unlinked_text(found.at("olmo2")),
      "value: they are the residual stream; key: they are the residual stream; query: they are the "
      "residual stream; gate: they are a sum; up: they are a sum; ")
      << "norms behind the halves only";
  EXPECT_EQ(link_texts(found.at("gpt_oss")),
            (std::vector<std::string>{"query key value < attention_norm",
                                      "attention_output < value", "head < output_norm"}));
  EXPECT_EQ(unlinked_text(found.at("phi")), "down: they are behind an activation; ");
}

TEST(Cancellations, GroupedHeadsShareTheRowsOfTheirValue) {
  const auto found = all_found();
  const ScaleLink& link = link_of(found.at("llama"), Role::attention_output);
  ASSERT_EQ(link.source.size(), 192u);  // 4 heads of 48, of 2 heads of values
  EXPECT_EQ(link.writer_width, 96);
  EXPECT_EQ(link.mixable, 48);
  for (std::int32_t j = 0; j < 192; ++j)
    EXPECT_EQ(link.source[static_cast<std::size_t>(j)], j / 96 * 48 + j % 48);
}

TEST(Cancellations, OfFusedMatricesTheValuesAndUpAreScaled) {
  const auto found = all_found();
  const ScaleLink& values = link_of(found.at("phi3"), Role::attention_output);
  EXPECT_EQ(values.writer_width, 384);  // 192 of queries, 96 of keys, 96 of values
  EXPECT_EQ(values.source.front(), 288);
  EXPECT_EQ(values.source.back(), 383);
  const ScaleLink& up = link_of(found.at("phi3"), Role::down);
  EXPECT_EQ(up.source.front(), 40);
  EXPECT_EQ(up.mixable, 1);
}

TEST(Cancellations, TheResidualStreamTurnsWhereNothingForbidsIt) {
  const auto found = all_found();
  for (const auto& [name, cancellations] : found) {
    const ResidualStream& stream = cancellations.stream;
    const bool turns = (name.starts_with("llama") && name != "llama_tied") || name == "qwen3" ||
                       name == "qwen3_rotated" || name == "qwen3_5" || name == "phi3" ||
                       (name.starts_with("lfm2") && name != "lfm2_moe") || name == "smollm3" ||
                       name == "granite";
    EXPECT_EQ(stream.why_not.empty(), turns) << name << ": " << stream.why_not;
    if (!turns) continue;
    EXPECT_EQ(stream.tables.size(), 1u) << name;
    EXPECT_EQ(stream.norms.size(), 5u) << name;
    EXPECT_EQ(stream.writers.size(), 4u) << name;
  }
  EXPECT_NE(found.at("qwen3_moe").stream.why_not.find("experts"), std::string::npos);
  EXPECT_NE(found.at("gpt2").stream.why_not.find("layer norms"), std::string::npos);
  EXPECT_NE(found.at("qwen2").stream.why_not.find("the head is the embedding"), std::string::npos);
  EXPECT_NE(found.at("gemma2").stream.why_not.find("normed"), std::string::npos);
  EXPECT_NE(found.at("olmo2").stream.why_not.find("normed"), std::string::npos);
}

}  // namespace
}  // namespace zp
