// The error of every tensor as a picture: one row for each layer, one column for each role.
#pragma once

#include <string>
#include <vector>

#include "report/quantize_report.h"

namespace zp {

/// Root mean square of the error, as a share of the weights' own; 0 where nothing was lost.
double relative_error(const Energy& energy);
/// "6.0", "0.55" (per cent), "=" for 0.
std::string error_text(double share);

/// What the shades stand for: the errors inside the layers, so that an embedding stored much finer
/// doesn't hide how they differ. A spread of less than a tenth isn't blown up to all shades.
class Shades {
 public:
  static constexpr int kCount = 7;  ///< as page_style.cc has them

  /// One scale for all of these.
  explicit Shades(const std::vector<ReportedOutput>& outputs);
  int of(double error) const;
  double lo() const { return lo_; }
  double hi() const { return hi_; }

 private:
  double lo_ = 0;
  double hi_ = 0;
};

/// HTML: the legend, the layers' table, and one of what stands outside of the layers. A cell is a
/// role's weight and bias together, by shown_error(); its title says all of it.
std::string heat_map(const std::vector<ReportedTensor>& tensors, const Shades& shades);

}  // namespace zp
