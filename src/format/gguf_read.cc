// Reads and checks the head of a GGUF file. Limits beyond the format's own: keys of 64 KiB, strings
// of 16 MiB, arrays of 16 M elements, alignment from 8 to 64 KiB.
#include <array>
#include <bit>
#include <unordered_set>
#include <utility>

#include "base/checked.h"
#include "format/cursor.h"
#include "format/gguf_values.h"

namespace zp::gguf {
namespace {

constexpr std::uint32_t kOldestVersion = 2;  // 3 differs only in allowing big-endian files
constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kMaxKey = 65535;
constexpr std::uint64_t kMaxName = 63;  // the runtime's own limit
constexpr std::uint64_t kMaxString = 16 << 20;
constexpr std::uint64_t kMaxElements = 16 << 20;
constexpr std::uint32_t kMaxDims = 4;
constexpr std::int64_t kMinAlignment = 8;
constexpr std::int64_t kMaxAlignment = 64 << 10;
constexpr std::uint64_t kLeastPair = 8 + 4 + 1;
constexpr std::uint64_t kLeastTensor = 8 + 4 + 8 + 4 + 8;

std::string read_string(Cursor& cursor, std::uint64_t limit, std::string_view what) {
  const auto length = cursor.read<std::uint64_t>(what);
  if (length > limit) {
    cursor.fail(std::string(what) + " too long", "at most " + std::to_string(limit) + " bytes",
                std::to_string(length));
  }
  return std::string(as_text(cursor.take(length, what)));
}

template <class T>
T read_scalar(Cursor& cursor) {
  if constexpr (std::is_same_v<T, std::string>) {
    return read_string(cursor, kMaxString, "a string");
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto byte = cursor.read<std::uint8_t>("a boolean");
    if (byte > 1) cursor.fail("no boolean", "0 or 1", std::to_string(byte));
    return byte == 1;
  } else {
    return cursor.read<T>("a number");
  }
}

template <class T>
std::vector<T> read_array(Cursor& cursor, std::uint64_t count) {
  constexpr std::uint64_t least = std::is_same_v<T, std::string> ? 8 : sizeof(T);
  if (count > kMaxElements || count > cursor.remaining() / least) {
    cursor.fail(
        "array larger than the file or the limit",
        "at most " +
            std::to_string(std::min<std::uint64_t>(kMaxElements, cursor.remaining() / least)) +
            " elements",
        std::to_string(count));
  }
  std::vector<T> values;
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(read_scalar<T>(cursor));
  return values;
}

struct Readers {
  Value (*scalar)(Cursor&);
  Value (*array)(Cursor&, std::uint64_t);
};

template <std::size_t... I>
constexpr std::array<Readers, sizeof...(I)> make_readers(std::index_sequence<I...>) {
  return {Readers{[](Cursor& c) {
                    return Value(std::in_place_index<I>,
                                 read_scalar<std::variant_alternative_t<I, Value>>(c));
                  },
                  [](Cursor& c, std::uint64_t count) {
                    return Value(std::in_place_index<kScalars + I>,
                                 read_array<std::variant_alternative_t<I, Value>>(c, count));
                  }}...};
}
constexpr auto kReaders = make_readers(std::make_index_sequence<kScalars>());

const Readers& readers_of(std::int32_t id, const Cursor& cursor) {
  const std::size_t scalar = scalar_of_id(id);
  if (scalar >= kScalars) {
    cursor.fail(id == kArrayId ? "array of arrays" : "unknown value type",
                "types 0 to 8 and 10 to 12", std::to_string(id));
  }
  return kReaders[scalar];
}

Value read_value(Cursor& cursor) {
  const auto id = cursor.read<std::int32_t>("a value's type");
  if (id != kArrayId) return readers_of(id, cursor).scalar(cursor);
  const Readers& readers = readers_of(cursor.read<std::int32_t>("an array's type"), cursor);
  return readers.array(cursor, cursor.read<std::uint64_t>("an array's length"));
}

std::int64_t read_alignment(const Header& header, const std::string& where) {
  const Value* value = header.find("general.alignment");
  if (value == nullptr) return kDefaultAlignment;
  const auto* alignment = std::get_if<std::uint32_t>(value);
  if (alignment == nullptr || !std::has_single_bit(*alignment) || *alignment < kMinAlignment ||
      *alignment > kMaxAlignment) {
    throw Error(where + ": general.alignment", "wrong alignment",
                "a 32-bit power of two from " + std::to_string(kMinAlignment) + " to " +
                    std::to_string(kMaxAlignment),
                alignment == nullptr ? "another type" : std::to_string(*alignment));
  }
  return *alignment;
}

TensorInfo read_tensor(Cursor& cursor, const std::string& where) {
  TensorInfo tensor;
  tensor.name = read_string(cursor, kMaxName, "a tensor's name");
  const std::string place = where + ": tensor \"" + tensor.name + "\"";
  const auto dims = cursor.read<std::uint32_t>("a tensor's shape");
  if (dims == 0 || dims > kMaxDims)
    throw Error(place, "wrong number of dimensions", "1 to 4", std::to_string(dims));
  std::int64_t weights = 1;
  for (std::uint32_t i = 0; i < dims; ++i) {
    const auto n = cursor.read<std::int64_t>("a tensor's shape");
    if (n <= 0) throw Error(place, "wrong dimension", "1 or more", std::to_string(n));
    weights = checked_mul(weights, n, place);
    tensor.shape.insert(tensor.shape.begin(), n);
  }
  const auto id = cursor.read<std::int32_t>("a tensor's type");
  tensor.type = type_of_id(id);
  if (tensor.type == nullptr)
    throw Error(place, "unknown or removed type", "a ggml type", std::to_string(id));
  if (tensor.shape.back() % tensor.type->block != 0) {
    throw Error(place, "row length is no whole number of blocks",
                "a multiple of " + std::to_string(tensor.type->block),
                std::to_string(tensor.shape.back()));
  }
  tensor.bytes = checked_mul(weights / tensor.type->block, tensor.type->block_bytes, place);
  const auto offset = cursor.read<std::uint64_t>("a tensor's offset");
  if (offset > INT64_MAX) throw Error(place, "wrong offset", "below 2^63", std::to_string(offset));
  tensor.offset = static_cast<std::int64_t>(offset);
  return tensor;
}

// The format wants tensors in the order of the data, each padded to the alignment.
void check_places(const Header& header, std::int64_t file_bytes, const std::string& where) {
  std::int64_t expected = 0;
  for (const TensorInfo& t : header.tensors) {
    const std::string place = where + ": tensor \"" + t.name + "\"";
    if (t.offset != expected) {
      throw Error(place, "not behind the tensor before it", "offset " + std::to_string(expected),
                  std::to_string(t.offset));
    }
    const std::int64_t end =
        checked_add(checked_add(header.data_begin, t.offset, place), t.bytes, place);
    if (end > file_bytes) {
      throw Error(place, "data outside the file", std::to_string(end) + " bytes in the file",
                  std::to_string(file_bytes));
    }
    expected = round_up(t.offset + t.bytes, header.alignment);
  }
}

std::uint64_t read_count(Cursor& cursor, std::uint64_t least, std::string_view what) {
  const auto count = cursor.read<std::uint64_t>(what);
  if (count > cursor.remaining() / least) {
    cursor.fail(std::string(what) + " is more than the file can hold",
                "at most " + std::to_string(cursor.remaining() / least), std::to_string(count));
  }
  return count;
}

void read_version(Cursor& cursor) {
  if (as_text(cursor.take(4, "the magic number")) != "GGUF") cursor.fail("no GGUF file");
  const auto version = cursor.read<std::uint32_t>("the version");
  if (version < kOldestVersion || version > kVersion) {
    const bool swapped = (version & 0xFFFF) == 0;
    cursor.fail("wrong version", "2 or 3, little endian",
                swapped ? "a big-endian file" : std::to_string(version));
  }
}

}  // namespace

Header read_header(Bytes file, const std::string& where) {
  Cursor cursor(file, where);
  read_version(cursor);
  const std::uint64_t tensors = read_count(cursor, kLeastTensor, "the number of tensors");
  const std::uint64_t pairs = read_count(cursor, kLeastPair, "the number of metadata pairs");
  Header header;
  std::unordered_set<std::string> keys;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    std::string key = read_string(cursor, kMaxKey, "a key");
    if (!keys.insert(key).second) cursor.fail("key stands twice", {}, "\"" + key + "\"");
    Value value = read_value(cursor);
    header.pairs.push_back({std::move(key), std::move(value)});
  }
  header.alignment = read_alignment(header, where);
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < tensors; ++i) {
    header.tensors.push_back(read_tensor(cursor, where));
    const std::string& name = header.tensors.back().name;
    if (!names.insert(name).second)
      throw Error(where, "tensor stands twice", {}, "\"" + name + "\"");
  }
  header.data_begin = round_up(static_cast<std::int64_t>(cursor.position()), header.alignment);
  check_places(header, static_cast<std::int64_t>(file.size()), where);
  return header;
}

}  // namespace zp::gguf
