#include "calibrate/stored_statistics.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsHashed = 8;

// Of one input: its layer (the head's behind all others), what it is called, its columns.
struct Input {
  std::int64_t stage;
  Role role;
  std::int64_t columns;
  auto operator<=>(const Input&) const = default;
};

std::set<Input> inputs_of(const Model& model) {
  std::set<Input> all;
  for (const Weight& weight : model.weights) {
    const TensorUse& use = weight.use;
    if (!has_inputs(model.decoder, use)) continue;
    const std::int64_t stage = use.layer >= 0 ? use.layer : model.decoder.layers;
    all.insert({stage, input_role(model.decoder, use.role), use.cols});
  }
  return all;
}

std::int64_t layer_of(const Input& input, const Model& model) {
  return input.stage < model.decoder.layers ? input.stage : -1;
}

void check(const StatisticsHead& head, const Model& model, const std::string& where) {
  if (head.model != hash_of(model)) {
    throw Error(where, "statistics of another model", "those calibrate made of this one");
  }
  const std::set<Input> inputs = inputs_of(model);
  const auto matches = [&](const StatisticsEntry& e, const Input& i) {
    return e.role == role_name(i.role) && e.layer == layer_of(i, model) && e.columns == i.columns;
  };
  if (!std::equal(head.entries.begin(), head.entries.end(), inputs.begin(), inputs.end(), matches))
    throw Error(where, "statistics of other inputs than the model has");
}

void add(StatisticsWriter& writer, const Moments& moments, const InputRanges& ranges) {
  const std::vector<float> triangle = moments.triangle();
  std::vector<float> windows;
  for (const Range& r : ranges.windows()) windows.insert(windows.end(), {r.lo, r.hi});
  std::vector<std::uint64_t> bins;
  const Histogram histogram = ranges.histogram();
  for (const HistogramBin& b : histogram.bins())
    bins.push_back(StatisticsBin{b.bin, b.count}.stored());
  writer.add({triangle, ranges.lowest(), ranges.highest(), windows, bins});
}

}  // namespace

std::uint64_t hash_of(const Model& model) {
  Hash64 hash;
  const auto text = [&hash](const std::string& s) { hash.add(std::as_bytes(std::span(s))); };
  std::vector<float> row;
  for (const Weight& weight : model.weights) {
    text(weight.use.hf);
    text(std::to_string(weight.use.rows) + " x " + std::to_string(weight.use.cols));
    text(weight.stored_type);
    row.resize(static_cast<std::size_t>(weight.rows->cols()));
    const std::int64_t rows = weight.rows->rows();
    for (std::int64_t i = 0; i < std::min(rows, kRowsHashed); ++i) {
      const std::int64_t at = rows <= kRowsHashed ? i : i * (rows - 1) / (kRowsHashed - 1);
      weight.rows->read(at, 1, row.data());
      hash.add(std::as_bytes(std::span(row)));
    }
  }
  return hash.value();
}

StoredStatistics::StoredStatistics(const std::filesystem::path& file, const Model& model,
                                   bool feedback, const MethodOptions& options, const Team& team)
    : file_(file),
      head_(read_statistics(file_.bytes(), file.string())),
      model_(model),
      feedback_(feedback),
      options_(options),
      team_(team) {
  check(head_, model, file.string());
}

// One set is FP64 while its factor is found; then moments and factors of a layer are FP32.
std::int64_t StoredStatistics::bytes() const {
  std::map<std::int64_t, std::int64_t> of_layer;
  std::int64_t widest = 0;
  for (const StatisticsEntry& e : head_.entries) {
    widest = std::max(widest, e.columns);
    of_layer[e.layer] += 2 * static_cast<std::int64_t>(sizeof(float)) * e.columns * e.columns;
  }
  std::int64_t most = 0;
  for (const auto& [layer, bytes] : of_layer) most = std::max(most, bytes);
  return Moments::bytes(widest, true) + (feedback_ ? most : 0);
}

std::int64_t StoredStatistics::stage_of(const Weight& weight) const {
  return weight.use.layer >= 0 ? weight.use.layer : model_.decoder.layers;
}

void StoredStatistics::next(Progress&) {
  inputs_.clear();
  ++stage_;
  const Decoder& d = model_.decoder;
  for (const Input& input : inputs_of(model_)) {
    if (input.stage != stage_) continue;
    const auto entry =
        std::find_if(head_.entries.begin(), head_.entries.end(), [&](const StatisticsEntry& e) {
          return e.role == role_name(input.role) && e.layer == layer_of(input, model_);
        });
    Moments moments(entry->columns, entry->rows, entry->triangle);
    if (feedback_) {
      inputs_.emplace(input.role, LayerInputs(std::move(moments), {},
                                              options_for(d, input.role, options_), team_));
    } else {
      inputs_.emplace(input.role, LayerInputs(moments));
    }
  }
}

InputStatistics StoredStatistics::of(const Weight& weight, std::size_t) const {
  if (!has_inputs(model_.decoder, weight.use) || stage_of(weight) != stage_) return {};
  return inputs_.at(input_role(model_.decoder, weight.use.role)).view();
}

std::int64_t write_statistics(const Model& model, Calibration& calibration,
                              const std::filesystem::path& path, bool replace, Progress& progress) {
  StatisticsHead head{hash_of(model), calibration.tokens(), calibration.context(), {}};
  for (const Input& input : inputs_of(model)) {
    head.entries.push_back({std::string(role_name(input.role)), layer_of(input, model),
                            input.columns, calibration.tokens()});
  }
  StatisticsWriter writer(path, head, replace);
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    for (const auto& [role, moments] : calibration.gather(progress))
      add(writer, moments, calibration.ranges(role));
  }
  writer.commit();
  return writer.bytes();
}

Imatrix make_imatrix(const Model& model, Calibration& calibration,
                     const std::vector<std::string>& texts, Progress& progress) {
  Imatrix out;
  out.datasets = texts;
  out.chunks = static_cast<std::uint32_t>(calibration.tokens() / calibration.context());
  out.chunk_size = static_cast<std::uint32_t>(calibration.context());
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    const std::map<Role, Moments>& found = calibration.gather(progress);
    for (const Weight& weight : model.weights) {
      if (!has_inputs(model.decoder, weight.use) || calibration.stage_of(weight) != stage) continue;
      const Moments& moments = found.at(input_role(model.decoder, weight.use.role));
      out.entries.push_back(
          {weight.use.gguf, moments.squares(), {static_cast<float>(moments.rows())}});
    }
  }
  return out;
}

}  // namespace zp
