#include "container/onnx_folder.h"

#include "container/checkpoint_folder.h"
#include "container/data_file.h"
#include "container/onnx_graph.h"

namespace zp {
namespace {

constexpr std::string_view kModelFile = "model.onnx";
constexpr std::string_view kDataFile = "model.onnx.data";

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
  return {{"*_norm,*.bias", "fp32", "norms and biases stay in what the graph computes in"},
          {"", make_grid(grid, affine_defaults({}))->spec(), "what was asked for"}};
}

Verdict OnnxFolder::accepts(const Grid& grid, const TensorUse& use) const {
  return onnx_accepts(grid, use);
}

/// Rows that groups don't divide, or that can't be looked up, stay in floating point.
std::string OnnxFolder::fallback(const Grid& grid, const Weight&) const {
  return onnx_form(grid) != nullptr || onnx_codebook(grid) ? "fp32" : "";
}

Layout OnnxFolder::layout(const ContainerInput& input,
                          std::span<const Assignment> assignments) const {
  Layout layout;
  layout.folder = true;
  layout.files.resize(1);  // the graph, which says where the planes are
  for (const Assignment& a : assignments) {
    TensorJob job{a.weight->use.module, a.weight, a.weight->rows, a.grid, {}};
    for (const OnnxPlane& plane : onnx_planes(a)) job.planes.push_back({0, 0, plane.form});
    layout.jobs.push_back(std::move(job));
  }
  add_data_file(layout, std::string(kDataFile));

  const auto place_of = [&](std::size_t weight, std::size_t plane) {
    const TensorJob& job = layout.jobs[weight];
    const PlaneTarget& target = job.planes[plane];
    return onnx::External{std::string(kDataFile), target.offset,
                          file_bytes(target.form, job.plane_shape(plane))};
  };
  const OnnxGraph graph(input.model, assignments, accuracy_level(), place_of);
  OutputFile& model = layout.files[0];
  model.name = kModelFile;
  std::vector<std::byte> bytes = onnx::write(graph.model());
  model.bytes = std::ssize(bytes);
  model.fixed.emplace_back(0, std::move(bytes));
  add_json(layout, "config.json", folder_config(input, *float_type_of_grid("fp32")));
  add_companions(layout, input);
  add_files(input, layout);
  return layout;
}

}  // namespace zp
