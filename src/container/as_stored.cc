#include "container/as_stored.h"

#include <utility>

#include "base/error.h"

namespace zp {

std::vector<Assignment> as_stored(
    const Model& model, const std::string& where,
    const std::function<Verdict(const Grid&, const TensorUse&)>& accepts) {
  std::vector<Assignment> all;
  for (const Weight& weight : model.weights) {
    Assignment a{&weight, make_grid(weight.stored_type)};
    if (const Verdict verdict = accepts(*a.grid, weight.use); !verdict.possible) {
      throw Error(where + ": tensor \"" + weight.use.module + "\"",
                  "in no graph that is written here", verdict.why, weight.stored_type);
    }
    all.push_back(std::move(a));
  }
  return all;
}

}  // namespace zp
