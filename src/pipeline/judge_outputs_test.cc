#include "pipeline/judge_outputs.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace zp {
namespace {

// Writes what nobody here reads.
class OneWay final : public Container {
 public:
  std::string_view name() const override { return "one-way"; }
  std::string_view summary() const override { return {}; }
  std::string_view extension() const override { return {}; }
  bool is_model() const override { return false; }
  std::string_view default_grid() const override { return "fp32"; }
  AffineForm affine_defaults(std::string_view) const override { return {}; }
  std::vector<Rule> rules(std::string_view, const ContainerInput&) const override { return {}; }
  Verdict accepts(const Grid&, const TensorUse&) const override { return {}; }
  std::string fallback(const Grid&, const Weight&) const override { return {}; }
  Layout layout(const ContainerInput&, std::span<const Assignment>) const override { return {}; }
};

std::string refusal(const Container& container, const LoadedModel& source) {
  Plan plan;
  plan.outputs.emplace_back();
  plan.outputs[0].container = &container;
  plan.outputs[0].path = "out.x";
  try {
    check_judgeable(plan, source, {{{"text", {}}}, 8});
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(JudgeOutputs, WhatCannotBeReadBackIsRefused) {
  EXPECT_EQ(refusal(OneWay(), LoadedModel()),
            "out.x: can't be judged: one-way can't be read back as a model: expected another "
            "container, or no `judge`");
}

TEST(JudgeOutputs, ASourceWithoutTokenizerIsRefused) {
  LoadedModel source;
  source.checkpoint.path = "model";
  EXPECT_EQ(refusal(find_container("gguf"), source),
            "model: no tokenizer: expected tokenizer.json, tokenizer.model, vocab.json with "
            "merges.txt, or *.tiktoken");
}

}  // namespace
}  // namespace zp
