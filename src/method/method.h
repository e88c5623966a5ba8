// Methods: coders choose a code for every weight.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "grid/grid.h"
#include "observer/observer.h"

namespace zp {

/// What is known of the inputs x of a linear layer: plain data. Empty: nothing.
struct InputStatistics {
  Floats importance;  ///< of each column
  /// cols x cols: the second moments, damped.
  Matrix moments;
  /// cols x cols, lower triangular: the transpose of U, upper triangular with U^T U the inverse of
  /// the moments, their columns taken in `order` (feedback.h).
  Matrix feedback;
  /// Which column comes first, second ...; empty: as they stand.
  std::span<const std::int32_t> order;
  /// cols x cols: how the float model's inputs, x, differ from those that come, x~. Row j is the
  /// sum of x~_j (x - x~) over tokens, on the moments' scale. Empty: they don't.
  Matrix drift;
  /// What the moments have on their diagonal, for each column, beside what they are. Empty:
  /// nothing.
  Floats damping;
};

/// What may stand after a method's name: "gptq:upstream=off,damp=0.02",
/// "nearest:observer=percentile".
struct MethodOptions {
  bool upstream = true;         ///< make up for what layers before have done to the inputs
  bool order = false;           ///< columns by descending second moment; each keeps its group
  bool adjusts_floats = false;  ///< whether what stays in a float type makes up for them, too
  /// Of the second moments' mean, added to their diagonal: towards inputs that are all alike.
  double damp = 0.01;
  /// Of each second moment itself, added to it: towards inputs without correlations (damping.h).
  /// None: by the number of tokens.
  std::optional<double> shrink;
  int sweeps = 3;                      ///< over units and columns when all are coded
  const Observer* observer = nullptr;  ///< of each unit's weights, cut to its range; none: all
  ObserverOptions observing;
};

/// A coder, as data. Const use from many threads is safe.
struct Method {
  std::string_view name;
  std::string_view summary;
  Fit fit;                ///< how it fits parameters
  bool feedback = false;  ///< asks for InputStatistics::feedback; codes as mse does without
                          ///< statistics
  /// w: rows x cols, a tile of whole rows; out: the planes of these rows. Weights must be finite
  /// and within grid.limit(). Returns what is left of the outputs' error where it was what the
  /// coder made small: tr((V - Q) H (V - Q)^T), H the moments without damping, V the weights or
  /// what they became to make up for layers before.
  std::optional<double> (*code)(const Grid& grid, Matrix w, const InputStatistics& inputs,
                                const MethodOptions& options, PlanesOut out);
  /// Those of MethodOptions it takes, by name.
  std::span<const std::string_view> options = {};
};

/// The one that codes where nobody asks for another, and nothing is known of the inputs: mse.
const Method& default_method();

/// A method and its options.
struct Coder {
  const Method* method = &default_method();
  MethodOptions options;
};

std::span<const Method* const> methods();
/// Throws UsageError naming the methods there are.
const Method& find_method(std::string_view name);
/// NAME[:OPTION=VALUE,...]. Throws UsageError for what isn't known.
Coder parse_coder(std::string_view spec);

}  // namespace zp
