// One file with the planes of all tensors, into which a graph in another file points.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "container/container.h"

namespace zp {

/// The tensor that has a plane, alone or beside others.
struct DataPlace {
  std::string tensor;
  std::int64_t bytes = 0;  ///< of the tensor
  std::int64_t begin = 0;  ///< of the plane in it
};

/// Appends the file to the layout and gives every tensor a place there, and so the planes of the
/// layout's jobs: what fills a page or more begins on one, the rest lies behind. places: each job's,
/// of each plane. Throws Error beyond 64 bits.
void add_data_file(Layout& layout, std::string name,
                   const std::vector<std::vector<DataPlace>>& places);

/// Appends bytes that are known, and returns their offset.
std::int64_t add_bytes(OutputFile& file, std::string_view bytes);

}  // namespace zp
