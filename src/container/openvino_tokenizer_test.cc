#include "container/openvino_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace zp {
namespace {

Tokenizer over_bytes() {
  Tokenizer t;
  for (const char* text : {"a", "b", "ab", "abab", "ba"}) t.tokens.push_back({text});
  t.tokens.push_back({"<x>", 0, TokenType::control});
  t.merges = {{"a", "b"}, {"ab", "ab"}};
  AddedToken token;
  token.id = 5;
  token.text = "<x>";
  token.special = true;
  t.added = {token};
  t.split_regexes = {"\\p{L}+", "\\p{N}"};
  t.bos = 5;
  t.add_bos = true;
  return t;
}

Tokenizer pieces() {
  Tokenizer t = over_bytes();
  t.kind = TokenizerKind::sentencepiece_bpe;
  t.space_prefix = SpacePrefix::first;
  t.space_marks = SpaceMarks::metaspace;
  t.split_at_spaces = t.byte_fallback = t.drops_first_space = true;
  t.split_regexes.clear();
  return t;
}

const GraphNode& node_of(const TokenizerGraph& graph, std::string_view op) {
  return *std::ranges::find(graph.nodes, op, &GraphNode::op);
}

std::string bytes_of(const TokenizerGraph& graph, const std::string& name) {
  return std::ranges::find(graph.constants, name, &GraphConstant::name)->bytes;
}

TEST(OpenVinoTokenizer, EveryValueIsThereBeforeItIsTaken) {
  for (const Tokenizer& t : {over_bytes(), pieces()}) {
    for (const TokenizerGraph& graph : {openvino_tokenizer(t, "t"), openvino_detokenizer(t)}) {
      std::set<std::string> there, taken;
      for (const GraphConstant& c : graph.constants) there.insert(c.name);
      for (const GraphNode& node : graph.nodes) {
        for (const std::string& name : node.inputs) {
          EXPECT_TRUE(there.contains(name)) << node.name << " takes " << name;
          taken.insert(name);
        }
        for (const std::string& name : node.outputs) EXPECT_TRUE(there.insert(name).second) << name;
      }
      for (const GraphConstant& c : graph.constants) EXPECT_TRUE(taken.contains(c.name)) << c.name;
    }
  }
}

// Merging begins with the longest texts that no merge makes: "ba" would be one of them.
TEST(OpenVinoTokenizer, TokensThatNoMergesMakeAreNotLookedUp) {
  Tokenizer t = over_bytes();
  const auto vocabulary = [&] {
    const TokenizerGraph graph = openvino_tokenizer(t, "t");
    return bytes_of(graph, node_of(graph, "BPETokenizer").inputs[7]);
  };
  EXPECT_EQ(vocabulary(), "abababab<x>");
  t.ignore_merges = true;
  EXPECT_EQ(vocabulary(), "ababababba<x>");
}

TEST(OpenVinoTokenizer, SaysWhatItLacksAndWhereItDiffers) {
  Tokenizer t = over_bytes();
  EXPECT_EQ(openvino_tokenizer_lacks(t), "");
  EXPECT_TRUE(openvino_tokenizer_deviations(t).empty());
  t.normalizers = {Normalizer::lowercase};
  t.added[0].single_word = true;
  EXPECT_EQ(openvino_tokenizer_deviations(t).size(), 2u);
  EXPECT_EQ(openvino_tokenizer_deviations(pieces()).size(), 1u);  // no tokens for bytes
  t.kind = TokenizerKind::unigram;
  EXPECT_EQ(openvino_tokenizer_lacks(t), "unigram models");
}

TEST(OpenVinoTokenizer, InfoNamesTokensAndTheTemplate) {
  Tokenizer t = over_bytes();
  t.chat_template = "{{ messages }}";
  using Info = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(openvino_tokenizer_info(t), (Info{{"bos_token_id", "5"},
                                              {"chat_template", "{{ messages }}"},
                                              {"openvino_tokenizers_version", "2026.4.1.0"}}));
}

}  // namespace
}  // namespace zp
