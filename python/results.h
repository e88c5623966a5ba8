// What jobs came to, as the dataclasses of zeropoint.results.
#pragma once

#include <nanobind/nanobind.h>

#include "zeropoint/zeropoint.h"

namespace zeropoint_python {

namespace nb = nanobind;

nb::object to_python(const zeropoint::Quantization& found);
nb::object to_python(const zeropoint::Evaluation& found);
nb::object to_python(const zeropoint::Calibration& found);
nb::object to_python(const zeropoint::Plan& found);
nb::object to_python(const zeropoint::Inspection& found);
nb::object to_python(const zeropoint::StatisticsInspection& found);
nb::object to_python(const zeropoint::NumberExplanation& found);
nb::object to_python(const zeropoint::GridExplanation& found);
nb::object to_python(const zeropoint::TensorExplanation& found);
nb::object to_python(const zeropoint::Plane& found);

}  // namespace zeropoint_python
