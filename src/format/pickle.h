// Python's pickles as plain data: nothing is imported, called or built.
// Source: CPython's pickletools.py, protocols 2 to 5 as far as PyTorch writes them.
//
// Calls that a pickle asks for are kept as nodes (what, with which arguments) for the reader to
// interpret; a name that isn't on the caller's list is refused where it stands. Sets, out-of-band
// buffers, extension codes and protocols 0 and 1 are refused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"

namespace zp::pickle {

enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  long_integer,
  real,
  text,
  bytes,
  list,
  tuple,
  dict,
  global,
  call,
  persistent,
};

using Id = std::uint32_t;

struct Node {
  Kind kind = Kind::none;
  std::size_t at = 0;        ///< byte of its opcode in the file
  std::int64_t integer = 0;  ///< boolean, integer; global: index into the caller's list
  double real = 0;
  std::string_view text;  ///< text, bytes, long_integer: in the pickle's bytes
  /// list, tuple: elements; dict: key, value, key, value ...; call: callee, argument tuple;
  /// persistent: the id
  std::vector<Id> items;
};

/// A name that pickles may mention.
struct Global {
  std::string_view module;
  std::string_view name;
  bool makes_dict = false;  ///< calling it gives a dict (OrderedDict)
};

/// Nodes may share children and contain themselves: whoever walks them must bound the walk.
struct Object {
  std::vector<Node> nodes;
  Id root = 0;
  std::size_t end = 0;  ///< byte of the file behind STOP

  const Node& operator[](Id id) const { return nodes[id]; }
};

/// Reads one pickle that begins at byte `begin` of `file`, which outlives the result. Throws Error.
Object read(Bytes file, std::size_t begin, std::span<const Global> allowed,
            const std::string& where);

}  // namespace zp::pickle
