#include "base/protobuf_reader.h"

#include <bit>
#include <utility>

#include "base/error.h"

namespace zp {
namespace {

std::uint32_t little_endian_32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t k = 4; k-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[k]);
  return value;
}

}  // namespace

ProtobufReader::ProtobufReader(std::string_view message, std::string where)
    : rest_(message), where_(std::move(where)) {}

void ProtobufReader::damaged(const std::string& what) const {
  throw Error(where_, "damaged protocol buffer", {}, what);
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  damaged("a number of more than 10 bytes");
}

std::string_view ProtobufReader::take(std::uint64_t count) {
  if (count > rest_.size()) {
    damaged("a field of " + std::to_string(count) + " bytes where " + std::to_string(rest_.size()) +
            " are left");
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t tag = varint();
  if (tag >> 32 != 0 || tag >> 3 == 0) damaged("field tag " + std::to_string(tag));
  field_ = static_cast<std::uint32_t>(tag >> 3);
  wire_ = static_cast<Wire>(tag & 7);
  switch (wire_) {
    case Wire::varint:
      number_ = varint();
      return true;
    case Wire::fixed64:
      take(8);
      return true;
    case Wire::bytes:
      bytes_ = take(varint());
      return true;
    case Wire::fixed32:
      bytes_ = take(4);
      return true;
  }
  damaged("wire type " + std::to_string(tag & 7));
}

void ProtobufReader::expect(Wire wire) const {
  if (wire_ != wire) damaged("another wire type in field " + std::to_string(field_));
}

std::string_view ProtobufReader::bytes() const {
  expect(Wire::bytes);
  return bytes_;
}

std::int64_t ProtobufReader::integer() const {
  expect(Wire::varint);
  return static_cast<std::int64_t>(number_);
}

std::vector<std::int64_t> ProtobufReader::packed_integers() const {
  ProtobufReader in(bytes(), where_);
  std::vector<std::int64_t> numbers;
  while (!in.rest_.empty()) numbers.push_back(static_cast<std::int64_t>(in.varint()));
  return numbers;
}

float ProtobufReader::real() const {
  expect(Wire::fixed32);
  return std::bit_cast<float>(little_endian_32(bytes_));
}

}  // namespace zp
