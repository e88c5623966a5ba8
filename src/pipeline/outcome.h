// What coding did to weights: their own error, that of what the linear layer makes of its inputs,
// and blocks of which nothing is left.
//
// The error of outputs is tr(E H E^T) / tr(W H W^T), E = W - Q. H is the second moments of the
// inputs: of the float model's or, with upstream correction, of those the quantized model really
// sees; there W in E is what the weights became to make up for the layers before, so that E is what
// coding adds. Of importance alone it is H's diagonal.
#pragma once

#include <cstdint>
#include <optional>

#include "calibrate/layer_statistics.h"
#include "grid/grid.h"
#include "kernel/energy.h"
#include "kernel/held_out.h"
#include "method/method.h"

namespace zp {

/// What is known of inputs, from the least.
enum class Weighing { none, importance, moments };

/// Blocks of a tensor, as the grid packs them.
struct Zeroed {
  std::int64_t zeroed = 0;  ///< not zero before, nothing but zeros decoded
  std::int64_t blocks = 0;

  Zeroed& operator+=(const Zeroed& other);
};

struct Outcome {
  Energy weights;
  Zeroed blocks;
  std::int64_t kept = 0;  ///< weights that lay on the grid already
  Energy outputs;         ///< tr(W H W^T) and tr(E H E^T), on the statistics' scale
  Weighing weighing = Weighing::none;
  Energy seen;      ///< of the outputs for sampled inputs of the text, |W x|^2 and |W x - Q x~|^2
  Energy held_out;  ///< the same for inputs held out

  Outcome& operator+=(const Outcome& other);
};

/// w, decoded: whole rows of one tensor, before and after, without gaps. left: what the coder says
/// of the outputs' error.
Outcome outcome_of(const Grid& grid, Matrix w, Matrix decoded, const InputStatistics& inputs,
                   std::optional<double> left);

/// What becomes of the outputs of sampled inputs. w, decoded: as above.
Energy sampled_energy(Matrix w, Matrix decoded, const InputSample& sample);

/// The outputs' error on a scale on which tensors add up to a mean that is weighted by their size:
/// signal is their number of weights. Nothing where nothing is known, or all outputs are zero.
std::optional<Energy> output_share(const Outcome& outcome, double weights);
/// Of sampled inputs, likewise; nothing where no windows were held out.
std::optional<HeldOut> held_out_share(const Outcome& outcome, double weights);

}  // namespace zp
