// For tests: a small PyTorch checkpoint in both forms, and its pickle in parts.
#pragma once

#include <string>
#include <string_view>

#include "format/sample_files.h"

namespace zp::sample {

/// Opcodes of a pickle, one after another.
class Pickle {
 public:
  Pickle() { raw_.text("\x80\x02"); }
  Pickle& op(std::string_view opcodes) {
    raw_.text(opcodes);
    return *this;
  }
  Pickle& text(std::string_view text) {
    raw_.text("X").number(static_cast<std::uint32_t>(text.size())).text(text);
    return *this;
  }
  Pickle& integer(std::int64_t value) {
    raw_.text("\x8a\x08").number(value);
    return *this;
  }
  Pickle& name(std::string_view module, std::string_view name) {
    raw_.text("c").text(module).text("\n").text(name).text("\n");
    return *this;
  }
  /// A reference to `elements` of a storage.
  Pickle& storage(std::string_view type, std::string_view key, std::int64_t elements) {
    return op("(")
        .text("storage")
        .name("torch", type)
        .text(key)
        .text("cpu")
        .integer(elements)
        .op("tQ");
  }
  /// A tensor of two dimensions.
  Pickle& tensor(std::string_view type, std::string_view key, std::int64_t elements,
                 std::int64_t offset, std::array<std::int64_t, 2> shape,
                 std::array<std::int64_t, 2> strides) {
    name("torch._utils", "_rebuild_tensor_v2").op("(").storage(type, key, elements).integer(offset);
    integer(shape[0])
        .integer(shape[1])
        .op("\x86")
        .integer(strides[0])
        .integer(strides[1])
        .op("\x86");
    return op("\x89}tR");
  }
  std::string bytes() const { return raw_.bytes() + "."; }

 private:
  Raw raw_;
};

/// FP32 0, 1, ... 5.
inline std::string six_floats() {
  Raw raw;
  for (int i = 0; i < 6; ++i) raw.number(static_cast<float>(i));
  return raw.bytes();
}

/// {"epoch": 3, "state_dict": {"w": 2 x 3 of six floats, "wt": its transpose}}
inline std::string sound_pickle() {
  Pickle p;
  p.op("}(").text("epoch").integer(3).text("state_dict").op("}(");
  p.text("w").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
  p.text("wt").tensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3});
  return p.op("uu").bytes();
}

inline std::string pytorch_zip(const std::string& pickle = sound_pickle(),
                               const std::string& storage = six_floats()) {
  return zip({{"m/data.pkl", pickle}, {"m/byteorder", "little"}, {"m/data/0", storage}});
}

inline std::string pytorch_old(const std::string& pickle = sound_pickle(),
                               const std::string& storage = six_floats()) {
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::string system = Pickle().op("}").text("little_endian").op("\x88s").bytes();
  const std::string keys = Pickle().op("](").text("0").op("e").bytes();
  const std::string elements =
      Raw().number(static_cast<std::int64_t>(storage.size() / sizeof(float))).bytes();
  return magic + Pickle().integer(1001).bytes() + system + pickle + keys + elements + storage;
}

}  // namespace zp::sample
