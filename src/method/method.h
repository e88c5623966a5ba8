// Methods: coders choose a code for every weight, rewrites (rewrite.h) change the float model
// before. Each is an object that knows its options; nobody else does.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "grid/grid.h"
#include "method/options.h"

namespace zp {

/// What people choose by its name and set by options.
class Method {
 public:
  virtual ~Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  std::string_view name() const { return name_; }
  std::string_view summary() const { return summary_; }
  /// Those it takes, as they are set.
  std::span<const Option> options() const { return options_; }
  /// NAME[:OPTION=VALUE,...] with all options: what the method does follows from it.
  std::string spec() const;
  /// Sets what "OPTION=VALUE,..." says. Throws UsageError at `where`.
  void set(const std::string& where, std::string_view options);

 protected:
  Method(std::string_view name, std::string_view summary) : name_(name), summary_(summary) {}
  /// For the constructor: options of fields that live as long as this.
  void take(std::vector<Option> options) { options_ = std::move(options); }

 private:
  /// Throws UsageError for options that don't go together.
  virtual void check(const std::string&) const {}

  std::string_view name_;
  std::string_view summary_;
  std::vector<Option> options_;
};

/// Sets the one of `all` that NAME[:OPTION=VALUE,...] names; its place. kind: the field of a
/// request that has the spec. Throws UsageError for what isn't known.
std::size_t choose(std::span<Method* const> all, std::string_view spec, const std::string& kind);

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

/// How a calibration prepares second moments for a coder that spreads errors.
struct FeedbackOptions {
  bool upstream = true;  ///< make up for what layers before have done to the inputs
  bool order = false;    ///< columns by descending second moment; each keeps its group
  /// Of the second moments' mean, added to their diagonal: towards inputs that are all alike.
  double damp = 0.01;
  /// Of each second moment itself, added to it: towards inputs without correlations (damping.h).
  /// None: by the number of tokens.
  std::optional<double> shrink;
};

/// What coding a tile takes.
struct TileNeeds {
  /// In memory for each weight: itself, what it decodes to, and its planes, whose bytes are fewer.
  std::int64_t floats = 3;
  std::int64_t rows = 1;  ///< at least, where the matrix has them, for the work to pay
};

/// Chooses codes. Const use from many threads is safe.
class Coder : public Method {
 public:
  /// w: rows x cols, a tile of whole rows; out: the planes of these rows. Weights must be finite
  /// and within grid.limit(). Returns what is left of the outputs' error where it was what the
  /// coder made small: tr((V - Q) H (V - Q)^T), H the moments without damping, V the weights or
  /// what they became to make up for layers before.
  virtual std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics& inputs,
                                     PlanesOut out) const = 0;
  /// How it fits parameters.
  virtual Fit fit() const { return Fit::search; }
  /// What it asks of second moments, see InputStatistics::feedback; without them it codes as mse
  /// does. None: importance is all it makes use of.
  virtual std::optional<FeedbackOptions> feedback() const { return {}; }
  virtual TileNeeds tile() const { return {}; }

 protected:
  using Method::Method;
};

/// One of each, in the order of methods.def.
std::vector<std::unique_ptr<Coder>> coders();
/// By NAME[:OPTION=VALUE,...]. Throws UsageError for what isn't known.
std::unique_ptr<Coder> make_coder(std::string_view spec);
/// The one that codes where nobody asks for another, and nothing is known of the inputs: mse.
const std::shared_ptr<const Coder>& default_coder();

}  // namespace zp
