// One file with the planes of all tensors, into which a graph in another file points.
#pragma once

#include <string>

#include "container/container.h"

namespace zp {

/// Appends the file to the layout and gives every plane of its jobs a place there: what fills a
/// page or more begins on one, the rest lies behind. Throws Error beyond 64 bits.
void add_data_file(Layout& layout, std::string name);

}  // namespace zp
