#include "format/imatrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "format/cursor.h"
#include "format/gguf.h"

namespace zp {
namespace {

constexpr std::int64_t kMaxName = 4096;  // of .dat files; GGUF has its own limit
constexpr std::string_view kKind = "imatrix";
constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

void check_values(const std::vector<float>& values, const std::string& where) {
  for (const float v : values) {
    if (!std::isfinite(v) || v < 0)
      throw Error(where, "no sum of squares", "a finite number, not negative", std::to_string(v));
  }
}

// The name without the suffix, or empty.
std::string without(const std::string& name, std::string_view suffix) {
  if (name.size() <= suffix.size() || !std::string_view(name).ends_with(suffix)) return {};
  return name.substr(0, name.size() - suffix.size());
}

std::vector<float> floats_of(const gguf::Header& header, const gguf::TensorInfo& tensor, Bytes file,
                             const std::string& where) {
  if (tensor.type->grid != "fp32")
    throw Error(where + ", tensor \"" + tensor.name + "\"", "wrong type", "F32",
                std::string(tensor.type->name));
  std::vector<float> values(static_cast<std::size_t>(tensor.bytes) / sizeof(float));
  std::memcpy(values.data(), file.data() + header.data_begin + tensor.offset,
              values.size() * sizeof(float));
  check_values(values, where + ", tensor \"" + tensor.name + "\"");
  return values;
}

template <class T>
T pair_or(const gguf::Header& header, std::string_view key, T otherwise) {
  const gguf::Value* found = header.find(key);
  const T* value = found == nullptr ? nullptr : std::get_if<T>(found);
  return value == nullptr ? otherwise : *value;
}

bool is_gguf(Bytes file) { return as_text(file).starts_with("GGUF"); }

std::string kind_of(const gguf::Header& header) {
  return pair_or<std::string>(header, "general.type", {});
}

Imatrix read_gguf(Bytes file, const std::string& where) {
  const gguf::Header header = gguf::read_header(file, where);
  if (const std::string kind = kind_of(header); kind != kKind)
    throw Error(where, "no imatrix", "general.type imatrix", kind);
  Imatrix imatrix;
  imatrix.datasets = pair_or<gguf::Strings>(header, "imatrix.datasets", {});
  imatrix.chunks = pair_or<std::uint32_t>(header, "imatrix.chunk_count", 0);
  imatrix.chunk_size = pair_or<std::uint32_t>(header, "imatrix.chunk_size", 0);
  std::map<std::string, ImatrixEntry> entries;
  for (const gguf::TensorInfo& tensor : header.tensors) {
    if (const std::string sums = without(tensor.name, kSums); !sums.empty()) {
      entries[sums].sums = floats_of(header, tensor, file, where);
    } else if (const std::string counts = without(tensor.name, kCounts); !counts.empty()) {
      entries[counts].counts = floats_of(header, tensor, file, where);
    }
  }
  for (auto& [name, entry] : entries) {
    if (entry.counts.empty() || entry.sums.empty() ||
        entry.sums.size() % entry.counts.size() != 0) {
      throw Error(where + ", entry \"" + name + "\"", "sums and counts don't belong together", {},
                  std::to_string(entry.sums.size()) + " sums, " +
                      std::to_string(entry.counts.size()) + " counts");
    }
    if (std::any_of(entry.counts.begin(), entry.counts.end(),
                    [](float n) { return n > 0 && n < 1; }))
      throw Error(where + ", entry \"" + name + "\"", "a count below 1", "0, or 1 and more");
    entry.name = name;
    imatrix.entries.push_back(std::move(entry));
  }
  return imatrix;
}

std::int32_t read_count(Cursor& cursor, std::int64_t least, std::int64_t most,
                        std::string_view what) {
  const auto count = cursor.read<std::int32_t>(what);
  if (count < least || count > most) {
    cursor.fail("wrong " + std::string(what), std::to_string(least) + " to " + std::to_string(most),
                std::to_string(count));
  }
  return count;
}

std::string read_name(Cursor& cursor, std::int64_t least) {
  const std::int32_t length = read_count(cursor, least, kMaxName, "length of a name");
  return std::string(as_text(cursor.take(static_cast<std::uint64_t>(length), "a name")));
}

ImatrixEntry read_entry(Cursor& cursor, const std::string& where) {
  ImatrixEntry entry;
  entry.name = read_name(cursor, 1);
  entry.counts = {static_cast<float>(read_count(cursor, 0, INT32_MAX, "number of calls"))};
  const auto left = static_cast<std::int64_t>(cursor.remaining() / sizeof(float));
  const std::int32_t values =
      read_count(cursor, 1, std::max<std::int64_t>(1, left), "number of values");
  entry.sums.resize(std::min(static_cast<std::size_t>(values), cursor.remaining() / sizeof(float)));
  const Bytes bytes = cursor.take(static_cast<std::uint64_t>(values) * sizeof(float), "values");
  std::memcpy(entry.sums.data(), bytes.data(), bytes.size());
  check_values(entry.sums, where + ", entry \"" + entry.name + "\"");
  return entry;
}

Imatrix read_dat(Bytes file, const std::string& where) {
  constexpr std::int64_t kLeastEntry = 4 + 1 + 4 + 4 + 4;
  Cursor cursor(file, where);
  Imatrix imatrix;
  const auto most = static_cast<std::int64_t>(file.size()) / kLeastEntry;
  const std::int32_t count = read_count(cursor, 1, most, "number of entries");
  std::set<std::string> names;
  for (std::int32_t i = 0; i < count; ++i) {
    imatrix.entries.push_back(read_entry(cursor, where));
    if (!names.insert(imatrix.entries.back().name).second)
      cursor.fail("entry \"" + imatrix.entries.back().name + "\" stands twice");
  }
  if (cursor.remaining() == 0) return imatrix;  // the oldest files end here
  imatrix.chunks = static_cast<std::uint32_t>(read_count(cursor, 0, INT32_MAX, "number of chunks"));
  if (cursor.remaining() == 0) return imatrix;
  if (std::string dataset = read_name(cursor, 0); !dataset.empty())
    imatrix.datasets.push_back(std::move(dataset));
  if (cursor.remaining() != 0) cursor.fail("bytes behind the end");
  return imatrix;
}

class Writer {
 public:
  void number(std::int32_t value) { bytes(&value, sizeof value); }
  void name(const std::string& text) {
    number(static_cast<std::int32_t>(text.size()));
    bytes(text.data(), text.size());
  }
  void values(const std::vector<float>& floats) {
    number(static_cast<std::int32_t>(floats.size()));
    bytes(floats.data(), floats.size() * sizeof(float));
  }
  std::vector<std::byte> take() { return std::move(out_); }

 private:
  void bytes(const void* from, std::size_t count) {
    const auto* begin = static_cast<const std::byte*>(from);
    out_.insert(out_.end(), begin, begin + count);
  }
  std::vector<std::byte> out_;
};

}  // namespace

std::vector<float> ImatrixEntry::importance(std::size_t matrix) const {
  if (counts[matrix] <= 0) return {};
  const std::size_t columns = sums.size() / counts.size();
  const Floats own = Floats(sums).subspan(matrix * columns, columns);
  std::vector<float> means(own.begin(), own.end());
  for (float& m : means) m /= counts[matrix];
  return means;
}

bool is_imatrix(Bytes file) {
  try {
    if (is_gguf(file)) return kind_of(gguf::read_header(file, {})) == kKind;
    Cursor cursor(file, {});
    read_count(cursor, 1, INT32_MAX, "number of entries");
    read_name(cursor, 1);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Imatrix read_imatrix(Bytes file, const std::string& where) {
  return is_gguf(file) ? read_gguf(file, where) : read_dat(file, where);
}

std::vector<std::byte> write_imatrix(const Imatrix& imatrix) {
  gguf::Header header;
  header.pairs = {{"general.type", std::string("imatrix")},
                  {"imatrix.datasets", imatrix.datasets},
                  {"imatrix.chunk_count", imatrix.chunks},
                  {"imatrix.chunk_size", imatrix.chunk_size}};
  const auto add = [&](std::string name, std::int64_t matrices, std::size_t values) {
    gguf::TensorInfo info;
    info.name = std::move(name);
    info.shape = {matrices, static_cast<std::int64_t>(values) / matrices};
    info.type = gguf::type_of_grid("fp32");
    header.tensors.push_back(std::move(info));
  };
  for (const ImatrixEntry& e : imatrix.entries) {
    const auto matrices = static_cast<std::int64_t>(e.counts.size());
    add(e.name + std::string(kSums), matrices, e.sums.size());
    add(e.name + std::string(kCounts), matrices, e.counts.size());
  }
  std::vector<std::byte> file = gguf::write_header(header);
  for (std::size_t i = 0; i < header.tensors.size(); ++i) {
    const ImatrixEntry& e = imatrix.entries[i / 2];
    const std::vector<float>& values = i % 2 == 0 ? e.sums : e.counts;
    const auto at = static_cast<std::size_t>(header.data_begin + header.tensors[i].offset);
    const std::size_t bytes = values.size() * sizeof(float);
    const auto alignment = static_cast<std::size_t>(header.alignment);
    file.resize(at + (bytes + alignment - 1) / alignment * alignment);
    std::memcpy(file.data() + at, values.data(), bytes);
  }
  return file;
}

std::vector<std::byte> write_imatrix_dat(const Imatrix& imatrix) {
  Writer out;
  out.number(static_cast<std::int32_t>(imatrix.entries.size()));
  for (const ImatrixEntry& e : imatrix.entries) {
    const float most = *std::max_element(e.counts.begin(), e.counts.end());
    const auto size = static_cast<float>(std::max<std::uint32_t>(1, imatrix.chunk_size));
    const float calls = std::ceil(most / size);
    std::vector<float> values(e.sums);
    const std::size_t columns = values.size() / e.counts.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float count = e.counts[i / columns];
      values[i] = count > 0 ? values[i] / count * calls : calls;  // as llama.cpp: 1 for no data
    }
    out.name(e.name);
    out.number(static_cast<std::int32_t>(calls));
    out.values(values);
  }
  out.number(static_cast<std::int32_t>(imatrix.chunks));
  out.name(imatrix.datasets.empty() ? std::string() : imatrix.datasets.back());
  return out.take();
}

}  // namespace zp
