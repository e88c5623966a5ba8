#include "source/pytorch_objects.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_set>

#include "base/checked.h"

namespace zp::pytorch {
namespace {

using pickle::Id;
using pickle::Kind;
using pickle::Node;

enum class Meaning { dict, tensor, parameter, size, storage, bytes_storage, dtype, device };

struct Name {
  pickle::Global global;
  Meaning meaning;
  DType dtype = DType::f32;        // storage, dtype
  std::size_t dtype_argument = 0;  // tensor: which argument is its dtype; 0: the storage has it
};

constexpr std::array kNames = {
    Name{{"collections", "OrderedDict", true}, Meaning::dict},
    Name{{"torch._utils", "_rebuild_tensor"}, Meaning::tensor},
    Name{{"torch._utils", "_rebuild_tensor_v2"}, Meaning::tensor},
    Name{{"torch._utils", "_rebuild_tensor_v3"}, Meaning::tensor, DType::f32, 6},
    Name{{"torch._utils", "_rebuild_parameter"}, Meaning::parameter},
    Name{{"torch", "Size"}, Meaning::size},
    Name{{"torch", "device"}, Meaning::device},
    Name{{"torch.storage", "UntypedStorage"}, Meaning::bytes_storage},
    Name{{"torch", "DoubleStorage"}, Meaning::storage, DType::f64},
    Name{{"torch", "FloatStorage"}, Meaning::storage, DType::f32},
    Name{{"torch", "HalfStorage"}, Meaning::storage, DType::f16},
    Name{{"torch", "BFloat16Storage"}, Meaning::storage, DType::bf16},
    Name{{"torch", "LongStorage"}, Meaning::storage, DType::i64},
    Name{{"torch", "IntStorage"}, Meaning::storage, DType::i32},
    Name{{"torch", "ShortStorage"}, Meaning::storage, DType::i16},
    Name{{"torch", "CharStorage"}, Meaning::storage, DType::i8},
    Name{{"torch", "ByteStorage"}, Meaning::storage, DType::u8},
    Name{{"torch", "BoolStorage"}, Meaning::storage, DType::boolean},
    Name{{"torch", "float64"}, Meaning::dtype, DType::f64},
    Name{{"torch", "float32"}, Meaning::dtype, DType::f32},
    Name{{"torch", "float16"}, Meaning::dtype, DType::f16},
    Name{{"torch", "bfloat16"}, Meaning::dtype, DType::bf16},
    Name{{"torch", "float8_e4m3fn"}, Meaning::dtype, DType::f8_e4m3},
    Name{{"torch", "float8_e5m2"}, Meaning::dtype, DType::f8_e5m2},
    Name{{"torch", "int64"}, Meaning::dtype, DType::i64},
    Name{{"torch", "int32"}, Meaning::dtype, DType::i32},
    Name{{"torch", "int16"}, Meaning::dtype, DType::i16},
    Name{{"torch", "int8"}, Meaning::dtype, DType::i8},
    Name{{"torch", "uint64"}, Meaning::dtype, DType::u64},
    Name{{"torch", "uint32"}, Meaning::dtype, DType::u32},
    Name{{"torch", "uint16"}, Meaning::dtype, DType::u16},
    Name{{"torch", "uint8"}, Meaning::dtype, DType::u8},
    Name{{"torch", "bool"}, Meaning::dtype, DType::boolean},
};

constexpr auto kGlobals = [] {
  std::array<pickle::Global, kNames.size()> globals{};
  for (std::size_t i = 0; i < globals.size(); ++i) globals[i] = kNames[i].global;
  return globals;
}();

// Where trainers put the weights beside their own state; tried in this order.
constexpr std::array<std::string_view, 6> kUsualNames = {
    "state_dict", "model_state_dict", "model", "module", "weights", "params"};
constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxDims = 64;  // PyTorch's own limit

struct Found {
  Id dict;
  std::string path;
};

class Interpreter {
 public:
  Interpreter(const pickle::Object& object, const std::string& where)
      : object_(object), where_(where) {}

  Storage storage(const Node& persistent) const;
  TensorRecord tensor(Id id) const;
  bool is_tensor(Id id) const;
  std::optional<Found> find(Id id, const std::string& path, int depth);

 private:
  [[noreturn]] void fail(const Node& node, std::string what, std::string expected = {},
                         std::string found = {}) const {
    throw Error(where_ + ": byte " + std::to_string(node.at), std::move(what), std::move(expected),
                std::move(found));
  }
  const Node& node(Id id) const { return object_[id]; }
  const Name* callee(const Node& n) const {
    return n.kind == Kind::call ? &kNames[static_cast<std::size_t>(node(n.items[0]).integer)]
                                : nullptr;
  }
  const std::vector<Id>& arguments(const Node& call) const { return node(call.items[1]).items; }
  const Name& name(Id id, Meaning meaning, Meaning or_meaning) const;
  std::string_view text(Id id) const;
  std::int64_t size(Id id) const;
  std::vector<std::int64_t> sizes(Id id) const;
  std::optional<Id> entry(const Node& dict, std::string_view key) const;

  const pickle::Object& object_;
  const std::string& where_;
  std::unordered_set<Id> seen_;
};

const Name& Interpreter::name(Id id, Meaning meaning, Meaning or_meaning) const {
  const Node& n = node(id);
  if (n.kind != Kind::global) fail(n, "a name was expected here");
  const Name& found = kNames[static_cast<std::size_t>(n.integer)];
  if (found.meaning != meaning && found.meaning != or_meaning)
    fail(n, "name in the wrong place", {}, std::string(found.global.name));
  return found;
}

std::string_view Interpreter::text(Id id) const {
  if (node(id).kind != Kind::text) fail(node(id), "a string was expected here");
  return node(id).text;
}

std::int64_t Interpreter::size(Id id) const {
  const Node& n = node(id);
  if (n.kind != Kind::integer || n.integer < 0) fail(n, "a size was expected here");
  return n.integer;
}

std::vector<std::int64_t> Interpreter::sizes(Id id) const {
  const Node* n = &node(id);
  if (const Name* what = callee(*n);
      what != nullptr && what->meaning == Meaning::size && arguments(*n).size() == 1) {
    n = &node(arguments(*n)[0]);
  }
  if (n->kind != Kind::tuple && n->kind != Kind::list) fail(*n, "a shape was expected here");
  if (n->items.size() > kMaxDims)
    fail(*n, "too many dimensions", "at most " + std::to_string(kMaxDims),
         std::to_string(n->items.size()));
  std::vector<std::int64_t> values;
  for (const Id i : n->items) values.push_back(size(i));
  return values;
}

// ("storage", type, key, location, elements[, None or (key, first element, elements) of a view])
Storage Interpreter::storage(const Node& persistent) const {
  const Node& id = node(persistent.items[0]);
  if (id.kind != Kind::tuple || id.items.size() < 5 || id.items.size() > 6 ||
      text(id.items[0]) != "storage") {
    fail(persistent, "unknown kind of reference", "a storage");
  }
  const Name& type = name(id.items[1], Meaning::storage, Meaning::bytes_storage);
  Storage s;
  if (type.meaning == Meaning::storage) s.dtype = &info(type.dtype);
  s.key = text(id.items[2]);
  s.elements = s.view_elements = size(id.items[4]);
  if (id.items.size() == 6 && node(id.items[5]).kind != Kind::none) {
    const Node& view = node(id.items[5]);
    if (view.kind != Kind::tuple || view.items.size() != 3) fail(view, "wrong view of a storage");
    s.view_begin = size(view.items[1]);
    s.view_elements = size(view.items[2]);
    if (s.view_begin > s.elements || s.view_elements > s.elements - s.view_begin)
      fail(view, "view outside its storage");
  }
  return s;
}

bool Interpreter::is_tensor(Id id) const {
  const Name* what = callee(node(id));
  return what != nullptr &&
         (what->meaning == Meaning::tensor || what->meaning == Meaning::parameter);
}

// _rebuild_tensor*(storage, offset, size, stride ...), perhaps inside _rebuild_parameter(tensor
// ...).
TensorRecord Interpreter::tensor(Id id) const {
  const Node* call = &node(id);
  if (callee(*call)->meaning == Meaning::parameter) {
    if (arguments(*call).empty()) fail(*call, "parameter without a tensor");
    call = &node(arguments(*call)[0]);
  }
  const Name* what = callee(*call);
  if (what == nullptr || what->meaning != Meaning::tensor)
    fail(*call, "a tensor was expected here");
  const std::vector<Id>& given = arguments(*call);
  if (given.size() < 4 || given.size() <= what->dtype_argument)
    fail(*call, "tensor with too few arguments");
  if (node(given[0]).kind != Kind::persistent) fail(*call, "tensor without a storage");
  TensorRecord t;
  t.storage = storage(node(given[0]));
  t.offset = size(given[1]);
  t.shape = sizes(given[2]);
  t.strides = sizes(given[3]);
  if (t.shape.size() != t.strides.size()) fail(*call, "shape and strides of different length");
  if (what->dtype_argument != 0) {
    t.dtype = name(given[what->dtype_argument], Meaning::dtype, Meaning::dtype).dtype;
  } else if (t.storage.dtype != nullptr) {
    t.dtype = t.storage.dtype->dtype;
  } else {
    fail(*call, "tensor without a type");
  }
  return t;
}

std::optional<Id> Interpreter::entry(const Node& dict, std::string_view key) const {
  for (std::size_t i = 0; i < dict.items.size(); i += 2) {
    if (node(dict.items[i]).kind == Kind::text && node(dict.items[i]).text == key)
      return dict.items[i + 1];
  }
  return {};
}

std::optional<Found> Interpreter::find(Id id, const std::string& path, int depth) {
  const Node& dict = node(id);
  if (dict.kind != Kind::dict || depth > kMaxDepth || !seen_.insert(id).second) return {};
  const auto below = [&path](std::string_view key) {
    return path + (path.empty() ? "" : ".") + std::string(key);
  };
  for (const std::string_view usual : kUsualNames) {
    if (const auto inner = entry(dict, usual)) {
      if (auto found = find(*inner, below(usual), depth + 1)) return found;
    }
  }
  std::optional<Found> only;
  for (std::size_t i = 0; i < dict.items.size(); i += 2) {
    if (node(dict.items[i]).kind != Kind::text) continue;
    if (is_tensor(dict.items[i + 1])) return Found{id, path};
    auto found = find(dict.items[i + 1], below(node(dict.items[i]).text), depth + 1);
    if (found && only)
      throw Error(where_, "two dictionaries of tensors", "one",
                  "\"" + only->path + "\" and \"" + found->path + "\"");
    if (found) only = std::move(found);
  }
  return only;
}

}  // namespace

std::span<const pickle::Global> allowed_names() { return kGlobals; }

std::vector<Storage> storages_of(const pickle::Object& object, const std::string& where) {
  const Interpreter interpreter(object, where);
  std::vector<Storage> storages;
  for (const Node& n : object.nodes) {
    if (n.kind == Kind::persistent) storages.push_back(interpreter.storage(n));
  }
  return storages;
}

std::vector<TensorRecord> tensors_of(const pickle::Object& object, const std::string& where) {
  Interpreter interpreter(object, where);
  const auto found = interpreter.find(object.root, {}, 0);
  if (!found)
    throw Error(where, "no tensors in this checkpoint", "a dictionary of tensors by name");
  std::vector<TensorRecord> tensors;
  const std::vector<Id>& items = object[found->dict].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (object[items[i]].kind != Kind::text || !interpreter.is_tensor(items[i + 1])) continue;
    tensors.push_back(interpreter.tensor(items[i + 1]));
    tensors.back().name = object[items[i]].text;
  }
  return tensors;
}

}  // namespace zp::pytorch
