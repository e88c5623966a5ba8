#include "text/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include "base/mapped_file.h"
#include "text/test_folder.h"

namespace zp {
namespace {

std::string field(int number, std::string_view bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) +
         std::string(bytes);
}

std::string piece(std::string_view text, char type) {
  return field(1, field(1, text) + std::string("\x15\x00\x00\x80\xBF", 5) + "\x18" + type);
}

std::string small_model() {
  return piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) +
         piece(
             "\xE2\x96\x81"
             "a",
             1) +
         field(2, std::string("\x18\x02\x98\x02\x01", 5)) +
         field(3, std::string("\x18\x01\x20\x00", 4));
}

TEST(SentencePieceModel, ReadsPiecesAndSpecs) {
  const SentencePieceModel model = parse_sentencepiece_model(small_model(), "m");
  ASSERT_EQ(model.pieces.size(), 4u);
  EXPECT_EQ(model.pieces[3].text,
            "\xE2\x96\x81"
            "a");
  EXPECT_EQ(model.pieces[3].score, -1.0f);
  EXPECT_EQ(model.pieces[1].type, TokenType::control);
  EXPECT_EQ(model.model_type, 2);
  EXPECT_TRUE(model.byte_fallback);
  EXPECT_TRUE(model.add_dummy_prefix);
  EXPECT_FALSE(model.remove_extra_whitespaces);
}

TEST(SentencePieceModel, SurvivesEveryTruncationAndEveryFlippedByte) {
  const std::string good = small_model();
  for (std::size_t n = 0; n < good.size(); ++n) {
    error_of([&] { parse_sentencepiece_model(good.substr(0, n), "m"); });
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[n] = static_cast<char>(bad[n] ^ 1 << bit);
      error_of([&] { parse_sentencepiece_model(bad, "m"); });
    }
  }
}

TEST(SentencePieceModel, SaysWhatIsDamaged) {
  const auto parse = [](const std::string& file) {
    return error_of([&] { parse_sentencepiece_model(file, "m"); });
  };
  EXPECT_EQ(parse("\x0A\x7F"
                  "abc"),
            "m: damaged protocol buffer: found a field of 127 bytes where 3 are left");
  EXPECT_EQ(parse(std::string(11, '\xFF')),
            "m: damaged protocol buffer: found a number of more than 10 bytes");
  EXPECT_EQ(parse("\x0B"), "m: damaged protocol buffer: found wire type 3");
  EXPECT_EQ(parse("\x08\x01"), "m: damaged protocol buffer: found another wire type in field 1");
  EXPECT_EQ(parse(piece("a", 9)), "m: piece 0: piece type unknown: expected 1 to 6, found 9");
  EXPECT_EQ(parse(piece("\xFF", 1)),
            "m: piece 0: piece is damaged: expected UTF-8 text and a finite score, found ?");
  EXPECT_EQ(parse(piece("a", 1) + field(2, "\x18\x03")),
            "m: SentencePiece model type not supported: expected 1 (unigram) or 2 (BPE), found 3");
  EXPECT_EQ(parse(piece("a", 1) + field(2, "\x18\x02")),
            "m: special id out of range: expected below 1, found 1");
}

TEST(SentencePieceModel, AgreesWithLibsentencepiece) {
  if (trial_data().empty()) GTEST_SKIP() << "no trial data";
  for (const char* name : {"models/stories260k", "tokenizers/llama2"}) {
    const std::string file = read_text(trial_data() / name / "tokenizer.model");
    const SentencePieceModel model = parse_sentencepiece_model(file, name);
    sentencepiece::SentencePieceProcessor judge;
    ASSERT_TRUE(judge.LoadFromSerializedProto(file).ok());
    ASSERT_EQ(static_cast<int>(model.pieces.size()), judge.GetPieceSize());
    for (int id = 0; id < judge.GetPieceSize(); ++id) {
      const Token& token = model.pieces[static_cast<std::size_t>(id)];
      ASSERT_EQ(token.text, judge.IdToPiece(id));
      ASSERT_EQ(token.score, judge.GetScore(id));
      ASSERT_EQ(token.type == TokenType::control, judge.IsControl(id));
      ASSERT_EQ(token.type == TokenType::unknown, judge.IsUnknown(id));
      ASSERT_EQ(token.type == TokenType::byte, judge.IsByte(id));
      ASSERT_EQ(token.type == TokenType::unused, judge.IsUnused(id));
    }
    EXPECT_EQ(model.bos, judge.bos_id());
    EXPECT_EQ(model.eos, judge.eos_id());
  }
}

}  // namespace
}  // namespace zp
