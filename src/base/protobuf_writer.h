// Protocol buffers' wire format, written field by field. A message inside another is written by
// itself first and then put in as bytes. Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace zp {

class ProtobufWriter {
 public:
  ProtobufWriter& integer(std::uint32_t field, std::int64_t value) {
    varint(tag(field, 0));
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufWriter& bytes(std::uint32_t field, std::string_view value) {
    varint(tag(field, 2));
    varint(value.size());
    message_ += value;
    return *this;
  }
  ProtobufWriter& real(std::uint32_t field, float value) {
    varint(tag(field, 5));
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8)
      message_ += static_cast<char>((bits >> shift) & 0xFFu);
    return *this;
  }
  const std::string& message() const { return message_; }

 private:
  static std::uint64_t tag(std::uint32_t field, std::uint32_t wire) {
    return (std::uint64_t{field} << 3) | wire;
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) message_ += static_cast<char>((value & 0x7Fu) | 0x80u);
    message_ += static_cast<char>(value);
  }
  std::string message_;
};

}  // namespace zp
