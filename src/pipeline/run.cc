#include "pipeline/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include "base/memory.h"
#include "pipeline/hand_over.h"
#include "pipeline/kept_tiles.h"
#include "pipeline/output_files.h"
#include "pipeline/tile_coder.h"
#include "pipeline/tiles.h"

namespace zp {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

// What threads work with, and what they did with their time.
class Workplaces {
 public:
  std::unique_ptr<TileBuffers> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<TileBuffers>();
    std::unique_ptr<TileBuffers> buffers = std::move(free_.back());
    free_.pop_back();
    return buffers;
  }

  void give_back(std::unique_ptr<TileBuffers> buffers, Clock::duration read, Clock::duration code,
                 Clock::duration write) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffers));
    // Asking the system takes as long as a small tile: not every time.
    if (done_++ % 64 == 0) own_memory_peak();
    read_ += read;
    code_ += code;
    write_ += write;
  }

  /// `together` shared out by what the threads did.
  RunSeconds share(double together) const {
    const double worked = std::max(1e-9, seconds(read_ + code_ + write_));
    RunSeconds s;
    s.read = together * seconds(read_) / worked;
    s.quantize = together * seconds(code_) / worked;
    s.write = together * seconds(write_) / worked;
    return s;
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<TileBuffers>> free_;
  std::size_t done_ = 0;
  Clock::duration read_{};
  Clock::duration code_{};
  Clock::duration write_{};
};

// The order of it all: stages, and of each what comes before its tiles and behind them.
class Runner {
 public:
  Runner(const Plan& plan, bool force, const Team& team, Progress& progress)
      : plan_(plan),
        team_(team),
        progress_(progress),
        tiles_(make_tiles(plan)),
        outcomes_(tiles_.size()),
        coder_(plan),
        files_(plan, force),
        hand_over_(plan) {}

  RunResult run() {
    const Clock::time_point begin = Clock::now();
    files_.write_fixed();
    if (plan_.statistics == nullptr) {
      std::vector<std::size_t> all(tiles_.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      do_tiles(all);
    } else {
      do_stages(*plan_.statistics);
    }
    own_memory_peak();
    const Clock::time_point committing = Clock::now();
    RunResult r;
    if (plan_.statistics != nullptr) {
      r.text_loss = plan_.statistics->text_loss();
      r.few_tokens = plan_.statistics->few_tokens();
    }
    r.outputs = output_results(plan_, tiles_, outcomes_, team_);
    write_cards(r.outputs);
    files_.commit(progress_);
    if (kept_) kept_->remove();
    const double calibrated = seconds(calibrate_);
    r.seconds = workplaces_.share(seconds(committing - begin) - calibrated);
    r.seconds.calibrate = calibrated;
    r.seconds.write += seconds(Clock::now() - committing);
    r.seconds.total = seconds(Clock::now() - begin);
    r.peak_memory_bytes = own_memory_peak();
    return r;
  }

 private:
  // Statistics are there for one stage at a time.
  void do_stages(LayerStatistics& statistics) {
    const std::vector<std::vector<std::size_t>> stages = tiles_of_stages(statistics);
    const std::int64_t count = statistics.stages();
    std::vector<std::size_t> unsaved;
    for (std::int64_t stage = begin_again(stages); stage < count; ++stage) {
      const std::vector<std::size_t>& tiles = stages[static_cast<std::size_t>(stage)];
      const Clock::time_point begin = Clock::now();
      statistics.next(progress_);
      own_memory_peak();
      calibrate_ += Clock::now() - begin;
      for (const std::size_t i : tiles) hand_over_.expect(tiles_[i]);
      do_tiles(tiles);
      hand_over_.hand_on();
      if (!kept_) continue;
      unsaved.insert(unsaved.end(), tiles.begin(), tiles.end());
      if (stage + 1 < count && statistics.may_break_behind(stage))
        kept_->save(stage + 1, std::exchange(unsaved, {}), outcomes_);
    }
  }

  std::vector<std::vector<std::size_t>> tiles_of_stages(const LayerStatistics& statistics) const {
    const std::int64_t count = statistics.stages();
    std::vector<std::vector<std::size_t>> stages(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
      const Weight* weight = job_of(plan_, tiles_[i]).weight;
      const std::int64_t stage = weight != nullptr ? statistics.stage_of(*weight) : count - 1;
      stages[static_cast<std::size_t>(stage)].push_back(i);
    }
    return stages;
  }

  // Takes over what a run before this one has done; so many stages.
  std::int64_t begin_again(const std::vector<std::vector<std::size_t>>& stages) {
    if (plan_.resume.empty()) return 0;
    kept_ = std::make_unique<KeptTiles>(plan_, tiles_);
    std::int64_t done = 0;
    for (const std::int64_t end : kept_->ends()) {
      KeptTiles::Reader reader = kept_->read(end);
      PlaneBuffers planes;
      for (; done < end; ++done) {
        for (const std::size_t i : stages[static_cast<std::size_t>(done)]) {
          hand_over_.expect(tiles_[i]);
          outcomes_[i] = reader.take(tiles_[i], planes);
          write(tiles_[i], planes);
        }
        hand_over_.hand_on();
      }
    }
    if (done == 0) return 0;
    kept_->resume_statistics(done);
    progress_.remark(fmt::format("{}: continues after layer {} of {}", plan_.resume.string(),
                                 layers_before(done), plan_.model->decoder.layers));
    return done;
  }

  // Layers with weights whose stages come before `end`.
  std::int64_t layers_before(std::int64_t end) const {
    std::int64_t last = -1;
    for (const Weight& weight : plan_.model->weights) {
      if (plan_.statistics->stage_of(weight) < end) last = std::max(last, weight.use.place.layer);
    }
    return last + 1;
  }

  void do_tiles(const std::vector<std::size_t>& tiles) {
    std::int64_t weights = 0;
    for (const std::size_t i : tiles)
      weights += tiles_[i].rows * job_of(plan_, tiles_[i]).rows->cols();
    progress_.stage("quantize", weights, "weights");
    team_.run(std::ssize(tiles),
              [&](std::int64_t i) { do_tile(tiles[static_cast<std::size_t>(i)]); });
  }

  void do_tile(std::size_t index) {
    const Tile& tile = tiles_[index];
    std::unique_ptr<TileBuffers> buffers = workplaces_.take();
    const Clock::time_point t0 = Clock::now();
    coder_.read(tile, *buffers);
    const Clock::time_point t1 = Clock::now();
    outcomes_[index] = coder_.code(tile, *buffers);
    const Clock::time_point t2 = Clock::now();
    if (kept_) kept_->keep(index, buffers->planes);
    write(tile, buffers->planes);
    const Clock::time_point t3 = Clock::now();
    const std::int64_t weights = std::ssize(buffers->weights);
    workplaces_.give_back(std::move(buffers), t1 - t0, t2 - t1, t3 - t2);
    progress_.advance(weights);
  }

  void write(const Tile& tile, const PlaneBuffers& planes) const {
    hand_over_.set(tile, planes);
    files_.write(tile, planes);
  }

  void write_cards(const std::vector<OutputResult>& results) const {
    for (std::size_t o = 0; o < results.size(); ++o) {
      const std::optional<ModelCard>& card = plan_.outputs[o].card;
      if (!card) continue;
      const std::string text = card->text({results[o].energy, results[o].outputs});
      files_.write(o, card->file, 0, std::as_bytes(std::span(text)));
    }
  }

  const Plan& plan_;
  const Team& team_;
  Progress& progress_;
  std::vector<Tile> tiles_;
  std::vector<Outcome> outcomes_;
  TileCoder coder_;
  OutputFiles files_;
  HandOver hand_over_;
  std::unique_ptr<KeptTiles> kept_;  // nullptr: nothing is kept
  Workplaces workplaces_;
  Clock::duration calibrate_{};
};

}  // namespace

RunResult run_plan(const Plan& plan, bool force, const Team& team, Progress& progress) {
  return Runner(plan, force, team, progress).run();
}

}  // namespace zp
