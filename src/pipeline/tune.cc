#include "pipeline/tune.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/human.h"
#include "base/memory.h"
#include "format/peft.h"
#include "model/network.h"
#include "pipeline/lessons.h"
#include "pipeline/pattern.h"
#include "pipeline/plan.h"
#include "pipeline/text_files.h"
#include "source/gguf_adapter.h"
#include "source/peft_adapter.h"

namespace zp {
namespace {

constexpr std::string_view kGguf = ".gguf";

template <class T>
void check_within(const char* field, T value, T least, T most) {
  if (value >= least && value <= most) return;
  throw UsageError(field, "out of range", fmt::format("{} to {}", least, most),
                   fmt::format("{}", value));
}

LoraOptions options_of(const TuneRequest& request) {
  constexpr std::int64_t kMost = 1 << 20;
  if (request.method != "lora")
    throw UsageError("`method`", "no such way to tune", "lora", request.method);
  const double alpha = request.alpha.value_or(2 * static_cast<double>(request.rank));
  check_within<std::int64_t>("`rank`", request.rank, 1, 1 << 16);
  check_within("`alpha`", alpha, 1e-6, 1e6);
  check_within("`rate`", request.rate, 1e-12, 1e6);
  check_within<std::int64_t>("`passes`", request.passes, 1, kMost);
  check_within<std::int64_t>("`batch`", request.batch, 1, kMost);
  check_within<std::int64_t>("`max-tokens`", request.max_tokens, 2, kMost);
  return {request.rank,
          alpha,
          {.passes = request.passes,
           .batch = request.batch,
           .rate = request.rate,
           .seed = request.seed}};
}

// A linear of the layers whose module is a matrix in every checkpoint: experts may be stacked.
bool has_module(const Network& network, const TensorUse& use) {
  return use.is_matrix() && use.place.layer >= 0 && use.place.expert < 0 &&
         !stays_float(use.place.role) && input_of(network, use).has_value();
}

std::vector<Place> places_of(const Model& model, const std::string& roles) {
  const Network network = record(model);
  const Asked asked(model);
  std::vector<Place> places;
  for (const Weight& weight : model.weights) {
    if (has_module(network, weight.use) && (roles.empty() || asked(roles, weight.use)))
      places.push_back(weight.use.place);
  }
  if (places.empty())
    throw Error("`roles`", "no linear of the layers, but those of experts", "such as query,value",
                roles);
  return places;
}

std::string end_of(const std::string& module) {
  const std::size_t dot = module.rfind('.');
  return dot == std::string::npos ? module : module.substr(dot + 1);
}

// The ends of the adapted modules' names, where no other matrix has such an end; else the names.
std::vector<std::string> targets_of(const Model& model, const std::vector<peft::Module>& modules) {
  std::set<std::string> names;
  std::set<std::string> ends;
  for (const peft::Module& module : modules) {
    names.insert(module.name);
    ends.insert(end_of(module.name));
  }
  for (const Weight& weight : model.weights) {
    const std::string name = peft_name(weight.use);
    if (weight.use.is_matrix() && !names.contains(name) && ends.contains(end_of(name)))
      return {names.begin(), names.end()};
  }
  return {ends.begin(), ends.end()};
}

peft::Adapter stored(const TuneRequest& request, const LoraOptions& options, const Model& model,
                     std::vector<Adapter>& adapters) {
  peft::Adapter out;
  out.base = request.model;
  out.rank = options.rank;
  out.alpha = options.alpha;
  for (Adapter& adapter : adapters) {
    const TensorUse& use = model.find(adapter.place)->use;
    out.transposed = out.transposed || use.transposed;
    out.modules.push_back({peft_name(use), adapter.inputs, adapter.outputs, std::move(adapter.a),
                           std::move(adapter.b)});
  }
  out.targets = targets_of(model, out.modules);
  return out;
}

void write(peft::Adapter adapter, const Model& model, const TuneRequest& request) {
  if (request.output.ends_with(kGguf)) {
    gguf::write_lora(adapter_to_gguf(std::move(adapter), model), request.output, request.force);
  } else {
    peft::write(adapter, request.output, request.force);
  }
}

void check_memory(std::int64_t bytes, const TuneRequest& request) {
  const std::int64_t memory = request.memory.value_or(machine_memory_bytes() / 4);
  if (memory == 0 || bytes <= memory) return;
  throw Error("tune", "does not fit the memory budget",
              "`memory` of at least " + std::to_string(bytes) +
                  " bytes, fewer `max-tokens`, or a lower `rank`",
              std::to_string(memory));
}

void say_left_out(const Lessons& lessons, std::int64_t most, Progress& progress) {
  if (lessons.too_long == 0) return;
  progress.remark(fmt::format("note: {} of {} longer than {} with what is read before: left out",
                              human_count(lessons.too_long),
                              human_counted(lessons.answers, "answer"),
                              human_counted(most, "token")));
}

}  // namespace

TuneOutcome tune(const TuneRequest& request, const Team& team, Progress& progress) {
  const LoraOptions options = options_of(request);
  if (request.data.empty()) throw UsageError("`data`", "nothing to learn from", "a text");
  check_output_path(request.output, request.force || request.dry_run);
  progress.when_interrupted("nothing was written");
  const std::unique_ptr<LoadedModel> loaded = load_model(request.model, progress);
  const Model& model = loaded->model;
  check_adaptable(*model.architecture, request.model);
  if (loaded->checkpoint.whole)
    progress.remark("note: the adapter names the matrices of the text's part as a model alone");
  if (!loaded->tokenizer) throw Error(request.model, "has no tokenizer");
  const std::vector<Place> places = places_of(model, request.roles);
  const std::vector<Document> documents = read_documents(request.data);
  UnreadRemarks().say(documents, *loaded, progress);
  const std::int64_t most = model.decoder.context > 0
                                ? std::min(request.max_tokens, model.decoder.context)
                                : request.max_tokens;
  const Lessons lessons =
      make_lessons(documents, *loaded->tokenizer, request.model, request.data.front(), most);
  say_left_out(lessons, most, progress);

  TuneOutcome out;
  out.matrices = std::ssize(places);
  for (const Place place : places) {
    const TensorUse& use = model.find(place)->use;
    out.parameters += options.rank * (use.rows + use.cols);
  }
  out.lessons = std::ssize(lessons.learned);
  out.held_out = std::ssize(lessons.held_out);
  for (const Lesson& lesson : lessons.learned) {
    out.tokens += std::ssize(lesson.ids);
    out.tokens_said += lesson.tokens_said();
  }
  out.answers = lessons.answers;
  out.too_long = lessons.too_long;
  out.bytes = out.parameters * static_cast<std::int64_t>(sizeof(float));
  out.memory_bytes = lora_bytes(model, places, lessons.longest(), options.rank, team.threads());
  check_memory(out.memory_bytes, request);
  out.lora.steps = options.schedule.steps_of(out.lessons);
  if (request.dry_run) return out;

  const auto begin = std::chrono::steady_clock::now();
  out.lora = train_lora(model, places, lessons.learned, lessons.held_out, options, team, progress);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (out.lora.best == 0)
    throw Error(request.output,
                "not written: nothing that was learned is better on what is held out",
                "another `rate`, more `passes` or more text");
  write(stored(request, options, model, out.lora.adapters), model, request);
  return out;
}

}  // namespace zp
