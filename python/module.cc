// zeropoint._core: the library's jobs, from a dictionary of the request's fields to a dataclass.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "grid.h"
#include "job.h"
#include "results.h"
#include "zeropoint/zeropoint.h"

namespace zeropoint_python {
namespace {

// Fields by their names; one that isn't there stays as it is.
class Fields {
 public:
  explicit Fields(nb::dict fields) : fields_(std::move(fields)) {}
  template <class T>
  const Fields& operator()(const char* name, T& field) const {
    if (fields_.contains(name)) field = nb::cast<T>(fields_[name]);
    return *this;
  }

 private:
  nb::dict fields_;
};

nb::object quantize(nb::dict fields, int threads, nb::object shown) {
  zeropoint::QuantizeRequest r;
  Fields(std::move(fields))("model", r.model)("to", r.to)("merge", r.merge)("adapter", r.adapter)(
      "method", r.method)("rewrite", r.rewrite)("seed", r.seed)("set", r.set)(
      "calibrate", r.calibrate)("save_text", r.save_text)("tokens", r.tokens)("context", r.context)(
      "statistics", r.statistics)("fit", r.fit)("max_kld", r.max_kld)("refine", r.refine)(
      "distill", r.distill)("resume", r.resume)("judge", r.judge)("accurate", r.accurate)(
      "pre_tokenizer", r.pre_tokenizer)("report", r.report)("memory", r.memory)(
      "split_size", r.split_size)("dry_run", r.dry_run)("force", r.force);
  return to_python(
      result_of([&](const zeropoint::Work& work) { return zeropoint::quantize(r, work); }, threads,
                std::move(shown)));
}

nb::object evaluate(nb::dict fields, int threads, nb::object shown) {
  zeropoint::EvaluateRequest r;
  Fields(std::move(fields))("model", r.model)("merge", r.merge)("adapter", r.adapter)(
      "text", r.text)("against", r.against)("context", r.context);
  return to_python(
      result_of([&](const zeropoint::Work& work) { return zeropoint::evaluate(r, work); }, threads,
                std::move(shown)));
}

nb::object calibrate(nb::dict fields, int threads, nb::object shown) {
  zeropoint::CalibrateRequest r;
  Fields(std::move(fields))("model", r.model)("text", r.text)("output", r.output)(
      "save_text", r.save_text)("tokens", r.tokens)("context", r.context)("memory", r.memory)(
      "force", r.force);
  return to_python(
      result_of([&](const zeropoint::Work& work) { return zeropoint::calibrate(r, work); }, threads,
                std::move(shown)));
}

nb::object inspect(nb::dict fields, int threads, nb::object shown) {
  zeropoint::InspectRequest r;
  Fields(std::move(fields))("path", r.path)("values", r.values);
  const auto found =
      result_of([&](const zeropoint::Work& work) { return zeropoint::inspect(r, work); }, threads,
                std::move(shown));
  return std::visit([](const auto& one) { return to_python(one); }, found);
}

nb::object plan(nb::dict fields) {
  zeropoint::PlanRequest r;
  Fields(std::move(fields))("model", r.model)("parameters", r.parameters)("to", r.to)("fit", r.fit)(
      "context", r.context);
  return to_python(zeropoint::plan(r));
}

using Ends = std::optional<std::pair<double, double>>;

std::optional<zeropoint::Interval> interval(const Ends& ends) {
  if (!ends) return std::nullopt;
  return zeropoint::Interval{ends->first, ends->second};
}

nb::object explain_grid(const std::string& grid, const Ends& range, const Ends& clip,
                        const std::vector<double>& values, std::optional<double> value) {
  return to_python(zeropoint::explain_grid({grid, interval(range), interval(clip), values, value}));
}

}  // namespace
}  // namespace zeropoint_python

NB_MODULE(_core, module) {
  using namespace zeropoint_python;
  translate_errors();
  module.def("version", &zeropoint::version);
  module.def("quantize", &quantize, nb::arg(), nb::arg(), nb::arg().none());
  module.def("evaluate", &evaluate, nb::arg(), nb::arg(), nb::arg().none());
  module.def("calibrate", &calibrate, nb::arg(), nb::arg(), nb::arg().none());
  module.def("inspect", &inspect, nb::arg(), nb::arg(), nb::arg().none());
  module.def("plan", &plan);
  module.def("parse_size", &zeropoint::parse_size);
  module.def("parse_parameters", &zeropoint::parse_parameters);
  module.def("explain_number", [](double value, const std::string& format) {
    return to_python(zeropoint::explain_number(value, format));
  });
  module.def("explain_bits", [](const std::string& bits, const std::string& format) {
    return to_python(zeropoint::explain_bits(bits, format));
  });
  module.def("explain_grid", &explain_grid, nb::arg(), nb::arg().none(), nb::arg().none(),
             nb::arg(), nb::arg().none());
  module.def("explain_tensor", [](const std::string& model, const std::string& name,
                                  const std::string& grid, const std::string& method) {
    return to_python(zeropoint::explain_tensor(model, name, grid, method));
  });
  add_grid(module);
}
