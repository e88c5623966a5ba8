#include "results.h"

#include <optional>
#include <string>
#include <vector>

namespace zeropoint_python {
namespace {

using namespace zeropoint;

nb::object py(bool value) { return nb::bool_(value); }
nb::object py(double value) { return nb::float_(value); }
nb::object py(int value) { return nb::int_(value); }
nb::object py(std::int64_t value) { return nb::int_(value); }
nb::object py(std::uint64_t value) { return nb::int_(value); }
// Names from files may hold anything.
nb::object py(const std::string& text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) throw nb::python_error();
  return nb::steal(decoded);
}
nb::object py(const Evaluation& e);

nb::object py(const Estimate& e);
nb::object py(const Interval& i) { return nb::make_tuple(i.lo, i.hi); }
nb::object py(const JudgedToken& t);
nb::object py(const Comparison& c);
nb::object py(const Divergence& d);
nb::object py(const OwnText& o);
nb::object py(const TextReading& r);
nb::object py(const HeldOut& h);
nb::object py(const Quality& q);
nb::object py(const QuantizedTensor& t);
nb::object py(const Rule& r);
nb::object py(const Fallback& f);
nb::object py(const Fit::Tensor& t);
nb::object py(const Fit& f);
nb::object py(const Trained& t);
nb::object py(const QuantizedOutput& o);
nb::object py(const Rewritten& r);
nb::object py(const QuantizeSeconds& s);
nb::object py(const PlannedSize& s);
nb::object py(const Beside& b);
nb::object py(const InspectedTensor& t);
nb::object py(const ObservedRange& r);
nb::object py(const InspectedInput& i);
nb::object py(const StoredNumber& n);
nb::object py(const QuantizedValue& v);
nb::object py(const LinearGrid& g);
nb::object py(const WorstGroup& g);

template <class T>
nb::object py(const std::optional<T>& value) {
  return value ? py(*value) : nb::none();
}

template <class T>
nb::object py(const std::vector<T>& values) {
  nb::list list;
  for (const T& v : values) list.append(py(v));
  return list;
}

void add(nb::dict&) {}
template <class T, class... Rest>
void add(nb::dict& fields, const char* name, const T& value, const Rest&... rest) {
  fields[name] = py(value);
  add(fields, rest...);
}

// The dataclass of that name, of pairs of a field's name and its value.
template <class... Pairs>
nb::object make(const char* name, const Pairs&... pairs) {
  nb::dict fields;
  add(fields, pairs...);
  return nb::module_::import_("zeropoint.results").attr(name)(**fields);
}

nb::object py(const Estimate& e) { return make("Estimate", "value", e.value, "se", e.se); }

nb::object py(const JudgedToken& t) {
  return make("JudgedToken", "before", t.before, "token", t.token, "after", t.after, "guess",
              t.guess, "reference_guess", t.reference_guess, "kl_divergence", t.kl_divergence);
}

nb::object py(const Divergence& d) {
  return make("Divergence", "mean", d.mean, "se", d.se, "median", d.median, "p90", d.p90, "p95",
              d.p95, "p99", d.p99, "p999", d.p999, "max", d.max);
}

nb::object py(const Comparison& c) {
  return make("Comparison", "reference_perplexity", c.reference_perplexity, "perplexity_ratio",
              c.perplexity_ratio, "perplexity_correlation", c.perplexity_correlation,
              "kl_divergence", c.kl_divergence, "top1_agreement", c.top1_agreement, "rms_dp",
              c.rms_dp, "worst", c.worst);
}

nb::object py(const Evaluation& e) {
  return make("Evaluation", "tokens", e.tokens, "context", e.context, "perplexity", e.perplexity,
              "compared", e.compared);
}

nb::object py(const OwnText& o) {
  return make("OwnText", "documents", o.documents, "conversations", o.conversations, "tokens",
              o.tokens, "seconds", o.seconds);
}

nb::object py(const TextReading& r) {
  return make("TextReading", "tokens", r.tokens, "bytes_per_token", r.bytes_per_token, "perplexity",
              r.perplexity, "expected_perplexity", r.expected_perplexity, "is_foreign",
              r.is_foreign);
}

nb::object py(const HeldOut& h) {
  return make("HeldOut", "times", h.times, "output_sqnr_db", h.output_sqnr_db,
              "seen_output_sqnr_db", h.seen_output_sqnr_db);
}

nb::object py(const Quality& q) {
  return make("Quality", "sqnr_db", q.sqnr_db, "output_sqnr_db", q.output_sqnr_db,
              "weighted_sqnr_db", q.weighted_sqnr_db, "held_out", q.held_out);
}

nb::object py(const QuantizedTensor& t) {
  return make("QuantizedTensor", "name", t.name, "role", t.role, "expert", t.expert, "shape",
              t.shape, "grid", t.grid, "bytes", t.bytes, "quality", t.quality);
}

nb::object py(const Rule& r) {
  return make("Rule", "roles", r.roles, "grid", r.grid, "why", r.why);
}

nb::object py(const Fallback& f) {
  return make("Fallback", "tensors", f.tensors, "of", f.of, "share", f.share, "why", f.why);
}

nb::object py(const Fit::Tensor& t) {
  return make("FitTensor", "name", t.name, "role", t.role, "grid", t.grid, "bits_per_weight",
              t.bits_per_weight, "loss", t.loss);
}

nb::object py(const Fit& f) {
  return make("Fit", "met", f.met, "tokens", f.tokens, "predicted_kl", f.predicted_kl,
              "measured_kl", f.measured_kl, "of_file", f.of_file, "tensors", f.tensors);
}

nb::object py(const Trained& t) {
  return make("Trained", "before", t.before, "after", t.after, "trained", t.trained, "left", t.left,
              "seconds", t.seconds);
}

nb::object py(const QuantizedOutput& o) {
  return make("QuantizedOutput", "path", o.path, "container", o.container, "grid", o.grid,
              "fidelity", o.fidelity, "bytes", o.bytes, "bits_per_weight", o.bits_per_weight,
              "exists", o.exists, "quality", o.quality, "tensors", o.tensors, "rules", o.rules,
              "fallback", o.fallback, "notes", o.notes, "judge", o.judge, "fit", o.fit, "refine",
              o.refine, "distill", o.distill);
}

nb::object py(const Rewritten& r) {
  return make("Rewritten", "name", r.name, "possible", r.possible, "changed", r.changed, "loss",
              r.loss, "notes", r.notes);
}

nb::object py(const QuantizeSeconds& s) {
  return make("QuantizeSeconds", "load", s.load, "own_text", s.own_text, "fit", s.fit, "rewrite",
              s.rewrite, "read", s.read, "calibrate", s.calibrate, "quantize", s.quantize, "write",
              s.write, "refine", s.refine, "distill", s.distill, "judge", s.judge, "total",
              s.total);
}

nb::object py(const PlannedSize& s) {
  return make("PlannedSize", "name", s.name, "bits_per_weight", s.bits_per_weight, "bytes", s.bytes,
              "fits", s.fits);
}

nb::object py(const Beside& b) {
  return make("Beside", "what", b.what, "tensors", b.tensors, "parameters", b.parameters, "bytes",
              b.bytes);
}

nb::object py(const InspectedTensor& t) {
  return make("InspectedTensor", "name", t.name, "role", t.role, "shape", t.shape, "grid", t.grid,
              "bytes", t.bytes);
}

nb::object py(const ObservedRange& r) {
  return make("ObservedRange", "observer", r.observer, "grid", r.grid, "lo", r.lo, "hi", r.hi,
              "scale", r.scale, "zero_point", r.zero_point, "mean_squared_error",
              r.mean_squared_error, "sqnr_db", r.sqnr_db);
}

nb::object py(const InspectedInput& i) {
  return make("InspectedInput", "layer", i.layer, "role", i.role, "columns", i.columns, "rows",
              i.rows, "expert", i.expert, "tokens", i.tokens, "lo", i.lo, "hi", i.hi,
              "outlier_columns", i.outlier_columns, "observed", i.observed);
}

nb::object py(const StoredNumber& n) {
  return make("StoredNumber", "format", n.format, "code", n.code, "bits", n.bits, "value", n.value,
              "decimal", n.decimal, "shortest", n.shortest, "below", n.below, "above", n.above);
}

nb::object py(const QuantizedValue& v) {
  return make("QuantizedValue", "value", v.value, "code", v.code, "decoded", v.decoded, "error",
              v.error);
}

nb::object py(const LinearGrid& g) {
  return make("LinearGrid", "range", g.range, "widened", g.widened, "scale", g.scale, "zero_point",
              g.zero_point, "minimum", g.minimum, "values", g.values);
}

nb::object py(const WorstGroup& g) {
  return make("WorstGroup", "row", g.row, "column", g.column, "weights", g.weights, "range",
              g.range, "reach", g.reach, "error", g.error);
}

}  // namespace

nb::object to_python(const Evaluation& found) { return py(found); }

nb::object to_python(const Plane& found) {
  return make("Plane", "name", found.name, "type", found.type, "bits", found.bits, "weights",
              found.weights);
}

nb::object to_python(const Quantization& q) {
  return make("Quantization", "dry_run", q.dry_run, "outputs", q.outputs, "parameters",
              q.parameters, "memory_bytes", q.memory_bytes, "peak_memory_bytes",
              q.peak_memory_bytes, "seconds", q.seconds, "notes", q.notes, "rewrites", q.rewrites,
              "calibration_tokens", q.calibration_tokens, "own_text", q.own_text, "text", q.text,
              "met", q.met);
}

nb::object to_python(const Calibration& c) {
  return make("Calibration", "path", c.path, "layers", c.layers, "tokens", c.tokens, "bytes",
              c.bytes, "seconds", c.seconds, "own_text", c.own_text, "text", c.text);
}

nb::object to_python(const Plan& p) {
  return make("Plan", "parameters", p.parameters, "active_parameters", p.active_parameters,
              "beside", p.beside, "by_dtype", p.by_dtype, "outputs", p.outputs, "memory_bytes",
              p.memory_bytes, "kv_cache_bytes", p.kv_cache_bytes, "context", p.context);
}

nb::object to_python(const Inspection& i) {
  return make("Inspection", "container", i.container, "architecture", i.architecture, "parameters",
              i.parameters, "bits_per_weight", i.bits_per_weight, "bytes", i.bytes, "metadata",
              i.metadata, "tensors", i.tensors, "beside", i.beside, "notes", i.notes, "problems",
              i.problems);
}

nb::object to_python(const StatisticsInspection& s) {
  return make("StatisticsInspection", "tokens", s.tokens, "context", s.context, "bytes", s.bytes,
              "inputs", s.inputs);
}

nb::object to_python(const NumberExplanation& e) {
  return make("NumberExplanation", "value", e.value, "formats", e.formats, "text", e.text);
}

nb::object to_python(const GridExplanation& e) {
  return make("GridExplanation", "lowest_code", e.lowest_code, "highest_code", e.highest_code,
              "grid", e.grid, "clipped", e.clipped, "value", e.value, "text", e.text);
}

nb::object to_python(const TensorExplanation& e) {
  return make("TensorExplanation", "name", e.name, "grid", e.grid, "method", e.method, "shape",
              e.shape, "range", e.range, "mean", e.mean, "deviation", e.deviation,
              "bits_per_weight", e.bits_per_weight, "sqnr_db", e.sqnr_db, "largest_error",
              e.largest_error, "clipped", e.clipped, "groups", e.groups, "worst", e.worst,
              "weights_histogram", e.weights_histogram, "decoded_histogram", e.decoded_histogram,
              "text", e.text);
}

}  // namespace zeropoint_python
