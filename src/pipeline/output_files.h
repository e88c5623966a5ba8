// The files of a plan's outputs while they are written.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/atomic_file.h"
#include "base/progress.h"
#include "grid/plane_buffers.h"
#include "pipeline/tiles.h"

namespace zp {

/// None has its name before commit(); without it none is left.
class OutputFiles {
 public:
  /// Throws Error where something is (without `replace`) or nothing can be.
  OutputFiles(const Plan& plan, bool replace);

  /// All that is known with the plan: headers, and small files that are copied.
  void write_fixed() const;
  /// A tile's planes, in the forms that the files have them.
  void write(const Tile& tile, const PlaneBuffers& planes) const;
  void write(std::size_t output, std::size_t file, std::int64_t offset, Bytes bytes) const;
  /// What is copied from the checkpoint, then everything on the disk, then all names together.
  /// REQUIRES: all else is written; called once.
  void commit(Progress& progress) const;

 private:
  struct Open {
    std::unique_ptr<AtomicFolder> folder;  // of those that are a folder
    std::vector<std::unique_ptr<AtomicFile>> files;
  };

  void copy(Progress& progress) const;

  const Plan& plan_;
  std::vector<Open> outputs_;
};

}  // namespace zp
