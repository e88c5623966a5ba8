#include "format/gguf_lora.h"

#include <cmath>
#include <map>
#include <span>
#include <string_view>

#include "base/atomic_file.h"
#include "base/checked.h"
#include "base/error.h"
#include "format/gguf.h"
#include "tensor/dtype_name.h"
#include "tensor/rows.h"

namespace zp::gguf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kType = "general.type";
constexpr const char* kArchitecture = "general.architecture";
constexpr const char* kKind = "adapter.type";
constexpr const char* kAlpha = "adapter.lora.alpha";
constexpr std::string_view kFirst = ".lora_a";
constexpr std::string_view kSecond = ".lora_b";

template <class T>
const T& value_of(const Header& header, const char* key, const std::string& where) {
  const Value* value = header.find(key);
  const T* found = value == nullptr ? nullptr : std::get_if<T>(value);
  if (found == nullptr)
    throw Error(where, "no adapter of llama.cpp's", std::string("a pair ") + key,
                value == nullptr ? "none" : "one of another type");
  return *found;
}

void expect_text(const Header& header, const char* key, const char* text,
                 const std::string& where) {
  const auto& found = value_of<std::string>(header, key, where);
  if (found != text) throw Error(where + ": " + key, "another kind of file", text, found);
}

std::vector<float> values_of(const TensorInfo& tensor, const Header& header, Bytes file,
                             const std::string& where) {
  const DTypeInfo* dtype = dtype_of_name(tensor.type->grid);
  if (dtype == nullptr || !dtype->floating || dtype->bytes > 4)
    throw Error(where, "a type that isn't read of adapters", "F32, F16 or BF16",
                std::string(tensor.type->name));
  const std::int64_t rows = tensor.shape[0];
  const std::int64_t cols = tensor.shape[1];
  std::vector<float> out(static_cast<std::size_t>(rows * cols));
  const Bytes stored = file.subspan(static_cast<std::size_t>(header.data_begin + tensor.offset),
                                    static_cast<std::size_t>(tensor.bytes));
  stored_rows(stored, dtype->dtype, rows, cols)->read(0, rows, out.data());
  return out;
}

// Takes the tensor's rank where none was known.
void add_tensor(Lora& lora, std::map<std::string, peft::Module>& modules, const TensorInfo& tensor,
                const Header& header, Bytes file, const std::string& path) {
  const std::string where = path + ": tensor \"" + tensor.name + "\"";
  const bool first = tensor.name.ends_with(kFirst);
  if (!first && !tensor.name.ends_with(kSecond))
    throw Error(where, "no tensor of an adapter that is read", "TENSOR.lora_a or TENSOR.lora_b");
  const std::size_t of_rank = first ? 0 : 1;
  if (tensor.shape.size() != 2 || tensor.shape[0] < 1 || tensor.shape[1] < 1)
    throw Error(where, "wrong shape of an adapter's matrix", "two dimensions");
  const std::int64_t rank = tensor.shape[of_rank];
  if (lora.rank == 0 && rank <= peft::kMostRank) lora.rank = rank;
  if (rank != lora.rank)
    throw Error(
        where, "wrong rank of an adapter's matrix",
        lora.rank == 0 ? "1 to " + std::to_string(peft::kMostRank) : std::to_string(lora.rank),
        std::to_string(rank));
  const std::string name(tensor.name.substr(0, tensor.name.size() - kFirst.size()));
  peft::Module& module = modules[name];
  module.name = name;
  (first ? module.inputs : module.outputs) = tensor.shape[1 - of_rank];
  (first ? module.a : module.b) = values_of(tensor, header, file, where);
}

}  // namespace

Lora read_lora(Bytes file, const std::string& where) {
  const Header header = read_header(file, where);
  expect_text(header, kType, "adapter", where);
  expect_text(header, kKind, "lora", where);
  Lora lora;
  lora.architecture = value_of<std::string>(header, kArchitecture, where);
  lora.alpha = value_of<float>(header, kAlpha, where);
  if (!std::isfinite(lora.alpha))
    throw Error(where + ": " + kAlpha, "not finite", "a number", std::to_string(lora.alpha));
  std::map<std::string, peft::Module> modules;
  for (const TensorInfo& tensor : header.tensors)
    add_tensor(lora, modules, tensor, header, file, where);
  for (auto& [name, module] : modules) {
    if (module.a.empty() || module.b.empty())
      throw Error(where + ": tensor \"" + name + "\"",
                  "one of its adapter's two matrices is missing");
    lora.modules.push_back(std::move(module));
  }
  if (lora.modules.empty()) throw Error(where, "an adapter of nothing");
  return lora;
}

void write_lora(const Lora& lora, const fs::path& path, bool replace) {
  Header header;
  header.pairs = {{kType, std::string("adapter")},
                  {kArchitecture, lora.architecture},
                  {kKind, std::string("lora")},
                  {kAlpha, lora.alpha}};
  std::vector<Bytes> matrices;
  const auto add = [&](std::string name, std::int64_t rows, std::int64_t cols,
                       const std::vector<float>& values) {
    TensorInfo info;
    info.name = std::move(name);
    info.shape = {rows, cols};
    info.type = type_of_grid("fp32");
    header.tensors.push_back(std::move(info));
    matrices.push_back(std::as_bytes(std::span(values)));
  };
  for (const peft::Module& module : lora.modules) {
    add(module.name + std::string(kFirst), lora.rank, module.inputs, module.a);
    add(module.name + std::string(kSecond), module.outputs, lora.rank, module.b);
  }
  const std::vector<std::byte> begin = write_header(header);
  const auto end_of = [&](const TensorInfo& tensor) {
    return header.data_begin + tensor.offset + tensor.bytes;
  };
  AtomicFile file(path, round_up(end_of(header.tensors.back()), header.alignment), replace);
  file.write_at(0, begin);
  const std::vector<std::byte> zeros(static_cast<std::size_t>(header.alignment));
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const std::int64_t end = end_of(header.tensors[i]);
    file.write_at(end - header.tensors[i].bytes, matrices[i]);
    const std::int64_t padding = round_up(end, header.alignment) - end;
    file.write_at(end, Bytes(zeros).first(static_cast<std::size_t>(padding)));
  }
  file.commit();
}

}  // namespace zp::gguf
