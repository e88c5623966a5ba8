// Protocol buffers' wire format, read field by field against the bytes that are there.
// Source: protobuf.dev/programming-guides/encoding. Groups are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// Walks the fields of one message:  while (reader.next()) switch (reader.field()) ...
class ProtobufReader {
 public:
  ProtobufReader(std::string_view message, std::string where);

  /// Moves to the next field; false at the end. Throws Error on damage.
  bool next();
  std::uint32_t field() const { return field_; }
  /// The value of the field; each throws Error when it has another wire type.
  std::string_view bytes() const;
  std::int64_t integer() const;
  /// Whole numbers packed into one field; is_bytes() says whether this one is such.
  std::vector<std::int64_t> packed_integers() const;
  bool is_bytes() const { return wire_ == Wire::bytes; }
  float real() const;

 private:
  enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);
  void expect(Wire wire) const;
  [[noreturn]] void damaged(const std::string& what) const;

  std::string_view rest_;
  std::string where_;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace zp
