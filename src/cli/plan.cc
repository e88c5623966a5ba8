// zeropoint plan: sizes, memory and what fits, before anything runs.
#include "pipeline/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/human.h"
#include "base/size.h"
#include "cli/command.h"
#include "report/sizes.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint plan --parameters 70B\n"
    "  zeropoint plan --parameters 7B --fit 16GB\n"
    "  zeropoint plan Phi-3.5-mini-instruct --to gguf:q4_0 --to mlx:int4:g64 --fit 8GB --context "
    "8192\n"
    "  zeropoint plan Phi-3.5-mini-instruct/config.json       (shapes alone are enough)";

// What is shown when no --to asks for anything.
constexpr std::array kUsualTargets = {"gguf:fp16",    "gguf:q8_0", "gguf:q5_1",    "gguf:q5_0",
                                      "gguf:q4_1",    "gguf:q4_0", "mlx:int8:g64", "mlx:int4:g64",
                                      "mlx:int3:g64", "hf:bf16"};

struct Options {
  std::string model;
  std::string parameters;
  std::vector<std::string> targets;
  std::string fit;
  std::int64_t context = 4096;
};

struct Output {
  std::string target;
  std::int64_t bytes;
  double bits_per_weight;
};

struct Answer {
  std::int64_t parameters = 0;
  std::vector<Output> outputs;
  std::int64_t memory_bytes = 0;
  std::int64_t kv_cache = -1;  // -1: unknown without the model's shapes
  std::int64_t context = 0;
};

Answer answer_for_model(const Options& o, const Common& common) {
  const std::unique_ptr<LoadedModel> loaded =
      is_config(o.model) ? load_shapes(o.model) : load_model(o.model, *make_progress(common));
  Answer answer;
  answer.parameters = loaded->model.parameters();
  std::vector<std::string> targets = o.targets;
  if (targets.empty()) targets.assign(kUsualTargets.begin(), kUsualTargets.end());
  for (const std::string& text : targets) {
    Recipe recipe;
    recipe.targets = {parse_target(text)};
    recipe.force = true;  // nothing is written: what exists doesn't matter
    const Plan plan = make_plan(*loaded, recipe);
    const PlannedOutput& output = plan.outputs.front();
    answer.outputs.push_back({text, output.layout.bytes(), output.bits_per_weight(loaded->model)});
    answer.memory_bytes = std::max(answer.memory_bytes, plan.memory_bytes);
  }
  answer.context = loaded->model.decoder.context > 0
                       ? std::min(o.context, loaded->model.decoder.context)
                       : o.context;
  answer.kv_cache = kv_cache_bytes(loaded->model.decoder, answer.context);
  return answer;
}

Answer answer_for_count(const Options& o) {
  if (!o.targets.empty()) throw UsageError("--to", "needs a MODEL: its shapes decide the bytes");
  Answer answer;
  answer.parameters = parse_parameters(o.parameters);
  for (const SizeRow& row : grid_sizes(answer.parameters)) {
    answer.outputs.push_back({row.name, row.bytes, row.bits_per_weight});
  }
  return answer;
}

void print(const Answer& a, std::int64_t budget, bool json) {
  const std::int64_t beside = std::max<std::int64_t>(0, a.kv_cache);
  const auto fits = [&](std::int64_t bytes) { return bytes + beside <= budget; };
  const std::vector<SizeRow> dtypes = dtype_sizes(a.parameters);
  if (json) {
    Json j{
        {"parameters", a.parameters}, {"outputs", Json::array()}, {"memory_bytes", a.memory_bytes}};
    for (const Output& o : a.outputs) {
      Json row{{"target", o.target}, {"bytes", o.bytes}, {"bits_per_weight", o.bits_per_weight}};
      row["fits"] = budget > 0 ? Json(fits(o.bytes)) : Json();
      j["outputs"].push_back(std::move(row));
    }
    j["by_dtype"] = Json::array();
    for (const SizeRow& d : dtypes) {
      Json row{{"dtype", d.name}, {"bytes", d.bytes}};
      row["fits"] = budget > 0 ? Json(fits(d.bytes)) : Json();
      j["by_dtype"].push_back(std::move(row));
    }
    j["kv_cache_bytes"] = a.kv_cache >= 0 ? Json(a.kv_cache) : Json();
    j["context"] = a.kv_cache >= 0 ? Json(a.context) : Json();
    print_json(j);
    return;
  }
  const auto verdict = [&](std::int64_t bytes) {
    return budget <= 0 ? "" : fits(bytes) ? "  fits" : "  does not fit";
  };
  fmt::print("{}; bits / 8 x parameters:\n", human_counted(a.parameters, "parameter"));
  for (const SizeRow& d : dtypes) {
    fmt::print("  {:<24} {:>7.3f} bits {:>10}{}\n", d.name, d.bits_per_weight, human_bytes(d.bytes),
               verdict(d.bytes));
  }
  fmt::print("with scales and offsets{}:\n",
             a.kv_cache >= 0 ? ", exact file sizes" : ", rows of 4,096");
  for (const Output& o : a.outputs) {
    fmt::print("  {:<24} {:>7.3f} bits {:>10}{}{}\n", o.target, o.bits_per_weight,
               human_bytes(o.bytes), verdict(o.bytes),
               a.kv_cache >= 0 ? "  " + human_counted(o.bytes, "byte") : "");
  }
  if (a.kv_cache >= 0) {
    fmt::print("KV cache of {} in FP16: {}{}\n", human_counted(a.context, "token"),
               human_bytes(a.kv_cache), budget > 0 ? ", counted in what fits" : "");
    fmt::print("quantizing takes at most {} beside the mapped input\n",
               human_bytes(a.memory_bytes));
  } else if (budget > 0) {
    fmt::print("what fits is counted without the KV cache, which depends on the model's shapes\n");
  }
}

int plan(const Options& o, const Common& common) {
  if (o.model.empty() == o.parameters.empty()) {
    throw UsageError("plan", "one of them", "a MODEL, or --parameters COUNT");
  }
  const std::int64_t budget = o.fit.empty() ? 0 : parse_size(o.fit, "--fit");
  print(o.model.empty() ? answer_for_count(o) : answer_for_model(o, common), budget, common.json);
  return 0;
}

}  // namespace

void add_plan(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(
      app, common, "plan", "Sizes, memory and what fits, before anything runs", kExamples);
  auto o = std::make_shared<Options>();
  sub.add_option("MODEL", o->model, "Checkpoint, or a config.json alone");
  sub.add_option("--parameters", o->parameters, "A count instead of a model: 70B, 3.8B, 124M");
  sub.add_option("--to", o->targets, "CONTAINER[:GRID]; may be given several times")
      .allow_extra_args(false);
  sub.add_option("--fit", o->fit, "Memory of the device: 16GB, 8G");
  sub.add_option("--context", o->context, "Tokens the KV cache must hold")
      .range(1, std::int64_t{1} << 30)
      .capture_default_str();
  sub.callback([o, &common, &run] { run = [o, &common] { return plan(*o, common); }; });
}

}  // namespace zp::cli
