// Which tensors a pattern means: of a container's rule, or of what people ask for.
//
// A pattern is alternatives separated by commas.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/architecture.h"

namespace zp {

/// The name people use for a tensor in patterns: "embedding", "layers.3.down",
/// "layers.3.query.bias".
std::string use_name(const TensorUse& use);

/// Each alternative is a role's name (matching its weight), or a glob over use_name or the Hugging
/// Face name, where * matches anything and a part A-B between dots a range of numbers:
/// "layers.0-1.*". Empty: matches everything.
bool matches(std::string_view pattern, const TensorUse& use);

/// What people mean with --set in one model. Beside what matches() does, an alternative may be a
/// glob over a tensor's name in GGUF or MLX ("blk.0.*"), or the end of any of its names
/// ("ffn_down", "mlp.down_proj", "lm_head"); and a tied model's embedding answers to the names of
/// the head, which it is.
class Asked {
 public:
  explicit Asked(const Model& model);
  bool operator()(std::string_view pattern, const TensorUse& use) const;

 private:
  std::optional<TensorUse> tied_head_;
};

}  // namespace zp
