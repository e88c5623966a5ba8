#include <cstring>

#include "base/checked.h"
#include "format/gguf_values.h"

namespace zp::gguf {
namespace {

constexpr std::uint32_t kVersion = 3;

class Out {
 public:
  void bytes(const void* data, std::size_t count) {
    const auto* first = static_cast<const std::byte*>(data);
    out_.insert(out_.end(), first, first + count);
  }
  template <class T>
  void number(T value) {
    bytes(&value, sizeof value);
  }
  void value(bool v) { number<std::uint8_t>(v ? 1 : 0); }
  void value(const std::string& v) {
    number<std::uint64_t>(v.size());
    bytes(v.data(), v.size());
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void value(T v) { number(v); }
  template <class T>
  void value(const std::vector<T>& v) {
    number<std::uint64_t>(v.size());
    for (const auto& element : v) value(static_cast<const T&>(element));
  }
  std::size_t size() const { return out_.size(); }
  std::vector<std::byte> padded(std::int64_t size) && {
    out_.resize(static_cast<std::size_t>(size));
    return std::move(out_);
  }

 private:
  std::vector<std::byte> out_;
};

void write_pair(Out& out, const Pair& pair) {
  out.value(pair.key);
  const std::size_t index = pair.value.index();
  if (index >= kScalars) out.number(kArrayId);
  out.number(id_of_scalar(index % kScalars));
  std::visit([&out](const auto& v) { out.value(v); }, pair.value);
}

void place(TensorInfo& tensor, std::int64_t& end, std::int64_t alignment) {
  tensor.bytes = stored_bytes(tensor);
  tensor.offset = end;
  end = round_up(checked_add(end, tensor.bytes, tensor.name), alignment);
}

}  // namespace

std::int64_t stored_bytes(const TensorInfo& tensor) {
  const std::string where = "tensor \"" + tensor.name + "\"";
  if (tensor.shape.empty() || tensor.shape.back() % tensor.type->block != 0) {
    throw Error(where, "shape doesn't fit the type",
                "rows of a multiple of " + std::to_string(tensor.type->block),
                tensor.shape.empty() ? "no dimensions" : std::to_string(tensor.shape.back()));
  }
  std::int64_t bytes = tensor.type->block_bytes;
  for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i)
    bytes = checked_mul(bytes, tensor.shape[i], where);
  return checked_mul(bytes, tensor.shape.back() / tensor.type->block, where);
}

std::vector<std::byte> write_header(Header& header) {
  header.alignment = kDefaultAlignment;
  if (const Value* alignment = header.find("general.alignment"))
    header.alignment = std::get<std::uint32_t>(*alignment);
  Out out;
  out.bytes("GGUF", 4);
  out.number(kVersion);
  out.number<std::uint64_t>(header.tensors.size());
  out.number<std::uint64_t>(header.pairs.size());
  for (const Pair& pair : header.pairs) write_pair(out, pair);
  std::int64_t end = 0;
  for (TensorInfo& tensor : header.tensors) {
    place(tensor, end, header.alignment);
    out.value(tensor.name);
    out.number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto n = tensor.shape.rbegin(); n != tensor.shape.rend(); ++n) out.number(*n);
    out.number(tensor.type->id);
    out.number(static_cast<std::uint64_t>(tensor.offset));
  }
  header.data_begin = round_up(static_cast<std::int64_t>(out.size()), header.alignment);
  return std::move(out).padded(header.data_begin);
}

}  // namespace zp::gguf
