// zeropoint._core.Grid.
#pragma once

#include <nanobind/nanobind.h>

namespace zeropoint_python {

void add_grid(nanobind::module_& module);

}  // namespace zeropoint_python
