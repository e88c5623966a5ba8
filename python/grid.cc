// zeropoint.Grid over NumPy's arrays. Nothing that comes in is copied; planes that go out are memory
// of the library's, which the arrays own.
#include "grid.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <memory>
#include <span>

#include "job.h"
#include "results.h"
#include "zeropoint/grid.h"

namespace zeropoint_python {
namespace {

using zeropoint::Grid;
using Floats = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::device::cpu>;
using PlaneIn = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// An array that owns what it shows.
template <class Out, class Kept>
nb::object array(std::unique_ptr<Kept> kept, std::initializer_list<std::size_t> shape) {
  auto* const data = kept->data();
  const nb::capsule owner(kept.release(), [](void* p) noexcept { delete static_cast<Kept*>(p); });
  using Array = nb::ndarray<nb::numpy, Out>;
  return nb::cast(Array(reinterpret_cast<Out*>(data), shape, owner));
}

nb::list encode(const Grid& grid, const Matrix& weights, const std::string& method,
                const Floats& importance, int threads) {
  const zeropoint::Weights w{weights.data(), static_cast<std::int64_t>(weights.shape(0)),
                             static_cast<std::int64_t>(weights.shape(1)), weights.stride(0)};
  zeropoint::EncodeOptions options;
  options.method = method;
  options.importance = {importance.data(), importance.size()};
  auto encoded =
      result_of([&](const zeropoint::Work& work) { return grid.encode(w, options, work); }, threads,
                nb::none());
  nb::list planes;
  for (std::vector<std::byte>& plane : encoded.planes) {
    const std::size_t size = plane.size();
    planes.append(
        array<std::uint8_t>(std::make_unique<std::vector<std::byte>>(std::move(plane)), {size}));
  }
  return planes;
}

nb::object decode(const Grid& grid, const std::vector<PlaneIn>& planes, std::int64_t rows,
                  std::int64_t columns, int threads) {
  std::vector<std::span<const std::byte>> in;
  for (const PlaneIn& p : planes) in.push_back(std::as_bytes(std::span(p.data(), p.size())));
  grid.bits_per_weight(rows, columns);  // throws for what can't be, before there is room for it
  auto out = std::make_unique<std::vector<float>>(static_cast<std::size_t>(rows * columns));
  run_job([&](const zeropoint::Work& work) { grid.decode(in, rows, columns, *out, work); }, threads,
          nb::none());
  return array<float>(std::move(out),
                      {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)});
}

nb::list planes(const Grid& grid) {
  nb::list all;
  for (const zeropoint::Plane& p : grid.planes()) all.append(to_python(p));
  return all;
}

}  // namespace

void add_grid(nb::module_& module) {
  nb::class_<Grid>(module, "Grid")
      .def(nb::init<std::string_view>())
      .def_prop_ro("spec", &Grid::spec)
      .def_prop_ro("family", &Grid::family)
      .def_prop_ro("limit", &Grid::limit)
      .def_prop_ro("planes", &planes)
      .def("why_not", &Grid::why_not)
      .def("bits_per_weight", &Grid::bits_per_weight)
      .def("encode", &encode, nb::arg().noconvert(), nb::arg(), nb::arg().noconvert(), nb::arg())
      .def("decode", &decode);
  module.def("example_grids", &zeropoint::example_grids);
}

}  // namespace zeropoint_python
