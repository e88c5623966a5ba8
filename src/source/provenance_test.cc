#include "source/provenance.h"

#include <gtest/gtest.h>

#include <fstream>

namespace zp {
namespace {

const gguf::Value* find(const std::vector<gguf::Pair>& pairs, std::string_view key) {
  for (const gguf::Pair& p : pairs) {
    if (p.key == key) return &p.value;
  }
  return nullptr;
}

std::string text(const std::vector<gguf::Pair>& pairs, std::string_view key) {
  const gguf::Value* value = find(pairs, key);
  return value == nullptr ? "" : std::get<std::string>(*value);
}

TEST(Provenance, IsWhatTheModelCardSaysInGgufsWords) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "zp_provenance";
  std::filesystem::create_directories(folder);
  EXPECT_TRUE(card_provenance(folder).empty());
  std::ofstream(folder / "README.md")
      << "---\nlicense: apache-2.0\nbase_model: HuggingFaceTB/SmolLM2-135M\nlanguage: [en]\n"
         "tags:\n- chat\npipeline_tag: text-generation\n---\n# A model\n";
  const auto pairs = card_provenance(folder);
  EXPECT_EQ(text(pairs, "general.license"), "apache-2.0");
  EXPECT_EQ(std::get<std::uint32_t>(*find(pairs, "general.base_model.count")), 1u);
  EXPECT_EQ(text(pairs, "general.base_model.0.name"), "SmolLM2 135M");
  EXPECT_EQ(text(pairs, "general.base_model.0.organization"), "HuggingFaceTB");
  EXPECT_EQ(text(pairs, "general.base_model.0.repo_url"),
            "https://huggingface.co/HuggingFaceTB/SmolLM2-135M");
  EXPECT_EQ(std::get<gguf::Strings>(*find(pairs, "general.tags")),
            (gguf::Strings{"chat", "text-generation"}));
  EXPECT_EQ(std::get<gguf::Strings>(*find(pairs, "general.languages")), gguf::Strings{"en"});
  std::filesystem::remove_all(folder);
}

TEST(Provenance, OfGgufIsWhatIsNotOfTheFileItself) {
  const std::vector<gguf::Pair> metadata = {{"general.architecture", std::string("llama")},
                                            {"general.license", std::string("mit")},
                                            {"general.description", std::string("broken \xFF")},
                                            {"general.quantized_by", std::string("somebody")},
                                            {"general.base_model.count", std::uint32_t{1}},
                                            {"llama.block_count", std::uint32_t{4}}};
  const auto pairs = gguf_provenance(metadata);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(text(pairs, "general.license"), "mit");
  EXPECT_NE(find(pairs, "general.base_model.count"), nullptr);
}

}  // namespace
}  // namespace zp
