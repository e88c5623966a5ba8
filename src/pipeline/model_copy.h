// A model's matrices in a grid of few bits, in memory, for who runs a model that memory doesn't
// hold over and over: each step would read it from the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "engine/engine.h"
#include "pipeline/coded_rows.h"

namespace zp {

class ModelCopy {
 public:
  /// Coded with mse. What the grid can't hold, and what is no matrix, stays where it is. Throws
  /// UsageError at `where` for a grid that is none.
  ModelCopy(const Model& model, const std::string& grid, const std::string& where, const Team& team,
            Progress& progress);

  /// Of an engine over that model, which it must outlive.
  void replace_in(Engine& engine) const;

  /// What it would take.
  static std::int64_t bytes(const Model& model, const std::string& grid, const std::string& where);

 private:
  struct Coded {
    Place place;
    std::unique_ptr<CodedRows> rows;
  };
  std::vector<Coded> coded_;
};

}  // namespace zp
