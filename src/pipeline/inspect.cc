#include "pipeline/inspect.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "format/statistics.h"
#include "pipeline/model_facts.h"
#include "source/read_model.h"
#include "tensor/dtype_name.h"
#include "text/token_rows.h"

namespace zp {
namespace {

constexpr std::size_t kMaxShown = 16;  // elements of a metadata array

// Strings of GGUF are any bytes, JSON's are UTF-8.
Json utf8(const std::string& text) { return parse_json(Json(text).dump_repaired(), "metadata"); }

template <class T>
Json value_json(const T& value) {
  return value;
}
Json value_json(const std::string& value) { return utf8(value); }
template <class T>
Json value_json(const std::vector<T>& values) {
  if (values.size() > kMaxShown) return {{"count", values.size()}};
  Json json = Json::array();
  for (const auto& v : values) json.push_back(value_json(static_cast<const T&>(v)));
  return json;
}

Json metadata_of(const Checkpoint& checkpoint) {
  if (checkpoint.metadata.empty())
    return checkpoint.config().is_object() ? checkpoint.config() : Json::object();
  Json json = Json::object();
  for (const gguf::Pair& pair : checkpoint.metadata) {
    json[utf8(pair.key).get<std::string>()] =
        std::visit([](const auto& v) { return value_json(v); }, pair.value);
  }
  return json;
}

// Integers and booleans are no weights.
bool is_weight(const Tensor& tensor) {
  const DTypeInfo* dtype = dtype_of_name(tensor.type);
  return dtype == nullptr || dtype->floating;
}

// Those of parts that see or hear, too.
std::vector<const Tensor*> all_tensors(const Checkpoint& checkpoint) {
  std::vector<const Tensor*> all;
  for (const Tensor& t : checkpoint.tensors) all.push_back(&t);
  for (const OtherTensor& t : checkpoint.beside) all.push_back(&t.tensor);
  return all;
}

void count_weights(const Checkpoint& checkpoint, Inspection& inspection) {
  double bytes = 0;
  for (const Tensor* tensor : all_tensors(checkpoint)) {
    const Tensor& t = *tensor;
    if (!is_weight(t)) continue;
    const MatrixShape matrix = matrix_shape(t.shape, t.name);
    inspection.parameters += matrix.rows * matrix.cols;
    bytes += static_cast<double>(t.bytes);
  }
  if (inspection.parameters > 0) {
    inspection.bits_per_weight = 8 * bytes / static_cast<double>(inspection.parameters);
  }
  for (const auto& file : checkpoint.files) {
    inspection.bytes += static_cast<std::int64_t>(file->bytes().size());
  }
}

void add_to(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// vocabulary: rows of the embedding; 0: unknown.
void check_tokenizer(const Checkpoint& checkpoint, std::int64_t vocabulary,
                     Inspection& inspection) {
  try {
    if (std::optional<Tokenizer> tokenizer = tokenizer_of(checkpoint)) {
      if (vocabulary > 0) leave_out_tokens_without_rows(*tokenizer, vocabulary);
      return add_to(inspection.notes, tokenizer->notes);
    }
    inspection.problems.push_back(
        "no tokenizer in " +
        (checkpoint.folder.empty() ? checkpoint.path : checkpoint.folder).string());
  } catch (const Error& e) {
    inspection.problems.emplace_back(e.what());
  }
}

std::int64_t count_not_finite(const RowReader& rows, Progress& progress) {
  constexpr std::int64_t kChunk = 1 << 20;
  const std::int64_t step =
      std::max<std::int64_t>(1, kChunk / std::max<std::int64_t>(1, rows.cols()));
  std::vector<float> values;
  std::int64_t count = 0;
  for (std::int64_t r = 0; r < rows.rows(); r += step) {
    const std::int64_t n = std::min(step, rows.rows() - r);
    values.resize(static_cast<std::size_t>(n * rows.cols()));
    rows.read(r, n, values.data());
    count += std::count_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    progress.advance(std::ssize(values));
  }
  return count;
}

}  // namespace

Inspection inspect(const Checkpoint& checkpoint) {
  Inspection inspection;
  inspection.container = checkpoint.kind;
  const ModelFacts facts = model_facts(checkpoint);
  inspection.architecture = facts.name;
  inspection.problems = facts.problems;
  inspection.notes = checkpoint.notes;
  add_to(inspection.notes, facts.notes);
  inspection.beside = facts.beside;
  inspection.metadata = metadata_of(checkpoint);
  count_weights(checkpoint, inspection);
  for (const Tensor* t : all_tensors(checkpoint)) {
    const std::string role =
        facts.architecture == nullptr ? "" : role_of(*facts.architecture, t->name);
    inspection.tensors.push_back({t->name, role, t->shape, t->type, t->bytes});
  }
  check_tokenizer(checkpoint, facts.vocabulary, inspection);
  return inspection;
}

std::vector<std::string> find_not_finite(const Checkpoint& checkpoint, Progress& progress) {
  std::int64_t weights = 0;
  const std::vector<const Tensor*> all = all_tensors(checkpoint);
  for (const Tensor* t : all) weights += t->rows == nullptr ? 0 : t->rows->rows() * t->rows->cols();
  progress.stage("read", weights, "weights");
  std::vector<std::string> problems;
  for (const Tensor* t : all) {
    const std::int64_t count = t->rows == nullptr ? 0 : count_not_finite(*t->rows, progress);
    if (count > 0)
      problems.push_back("tensor \"" + t->name + "\": " + std::to_string(count) +
                         " values are not finite");
  }
  return problems;
}

InspectOutcome inspect(const InspectRequest& request, const Team& team, Progress& progress) {
  if (std::filesystem::is_regular_file(request.path)) {
    const MappedFile file(request.path);
    if (is_statistics(file.bytes())) return inspect_statistics(file.bytes(), request.path, team);
  }
  const Checkpoint checkpoint = open_checkpoint(request.path);
  Inspection inspection = inspect(checkpoint);
  if (request.values) add_to(inspection.problems, find_not_finite(checkpoint, progress));
  return inspection;
}

}  // namespace zp
