// zeropoint explain: the arithmetic, step by step.
#include <fmt/core.h>

#include <charconv>

#include "cli/command.h"
#include "grid/grid.h"
#include "method/method.h"
#include "pipeline/named_tensor.h"
#include "report/explain_grid.h"
#include "report/explain_number.h"
#include "report/explain_tensor.h"

namespace zp::cli {
namespace {

double parse_number(std::string_view text, const char* option) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw UsageError(option, "no number", "a decimal number", std::string(text));
  }
  return value;
}

template <class Explanation>
int show(const Explanation& explanation, const Common& common) {
  if (common.json) {
    print_json(to_json(explanation));
  } else {
    fmt::print("{}", to_text(explanation));
  }
  return 0;
}

// ---- number

struct NumberOptions {
  std::string value;
  std::string bits;
  std::string format;
};

int explain_number_command(const NumberOptions& o, const Common& common) {
  if (o.value.empty() == o.bits.empty()) {
    throw UsageError("explain number", "one of them", "a VALUE, or --bits with --in");
  }
  if (!o.bits.empty()) {
    if (o.format.empty()) throw UsageError("--bits", "of which format?", "--in FORMAT");
    const FloatFormat& format = explained_format(o.format);
    return show(explain_code(parse_code(o.bits, format), format), common);
  }
  const double value = parse_number(o.value, "VALUE");
  if (o.format.empty()) return show(explain_number(value, explained_formats()), common);
  const FloatFormat* format = &explained_format(o.format);
  return show(explain_number(value, {&format, 1}), common);
}

void add_number(const Command& explain, Common& common, std::function<int()>& run) {
  const Command sub =
      add_subcommand(explain, common, "number", "A number's bits in each format",
                     "  zeropoint explain number 7.325\n"
                     "  zeropoint explain number 7.325 --in fp16\n"
                     "  zeropoint explain number --bits 0b0001000000000000 --in fp16");
  auto o = std::make_shared<NumberOptions>();
  sub.add_option("VALUE", o->value, "A decimal number");
  sub.add_option("--bits", o->bits, "The bits instead: 0b..., 0x... or a whole number");
  sub.add_option("--in", o->format, "Only this format: fp32, fp16, bf16, fp8_e4m3, ...");
  sub.callback(
      [o, &common, &run] { run = [o, &common] { return explain_number_command(*o, common); }; });
}

// ---- grid

struct GridOptions {
  std::string grid;
  std::string range;
  std::string clip;
  std::string values;
  std::string value;
};

int explain_grid_command(const GridOptions& o, const Common& common) {
  GridQuestion question;
  question.form = explained_form(o.grid);
  if (!o.range.empty()) question.range = parse_interval(o.range, "--range");
  if (!o.clip.empty()) question.clip = parse_interval(o.clip, "--clip");
  if (!o.value.empty()) question.value = parse_number(o.value, "--value");
  for (std::string_view rest = o.values; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    question.values.push_back(parse_number(rest.substr(0, comma), "--values"));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  if (!question.range && question.values.empty()) {
    throw UsageError("explain grid", "nothing to quantize", "--range LO..HI or --values A,B,C");
  }
  return show(explain_grid(question), common);
}

void add_grid(const Command& explain, Common& common, std::function<int()>& run) {
  const Command sub =
      add_subcommand(explain, common, "grid", "Linear quantization of a range, step by step",
                     "  zeropoint explain grid uint8 --range=0..1000 --value 250\n"
                     "  zeropoint explain grid uint8 --range=-20..1000 --values=-20,0,1000\n"
                     "  zeropoint explain grid int8:restricted --range=-10.8..10.8\n"
                     "  zeropoint explain grid int4 --values 0.1,0.2,-0.3,80 --clip=-1..1");
  auto o = std::make_shared<GridOptions>();
  sub.add_option("GRID", o->grid, "[u]intN[:sym|restricted|zero|min]; zero if left out").required();
  sub.add_option("--range", o->range, "LO..HI; write --range=-1..1 when it begins with a minus");
  sub.add_option("--values", o->values, "Values to quantize, separated by commas");
  sub.add_option("--clip", o->clip, "LO..HI: beside it, the same with values clipped to this");
  sub.add_option("--value", o->value, "One value, with the calculation by hand");
  sub.callback(
      [o, &common, &run] { run = [o, &common] { return explain_grid_command(*o, common); }; });
}

// ---- tensor

struct TensorOptions {
  std::string model;
  std::string name;
  std::string grid = "int4:g32";
  std::string method = "mse";
};

int explain_tensor_command(const TensorOptions& o, const Common& common) {
  const std::unique_ptr<Coder> coder = make_coder(o.method);
  const std::unique_ptr<Grid> grid = make_grid(o.grid);
  const NamedTensor tensor(o.model, o.name);
  return show(explain_tensor(tensor.name(), tensor.rows(), *grid, *coder), common);
}

void add_tensor(const Command& explain, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      explain, common, "tensor", "What a grid does to one tensor of a model",
      "  zeropoint explain tensor models/demo model.layers.0.mlp.up_proj.weight --grid int4:g32\n"
      "  zeropoint explain tensor models/demo blk.0.ffn_up --grid q4_k\n"
      "  zeropoint explain tensor models/demo layers.0.up --grid q4_k");
  auto o = std::make_shared<TensorOptions>();
  sub.add_option("MODEL", o->model, "Checkpoint").required();
  sub.add_option("NAME", o->name,
                 "Tensor, as zeropoint inspect shows it or as GGUF names it, or layers.N.ROLE")
      .required();
  sub.add_option("--grid", o->grid, "Any grid").capture_default_str();
  sub.add_option("--method", o->method, "nearest or mse").capture_default_str();
  sub.callback(
      [o, &common, &run] { run = [o, &common] { return explain_tensor_command(*o, common); }; });
}

}  // namespace

void add_explain(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub =
      app.add_subcommand("explain", "The arithmetic, step by step: number, grid, tensor");
  sub.require_subcommand(1);
  add_number(sub, common, run);
  add_grid(sub, common, run);
  add_tensor(sub, common, run);
}

}  // namespace zp::cli
