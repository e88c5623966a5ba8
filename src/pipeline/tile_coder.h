// Reads a tile, codes it, and says what that did to it.
#pragma once

#include <vector>

#include "grid/plane_buffers.h"
#include "pipeline/outcome.h"
#include "pipeline/tiles.h"

namespace zp {

/// What one thread needs for a tile; reused from tile to tile.
struct TileBuffers {
  std::vector<float> weights;
  std::vector<float> decoded;
  std::vector<float> importance;
  PlaneBuffers planes;
};

/// Many threads may use it.
class TileCoder {
 public:
  explicit TileCoder(const Plan& plan) : plan_(plan) {}

  /// The weights. Throws Error as check_weights() does.
  void read(const Tile& tile, TileBuffers& buffers) const;
  /// Of the weights the planes, with what is known of their inputs.
  Outcome code(const Tile& tile, TileBuffers& buffers) const;

 private:
  /// Takes weights as they are where they lie on the grid already, all of the tile's: no coder moves
  /// them then.
  bool keeps_values(const Tile& tile, TileBuffers& buffers) const;
  InputStatistics statistics(const Tile& tile, TileBuffers& buffers) const;
  SampledInputs samples(const Tile& tile) const;

  const Plan& plan_;
};

}  // namespace zp
