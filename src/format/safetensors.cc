#include "format/safetensors.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "format/cursor.h"

namespace zp::safetensors {
namespace {

constexpr std::int64_t kMaxHeader = 100'000'000;
constexpr std::int64_t kPadding = 8;

std::int64_t size_field(const Json& value, const std::string& where) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
    throw Error(where, "no size", "an integer from 0 to 2^63 - 1", value.dump());
  }
  return value.get<std::int64_t>();
}

std::int64_t bytes_of(const TensorInfo& tensor, const std::string& where) {
  std::int64_t bytes = info(tensor.dtype).bytes;
  for (const std::int64_t n : tensor.shape) bytes = checked_mul(bytes, n, where);
  return bytes;
}

TensorInfo read_tensor(const std::string& name, const Json& entry, std::int64_t data_begin,
                       std::int64_t data_bytes, const std::string& where) {
  const JsonFields fields(entry, where);
  for (const auto& [key, value] : entry.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      throw Error(where, "unknown field", "dtype, shape, data_offsets", "\"" + key + "\"");
    }
  }
  TensorInfo tensor;
  tensor.name = name;
  const std::string word = fields.text("dtype");
  const DTypeInfo* dtype = dtype_of_safetensors(word);
  if (dtype == nullptr) throw Error(where, "unknown dtype", {}, "\"" + word + "\"");
  tensor.dtype = dtype->dtype;
  const Json& shape = fields.at("shape");
  if (!shape.is_array()) throw Error(where, "wrong shape", "an array", shape.type_name());
  for (const Json& n : shape) tensor.shape.push_back(size_field(n, where + ": shape"));
  const Json& offsets = fields.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) {
    throw Error(where, "wrong data_offsets", "[begin, end]", offsets.dump());
  }
  const std::int64_t begin = size_field(offsets[0], where + ": data_offsets");
  const std::int64_t end = size_field(offsets[1], where + ": data_offsets");
  if (begin > end || end > data_bytes) {
    throw Error(where, "data outside the file", "offsets up to " + std::to_string(data_bytes),
                offsets.dump());
  }
  tensor.begin = data_begin + begin;
  tensor.bytes = end - begin;
  const std::int64_t needed = bytes_of(tensor, where);
  if (needed != tensor.bytes) {
    throw Error(where, "offsets don't fit dtype and shape", std::to_string(needed) + " bytes",
                std::to_string(tensor.bytes));
  }
  return tensor;
}

std::map<std::string, std::string> read_metadata(const Json& entry, const std::string& where) {
  if (!entry.is_object()) throw Error(where, "no JSON object", "an object", entry.type_name());
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string())
      throw Error(where + ": \"" + key + "\"", "wrong type", "a string", value.type_name());
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Sorts by place and refuses gaps, overlap and bytes that no tensor claims.
void check_cover(Header& header, std::int64_t file_bytes, const std::string& where) {
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const TensorInfo& a, const TensorInfo& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.bytes < b.bytes;
                   });
  std::int64_t at = header.data_begin;
  for (const TensorInfo& t : header.tensors) {
    if (t.begin != at) {
      throw Error(where + ": tensor \"" + t.name + "\"",
                  t.begin < at ? "overlaps the one before" : "leaves a gap before it",
                  "data at " + std::to_string(at - header.data_begin),
                  std::to_string(t.begin - header.data_begin));
    }
    at += t.bytes;
  }
  if (at != file_bytes) {
    throw Error(where, "bytes behind the last tensor", std::to_string(at) + " bytes in the file",
                std::to_string(file_bytes));
  }
}

}  // namespace

Header read_header(Bytes file, const std::string& where) {
  Cursor cursor(file, where);
  const auto length = cursor.read<std::uint64_t>("the header's length");
  if (length > kMaxHeader) {
    throw Error(where, "header too long", "at most " + std::to_string(kMaxHeader) + " bytes",
                std::to_string(length));
  }
  const std::string_view text = as_text(cursor.take(length, "the header"));
  if (!text.starts_with('{')) throw Error(where + ": byte 8", "no safetensors header", "'{'");
  const Json json = parse_json(text, where + ": header");
  Header header;
  header.data_begin = static_cast<std::int64_t>(cursor.position());
  const auto data_bytes = static_cast<std::int64_t>(cursor.remaining());
  for (const auto& [name, entry] : json.items()) {
    if (name != "__metadata__") {
      header.tensors.push_back(read_tensor(name, entry, header.data_begin, data_bytes,
                                           where + ": tensor \"" + name + "\""));
      continue;
    }
    header.metadata = read_metadata(entry, where + ": __metadata__");
  }
  check_cover(header, static_cast<std::int64_t>(file.size()), where);
  return header;
}

std::vector<std::byte> write_header(Header& header) {
  Json json = Json::object();
  for (const auto& [key, value] : header.metadata) json["__metadata__"][key] = value;
  std::int64_t at = 0;
  for (TensorInfo& t : header.tensors) {
    t.bytes = bytes_of(t, "tensor \"" + t.name + "\"");
    t.begin = at;
    at = checked_add(at, t.bytes, "tensor \"" + t.name + "\"");
    // Appended without a search: names are looked up nowhere here, and there may be many.
    json.append(t.name, {{"dtype", info(t.dtype).safetensors},
                         {"shape", t.shape},
                         {"data_offsets", {t.begin, at}}});
  }
  std::string text = json.dump();
  text.resize(static_cast<std::size_t>(round_up(static_cast<std::int64_t>(text.size()), kPadding)),
              ' ');
  const std::uint64_t length = text.size();
  std::vector<std::byte> out(sizeof length + text.size());
  std::memcpy(out.data(), &length, sizeof length);
  std::memcpy(out.data() + sizeof length, text.data(), text.size());
  header.data_begin = static_cast<std::int64_t>(out.size());
  for (TensorInfo& t : header.tensors) t.begin += header.data_begin;
  return out;
}

}  // namespace zp::safetensors
