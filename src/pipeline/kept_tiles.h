// Coded tiles in the folder of a run that can be resumed: planes and outcomes of whole stages.
#pragma once

#include <cstdint>
#include <vector>

#include "base/mapped_file.h"
#include "grid/plane_buffers.h"
#include "pipeline/outcome.h"
#include "pipeline/resume.h"
#include "pipeline/tiles.h"

namespace zp {

class KeptTiles {
 public:
  /// Of a plan with statistics and a folder; `tiles` is all that the run does. Borrows both. Throws
  /// Error as ResumeFolder does.
  KeptTiles(const Plan& plan, const std::vector<Tile>& tiles);

  /// Where stages that were kept together end, ascending.
  const std::vector<std::int64_t>& ends() const { return folder_.ends(); }

  /// Tiles of stages that end together, one behind the other.
  class Reader {
   public:
    /// The next one, which must be `tile`; planes become what the coder left in them. Throws Error.
    Outcome take(const Tile& tile, PlaneBuffers& planes);

   private:
    friend KeptTiles;
    Reader(const Plan& plan, MappedFile file);
    void copy(void* to, std::size_t size);

    const Plan& plan_;
    MappedFile file_;
    Bytes left_;
  };
  Reader read(std::int64_t end) const { return {plan_, folder_.coded(end)}; }
  /// Tells the statistics that `stages` are done.
  void resume_statistics(std::int64_t stages) const;

  /// A copy of a tile's planes, until its stage is saved. Different tiles from many threads.
  void keep(std::size_t tile, const PlaneBuffers& planes);
  /// What was kept of these tiles, and what the statistics need to go on behind stage `end`.
  /// REQUIRES: keep() had each of them.
  void save(std::int64_t end, const std::vector<std::size_t>& tiles,
            const std::vector<Outcome>& outcomes);
  /// Leaves nothing of the folder. REQUIRES: the outputs have their names.
  void remove() { folder_.remove(); }

 private:
  const Plan& plan_;
  const std::vector<Tile>& tiles_;
  ResumeFolder folder_;
  std::vector<PlaneBuffers> planes_;  // of tiles, until they are saved
};

}  // namespace zp
