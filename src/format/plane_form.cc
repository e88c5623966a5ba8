#include "format/plane_form.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/checked.h"
#include "number/integer.h"

namespace zp {
namespace {

constexpr std::int64_t kOrdered = 8;  // elements that PlaneForm::order is of

// Elements of a row that lie in the file.
std::int64_t elements_of_row(const PlaneForm& form, const PlaneShape& shape) {
  return form.along == WordsAlong::row ? shape.row_bytes() * 8 / shape.bits : shape.cols;
}

struct Range {
  std::int64_t begin;
  std::int64_t count;
};

// The words that hold elements [begin, end) of those along them.
Range words_of(std::int64_t begin, std::int64_t end, const PlaneForm& form,
               const PlaneShape& shape) {
  const std::int64_t first = begin * shape.bits / form.word;
  return {first, ceil_div(end * shape.bits, form.word) - first};
}

// Words of the array, in the file's order.
struct Box {
  Range rows;
  Range cols;
  bool transposed;

  std::int64_t row_step() const { return transposed ? 1 : cols.count; }
  std::int64_t col_step() const { return transposed ? rows.count : 1; }
  std::int64_t index(std::int64_t row, std::int64_t col) const {
    return (row - rows.begin) * row_step() + (col - cols.begin) * col_step();
  }
};

// The words that hold rows [begin, begin + count) of the plane.
Box box_of(const PlaneForm& form, const PlaneShape& shape, std::int64_t begin, std::int64_t count) {
  const std::int64_t end = begin + count;
  switch (form.along) {
    case WordsAlong::row:
      return {{begin, count}, {0, ceil_div(8 * shape.row_bytes(), form.word)}, form.transposed};
    case WordsAlong::column:
      return {words_of(begin, end, form, shape), {0, shape.cols}, form.transposed};
    case WordsAlong::tensor:
      break;
  }
  return {{0, 1}, words_of(begin * shape.cols, end * shape.cols, form, shape), false};
}

Box whole_box(const PlaneForm& form, const PlaneShape& shape) {
  return box_of(form, shape, 0, shape.rows);
}

// Whether the file has the rows as they are, but for what is added.
bool rows_stay(const PlaneForm& form, const PlaneShape& shape) {
  const std::int64_t row_bits = 8 * shape.row_bytes();
  const bool follow = (form.along == WordsAlong::row && !form.transposed) ||
                      (form.along == WordsAlong::tensor && shape.cols * shape.bits == row_bits);
  return follow && row_bits % form.word == 0 && form.order == PlaneForm().order &&
         (form.add == 0 || 32 % shape.bits == 0);
}

std::uint32_t mask_of(std::int64_t bits) {
  return static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1);
}

// Adds to every field of `bits` bits, modulo 2^bits: without their top bits, so that no carry
// leaves a field, then to the top bits.
void add_to_fields(std::span<std::byte> bytes, std::int64_t bits, std::uint32_t add) {
  const std::uint64_t ones = ~std::uint64_t{0} / mask_of(bits);
  const std::uint64_t top = ones << (bits - 1);
  const std::uint64_t all = ones * (add & mask_of(bits));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof all) {
    const std::size_t size = std::min(sizeof all, bytes.size() - at);
    std::uint64_t fields = 0;
    std::memcpy(&fields, &bytes[at], size);
    fields = ((fields & ~top) + (all & ~top)) ^ ((fields ^ all) & top);
    std::memcpy(&bytes[at], &fields, size);
  }
}

// Where a plane's elements lie in the bytes of a box.
class Places {
 public:
  Places(const PlaneForm& form, const PlaneShape& shape, const Box& box)
      : along_(form.along),
        bits_(shape.bits),
        elements_(elements_of_row(form, shape)),
        word_bytes_(form.word / 8),
        box_(box) {
    for (std::uint8_t p = 0; p < kOrdered; ++p) position_[form.order[p]] = p;
  }

  /// Calls visit(c, byte, shift) for every element c of a row and each byte that has bits of it.
  /// shift: the bit of the byte where the element begins, negative where it began in one before.
  template <class Visit>
  void each(std::int64_t row, const Visit& visit) const {
    for (std::int64_t c = 0; c < elements_; ++c) {
      const std::int64_t bit = placed(row, c) * bits_;
      std::int64_t byte = bit >> 3;
      for (std::int64_t shift = bit & 7; shift > -bits_; shift -= 8, ++byte)
        visit(static_cast<std::size_t>(c), byte_of(row, c, byte), shift);
    }
  }

 private:
  // An element's place among those along its words.
  std::int64_t placed(std::int64_t row, std::int64_t c) const {
    const std::int64_t i = along_ == WordsAlong::row      ? c
                           : along_ == WordsAlong::column ? row
                                                          : row * elements_ + c;
    return (i & -kOrdered) + position_[static_cast<std::size_t>(i & (kOrdered - 1))];
  }
  // The place in the box of a byte of the words along which an element lies.
  std::size_t byte_of(std::int64_t row, std::int64_t c, std::int64_t byte) const {
    const std::int64_t word = byte >> std::countr_zero(static_cast<unsigned>(word_bytes_));
    const std::int64_t index = along_ == WordsAlong::row      ? box_.index(row, word)
                               : along_ == WordsAlong::column ? box_.index(word, c)
                                                              : box_.index(0, word);
    return static_cast<std::size_t>(index * word_bytes_ + (byte & (word_bytes_ - 1)));
  }

  WordsAlong along_;
  std::int64_t bits_;
  std::int64_t elements_;
  std::int64_t word_bytes_;
  Box box_;
  std::array<std::uint8_t, kOrdered> position_{};
};

// A row's elements as numbers. Of 32 bits they are numbers already.
void read_row(const std::byte* row, std::int64_t bits, std::span<std::int32_t> elements) {
  if (bits == 32) {
    std::memcpy(elements.data(), row, elements.size_bytes());
  } else {
    unpack_bits(row, static_cast<int>(bits), false, elements);
  }
}
void write_row(std::span<const std::int32_t> elements, std::int64_t bits, std::byte* row) {
  if (bits == 32) {
    std::memcpy(row, elements.data(), elements.size_bytes());
  } else {
    pack_bits(elements, static_cast<int>(bits), row);
  }
}

// A box's words where the whole array has them.
void write_box(const Box& box, const Box& array, std::int64_t word_bytes, Bytes words,
               const WriteAt& write) {
  const std::int64_t first = array.index(box.rows.begin, box.cols.begin) * word_bytes;
  if (!box.transposed || box.rows.count == array.rows.count) return write(first, words);
  const std::int64_t bytes = box.rows.count * word_bytes;  // of a column, which lie together
  for (std::int64_t c = 0; c < box.cols.count; ++c) {
    write(first + c * array.col_step() * word_bytes,
          words.subspan(static_cast<std::size_t>(c * bytes), static_cast<std::size_t>(bytes)));
  }
}

}  // namespace

std::int64_t PlaneShape::row_bytes() const { return ceil_div(cols * bits, 8); }

std::array<std::int64_t, 2> word_shape(const PlaneForm& form, const PlaneShape& shape) {
  const Box box = whole_box(form, shape);
  if (box.transposed) return {box.cols.count, box.rows.count};
  return {box.rows.count, box.cols.count};
}

std::int64_t file_bytes(const PlaneForm& form, const PlaneShape& shape) {
  const std::string where = "a plane";
  checked_mul(checked_mul(shape.rows, shape.cols, where), shape.bits, where);
  const auto [outer, inner] = word_shape(form, shape);
  const std::int64_t row = checked_mul(inner, form.word / 8, where);
  if (form.spacing == 1 || outer == 0) return checked_mul(outer, row, where);
  const std::int64_t apart = checked_mul(row, form.spacing, where);
  return checked_add(checked_mul(outer - 1, apart, where), row, where);
}

std::int64_t rows_together(const PlaneForm& form, const PlaneShape& shape) {
  if (form.along == WordsAlong::row) return 1;
  const std::int64_t row_bits = shape.bits * (form.along == WordsAlong::column ? 1 : shape.cols);
  return form.word / std::gcd(std::int64_t{form.word}, row_bits);
}

namespace {

// As if rows followed each other.
void pack_together(const PlaneForm& form, const PlaneShape& shape, std::int64_t begin,
                   std::int64_t count, Bytes rows, const WriteAt& write) {
  const std::int64_t row_bytes = shape.row_bytes();
  if (rows_stay(form, shape)) {
    if (form.add == 0) return write(begin * row_bytes, rows);
    std::vector<std::byte> sums(rows.begin(), rows.end());
    add_to_fields(sums, shape.bits, form.add);
    return write(begin * row_bytes, sums);
  }
  const Box box = box_of(form, shape, begin, count);
  const Places places(form, shape, box);
  const std::int64_t word_bytes = form.word / 8;
  std::vector<std::byte> words(
      static_cast<std::size_t>(box.rows.count * box.cols.count * word_bytes));
  std::vector<std::int32_t> row(static_cast<std::size_t>(elements_of_row(form, shape)));
  const std::uint32_t mask = mask_of(shape.bits);
  for (std::int64_t r = 0; r < count; ++r) {
    read_row(rows.data() + r * row_bytes, shape.bits, row);
    places.each(begin + r, [&](std::size_t c, std::size_t byte, std::int64_t shift) {
      const std::uint64_t element = (static_cast<std::uint32_t>(row[c]) + form.add) & mask;
      words[byte] |= static_cast<std::byte>(shift < 0 ? element >> -shift : element << shift);
    });
  }
  write_box(box, whole_box(form, shape), word_bytes, words, write);
}

void unpack_together(const PlaneForm& form, const PlaneShape& shape, Bytes file, std::int64_t begin,
                     std::int64_t count, std::span<std::byte> rows) {
  const std::int64_t row_bytes = shape.row_bytes();
  if (rows_stay(form, shape)) {
    std::copy_n(file.begin() + begin * row_bytes, count * row_bytes, rows.begin());
    if (form.add != 0) add_to_fields(rows, shape.bits, 0 - form.add);
    return;
  }
  const Places places(form, shape, whole_box(form, shape));
  std::vector<std::int32_t> row(static_cast<std::size_t>(elements_of_row(form, shape)));
  const std::uint32_t mask = mask_of(shape.bits);
  for (std::int64_t r = 0; r < count; ++r) {
    std::ranges::fill(row, 0);
    places.each(begin + r, [&](std::size_t c, std::size_t byte, std::int64_t shift) {
      const auto bits = std::to_integer<std::uint32_t>(file[byte]);
      row[c] |= static_cast<std::int32_t>(shift < 0 ? bits << -shift : bits >> shift);
    });
    for (std::int32_t& element : row)
      element = static_cast<std::int32_t>((static_cast<std::uint32_t>(element) - form.add) & mask);
    write_row(row, shape.bits, rows.data() + r * row_bytes);
  }
}

// A row of words along rows.
std::int64_t file_row_bytes(const PlaneForm& form, const PlaneShape& shape) {
  return word_shape(form, shape)[1] * form.word / 8;
}

}  // namespace

void pack_rows(const PlaneForm& form, const PlaneShape& shape, std::int64_t begin,
               std::int64_t count, Bytes rows, const WriteAt& write) {
  if (form.spacing == 1) return pack_together(form, shape, begin, count, rows, write);
  const auto row = static_cast<std::size_t>(file_row_bytes(form, shape));
  pack_together(form, shape, begin, count, rows, [&](std::int64_t offset, Bytes bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += row)
      write((offset + static_cast<std::int64_t>(at)) * form.spacing, bytes.subspan(at, row));
  });
}

void unpack_rows(const PlaneForm& form, const PlaneShape& shape, Bytes file, std::int64_t begin,
                 std::int64_t count, std::span<std::byte> rows) {
  if (form.spacing == 1) return unpack_together(form, shape, file, begin, count, rows);
  const auto in_file = static_cast<std::size_t>(file_row_bytes(form, shape));
  const auto row = static_cast<std::size_t>(shape.row_bytes());
  const PlaneShape one = {1, shape.cols, shape.bits};
  for (std::int64_t r = 0; r < count; ++r) {
    const auto from = static_cast<std::size_t>((begin + r) * form.spacing) * in_file;
    unpack_together(form, one, file.subspan(from, in_file), 0, 1,
                    rows.subspan(static_cast<std::size_t>(r) * row, row));
  }
}

}  // namespace zp
