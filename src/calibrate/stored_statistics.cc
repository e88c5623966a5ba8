#include "calibrate/stored_statistics.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsHashed = 8;

// The stage whose weights want it: the head's is behind all layers'.
std::int64_t stage_of_layer(const Network& network, std::int64_t layer) {
  return layer >= 0 ? layer : std::ssize(network.layers);
}

std::vector<LinearInput> all_inputs(const Network& network) {
  std::vector<LinearInput> all;
  const auto add = [&](std::int64_t layer) {
    for (const ValueId value : linear_inputs(network, layer))
      std::ranges::copy(linear_inputs_of(network, value), std::back_inserter(all));
  };
  for (std::int64_t layer = 0; layer < std::ssize(network.layers); ++layer) add(layer);
  add(-1);
  return all;
}

bool is_of(const StatisticsEntry& entry, const Network& network, LinearInput input) {
  const Place name = input_name(network, input);
  return entry.role == role_name(name.role) && entry.layer == name.layer &&
         entry.expert == name.expert && entry.columns == network.steps[input.value].width;
}

void check(const StatisticsHead& head, const Model& model, const Network& network,
           const std::string& where) {
  if (head.model != hash_of(model)) {
    throw Error(where, "statistics of another model", "those calibrate made of this one");
  }
  const auto matches = [&](const StatisticsEntry& e, LinearInput i) {
    return is_of(e, network, i);
  };
  if (!std::ranges::equal(head.entries, all_inputs(network), matches))
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
                                   bool feedback, const FeedbackOptions& options, const Team& team)
    : file_(file),
      head_(read_statistics(file_.bytes(), file.string())),
      network_(record(model)),
      feedback_(feedback),
      options_(options),
      team_(team) {
  check(head_, model, network_, file.string());
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
  return stage_of_layer(network_, weight.use.place.layer);
}

void StoredStatistics::next(Progress&) {
  inputs_.clear();
  ++stage_;
  for (const LinearInput input : all_inputs(network_)) {
    if (stage_of_layer(network_, input_name(network_, input).layer) != stage_) continue;
    const auto entry = std::ranges::find_if(
        head_.entries, [&](const StatisticsEntry& e) { return is_of(e, network_, input); });
    Moments moments(entry->columns, entry->rows, entry->triangle);
    if (feedback_) {
      inputs_.emplace(input, LayerInputs(std::move(moments), {},
                                         options_for(network_, input, options_), team_));
    } else {
      inputs_.emplace(input, LayerInputs(moments));
    }
  }
}

InputStatistics StoredStatistics::of(const Weight& weight, std::size_t) const {
  const auto input = input_of(network_, weight.use);
  if (!input || stage_of(weight) != stage_) return {};
  return inputs_.at(*input).view();
}

std::int64_t write_statistics(const Model& model, Calibration& calibration,
                              const std::filesystem::path& path, bool replace, Progress& progress) {
  if (model.decoder.experts.count > 0) {
    throw Error(path.string(), "statistics of experts have no place in this file",
                "a name as NAME.imatrix.gguf: importance alone");
  }
  StatisticsHead head{hash_of(model), calibration.tokens(), calibration.context(), {}};
  const Network& network = calibration.network();
  for (const LinearInput input : all_inputs(network)) {
    const Place name = input_name(network, input);
    head.entries.push_back({std::string(role_name(name.role)), name.layer,
                            network.steps[input.value].width, calibration.tokens(), name.expert});
  }
  StatisticsWriter writer(path, head, replace);
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    for (const auto& [input, moments] : calibration.gather(progress))
      add(writer, moments, calibration.ranges(input));
  }
  writer.commit();
  return writer.bytes();
}

Imatrix make_imatrix(const Model& model, Calibration& calibration,
                     const std::vector<std::string>& texts, Progress& progress) {
  Imatrix out;
  out.datasets = texts;
  out.chunks = static_cast<std::uint32_t>(calibration.tokens() / calibration.context());
  const Network& network = calibration.network();
  out.chunk_size = static_cast<std::uint32_t>(calibration.context());
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    const std::map<LinearInput, Moments>& found = calibration.gather(progress);
    for (const Weight& weight : model.weights) {
      const TensorUse& use = weight.use;
      const auto input = input_of(network, use);
      if (!input || calibration.stage_of(weight) != stage) continue;
      const Moments& moments = found.at(*input);
      if (out.entries.empty() || out.entries.back().name != use.gguf)
        out.entries.push_back({use.gguf, {}, {}});
      ImatrixEntry& entry = out.entries.back();
      std::ranges::copy(moments.squares(), std::back_inserter(entry.sums));
      entry.counts.push_back(static_cast<float>(moments.rows()));
    }
  }
  return out;
}

}  // namespace zp
