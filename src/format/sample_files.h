// For tests: small files of each format put together byte by byte, so that any part can be wrong.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/view.h"

namespace zp::sample {

inline Bytes view(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// What the Error says that `read` throws; "accepted" when it throws none.
inline std::string refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

/// Little-endian bytes, appended one after another.
class Raw {
 public:
  template <class T>
  Raw& number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Raw& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  /// u64 length, then the text: GGUF's strings.
  Raw& string(std::string_view text) { return number<std::uint64_t>(text.size()).text(text); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

inline std::string safetensors(std::string_view header, std::string_view data) {
  return Raw().number<std::uint64_t>(header.size()).text(header).text(data).bytes();
}

/// One F32 tensor a of 2 x 2: 1, 2, 3, 4.
inline std::string safetensors_sound() {
  const std::array<float, 4> values = {1, 2, 3, 4};
  return safetensors(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})",
                     {reinterpret_cast<const char*>(values.data()), sizeof values});
}

struct GgufTensor {
  std::string name = "a";
  std::vector<std::int64_t> ne = {4};
  std::int32_t type = 0;
  std::uint64_t offset = 0;
};

/// `pairs`: key, type and value of `count` pairs. `data` begins at the next multiple of 32.
inline std::string gguf(std::uint64_t count, std::string_view pairs,
                        const std::vector<GgufTensor>& tensors, std::string_view data) {
  Raw raw;
  raw.text("GGUF")
      .number<std::uint32_t>(3)
      .number<std::uint64_t>(tensors.size())
      .number(count)
      .text(pairs);
  for (const GgufTensor& t : tensors) {
    raw.string(t.name).number(static_cast<std::uint32_t>(t.ne.size()));
    for (const std::int64_t n : t.ne) raw.number(n);
    raw.number(t.type).number(t.offset);
  }
  const std::size_t padding = (32 - raw.bytes().size() % 32) % 32;
  return raw.text(std::string(padding, '\0')).text(data).bytes();
}

struct ZipEntry {
  std::string name;
  std::string data;
};

/// Stored entries, a directory and its end, as PyTorch writes them.
inline std::string zip(const std::vector<ZipEntry>& entries) {
  Raw body;
  Raw directory;
  const auto sizes = [](Raw& raw, const ZipEntry& e) {
    const auto bytes = static_cast<std::uint32_t>(e.data.size());
    // flags, method, time and checksum
    raw.number<std::uint16_t>(0).number<std::uint16_t>(0).number<std::uint32_t>(0);
    raw.number<std::uint32_t>(0).number(bytes).number(bytes).number(
        static_cast<std::uint16_t>(e.name.size()));
  };
  for (const ZipEntry& e : entries) {
    const auto at = static_cast<std::uint32_t>(body.bytes().size());
    body.text("PK\x03\x04").number<std::uint16_t>(0);
    sizes(body, e);
    body.number<std::uint16_t>(0).text(e.name).text(e.data);
    directory.text("PK\x01\x02").number<std::uint32_t>(0);
    sizes(directory, e);
    directory.text(std::string(12, '\0')).number(at).text(e.name);
  }
  const auto begin = static_cast<std::uint32_t>(body.bytes().size());
  const auto count = static_cast<std::uint16_t>(entries.size());
  body.text(directory.bytes())
      .text("PK\x05\x06")
      .number<std::uint32_t>(0)
      .number(count)
      .number(count);
  body.number(static_cast<std::uint32_t>(directory.bytes().size()))
      .number(begin)
      .number<std::uint16_t>(0);
  return body.bytes();
}

}  // namespace zp::sample
