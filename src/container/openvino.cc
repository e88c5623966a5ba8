// A folder with one OpenVINO model:
//
//   openvino_model.xml   the graph (openvino_ops.h), its constants named and placed
//   openvino_model.bin   their bytes; what fills a page or more begins on one, the rest behind it
//   config.json          the source's
//   tokenizer.json ...   files of the source that are copied as they are
//
// What else the generation library reads, the tokenizer as a graph, isn't made here.
#include "format/openvino.h"

#include "container/checkpoint_folder.h"
#include "container/data_file.h"
#include "container/openvino_ops.h"
#include "container/openvino_weights.h"

namespace zp {
namespace {

constexpr std::string_view kModelFile = "openvino_model.xml";
constexpr std::string_view kDataFile = "openvino_model.bin";
// NNCF's for embeddings and heads of models in four bits.
constexpr std::string_view kByte = "int8:channel";

class OpenVino final : public Container {
 public:
  std::string_view name() const override { return "openvino"; }
  std::string_view summary() const override {
    return "folder with a decoder graph for OpenVINO, affine, 4-bit and 8-bit floats or floating point";
  }
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return false; }
  std::string_view default_grid() const override { return "int4:g128"; }
  AffineForm affine_defaults(std::string_view) const override {
    AffineForm form;
    form.group = 128;
    form.offset = Offset::zero;
    form.scale = ScaleType::s16;
    return form;
  }
  std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const override;
  Verdict accepts(const Grid& grid, const TensorUse& use) const override {
    return openvino_accepts(grid, use);
  }
  std::string fallback(const Grid& grid, const Weight& weight) const override;
  Layout layout(const ContainerInput& input,
                std::span<const Assignment> assignments) const override;
};

std::vector<Rule> OpenVino::rules(std::string_view grid, const ContainerInput&) const {
  const std::unique_ptr<Grid> asked = make_grid(grid, affine_defaults({}));
  std::vector<Rule> rules = {{"*_norm,*.bias,convolution", "fp32",
                              "norms, biases and convolutions stay in what is computed in"}};
  if (asked->family() != Family::floating && asked->planes()[0].bits < 8) {
    rules.push_back({"embedding,position,head", make_grid(kByte, affine_defaults({}))->spec(),
                     "what is looked up, and the head, have 8 bits, as NNCF has them"});
  }
  rules.push_back({"", asked->spec(), "what was asked for"});
  return rules;
}

// Rows that groups don't divide are one group of more bits.
std::string OpenVino::fallback(const Grid& grid, const Weight&) const {
  return openvino_has_codes(grid) ? std::string(kByte) : "";
}

GraphNode constant(std::string name, std::string_view type, std::span<const std::int64_t> shape,
                   std::int64_t offset, std::int64_t bytes) {
  std::string sizes;
  for (const std::int64_t n : shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(n);
  return {"Const",
          {},
          name,
          {},
          {name},
          {{"element_type", std::string(type)},
           {"shape", std::move(sizes)},
           {"offset", offset},
           {"size", bytes}}};
}

Layout OpenVino::layout(const ContainerInput& input,
                        std::span<const Assignment> assignments) const {
  Layout layout;
  layout.folder = true;
  layout.files.resize(1);  // the graph, which says where the planes are
  std::vector<std::vector<DataPlace>> places;
  for (const Assignment& a : assignments) {
    TensorJob job{a.weight->use.module, a.weight, a.weight->rows, a.grid, {}};
    std::vector<DataPlace>& of_weight = places.emplace_back();
    for (const OpenVinoPlane& plane : openvino_planes(a)) {
      const PlaneShape shape = job.plane_shape(job.planes.size());
      of_weight.push_back({plane.name, file_bytes(plane.form, shape)});
      job.planes.push_back({0, 0, plane.form});
    }
    layout.jobs.push_back(std::move(job));
  }
  add_data_file(layout, std::string(kDataFile), places);

  OpenVinoOps ops(input.model, assignments);
  std::vector<GraphNode> operations = ops.build();
  std::vector<GraphNode> nodes;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const TensorJob& job = layout.jobs[i];
    const std::vector<OpenVinoPlane> planes = openvino_planes(assignments[i]);
    for (std::size_t p = 0; p < planes.size(); ++p) {
      nodes.push_back(constant(planes[p].name, planes[p].type, planes[p].shape,
                               job.planes[p].offset, places[i][p].bytes));
    }
  }
  for (const GraphConstant& c : ops.constants()) {
    const std::int64_t offset = add_bytes(layout.files.back(), c.bytes);
    nodes.push_back(
        constant(c.name, openvino::element_type(c.type), c.shape, offset, std::ssize(c.bytes)));
  }
  nodes.insert(nodes.end(), std::make_move_iterator(operations.begin()),
               std::make_move_iterator(operations.end()));

  const std::string xml = openvino::write("decoder", nodes);
  OutputFile& model = layout.files[0];
  model.name = kModelFile;
  add_bytes(model, xml);
  add_json(layout, "config.json", folder_config(input, *float_type_of_grid("fp32")));
  add_companions(layout, input);
  if (input.tokenizer != nullptr) {
    layout.notes.emplace_back(
        "the tokenizer's files are those of the source: OpenVINO's generation library wants it as a "
        "graph, which `convert_tokenizer` of openvino_tokenizers makes");
  }
  return layout;
}

constinit const OpenVino instance;

}  // namespace

extern const Container& container_openvino;
const Container& container_openvino = instance;

}  // namespace zp
