#include "pipeline/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>

#include "base/atomic_file.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/memory.h"
#include "calibrate/stored_statistics.h"
#include "grid/plane_buffers.h"
#include "pipeline/check_weights.h"
#include "pipeline/coded_rows.h"
#include "pipeline/resume.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

// The files of one output, being written.
class OpenOutput {
 public:
  OpenOutput(const PlannedOutput& output, bool replace) : output_(output) {
    const Layout& layout = output.layout;
    if (layout.folder) folder_ = std::make_unique<AtomicFolder>(output.path, replace);
    for (const OutputFile& file : layout.files) {
      const fs::path path = layout.folder ? folder_->partial() / file.name : output.path;
      files_.push_back(std::make_unique<AtomicFile>(path, file.bytes, replace));
    }
  }

  void write_fixed() const {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const OutputFile& file = output_.layout.files[i];
      for (const auto& [offset, bytes] : file.fixed) files_[i]->write_at(offset, bytes);
      if (!file.copy_of.empty()) files_[i]->write_at(0, MappedFile(file.copy_of).bytes());
    }
  }

  void write(std::size_t file, std::int64_t offset, Bytes bytes) const {
    files_[file]->write_at(offset, bytes);
  }

  /// Everything on the disk; a folder's files have their names, inside the hidden folder.
  void finish_files(Progress& progress) const {
    for (const auto& file : files_) {
      file->flush([&](std::int64_t bytes) { progress.advance(bytes); });
      if (folder_) file->commit();
    }
  }
  void commit() const {
    if (folder_) {
      folder_->commit();
    } else {
      for (const auto& file : files_) file->commit();
    }
  }

 private:
  const PlannedOutput& output_;
  std::unique_ptr<AtomicFolder> folder_;
  std::vector<std::unique_ptr<AtomicFile>> files_;
};

// Raised when what a stage leaves for the next one comes to mean something else.
constexpr int kStateForm = 4;

// Some rows of one tensor of one output.
struct Tile {
  std::size_t output;
  std::size_t job;
  std::int64_t begin;
  std::int64_t rows;
};

// Tiles of all outputs, so ordered that outputs read the same weights at about the same time.
std::vector<Tile> make_tiles(const Plan& plan) {
  struct Keyed {
    double at;  // share of the output's weights before this tile
    Tile tile;
  };
  std::vector<Keyed> keyed;
  for (std::size_t o = 0; o < plan.outputs.size(); ++o) {
    const std::vector<TensorJob>& jobs = plan.outputs[o].layout.jobs;
    double total = 0;
    for (const TensorJob& job : jobs)
      total += static_cast<double>(job.rows->rows() * job.rows->cols());
    double before = 0;
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      const std::int64_t rows = jobs[j].rows->rows();
      const std::int64_t step = tile_rows(jobs[j], *plan.coder);
      for (std::int64_t r = 0; r < rows; r += step) {
        const std::int64_t count = std::min(step, rows - r);
        keyed.push_back({before / total, {o, j, r, count}});
        before += static_cast<double>(count * jobs[j].rows->cols());
      }
    }
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const Keyed& a, const Keyed& b) { return a.at < b.at; });
  std::vector<Tile> tiles;
  for (const Keyed& k : keyed) tiles.push_back(k.tile);
  return tiles;
}

// What one thread needs for a tile; reused from tile to tile.
struct Buffers {
  std::vector<float> weights;
  std::vector<float> decoded;
  PlaneBuffers planes;
};

class Runner {
 public:
  Runner(const Plan& plan, bool force, const Team& team, Progress& progress)
      : plan_(plan), team_(team), progress_(progress), tiles_(make_tiles(plan)) {
    outcomes_.resize(tiles_.size());
    for (const PlannedOutput& output : plan.outputs)
      outputs_.push_back(std::make_unique<OpenOutput>(output, force));
  }

  RunResult run() {
    const Clock::time_point begin = Clock::now();
    for (const auto& output : outputs_) output->write_fixed();
    if (plan_.statistics == nullptr) {
      std::vector<std::size_t> all(tiles_.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      do_tiles(all, "quantize");
    } else {
      quantize_in_stages(*plan_.statistics);
    }
    const Clock::time_point committing = Clock::now();
    RunResult r = result();
    write_cards(r);
    commit();
    if (resume_) resume_->remove();
    r.seconds = took(begin, committing);
    r.peak_memory_bytes = own_memory_peak();
    return r;
  }

 private:
  void commit() const {
    std::int64_t bytes = 0;
    for (const PlannedOutput& output : plan_.outputs) bytes += output.layout.bytes();
    progress_.stage("write", bytes, "B");
    for (const auto& output : outputs_) output->finish_files(progress_);
    const Naming together;
    for (const auto& output : outputs_) output->commit();
  }

  const TensorJob& job(const Tile& t) const { return plan_.outputs[t.output].layout.jobs[t.job]; }

  void do_tiles(const std::vector<std::size_t>& tiles, const std::string& stage) {
    std::int64_t weights = 0;
    for (const std::size_t i : tiles) weights += tiles_[i].rows * job(tiles_[i]).rows->cols();
    progress_.stage(stage, weights, "weights");
    team_.run(static_cast<std::int64_t>(tiles.size()),
              [&](std::int64_t i) { do_tile(tiles[static_cast<std::size_t>(i)]); });
  }

  // Statistics are there for one stage at a time.
  void quantize_in_stages(LayerStatistics& statistics) {
    const std::int64_t stages = statistics.stages();
    std::vector<std::vector<std::size_t>> tiles(static_cast<std::size_t>(stages));
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
      const Weight* weight = job(tiles_[i]).weight;
      const std::int64_t stage = weight != nullptr ? statistics.stage_of(*weight) : stages - 1;
      tiles[static_cast<std::size_t>(stage)].push_back(i);
    }
    const std::int64_t done = begin_again(tiles, statistics);
    std::vector<std::size_t> unsaved;
    for (std::int64_t stage = done; stage < stages; ++stage) {
      const std::vector<std::size_t>& of_stage = tiles[static_cast<std::size_t>(stage)];
      const Clock::time_point begin = Clock::now();
      statistics.next(progress_);
      own_memory_peak();
      calibrate_ += Clock::now() - begin;
      for (const std::size_t i : of_stage) keep(tiles_[i], statistics);
      do_tiles(of_stage, "quantize");
      hand_on(statistics);
      if (!resume_) continue;
      unsaved.insert(unsaved.end(), of_stage.begin(), of_stage.end());
      if (stage + 1 < stages && statistics.may_break_behind(stage))
        save(stage + 1, std::exchange(unsaved, {}), statistics);
    }
  }

  // Stages that a run before this one has done.
  std::int64_t begin_again(const std::vector<std::vector<std::size_t>>& tiles,
                           LayerStatistics& statistics) {
    if (plan_.resume.empty()) return 0;
    resume_ = std::make_unique<ResumeFolder>(plan_.resume, identity(statistics));
    saved_.resize(tiles_.size());
    std::int64_t begin = 0;
    for (const std::int64_t end : resume_->ends()) {
      const MappedFile file = resume_->coded(end);
      Bytes bytes = ResumeFolder::content(file);
      for (; begin < end; ++begin) {
        for (const std::size_t i : tiles[static_cast<std::size_t>(begin)]) {
          keep(tiles_[i], statistics);
          restore(i, bytes);
        }
        hand_on(statistics);
      }
    }
    if (begin == 0) return 0;
    statistics.resume(begin, ResumeFolder::content(resume_->state()));
    progress_.remark(fmt::format("{}: continues after layer {} of {}", plan_.resume.string(),
                                 last_layer(begin, statistics) + 1, plan_.model->decoder.layers));
    return begin;
  }

  // Of the weights whose stages come before `end`.
  std::int64_t last_layer(std::int64_t end, const LayerStatistics& statistics) const {
    std::int64_t last = -1;
    for (const Weight& weight : plan_.model->weights) {
      if (statistics.stage_of(weight) < end) last = std::max(last, weight.use.place.layer);
    }
    return last;
  }

  // All that the files' bytes depend on.
  std::uint64_t identity(const LayerStatistics& statistics) const {
    Hash64 hash;
    const auto text = [&hash](const std::string& s) { hash.add(std::as_bytes(std::span(s))); };
    text(fmt::format("state {}", kStateForm));
    text(plan_.coder->spec());
    const std::uint64_t model = hash_of(*plan_.model);
    hash.add(std::as_bytes(std::span(&model, 1)));
    statistics.describe(hash);
    for (const PlannedOutput& output : plan_.outputs) {
      text(std::string(output.container->name()));
      for (const TensorJob& j : output.layout.jobs)
        text(fmt::format("{} {} {}", j.name, j.grid->spec(), j.planes.front().offset));
    }
    return hash.value();
  }

  void save(std::int64_t end, const std::vector<std::size_t>& tiles, LayerStatistics& statistics) {
    std::vector<Bytes> parts;
    for (const std::size_t i : tiles) {
      parts.push_back(std::as_bytes(std::span(&outcomes_[i], 1)));
      for (const std::vector<std::byte>& plane : saved_[i]) parts.emplace_back(plane);
    }
    resume_->save(end, parts, statistics.state());
    for (const std::size_t i : tiles) saved_[i] = {};
  }

  // What save() made of a tile, from the front of `bytes`.
  void restore(std::size_t index, Bytes& bytes) {
    const Tile& tile = tiles_[index];
    const TensorJob& j = job(tile);
    const auto take = [&bytes](void* to, std::size_t size) {
      if (bytes.size() < size) throw Error("`resume`", "coded tensors of another size");
      std::memcpy(to, bytes.data(), size);
      bytes = bytes.subspan(size);
    };
    take(&outcomes_[index], sizeof(Outcome));
    Buffers buffers;
    const Matrix shape = as_matrix(tile, j, {});
    for (std::size_t p = 0; p < j.planes.size(); ++p) {
      buffers.planes.emplace_back(
          static_cast<std::size_t>(shape.rows * j.grid->row_bytes(p, shape.cols)));
      take(buffers.planes.back().data(), buffers.planes.back().size());
    }
    write(tile, j, buffers);
  }

  // What became of the stage's weights.
  void hand_on(LayerStatistics& statistics) {
    for (auto& [key, rows] : kept_) {
      const TensorJob& j = plan_.outputs[key.first].layout.jobs[key.second];
      statistics.coded(*j.weight, key.first, std::move(rows));
    }
    kept_.clear();
  }

  // Makes room for what becomes of the tile's tensor, where the statistics go on with that.
  void keep(const Tile& tile, const LayerStatistics& of_layers) {
    const TensorJob& j = job(tile);
    if (j.weight == nullptr || j.grid->whole_tensor() || !of_layers.wants(*j.weight)) return;
    std::unique_ptr<CodedRows>& rows = kept_[{tile.output, tile.job}];
    if (!rows) rows = std::make_unique<CodedRows>(j, plan_.model->decoder);
  }

  void do_tile(std::size_t index) {
    const Tile& tile = tiles_[index];
    const TensorJob& j = job(tile);
    const std::int64_t cols = j.rows->cols();
    const auto count = static_cast<std::size_t>(tile.rows * cols);
    const std::unique_ptr<Buffers> buffers = take_buffers();
    std::vector<float>& w = buffers->weights;

    const Clock::time_point t0 = Clock::now();
    w.resize(count);
    j.rows->read(tile.begin, tile.rows, w.data());
    check_weights(j, tile.begin, w);
    const Clock::time_point t1 = Clock::now();
    outcomes_[index] = quantize(tile, j, *buffers);
    const Clock::time_point t2 = Clock::now();
    if (resume_)
      saved_[index].assign(buffers->planes.begin(), buffers->planes.begin() + std::ssize(j.planes));
    write(tile, j, *buffers);
    const Clock::time_point t3 = Clock::now();
    give_back(std::move(*buffers), t1 - t0, t2 - t1, t3 - t2);
    progress_.advance(static_cast<std::int64_t>(count));
  }

  // A grid with one parameter set for the whole tensor sees it as one row.
  static Matrix as_matrix(const Tile& tile, const TensorJob& j, const std::vector<float>& values) {
    if (j.grid->whole_tensor()) return {values.data(), 1, tile.rows * j.rows->cols()};
    return {values.data(), tile.rows, j.rows->cols()};
  }

  Outcome quantize(const Tile& tile, const TensorJob& j, Buffers& b) const {
    const Matrix w = as_matrix(tile, j, b.weights);
    const InputStatistics inputs = statistics(tile);
    const std::optional<double> left =
        plan_.coder->code(*j.grid, w, inputs, make_room(*j.grid, w.rows, w.cols, b.planes));
    b.decoded.resize(b.weights.size());
    decode(*j.grid, b.planes, {b.decoded.data(), w.rows, w.cols});
    const Matrix decoded = as_matrix(tile, j, b.decoded);
    Outcome outcome = outcome_of(*j.grid, w, decoded, inputs, left);
    const SampledInputs samples = this->samples(tile);
    outcome.seen = sampled_energy(w, decoded, samples.seen);
    outcome.held_out = sampled_energy(w, decoded, samples.held_out);
    return outcome;
  }

  // Whether columns are those of a weight; a grid that sees the tensor as one row has none.
  static bool has_columns(const TensorJob& j) {
    return j.weight != nullptr && !j.grid->whole_tensor() && j.form != RowForm::transposed;
  }

  InputStatistics statistics(const Tile& tile) const {
    const TensorJob& j = job(tile);
    if (!has_columns(j)) return {};
    if (plan_.statistics != nullptr) return plan_.statistics->of(*j.weight, tile.output);
    InputStatistics inputs;
    if (plan_.importance != nullptr) inputs.importance = plan_.importance->of(*j.weight);
    return inputs;
  }

  SampledInputs samples(const Tile& tile) const {
    const TensorJob& j = job(tile);
    if (plan_.statistics == nullptr || !has_columns(j)) return {};
    return plan_.statistics->samples(*j.weight, tile.output);
  }

  // The planes become what the file has of them.
  void write(const Tile& tile, const TensorJob& j, Buffers& b) const {
    const auto kept = kept_.find({tile.output, tile.job});
    if (kept != kept_.end()) kept->second->set(tile.begin, tile.rows, b.planes);
    for (std::size_t p = 0; p < j.planes.size(); ++p) {
      if (const std::byte flip = j.planes[p].flip; flip != std::byte{}) {
        for (std::byte& byte : b.planes[p]) byte ^= flip;
      }
      const std::int64_t row_bytes = static_cast<std::int64_t>(b.planes[p].size()) / tile.rows;
      outputs_[tile.output]->write(j.planes[p].file, j.planes[p].offset + tile.begin * row_bytes,
                                   b.planes[p]);
    }
  }

  std::unique_ptr<Buffers> take_buffers() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Buffers>();
    auto buffers = std::make_unique<Buffers>(std::move(free_.back()));
    free_.pop_back();
    return buffers;
  }

  void give_back(Buffers&& buffers, Clock::duration read, Clock::duration quantize,
                 Clock::duration write) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffers));
    // Asking the system takes as long as a small tile: not every time.
    if (done_++ % 64 == 0 || done_ == tiles_.size()) own_memory_peak();
    read_ += read;
    quantize_ += quantize;
    write_ += write;
  }

  static void add(const TensorJob& j, const Outcome& outcome, OutputResult& to) {
    TensorResult& t = to.tensors.emplace_back();
    t.name = j.name;
    t.weight = j.weight;
    t.grid = j.grid->spec();
    t.bytes = j.grid->bytes(j.rows->rows(), j.rows->cols());
    t.energy = outcome.weights;
    const auto weights = static_cast<double>(j.rows->rows() * j.rows->cols());
    t.outputs = output_share(outcome, weights);
    t.held_out = held_out_share(outcome, weights);
    if (t.weight != nullptr) to.energy += t.energy;
    if (t.held_out) to.held_out = to.held_out.value_or(HeldOut()) += *t.held_out;
    if (!t.outputs) return;
    to.weighing = std::max(to.weighing, outcome.weighing);
    to.outputs = to.outputs.value_or(Energy()) += *t.outputs;
  }

  void find_too_small(const PlannedOutput& output, const std::vector<Outcome>& outcomes,
                      OutputResult& to) const {
    std::vector<Zeroed> blocks;
    for (const Outcome& outcome : outcomes) blocks.push_back(outcome.blocks);
    to.too_small = too_small(output, blocks, plan_.coder->fit(), team_);
    if (std::string note = to_text(to.too_small, *output.container); !note.empty())
      to.notes.push_back(std::move(note));
  }

  void write_cards(const RunResult& result) const {
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const std::optional<ModelCard>& card = plan_.outputs[o].card;
      if (!card) continue;
      const std::string text = card->text({result.outputs[o].energy, result.outputs[o].outputs});
      outputs_[o]->write(card->file, 0, std::as_bytes(std::span(text)));
    }
  }

  RunResult result() const {
    RunResult r;
    if (plan_.statistics != nullptr) r.text_loss = plan_.statistics->text_loss();
    std::vector<std::vector<Outcome>> outcomes;
    for (const PlannedOutput& output : plan_.outputs) {
      r.outputs.emplace_back();
      outcomes.emplace_back(output.layout.jobs.size());
    }
    for (std::size_t i = 0; i < tiles_.size(); ++i)  // in a fixed order: the same sums every time
      outcomes[tiles_[i].output][tiles_[i].job] += outcomes_[i];
    for (std::size_t o = 0; o < outcomes.size(); ++o) {
      for (std::size_t j = 0; j < outcomes[o].size(); ++j)
        add(plan_.outputs[o].layout.jobs[j], outcomes[o][j], r.outputs[o]);
      find_too_small(plan_.outputs[o], outcomes[o], r.outputs[o]);
    }
    for (std::size_t o = 0; o < r.outputs.size(); ++o) {
      if (r.outputs[o].energy.error != 0) continue;
      const auto repacked = [](const Choice& c) { return c.held == Fidelity::repacked; };
      r.outputs[o].fidelity = std::ranges::any_of(plan_.outputs[o].choices, repacked)
                                  ? Fidelity::repacked
                                  : Fidelity::exact;
    }
    return r;
  }

  RunSeconds took(Clock::time_point begin, Clock::time_point committing) const {
    RunSeconds s;
    const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
    s.calibrate = seconds(calibrate_);
    const double streaming = seconds(committing - begin) - s.calibrate;
    const double worked = std::max(1e-9, seconds(read_ + quantize_ + write_));
    s.read = streaming * seconds(read_) / worked;
    s.quantize = streaming * seconds(quantize_) / worked;
    s.write = streaming * seconds(write_) / worked + seconds(Clock::now() - committing);
    s.total = seconds(Clock::now() - begin);
    return s;
  }

  const Plan& plan_;
  const Team& team_;
  Progress& progress_;
  std::vector<Tile> tiles_;
  std::vector<Outcome> outcomes_;
  std::vector<std::unique_ptr<OpenOutput>> outputs_;
  std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<CodedRows>>
      kept_;  // by output, job
  std::unique_ptr<ResumeFolder> resume_;
  std::vector<std::vector<std::vector<std::byte>>> saved_;  // planes of tiles, until they are
  std::mutex mutex_;
  std::vector<Buffers> free_;
  Clock::duration read_{};
  Clock::duration quantize_{};
  Clock::duration calibrate_{};
  Clock::duration write_{};
  std::size_t done_ = 0;
};

}  // namespace

RunResult run_plan(const Plan& plan, bool force, const Team& team, Progress& progress) {
  return Runner(plan, force, team, progress).run();
}

}  // namespace zp
