// Reads little-endian numbers and runs of bytes one after another, never past the end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "base/view.h"

namespace zp {

static_assert(std::endian::native == std::endian::little, "the formats here are little endian");

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Borrows the bytes. Every Error names `where`, the byte and what was being read.
class Cursor {
 public:
  Cursor(Bytes bytes, std::string where, std::size_t position = 0)
      : bytes_(bytes), where_(std::move(where)), position_(position) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  Bytes take(std::uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail("file ends inside " + std::string(what), std::to_string(count) + " bytes",
           std::to_string(remaining()) + " left");
    }
    const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  template <class T>
  T read(std::string_view what) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  /// An Error at the present byte.
  [[noreturn]] void fail(std::string what, std::string expected = {},
                         std::string found = {}) const {
    throw Error(where_ + ": byte " + std::to_string(position_), std::move(what),
                std::move(expected), std::move(found));
  }

 private:
  Bytes bytes_;
  std::string where_;
  std::size_t position_;
};

}  // namespace zp
