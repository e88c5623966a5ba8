#include "format/pickle.h"

#include <gtest/gtest.h>

#include <array>

#include "format/sample_files.h"

namespace zp::pickle {
namespace {

using namespace std::string_view_literals;

constexpr std::array kAllowed = {Global{"collections", "OrderedDict", true},
                                 Global{"torch", "Size"}};

Object read_text(std::string_view text) { return read(sample::view(text), 0, kAllowed, "x.pt"); }
std::string refusal_of(std::string_view text) {
  return sample::refusal([&] { read_text(text); });
}

TEST(Pickle, ReadsPlainValues) {
  const std::string_view text =
      "\x80\x02(NK\x07M\x01\x02J\xff\xff\xff\xff\x8a\x03\xff\xff\xff\x8a\x00\x88\x89G\x3f\xf8\0\0\0\0\0\0X\x02\0\0\0hiU\x01zt."sv;
  const Object object = read_text(text);
  const Node& tuple = object[object.root];
  ASSERT_EQ(tuple.kind, Kind::tuple);
  ASSERT_EQ(tuple.items.size(), 11U);
  const auto item = [&](std::size_t i) -> const Node& { return object[tuple.items[i]]; };
  EXPECT_EQ(item(0).kind, Kind::none);
  EXPECT_EQ(item(1).integer, 7);
  EXPECT_EQ(item(2).integer, 513);
  EXPECT_EQ(item(3).integer, -1);
  EXPECT_EQ(item(4).integer, -1);
  EXPECT_EQ(item(5).integer, 0);
  EXPECT_EQ(item(6).integer, 1);
  EXPECT_EQ(item(7).kind, Kind::boolean);
  EXPECT_EQ(item(8).real, 1.5);
  EXPECT_EQ(item(9).text, "hi");
  EXPECT_EQ(item(10).text, "z");
  EXPECT_EQ(item(9).at, 32U);
  EXPECT_EQ(object.end, text.size());
}

TEST(Pickle, ReadsContainersThroughTheMemo) {
  const Object object =
      read_text("\x80\x02}q\x00(X\x01\0\0\0aq\x01]q\x02(K\x01K\x02\x65h\x01h\x02u."sv);
  const Node& dict = object[object.root];
  ASSERT_EQ(dict.kind, Kind::dict);
  ASSERT_EQ(dict.items.size(), 4U);
  EXPECT_EQ(dict.items[0], dict.items[2]);
  EXPECT_EQ(dict.items[1], dict.items[3]);
  EXPECT_EQ(object[dict.items[1]].items.size(), 2U);
}

TEST(Pickle, KeepsCallsAsDataAndOrderedDictsAsDicts) {
  const Object call = read_text(
      "\x80\x02"
      "ctorch\nSize\nK\x01K\x02\x86\x85R."sv);
  EXPECT_EQ(call[call.root].kind, Kind::call);
  EXPECT_EQ(call[call[call.root].items[0]].integer, 1);
  const Object dict = read_text(
      "\x80\x02"
      "ccollections\nOrderedDict\n)RX\x01\0\0\0aK\x01s}b."sv);
  EXPECT_EQ(dict[dict.root].kind, Kind::dict);
  EXPECT_EQ(dict[dict.root].items.size(), 2U);
  const Object python2 = read_text(
      "\x80\x02"
      "ccollections\nOrderedDict\n](](U\x01"
      "aK\x01"
      "ee\x85R."sv);
  EXPECT_EQ(python2[python2.root].items.size(), 2U);
}

TEST(Pickle, RefusesAForbiddenNameAtItsByte) {
  EXPECT_EQ(refusal_of("\x80\x02}cos\nsystem\nX\x02\0\0\0ls\x85R."sv),
            "x.pt: byte 3: names code that no checkpoint of weights needs; nothing of it was run: "
            "expected tensors, storages and plain Python data, found os.system");
  EXPECT_EQ(refusal_of("\x80\x04\x8c\x08"
                       "builtins\x8c\x04"
                       "eval\x93."sv),
            "x.pt: byte 18: names code that no checkpoint of weights needs; nothing of it was run: "
            "expected tensors, storages and plain Python data, found builtins.eval");
  EXPECT_EQ(refusal_of("\x80\x02"
                       "ctorch\nsize\n."sv)
                .substr(0, 13),
            "x.pt: byte 2:");
}

TEST(Pickle, RefusesOpcodesThatBuildObjects) {
  for (const char opcode : {'i', 'o', '\x81', '\x92', '\x82', 'P', 'I', '\x97', '\x8f'}) {
    const std::string text = std::string("\x80\x02") + opcode + ".";
    EXPECT_EQ(refusal_of(text), "x.pt: byte 2: opcode that no checkpoint of weights needs: found " +
                                    std::to_string(static_cast<unsigned char>(opcode)));
  }
}

TEST(Pickle, RefusesEveryTruncation) {
  const std::string_view text =
      "\x80\x02}q\x00(X\x01\0\0\0aq\x01"
      "ctorch\nSize\n]K\x01"
      "a\x85Ru."sv;
  EXPECT_EQ(refusal_of(text), "accepted");
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    EXPECT_TRUE(refusal_of(text.substr(0, bytes)).starts_with("x.pt: byte "));
  }
}

TEST(Pickle, RefusesBrokenStacks) {
  EXPECT_EQ(refusal_of("\x80\x02."sv), "x.pt: byte 2: broken pickle: nothing left to take");
  EXPECT_EQ(refusal_of("\x80\x02K\x01(\x85."sv),
            "x.pt: byte 5: broken pickle: nothing left to take");
  EXPECT_EQ(refusal_of("\x80\x02K\x01t."sv), "x.pt: byte 4: broken pickle: no mark");
  EXPECT_EQ(refusal_of("\x80\x02K\x01K\x01."sv),
            "x.pt: byte 6: broken pickle: more than one object");
  EXPECT_EQ(refusal_of("\x80\x02h\x05."sv),
            "x.pt: byte 2: broken pickle: empty memo slot: found 5");
  EXPECT_EQ(refusal_of("\x80\x02NNa."sv),
            "x.pt: byte 4: broken pickle: appends to what is no list");
  EXPECT_EQ(refusal_of("\x80\x02NNNs."sv),
            "x.pt: byte 5: broken pickle: sets items of what is no dictionary");
  EXPECT_EQ(refusal_of("\x80\x02}(Nu."sv), "x.pt: byte 5: broken pickle: key without a value");
  EXPECT_EQ(refusal_of("\x80\x02N)R."sv), "x.pt: byte 4: broken pickle: calls what has no name");
  EXPECT_EQ(refusal_of("\x80\x02"
                       "ctorch\nSize\nNR."sv),
            "x.pt: byte 15: broken pickle: arguments that are no tuple");
  EXPECT_EQ(refusal_of("\x80\x02]Nb."sv), "x.pt: byte 4: sets attributes of what is no dictionary");
}

TEST(Pickle, RefusesOtherProtocolsAndLengthsOutsideTheFile) {
  EXPECT_EQ(refusal_of("(dp0\n."sv), "x.pt: byte 0: no pickle of protocol 2 or later");
  EXPECT_EQ(refusal_of("\x80\x06."sv),
            "x.pt: byte 0: unknown pickle protocol: expected 2 to 5, found 6");
  EXPECT_EQ(refusal_of("\x80\x02X\xff\xff\xff\x7f."sv),
            "x.pt: byte 7: file ends inside a string: expected 2147483647 bytes, found 1 left");
  EXPECT_EQ(refusal_of("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff."sv),
            "x.pt: byte 11: file ends inside a string: expected 18446744073709551615 bytes, found "
            "1 left");
}

TEST(Pickle, RefusesAListCopiedAgainAndAgain) {
  // A list of 100 pairs, as a tuple of arguments in slot 1; OrderedDict in slot 2; calls of it.
  std::string text = "\x80\x02](";
  for (int i = 0; i < 100; ++i) text += "NN\x86";
  text +=
      "e\x85q\x01"
      "ccollections\nOrderedDict\nq\x02";
  const auto with_calls = [&text](int calls) {
    std::string all = text + "](";
    for (int i = 0; i < calls; ++i) all += "h\x02h\x01R";
    return all + "e\x87.";
  };
  EXPECT_EQ(refusal_of(with_calls(1)), "accepted");
  EXPECT_NE(refusal_of(with_calls(50)).find("wrong arguments of a dictionary"), std::string::npos);
}

}  // namespace
}  // namespace zp::pickle
