#include "pipeline/named_tensor.h"

#include <vector>

#include "base/error.h"
#include "base/named.h"
#include "pipeline/pattern.h"
#include "source/read_model.h"

namespace zp {
namespace {

const Weight& find_by_any_name(const Model& model, const std::string& where,
                               const std::string& name) {
  const Asked asked(model);
  std::vector<const Weight*> found;
  std::vector<std::string> names;
  for (const Weight& weight : model.weights) {
    if (asked(name, weight.use)) found.push_back(&weight);
    for (const std::string& known : {weight.use.hf, weight.use.gguf}) {
      names.push_back(known);
      names.push_back(known.substr(0, known.rfind('.')));  // without ".weight"
    }
    names.push_back(use_name(weight.use));
  }
  if (found.size() == 1) return *found.front();
  const std::string quoted = "\"" + name + "\"";
  if (found.size() > 1) {
    throw Error(where, std::to_string(found.size()) + " tensors have this name",
                "one of them, such as " + use_name(found.front()->use), quoted);
  }
  const std::string meant = closest_name(name, names);
  throw Error(where,
              "no such tensor" +
                  (meant.empty() ? " (see zeropoint inspect)" : " (did you mean " + meant + "?)"),
              {}, quoted);
}

}  // namespace

NamedTensor::NamedTensor(const std::filesystem::path& model, const std::string& name)
    : checkpoint_(open_checkpoint(model)) {
  const Tensor* tensor = checkpoint_.find(name);
  if (tensor != nullptr) {
    if (!tensor->rows)
      throw Error("tensor \"" + name + "\"", "holds no weights", "a floating-point type",
                  tensor->type);
    name_ = tensor->name;
    rows_ = tensor->rows.get();
    return;
  }
  model_ = read_model(checkpoint_);
  const Weight& weight = find_by_any_name(*model_, model.string(), name);
  name_ = weight.use.hf;
  rows_ = weight.rows;
}

}  // namespace zp
