#include "container/onnx_folder.h"

#include <algorithm>

#include "container/checkpoint_folder.h"
#include "container/data_file.h"
#include "container/onnx_graph.h"

namespace zp {
namespace {

constexpr std::string_view kModelFile = "model.onnx";
constexpr std::string_view kDataFile = "model.onnx.data";

bool rounds_inputs(const Assignment& a) {
  const AffineForm* form = onnx_form(*a.grid);
  return a.weight->use.experts > 0 && form != nullptr && form->bits == 8;
}

}  // namespace

AffineForm OnnxFolder::affine_defaults(std::string_view) const {
  AffineForm form;
  form.offset = Offset::zero;
  return form;
}

std::span<const std::string_view> OnnxFolder::budget_grids() const {
  static constexpr std::array<std::string_view, 10> kGrids = {
      "int2:g256", "int2:g128", "int2:g64", "int2:g32",  "int4:g128",
      "int4:g64",  "int4:g32",  "int4:g16", "int8:g128", "int8:g32"};
  return kGrids;
}

std::vector<Rule> OnnxFolder::rules(std::string_view grid, const ContainerInput&) const {
  return {{"*_norm,*.bias,router", "fp32",
           "norms, biases and routers stay in what the graph computes in"},
          {"", make_grid(grid, affine_defaults({}))->spec(), "what was asked for"}};
}

Verdict OnnxFolder::accepts(const Grid& grid, const TensorUse& use) const {
  return onnx_accepts(grid, use);
}

/// Rows that groups don't divide, or that can't be looked up, stay in floating point.
std::string OnnxFolder::fallback(const Grid& grid, const Weight& weight) const {
  return onnx_holds_codes(grid, weight.use) ? "fp32" : "";
}

Layout OnnxFolder::layout(const ContainerInput& input,
                          std::span<const Assignment> assignments) const {
  Layout layout;
  layout.folder = true;
  layout.files.resize(1);  // the graph, which says where the planes are
  std::vector<std::vector<DataPlace>> places;
  for (const Assignment& a : assignments) {
    TensorJob job{a.weight->use.module, a.weight, a.weight->rows, a.grid, {}};
    std::vector<DataPlace>& of_weight = places.emplace_back();
    for (const OnnxPlane& plane : onnx_planes(a)) {
      job.planes.push_back({0, 0, plane.form});
      of_weight.push_back({plane.name, plane.bytes(), plane.begin});
    }
    layout.jobs.push_back(std::move(job));
  }
  add_data_file(layout, std::string(kDataFile), places);

  const auto place_of = [&](std::size_t weight, std::size_t plane) {
    const DataPlace& place = places[weight][plane];
    return onnx::External{std::string(kDataFile),
                          layout.jobs[weight].planes[plane].offset - place.begin, place.bytes};
  };
  const std::int64_t level = input.accurate ? kOnnxExact : accuracy_level();
  const OnnxGraph graph(input.model, assignments, level, place_of);
  OutputFile& model = layout.files[0];
  model.name = kModelFile;
  std::vector<std::byte> bytes = onnx::write(graph.model());
  model.bytes = std::ssize(bytes);
  model.fixed.emplace_back(0, std::move(bytes));
  add_json(layout, "config.json", folder_config(input, *float_type_of_grid("fp32")));
  add_companions(layout, input);
  if (level == kOnnxExact && std::ranges::any_of(assignments, rounds_inputs))
    layout.notes.emplace_back(
        "ONNX Runtime rounds what experts of 8 bits read to 8 bits, too; all else is in FP32");
  add_files(input, layout);
  return layout;
}

}  // namespace zp
