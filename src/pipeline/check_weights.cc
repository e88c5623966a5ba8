#include "pipeline/check_weights.h"

#include <fmt/core.h>

#include "base/error.h"
#include "kernel/range.h"

namespace zp {

void check_weights(const TensorJob& job, std::int64_t begin, Floats w) {
  const std::int64_t bad = first_beyond(w, static_cast<float>(job.grid->limit()));
  if (bad < 0) return;
  const std::int64_t cols = job.rows->cols();
  const std::string where = "tensor \"" + (job.weight != nullptr ? job.weight->use.hf : job.name) +
                            "\", row " + std::to_string(begin + bad / cols) + ", column " +
                            std::to_string(bad % cols);
  throw Error(where, "weight can't be stored as " + job.grid->spec(),
              "a finite number of magnitude at most " + fmt::format("{}", job.grid->limit()),
              fmt::format("{}", w[static_cast<std::size_t>(bad)]));
}

}  // namespace zp
