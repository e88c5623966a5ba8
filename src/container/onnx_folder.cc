#include "container/onnx_folder.h"

#include "base/checked.h"
#include "container/checkpoint_folder.h"
#include "container/onnx_ops.h"

namespace zp {
namespace {

constexpr std::string_view kModelFile = "model.onnx";
constexpr std::string_view kDataFile = "model.onnx.data";
constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kLine = 64;

onnx::Initializer external(const OnnxPlane& plane, std::int64_t offset, std::int64_t bytes) {
  return {plane.name,
          plane.type,
          plane.shape,
          {},
          onnx::External{std::string(kDataFile), offset, bytes}};
}

/// Gives every plane of every weight its place: whole pages first.
std::int64_t place(std::vector<TensorJob>& jobs) {
  std::int64_t end = 0;
  for (const std::int64_t alignment : {kPage, kLine}) {
    for (TensorJob& job : jobs) {
      for (std::size_t p = 0; p < job.planes.size(); ++p) {
        const std::int64_t bytes =
            checked_mul(job.grid->row_bytes(p, job.rows->cols()), job.rows->rows(), job.name);
        if ((bytes >= kPage) != (alignment == kPage)) continue;
        job.planes[p].offset = round_up(end, alignment);
        end = checked_add(job.planes[p].offset, bytes, job.name);
      }
    }
  }
  return end;
}

}  // namespace

AffineForm OnnxFolder::affine_defaults(std::string_view) const {
  AffineForm form;
  form.offset = Offset::zero;
  return form;
}

std::span<const std::string_view> OnnxFolder::budget_grids() const {
  static constexpr std::array<std::string_view, 6> kGrids = {"int4:g128", "int4:g64",  "int4:g32",
                                                             "int4:g16",  "int8:g128", "int8:g32"};
  return kGrids;
}

std::vector<Rule> OnnxFolder::rules(std::string_view grid, const ContainerInput&) const {
  return {{"attention_norm,query_norm,key_norm,attention_post_norm,ffn_norm,ffn_post_norm,output_"
           "norm,*.bias",
           "fp32", "norms and biases stay in what the graph computes in"},
          {"", make_grid(grid, affine_defaults({}))->spec(), "what was asked for"}};
}

Verdict OnnxFolder::accepts(const Grid& grid, const TensorUse& use) const {
  if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
  const AffineForm* form = onnx_form(grid);
  const std::optional<OnnxCodebook> book = onnx_codebook(grid);
  if (form == nullptr && !book) return {false, std::string(kOnnxHolds)};
  if (!is_matrix(use.role) || use.part == Part::bias)
    return {false, "norms and biases stay in floating point"};
  if (book && is_looked_up(use))
    return {false, "ONNX Runtime looks nothing up in codebooks of this kind"};
  const std::string why = why_no_multiple(use.cols, book ? book->group : form->group);
  const bool repacked = form != nullptr && form->is_signed;
  return {why.empty(), why, repacked ? Fidelity::repacked : Fidelity::exact};
}

/// Rows that groups don't divide, or that can't be looked up, stay in floating point.
std::string OnnxFolder::fallback(const Grid& grid, const Weight&) const {
  return onnx_form(grid) != nullptr || onnx_codebook(grid) ? "fp32" : "";
}

Layout OnnxFolder::layout(const ContainerInput& input,
                          std::span<const Assignment> assignments) const {
  Layout layout;
  layout.folder = true;
  layout.files.resize(2);
  for (const Assignment& a : assignments) {
    TensorJob job{a.weight->use.mlx, a.weight, a.weight->rows, a.grid, {}};
    for (const OnnxPlane& plane : onnx_planes(a)) job.planes.push_back({1, 0, plane.flip});
    layout.jobs.push_back(std::move(job));
  }
  OutputFile& data = layout.files[1];
  data.name = kDataFile;
  data.bytes = place(layout.jobs);

  onnx::Model graph;
  graph.producer = "zeropoint";
  graph.operator_sets = {{"", 21}, {std::string(kOnnxRuntimeDomain), 1}};
  graph.graph_name = "decoder";
  OnnxOps ops(input.model, assignments, accuracy_level(), graph);
  ops.build();
  for (const TensorJob& job : layout.jobs) {
    const Assignment assignment{job.weight, job.grid};
    const std::vector<OnnxPlane> planes = onnx_planes(assignment);
    for (std::size_t p = 0; p < planes.size(); ++p) {
      const std::int64_t bytes = job.grid->row_bytes(p, job.rows->cols()) * job.rows->rows();
      graph.initializers.push_back(external(planes[p], job.planes[p].offset, bytes));
      if (p == 0 && job.weight->use.role == Role::embedding && ops.tied_codes()) {
        graph.initializers.push_back(
            external(onnx_head_codes(assignment), job.planes[p].offset, bytes));
      }
    }
  }
  OutputFile& model = layout.files[0];
  model.name = kModelFile;
  std::vector<std::byte> bytes = onnx::write(graph);
  model.bytes = std::ssize(bytes);
  model.fixed.emplace_back(0, std::move(bytes));
  add_json(layout, "config.json", folder_config(input, *float_type_of_grid("fp32")));
  add_companions(layout, input);
  add_files(input, layout);
  return layout;
}

}  // namespace zp
