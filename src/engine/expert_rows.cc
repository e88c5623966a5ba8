#include "engine/expert_rows.h"

namespace zp {

ExpertRows::ExpertRows(Matrix routes) {
  begin.push_back(0);
  for (std::int64_t expert = 0; expert < routes.cols; ++expert) {
    for (std::int64_t t = 0; t < routes.rows; ++t) {
      if (routes.row(t)[static_cast<std::size_t>(expert)] != 0) token.push_back(t);
    }
    begin.push_back(static_cast<std::int64_t>(token.size()));
  }
}

}  // namespace zp
