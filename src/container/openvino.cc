// A folder with one OpenVINO model:
//
//   openvino_model.xml   the graph (openvino_ops.h), its constants named and placed
//   openvino_model.bin   their bytes; what fills a page or more begins on one, the rest behind it
//   config.json          the source's
//   tokenizer.json ...   files of the source that are copied as they are
//   openvino_tokenizer.xml, .bin, openvino_detokenizer.xml, .bin
//                        the tokenizer as graphs (openvino_tokenizer.h)
#include "format/openvino.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "container/checkpoint_folder.h"
#include "container/data_file.h"
#include "container/openvino_graph.h"
#include "container/openvino_info.h"
#include "container/openvino_tokenizer.h"
#include "container/openvino_weights.h"

namespace zp {
namespace {

constexpr std::string_view kModelFile = "openvino_model.xml";
constexpr std::string_view kDataFile = "openvino_model.bin";
constexpr std::array<std::string_view, 5> kBudgetGrids = {"int4:g128", "int4:g64", "int4:g32",
                                                          "int8:g64", "int8:channel"};
// NNCF's for embeddings and heads of models in four bits.
constexpr std::string_view kByte = "int8:channel";

class OpenVino final : public Container {
 public:
  std::string_view name() const override { return "openvino"; }
  std::string_view summary() const override {
    return "folder with a decoder graph for OpenVINO, affine, 4-bit and 8-bit floats or floating point";
  }
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return true; }
  bool asks_for_accuracy() const override { return true; }
  std::string_view default_grid() const override { return "int4:g128"; }
  std::span<const std::string_view> budget_grids() const override { return kBudgetGrids; }
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

// Places the graph's constants in the data file.
PlaceOfConstant into(OutputFile& data) {
  return [&data](const GraphConstant& c) { return add_bytes(data, c.bytes); };
}

void add_graph(Layout& layout, const std::string& name, TokenizerGraph graph,
               const openvino::Info& info) {
  OutputFile xml, data;
  xml.name = "openvino_" + name + ".xml";
  data.name = "openvino_" + name + ".bin";
  std::vector<GraphNode> nodes = openvino_constants(graph.constants, into(data));
  std::ranges::move(graph.nodes, std::back_inserter(nodes));
  add_bytes(xml, openvino::write(name, nodes, info));
  layout.files.push_back(std::move(xml));
  layout.files.push_back(std::move(data));
}

void add_tokenizer(Layout& layout, const ContainerInput& input) {
  if (input.tokenizer == nullptr) return;
  const Tokenizer& tokenizer = *input.tokenizer;
  const std::string lacks = openvino_tokenizer_lacks(tokenizer);
  if (!lacks.empty()) {
    layout.notes.push_back("no tokenizer as a graph, which OpenVINO's generation library wants: " +
                           lacks + " aren't written");
    return;
  }
  const openvino::Info info = openvino_tokenizer_info(tokenizer);
  add_graph(layout, "tokenizer", openvino_tokenizer(tokenizer, input.name), info);
  add_graph(layout, "detokenizer", openvino_detokenizer(tokenizer), info);
  for (const std::string& line : openvino_tokenizer_deviations(tokenizer))
    layout.notes.push_back("OpenVINO's tokenizer gives other ids for " + line);
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

  const std::string xml = openvino_graph(
      input.model, assignments,
      [&](std::size_t weight, std::size_t plane) {
        return layout.jobs[weight].planes[plane].offset;
      },
      into(layout.files.back()), openvino_info(assignments, input.accurate));
  OutputFile& model = layout.files[0];
  model.name = kModelFile;
  add_bytes(model, xml);
  add_json(layout, "config.json", folder_config(input, *float_type_of_grid("fp32")));
  add_companions(layout, input);
  add_tokenizer(layout, input);
  return layout;
}

constinit const OpenVino instance;

}  // namespace

extern const Container& container_openvino;
const Container& container_openvino = instance;

}  // namespace zp
