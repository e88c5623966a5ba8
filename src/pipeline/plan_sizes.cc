#include "pipeline/plan_sizes.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "pipeline/beside.h"
#include "pipeline/plan.h"

namespace zp {
namespace {

constexpr std::array kUsualTargets = {"gguf:fp16",    "gguf:q8_0", "gguf:q5_1",    "gguf:q5_0",
                                      "gguf:q4_1",    "gguf:q4_0", "mlx:int8:g64", "mlx:int4:g64",
                                      "mlx:int3:g64", "hf:bf16"};

PlanOutcome sizes_of_model(const PlanRequest& request, Progress& progress) {
  const std::unique_ptr<LoadedModel> loaded =
      is_config(request.model) ? load_shapes(request.model) : load_model(request.model, progress);
  const Decoder& decoder = loaded->model.decoder;
  PlanOutcome out;
  out.parameters = loaded->model.parameters();
  if (decoder.experts.count > 0) out.active_parameters = loaded->model.active_parameters();
  out.beside = count_beside(all_beside(loaded->checkpoint, loaded->model));
  std::vector<std::string> targets = request.to;
  if (targets.empty()) targets.assign(kUsualTargets.begin(), kUsualTargets.end());
  for (const std::string& target : targets) {
    Recipe recipe;
    recipe.targets = {parse_target(target)};
    recipe.force = true;  // nothing is written: what exists doesn't matter
    const Plan plan = make_plan(*loaded, recipe);
    const PlannedOutput& output = plan.outputs.front();
    out.outputs.push_back({target, output.bits_per_weight(loaded->model), output.layout.bytes()});
    out.memory_bytes = std::max(out.memory_bytes, plan.memory_bytes);
  }
  out.context = decoder.context > 0 ? std::min(request.context, decoder.context) : request.context;
  out.kv_cache_bytes = kv_cache_bytes(decoder, out.context);
  return out;
}

PlanOutcome sizes_of_count(std::int64_t parameters) {
  PlanOutcome out;
  out.parameters = parameters;
  out.outputs = grid_sizes(parameters);
  return out;
}

}  // namespace

PlanOutcome plan_sizes(const PlanRequest& request, Progress& progress) {
  if (request.model.empty() == !request.parameters)
    throw UsageError("plan", "one of them", "a MODEL, or `parameters` COUNT");
  if (request.parameters && !request.to.empty())
    throw UsageError("`to`", "needs a MODEL: its shapes decide the bytes");
  PlanOutcome out =
      request.parameters ? sizes_of_count(*request.parameters) : sizes_of_model(request, progress);
  out.by_dtype = dtype_sizes(out.parameters);
  if (!request.fit) return out;
  for (std::vector<SizeRow>* rows : {&out.by_dtype, &out.outputs}) {
    for (SizeRow& row : *rows)
      row.fits = row.bytes + out.kv_cache_bytes.value_or(0) <= *request.fit;
  }
  return out;
}

}  // namespace zp
