// PyTorch checkpoints, both forms.
//
//   zip:  NAME/data.pkl (a pickle) | NAME/data/KEY (a storage each) | NAME/byteorder ...
//   old:  pickles: magic number, 1001, {"little_endian" ...}, the object, [storage keys];
//         then for each key: i64 elements | data
// Source: torch/serialization.py.
#include <algorithm>
#include <unordered_map>

#include "base/checked.h"
#include "format/cursor.h"
#include "format/zip.h"
#include "source/checkpoint.h"
#include "source/pytorch_objects.h"
#include "source/pytorch_rows.h"

namespace zp {
namespace {

using pytorch::Storage;
using pytorch::TensorRecord;
using StorageBytes = std::unordered_map<std::string_view, Bytes>;

constexpr std::string_view kZipMagic = "PK\x03\x04";
constexpr std::string_view kPickle = "/data.pkl";
constexpr char kPickleMagic = '\x80';
constexpr std::string_view kOldMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kOldProtocol = 1001;

std::int64_t element_bytes(const Storage& s) { return s.dtype == nullptr ? 1 : s.dtype->bytes; }

// What tensors of this storage may read.
Bytes visible(const Storage& s, const StorageBytes& storages, const std::string& where) {
  const std::string place = where + ": storage \"" + std::string(s.key) + "\"";
  const auto found = storages.find(s.key);
  if (found == storages.end()) throw Error(place, "storage missing");
  const std::int64_t bytes = checked_mul(s.elements, element_bytes(s), place);
  if (bytes != static_cast<std::int64_t>(found->second.size())) {
    throw Error(place, "wrong size", std::to_string(bytes) + " bytes",
                std::to_string(found->second.size()));
  }
  return found->second.subspan(static_cast<std::size_t>(s.view_begin * element_bytes(s)),
                               static_cast<std::size_t>(s.view_elements * element_bytes(s)));
}

void add_tensors(const pickle::Object& object, const StorageBytes& storages,
                 const std::string& where, Checkpoint& checkpoint) {
  for (TensorRecord& t : pytorch::tensors_of(object, where)) {
    const std::string place = where + ": tensor \"" + t.name + "\"";
    const Bytes storage = visible(t.storage, storages, place);
    Tensor tensor;
    tensor.bytes = pytorch::check_inside(t, static_cast<std::int64_t>(storage.size()), place);
    if (info(t.dtype).floating) tensor.rows = pytorch::rows_of(t, storage, place);
    tensor.stored = pytorch::side_by_side(t, storage);
    tensor.name = std::move(t.name);
    tensor.type = info(t.dtype).name;
    tensor.shape = std::move(t.shape);
    checkpoint.add(std::move(tensor), where);
  }
}

void read_zip(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  const std::vector<zip::Entry> entries = zip::read_entries(file, where);
  const auto is_pickle = [](const zip::Entry& e) { return e.name.ends_with(kPickle); };
  if (std::count_if(entries.begin(), entries.end(), is_pickle) != 1) {
    throw Error(where, "no PyTorch checkpoint", "a zip archive with one data.pkl");
  }
  const zip::Entry& pickled = *std::find_if(entries.begin(), entries.end(), is_pickle);
  const std::string folder(pickled.name.substr(0, pickled.name.size() - kPickle.size() + 1));
  StorageBytes storages;
  for (const zip::Entry& e : entries) {
    if (e.name.starts_with(folder + "data/")) storages[e.name.substr(folder.size() + 5)] = e.data;
    if (e.name == folder + "byteorder" && as_text(e.data) != "little") {
      throw Error(where + ": byteorder", "wrong byte order", "little",
                  std::string(as_text(e.data)));
    }
  }
  const auto begin = static_cast<std::size_t>(pickled.data.data() - file.data());
  const Bytes up_to_end = file.first(begin + pickled.data.size());
  add_tensors(pickle::read(up_to_end, begin, pytorch::allowed_names(), where), storages, where,
              checkpoint);
}

void check_byte_order(const pickle::Object& system, const std::string& where) {
  const std::vector<pickle::Id>& items = system[system.root].items;
  if (system[system.root].kind != pickle::Kind::dict)
    throw Error(where, "broken head of a PyTorch checkpoint");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (system[items[i]].text == "little_endian" && system[items[i + 1]].integer != 1) {
      throw Error(where, "wrong byte order", "little endian");
    }
  }
}

StorageBytes read_old_storages(const pickle::Object& keys, const pickle::Object& object, Bytes file,
                               const std::string& where) {
  std::unordered_map<std::string_view, std::int64_t> element;
  for (const Storage& s : pytorch::storages_of(object, where))
    element.emplace(s.key, element_bytes(s));
  Cursor cursor(file, where, keys.end);
  StorageBytes storages;
  for (const pickle::Id id : keys[keys.root].items) {
    const std::string place = where + ": storage \"" + std::string(keys[id].text) + "\"";
    const auto bytes = element.find(keys[id].text);
    if (keys[id].kind != pickle::Kind::text || bytes == element.end())
      throw Error(place, "storage that no tensor has");
    const auto elements = cursor.read<std::int64_t>("a storage's size");
    const std::int64_t size = checked_mul(elements, bytes->second, place);
    if (!storages.emplace(keys[id].text, cursor.take(static_cast<std::uint64_t>(size), "a storage"))
             .second) {
      throw Error(place, "storage stands twice");
    }
  }
  return storages;
}

void read_old(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  const auto next = [&](std::size_t begin) {
    return pickle::read(file, begin, pytorch::allowed_names(), where);
  };
  const pickle::Object magic = next(0);
  if (magic[magic.root].kind != pickle::Kind::long_integer || magic[magic.root].text != kOldMagic) {
    throw Error(where, "pickle that is no PyTorch checkpoint", "PyTorch's magic number");
  }
  const pickle::Object protocol = next(magic.end);
  if (protocol[protocol.root].kind != pickle::Kind::integer ||
      protocol[protocol.root].integer != kOldProtocol) {
    throw Error(where, "unknown protocol of the old form", std::to_string(kOldProtocol),
                std::to_string(protocol[protocol.root].integer));
  }
  const pickle::Object system = next(protocol.end);
  check_byte_order(system, where);
  const pickle::Object object = next(system.end);
  const pickle::Object keys = next(object.end);
  if (keys[keys.root].kind != pickle::Kind::list) throw Error(where, "list of storages missing");
  add_tensors(object, read_old_storages(keys, object, file, where), where, checkpoint);
}

bool is_zip(Bytes file) { return as_text(file).starts_with(kZipMagic); }

bool recognizes(Bytes file) {
  // Another pickle is recognized too, so that it can be refused by what it lacks.
  return is_zip(file) ||
         (file.size() > 1 && as_text(file)[0] == kPickleMagic && as_text(file)[1] <= 5);
}

void read(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  (is_zip(file) ? read_zip : read_old)(file, where, checkpoint);
}

}  // namespace

extern const SourceKind source_pytorch;
const SourceKind source_pytorch = {
    "pytorch", "PyTorch .bin, .pt, .pth: zip and older form, weights only, nothing is run",
    recognizes, read};

}  // namespace zp
