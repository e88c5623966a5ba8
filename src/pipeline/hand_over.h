// What became of weights, gathered tile by tile and handed to the statistics that go on with it
// (LayerStatistics::coded).
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "grid/plane_buffers.h"
#include "pipeline/coded_rows.h"
#include "pipeline/tiles.h"

namespace zp {

class HandOver {
 public:
  explicit HandOver(const Plan& plan) : plan_(plan) {}

  /// Room for the tile's tensor, where anybody goes on with it. One thread.
  void expect(const Tile& tile);
  /// The tile's planes, as the grid packs them. Different tiles from many threads. REQUIRES:
  /// expect() had the tile.
  void set(const Tile& tile, const PlaneBuffers& planes) const;
  /// Gives the statistics all that was expected. REQUIRES: set() had every tile of it.
  void hand_on();

 private:
  const Plan& plan_;
  std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<CodedRows>>
      rows_;  // by output, job
};

}  // namespace zp
