// zeropoint plan: sizes, memory and what fits, before anything runs.
#include <fmt/core.h>

#include "base/human.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/command.h"
#include "pipeline/plan_sizes.h"
#include "report/inspect_text.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint plan --parameters 70B\n"
    "  zeropoint plan --parameters 7B --fit 16GB\n"
    "  zeropoint plan Phi-3.5-mini-instruct --to gguf:q4_0 --to mlx:int4:g64 --fit 8GB --context "
    "8192\n"
    "  zeropoint plan Phi-3.5-mini-instruct/config.json       (shapes alone are enough)";

struct Options {
  PlanRequest request;
  std::string parameters;
  std::string fit;
};

Json fits_json(const SizeRow& row) { return row.fits ? Json(*row.fits) : Json(); }

Json plan_json(const PlanOutcome& plan) {
  Json j{{"parameters", plan.parameters},
         {"outputs", Json::array()},
         {"memory_bytes", plan.memory_bytes}};
  for (const SizeRow& o : plan.outputs) {
    j["outputs"].push_back({{"target", o.name},
                            {"bytes", o.bytes},
                            {"bits_per_weight", o.bits_per_weight},
                            {"fits", fits_json(o)}});
  }
  if (plan.active_parameters > 0) j["active_parameters"] = plan.active_parameters;
  j["beside"] = to_json(plan.beside);
  j["by_dtype"] = Json::array();
  for (const SizeRow& d : plan.by_dtype)
    j["by_dtype"].push_back({{"dtype", d.name}, {"bytes", d.bytes}, {"fits", fits_json(d)}});
  j["kv_cache_bytes"] = plan.kv_cache_bytes ? Json(*plan.kv_cache_bytes) : Json();
  j["context"] = plan.kv_cache_bytes ? Json(plan.context) : Json();
  return j;
}

const char* verdict(const SizeRow& row) {
  return !row.fits ? "" : *row.fits ? "  fits" : "  does not fit";
}

void print(const PlanOutcome& plan, bool fit) {
  const bool exact = plan.kv_cache_bytes.has_value();
  const std::string active =
      plan.active_parameters == 0
          ? ""
          : fmt::format(", {} active for a token", human_count(plan.active_parameters));
  fmt::print("{}{}; bits / 8 x parameters:\n", human_counted(plan.parameters, "parameter"), active);
  for (const SizeRow& d : plan.by_dtype) {
    fmt::print("  {:<24} {:>7.3f} bits {:>10}{}\n", d.name, d.bits_per_weight, human_bytes(d.bytes),
               verdict(d));
  }
  if (!plan.beside.empty()) fmt::print("beside them: {}\n", beside_words(plan.beside));
  fmt::print("with scales and offsets{}:\n", exact ? ", exact file sizes" : ", rows of 4,096");
  for (const SizeRow& o : plan.outputs) {
    fmt::print("  {:<24} {:>7.3f} bits {:>10}{}{}\n", o.name, o.bits_per_weight,
               human_bytes(o.bytes), verdict(o),
               exact ? "  " + human_counted(o.bytes, "byte") : "");
  }
  if (exact) {
    fmt::print("KV cache of {} in FP16: {}{}\n", human_counted(plan.context, "token"),
               human_bytes(*plan.kv_cache_bytes), fit ? ", counted in what fits" : "");
    fmt::print("quantizing takes at most {} beside the mapped input\n",
               human_bytes(plan.memory_bytes));
  } else if (fit) {
    fmt::print("what fits is counted without the KV cache, which depends on the model's shapes\n");
  }
}

int plan_command(const Options& o, const Common& common) {
  PlanRequest request = o.request;
  if (!o.parameters.empty()) request.parameters = parse_parameters(o.parameters);
  if (!o.fit.empty()) request.fit = parse_size(o.fit, "--fit");
  const PlanOutcome plan = plan_sizes(request, *make_progress(common));
  if (common.json) {
    print_json(plan_json(plan));
  } else {
    print(plan, request.fit.has_value());
  }
  return 0;
}

}  // namespace

void add_plan(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "plan", "Sizes, memory and what fits, before anything runs", kExamples);
  auto o = std::make_shared<Options>();
  PlanRequest& request = o->request;
  sub.add_option("MODEL", request.model, "Checkpoint, or a config.json alone");
  sub.add_option("--parameters", o->parameters, "A count instead of a model: 70B, 3.8B, 124M");
  sub.add_option("--to", request.to, "CONTAINER[:GRID]; may be given several times")
      .allow_extra_args(false);
  sub.add_option("--fit", o->fit, "Memory of the device: 16GB, 8G");
  sub.add_option("--context", request.context, "Tokens the KV cache must hold")
      .range(1, std::int64_t{1} << 30)
      .capture_default_str();
  sub.callback([o, &common, &run] { run = [o, &common] { return plan_command(*o, common); }; });
}

}  // namespace zp::cli
