// Grids that were chosen under a budget (quantize --fit, --max-kld), as plain data for the page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zp {

/// Divergences are means in nats per token.
struct ReportedBudget {
  struct Tensor {
    std::string name;  ///< as --set spells it: "layers.3.down"
    std::string role;
    std::int64_t layer = -1;  ///< -1: outside the layers
    std::string grid;
    double bits = 0;  ///< per weight
    double loss = 0;  ///< the divergence it alone is expected to cost
  };

  std::string budget;              ///< as asked for: "4.5bpw", "KL divergence up to 0.01"
  std::vector<std::string> texts;  ///< the files that losses were measured on
  std::int64_t tokens = 0;         ///< of them
  double predicted = 0;            ///< the sum of all losses
  double divergence = 0;           ///< measured with all of them
  double divergence_se = 0;
  bool of_file = false;  ///< measured of the file; else with all weights coded by mse
  bool met = true;       ///< the budget
  std::vector<Tensor> tensors;
};

}  // namespace zp
