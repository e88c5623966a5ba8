#include "calibrate/stored_statistics.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "model/gguf_rows.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsHashed = 8;

// In the order of a file's entries: ascending, the head's behind all layers'.
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
           std::span<const LinearInput> inputs, const std::string& where) {
  if (head.model != hash_of(model)) {
    throw Error(where, "statistics of another model", "those calibrate made of this one");
  }
  const auto matches = [&](const StatisticsEntry& e, LinearInput i) {
    return is_of(e, network, i);
  };
  if (!std::ranges::equal(head.entries, inputs, matches))
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
                                   const std::optional<FeedbackOptions>& feedback,
                                   std::int64_t memory_bytes, const Team& team)
    : file_(file),
      head_(read_statistics(file_.bytes(), file.string())),
      network_(record(model)),
      names_(all_inputs(network_)),
      feedback_(feedback),
      team_(team) {
  check(head_, model, network_, names_, file.string());
  for (std::size_t i = 0; i < head_.entries.size(); ++i) add_to_stages(i, memory_bytes);
}

// Experts take turns where their layer's have no room together.
void StoredStatistics::add_to_stages(std::size_t entry, std::int64_t memory_bytes) {
  const StatisticsEntry& e = head_.entries[entry];
  if (stages_.empty() || stages_.back().layer != e.layer) {
    stages_.push_back({e.layer, entry, entry});
  } else if (e.expert >= 0 && memory_bytes > 0) {
    const Stage with = {e.layer, stages_.back().begin, entry + 1};
    if (bytes_of(with) > memory_bytes / 2) stages_.push_back({e.layer, entry, entry});
  }
  stages_.back().end = entry + 1;
}

// Moments and factors, in FP32.
std::int64_t StoredStatistics::bytes_of(const Stage& stage) const {
  std::int64_t sum = 0;
  for (std::size_t i = stage.begin; i < stage.end && feedback_; ++i) {
    const std::int64_t columns = head_.entries[i].columns;
    sum += 2 * static_cast<std::int64_t>(sizeof(float)) * columns * columns;
  }
  return sum;
}

// One set is FP64 while its factor is found.
std::int64_t StoredStatistics::bytes() const {
  std::int64_t widest = 0;
  for (const StatisticsEntry& e : head_.entries) widest = std::max(widest, e.columns);
  std::int64_t most = 0;
  for (const Stage& stage : stages_) most = std::max(most, bytes_of(stage));
  return Moments::bytes(widest, true) + most;
}

std::int64_t StoredStatistics::stage_of(const Weight& weight) const {
  const auto input = input_of(network_, weight.use);
  const auto entry = static_cast<std::size_t>(
      input ? std::ranges::lower_bound(names_, *input) - names_.begin() : 0);
  const auto stage = std::ranges::find_if(stages_, [&](const Stage& s) {
    return input ? s.begin <= entry && entry < s.end : s.layer == weight.use.place.layer;
  });
  return stage - stages_.begin();
}

void StoredStatistics::next(Progress&) {
  inputs_.clear();
  const Stage& stage = stages_[static_cast<std::size_t>(++stage_)];
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    const StatisticsEntry& entry = head_.entries[i];
    Moments moments(entry.columns, entry.rows, entry.triangle);
    if (feedback_) {
      inputs_.emplace(names_[i], LayerInputs(std::move(moments), {},
                                             options_for(network_, names_[i], *feedback_), team_));
    } else {
      inputs_.emplace(names_[i], LayerInputs(moments));
    }
  }
}

std::vector<FewTokens> StoredStatistics::few_tokens() const {
  std::vector<FewTokens> few;
  for (const StatisticsEntry& e : head_.entries) {
    const FewTokens found{e.layer, e.expert, e.tokens};
    // Each of an expert's inputs has an entry.
    if (e.expert >= 0 && e.tokens < kFewTokens && std::ranges::count(few, found) == 0)
      few.push_back(found);
  }
  return few;
}

void StoredStatistics::describe(Hash64& hash) const {
  hash.add(file_.bytes());
  const std::int64_t count = stages();
  hash.add(std::as_bytes(std::span(&count, 1)));
}

InputStatistics StoredStatistics::of(const Weight& weight, std::size_t) const {
  const auto input = input_of(network_, weight.use);
  if (!input || stage_of(weight) != stage_) return {};
  return inputs_.at(*input).view();
}

std::int64_t write_statistics(const Model& model, Calibration& calibration,
                              const std::filesystem::path& path, bool replace, Progress& progress) {
  StatisticsHead head{hash_of(model), calibration.tokens(), calibration.context(), {}};
  const Network& network = calibration.network();
  for (const LinearInput input : all_inputs(network)) {
    const Place name = input_name(network, input);
    head.entries.push_back({std::string(role_name(name.role)), name.layer,
                            network.steps[input.value].width,
                            name.expert < 0 ? calibration.tokens() : 0, name.expert});
  }
  StatisticsWriter writer(path, head, replace);
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    for (const auto& [input, moments] : calibration.gather(progress)) {
      if (input.expert < 0) {
        add(writer, moments, calibration.ranges(input));
      } else {
        writer.add_expert(moments.rows(), calibration.tokens_of(input.expert), moments.triangle());
      }
    }
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
      const auto squares = moments.squares();
      const std::vector<std::int64_t> source = gguf_columns(use, model.decoder);
      for (const std::int64_t j : source)
        entry.sums.push_back(squares[static_cast<std::size_t>(j)]);
      if (source.empty()) std::ranges::copy(squares, std::back_inserter(entry.sums));
      entry.counts.push_back(static_cast<float>(moments.rows()));
    }
  }
  return out;
}

}  // namespace zp
