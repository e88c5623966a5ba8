#include "text/special_tokens.h"

#include "text/test_folder.h"

namespace zp {
namespace {

SpecialTokens read(const char* config, const char* map = "{}") {
  return read_special_tokens(parse_json(config, "c"), "c", parse_json(map, "m"), "m");
}

// "name=text" of the named, then the texts of the others.
std::vector<std::string> found(const SpecialTokens& tokens) {
  std::vector<std::string> all;
  for (const SpecialTokens::Named& one : tokens.named)
    all.push_back(one.name + "=" + one.token.text);
  for (const AddedToken& token : tokens.extra) all.push_back(token.text);
  return all;
}

using Found = std::vector<std::string>;

TEST(SpecialTokens, AreNamedByTheConfig) {
  EXPECT_EQ(found(read(R"({"image_token":"<i>","sep_token":"<s>","bos_token":{"content":"<b>"},)"
                       R"("add_bos_token":true,"pad_token":null,"unk_token":""})")),
            (Found{"bos_token=<b>", "sep_token=<s>", "image_token=<i>"}));
}

TEST(SpecialTokens, ExtraOnesAreAListOrAMap) {
  EXPECT_EQ(found(read(R"({"extra_special_tokens":["<x>"]})")), Found{"<x>"});
  EXPECT_EQ(found(read(R"({"extra_special_tokens":{"x_token":"<x>","y":"<y>"}})")),
            (Found{"x_token=<x>", "y=<y>"}));
}

TEST(SpecialTokens, AdditionalOnesCountWhereThereAreNoExtraOnes) {
  EXPECT_EQ(found(read(R"({"additional_special_tokens":["<a>"],"extra_special_tokens":[]})")),
            Found{"<a>"});
  EXPECT_EQ(found(read(R"({"additional_special_tokens":["<a>"],"extra_special_tokens":["<x>"]})")),
            Found{"<x>"});
  EXPECT_EQ(found(read("{}", R"({"additional_special_tokens":[{"content":"<a>"}]})")),
            Found{"<a>"});
}

TEST(SpecialTokens, TheMapGoesFirstWhereTheConfigListsNoTokens) {
  const char* map = R"({"eos_token":"<m>","image_token":"<i>"})";
  EXPECT_EQ(found(read(R"({"eos_token":"<c>"})", map)),
            (Found{"eos_token=<m>", "image_token=<i>"}));
  EXPECT_EQ(found(read(R"({"eos_token":"<c>","added_tokens_decoder":{}})", map)),
            Found{"eos_token=<c>"});
}

TEST(SpecialTokens, KeepTheirFlags) {
  const SpecialTokens tokens =
      read(R"({"eos_token":{"content":"<e>","lstrip":true,"normalized":true},)"
           R"("extra_special_tokens":[{"__type":"AddedToken","content":"<x>","rstrip":true}]})");
  EXPECT_TRUE(tokens.find("eos_token")->special);
  EXPECT_TRUE(tokens.find("eos_token")->lstrip);
  EXPECT_TRUE(tokens.find("eos_token")->normalized);
  EXPECT_TRUE(tokens.extra[0].rstrip);
  EXPECT_FALSE(tokens.extra[0].special);
  EXPECT_EQ(tokens.find("bos_token"), nullptr);
}

TEST(SpecialTokens, RefuseWhatIsNoToken) {
  EXPECT_EQ(error_of([] { read(R"({"pad_token":3})"); }),
            "c: \"pad_token\": no token: expected a text, or an object with its flags, found "
            "number");
  EXPECT_EQ(error_of([] { read(R"({"extra_special_tokens":"<x>"})"); }),
            "c: \"extra_special_tokens\": wrong type: expected a list of tokens, found string");
}

}  // namespace
}  // namespace zp
