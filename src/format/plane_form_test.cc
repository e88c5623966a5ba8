#include "format/plane_form.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace zp {
namespace {

using Buffer = std::vector<std::byte>;

// A matrix of elements, and the rows that hold them.
struct Sample {
  PlaneShape shape;
  std::vector<std::uint32_t> elements;
  Buffer rows;

  Sample(std::int64_t row_count, std::int64_t cols, std::int64_t bits)
      : shape{row_count, cols, bits} {
    Random random(static_cast<std::uint64_t>(row_count * 1000 + cols * 10 + bits));
    for (std::int64_t r = 0; r < row_count; ++r) {
      Buffer row(static_cast<std::size_t>(shape.row_bytes()));
      for (std::int64_t c = 0; c < cols; ++c) {
        const auto element = static_cast<std::uint32_t>(random.bits() >> (64 - bits));
        elements.push_back(element);
        for (std::int64_t k = 0; k < bits; ++k) {
          const std::int64_t at = c * bits + k;
          row[static_cast<std::size_t>(at / 8)] |= std::byte((element >> k & 1) << at % 8);
        }
      }
      rows.insert(rows.end(), row.begin(), row.end());
    }
  }

  std::uint32_t at(std::int64_t r, std::int64_t c) const {
    return elements[static_cast<std::size_t>(r * shape.cols + c)];
  }
};

// The plane's bytes in the file, packed in tiles; fails unless each is written once, but for those
// between rows that lie apart.
Buffer packed(const PlaneForm& form, const Sample& sample, std::int64_t tile_rows) {
  const PlaneShape& shape = sample.shape;
  Buffer file(static_cast<std::size_t>(file_bytes(form, shape)));
  std::vector<int> written(file.size());
  for (std::int64_t r = 0; r < shape.rows; r += tile_rows) {
    const std::int64_t count = std::min(tile_rows, shape.rows - r);
    const Bytes rows = Bytes(sample.rows)
                           .subspan(static_cast<std::size_t>(r * shape.row_bytes()),
                                    static_cast<std::size_t>(count * shape.row_bytes()));
    pack_rows(form, shape, r, count, rows, [&](std::int64_t offset, Bytes bytes) {
      std::ranges::copy(bytes, file.begin() + offset);
      for (std::size_t i = 0; i < bytes.size(); ++i)
        ++written[static_cast<std::size_t>(offset) + i];
    });
  }
  EXPECT_TRUE(std::ranges::all_of(
      written, [&](int times) { return times == 1 || (times == 0 && form.spacing > 1); }));
  EXPECT_EQ(std::ranges::count(written, 1),
            file_bytes(form, shape) -
                (shape.rows - 1) * (form.spacing - 1) * word_shape(form, shape)[1] * form.word / 8);
  return file;
}

std::uint32_t word(const Buffer& file, std::int64_t index) {
  std::uint32_t value;
  std::memcpy(&value, file.data() + 4 * index, sizeof value);
  return value;
}

constexpr std::array<std::uint8_t, 8> kAwqOrder = {0, 2, 4, 6, 1, 3, 5, 7};
constexpr std::array<std::uint8_t, 8> kPairs = {1, 0, 3, 2, 5, 4, 7, 6};

std::vector<PlaneForm> all_forms(std::int64_t bits) {
  std::vector<PlaneForm> all;
  for (const int word : {8, 16, 32, 64}) {
    for (const WordsAlong along : {WordsAlong::row, WordsAlong::column, WordsAlong::tensor}) {
      for (const bool transposed : {false, true}) {
        for (const std::uint32_t add : {0u, 1u << (bits - 1), (1u << (bits - 1)) * 2 - 1}) {
          PlaneForm form{.word = word, .along = along, .transposed = transposed, .add = add};
          all.push_back(form);
          if (along == WordsAlong::row && !transposed) {
            all.push_back(form);
            all.back().spacing = 3;
          }
          form.order = kPairs;
          if (word % (2 * bits) == 0) all.push_back(form);
          form.order = kAwqOrder;
          if (word % (8 * bits) == 0) all.push_back(form);
        }
      }
    }
  }
  return all;
}

TEST(PlaneForm, WhatIsPackedInTilesIsUnpackedRowByRow) {
  for (const std::int64_t bits : {1, 2, 3, 4, 5, 6, 7, 8, 16, 32}) {
    for (const auto& [rows, cols] : {std::pair{1, 1}, {7, 5}, {64, 33}, {65, 32}}) {
      const Sample sample(rows, cols, bits);
      for (const PlaneForm& form : all_forms(bits)) {
        const Buffer file = packed(form, sample, rows);
        ASSERT_EQ(packed(form, sample, rows_together(form, sample.shape)), file);
        Buffer back(sample.rows.size());
        const std::int64_t row_bytes = sample.shape.row_bytes();
        for (std::int64_t r = 0; r < rows; ++r) {
          unpack_rows(form, sample.shape, file, r, 1,
                      std::span(back).subspan(static_cast<std::size_t>(r * row_bytes),
                                              static_cast<std::size_t>(row_bytes)));
        }
        ASSERT_EQ(back, sample.rows)
            << bits << " bits, " << rows << " x " << cols << ", words of " << form.word << " along "
            << static_cast<int>(form.along) << (form.transposed ? ", transposed" : "") << ", add "
            << form.add << ", spacing " << form.spacing;
        std::ranges::fill(back, std::byte{});
        unpack_rows(form, sample.shape, file, 0, rows, back);
        ASSERT_EQ(back, sample.rows);
      }
    }
  }
}

// qweight int32 [in / 8, out]: word (i, o) has inputs 8i ... 8i + 7 of output o, the first lowest.
TEST(PlaneForm, GptqPacksFourBitsAlongInputs) {
  const PlaneForm form{.word = 32, .transposed = true};
  const Sample sample(24, 64, 4);
  EXPECT_EQ(word_shape(form, sample.shape), (std::array<std::int64_t, 2>{8, 24}));
  const Buffer file = packed(form, sample, 5);
  for (std::int64_t i = 0; i < 64; ++i) {
    for (std::int64_t o = 0; o < 24; ++o)
      ASSERT_EQ(word(file, i / 8 * 24 + o) >> (4 * (i % 8)) & 15, sample.at(o, i));
  }
}

// 32 inputs in three words; the 11th and the 22nd have bits in two of them.
TEST(PlaneForm, GptqPacksThreeBitsAcrossWords) {
  const PlaneForm form{.word = 32, .transposed = true};
  const Sample sample(8, 96, 3);
  EXPECT_EQ(word_shape(form, sample.shape), (std::array<std::int64_t, 2>{9, 8}));
  const Buffer file = packed(form, sample, 3);
  for (std::int64_t o = 0; o < 8; ++o) {
    for (std::int64_t g = 0; g < 3; ++g) {
      const auto w = [&](std::int64_t k) { return word(file, (3 * g + k) * 8 + o); };
      const auto q = [&](std::int64_t i) { return sample.at(o, 32 * g + i); };
      for (std::int64_t i = 0; i < 10; ++i) ASSERT_EQ(w(0) >> (3 * i) & 7, q(i));
      ASSERT_EQ(w(0) >> 30 | (w(1) & 1) << 2, q(10));
      for (std::int64_t i = 0; i < 10; ++i) ASSERT_EQ(w(1) >> (3 * i + 1) & 7, q(11 + i));
      ASSERT_EQ(w(1) >> 31 | (w(2) & 3) << 1, q(21));
      for (std::int64_t i = 0; i < 10; ++i) ASSERT_EQ(w(2) >> (3 * i + 2) & 7, q(22 + i));
    }
  }
}

// qzeros int32 [groups, out / 8], each zero less one; a group's zeros along outputs.
TEST(PlaneForm, GptqZerosAreLessByOne) {
  const PlaneForm form{
      .word = 32, .along = WordsAlong::column, .transposed = true, .add = ~std::uint32_t{0}};
  const Sample sample(24, 3, 4);
  EXPECT_EQ(word_shape(form, sample.shape), (std::array<std::int64_t, 2>{3, 3}));
  EXPECT_EQ(rows_together(form, sample.shape), 8);
  const Buffer file = packed(form, sample, 16);
  for (std::int64_t g = 0; g < 3; ++g) {
    for (std::int64_t o = 0; o < 24; ++o)
      ASSERT_EQ(((word(file, g * 3 + o / 8) >> (4 * (o % 8))) + 1) & 15, sample.at(o, g));
  }
}

// qweight int32 [in, out / 8]: nibbles 0, 4, 1, 5, 2, 6, 3, 7 of word c are outputs 8c, 8c + 1 ...
TEST(PlaneForm, AwqPacksAlongOutputsInItsOrder) {
  const PlaneForm form{
      .word = 32, .along = WordsAlong::column, .transposed = true, .order = kAwqOrder};
  constexpr std::array<int, 8> kUndo = {0, 4, 1, 5, 2, 6, 3, 7};
  const Sample sample(32, 10, 4);
  EXPECT_EQ(word_shape(form, sample.shape), (std::array<std::int64_t, 2>{10, 4}));
  const Buffer file = packed(form, sample, 8);
  for (std::int64_t i = 0; i < 10; ++i) {
    for (std::int64_t o = 0; o < 32; ++o)
      ASSERT_EQ(word(file, i * 4 + o / 8) >> (4 * kUndo[o % 8]) & 15, sample.at(o, i));
  }
}

// weight_packed int32 [out, ceil(in / 8)], weight_zero_point int32 [ceil(out / 8), groups].
TEST(PlaneForm, CompressedTensorsPacksZerosAlongOutputs) {
  const Sample codes(5, 21, 4);
  const PlaneForm packed_codes{.word = 32};
  EXPECT_EQ(word_shape(packed_codes, codes.shape), (std::array<std::int64_t, 2>{5, 3}));
  const Buffer weights = packed(packed_codes, codes, 2);
  for (std::int64_t o = 0; o < 5; ++o) {
    for (std::int64_t i = 0; i < 24; ++i)
      ASSERT_EQ(word(weights, o * 3 + i / 8) >> (4 * (i % 8)) & 15, i < 21 ? codes.at(o, i) : 0);
  }
  const Sample zeros(13, 3, 4);
  const PlaneForm packed_zeros{.word = 32, .along = WordsAlong::column};
  EXPECT_EQ(word_shape(packed_zeros, zeros.shape), (std::array<std::int64_t, 2>{2, 3}));
  const Buffer file = packed(packed_zeros, zeros, 8);
  for (std::int64_t o = 0; o < 16; ++o) {
    for (std::int64_t g = 0; g < 3; ++g)
      ASSERT_EQ(word(file, o / 8 * 3 + g) >> (4 * (o % 8)) & 15, o < 13 ? zeros.at(o, g) : 0);
  }
}

// u4 [out, groups, 1]: the whole constant is one stream, whose rows of odd length begin in bytes.
TEST(PlaneForm, OpenVinoRowsRunOn) {
  const PlaneForm form{.along = WordsAlong::tensor};
  const Sample sample(7, 3, 4);
  EXPECT_EQ(file_bytes(form, sample.shape), 11);
  EXPECT_EQ(rows_together(form, sample.shape), 2);
  EXPECT_EQ(rows_together(form, {7, 4, 4}), 1);
  const Buffer file = packed(form, sample, 2);
  for (std::int64_t i = 0; i < 21; ++i)
    ASSERT_EQ(std::to_integer<std::uint32_t>(file[i / 2]) >> (4 * (i % 2)) & 15,
              sample.at(i / 3, i % 3));
}

// Two's complement codes counted from the lowest; the rest of a row's last byte like a code of 0.
TEST(PlaneForm, OnnxCountsSignedCodesFromTheLowest) {
  const PlaneForm form{.add = 8};
  const Sample sample(3, 5, 4);
  const Buffer file = packed(form, sample, 1);
  ASSERT_EQ(file.size(), 9u);
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t c = 0; c < 6; ++c) {
      const auto stored =
          std::to_integer<std::uint32_t>(file[static_cast<std::size_t>(r * 3 + c / 2)]) >>
              (4 * (c % 2)) &
          15;
      ASSERT_EQ(stored, ((c < 5 ? sample.at(r, c) : 0) + 8) % 16);
    }
  }
}

// uint8 [2 ffn, cols / 2]: rows of gate and up by turns.
TEST(PlaneForm, OnnxHasGateAndUpByTurns) {
  const PlaneForm form{.add = 8, .spacing = 2};
  const Sample gate(5, 6, 4);
  ASSERT_EQ(gate.shape.row_bytes(), 3);
  EXPECT_EQ(file_bytes(form, gate.shape), 9 * 3);
  EXPECT_EQ(rows_together(form, gate.shape), 1);
  const Buffer even = packed(form, gate, 2);
  const Buffer alone = packed({.add = 8}, gate, 5);
  for (std::int64_t r = 0; r < 5; ++r) {
    for (std::int64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(even[static_cast<std::size_t>(6 * r + i)],
                alone[static_cast<std::size_t>(3 * r + i)]);
    }
  }
}

// Opaque records are bytes of a row, whatever their size.
TEST(PlaneForm, RecordsStayAsTheyAre) {
  const PlaneShape shape{4, 3, 8 * 18};
  EXPECT_EQ(shape.row_bytes(), 54);
  EXPECT_EQ(file_bytes({}, shape), 4 * 54);
  Buffer rows(2 * 54, std::byte{7});
  pack_rows({}, shape, 1, 2, rows, [&](std::int64_t offset, Bytes bytes) {
    EXPECT_EQ(offset, 54);
    EXPECT_EQ(bytes.data(), rows.data());
    EXPECT_EQ(bytes.size(), rows.size());
  });
}

}  // namespace
}  // namespace zp
