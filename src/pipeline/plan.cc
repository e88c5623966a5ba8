#include "pipeline/plan.h"

#include <algorithm>
#include <map>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/named.h"
#include "grid/bridge.h"
#include "pipeline/beside.h"
#include "pipeline/model_card.h"
#include "pipeline/pattern.h"
#include "tensor/dtype_name.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kTileWeights = 64 * 1024;
// Of a transposed plane each column of a tile is a write of its own: of int4 so many rows make
// 128 bytes.
constexpr std::int64_t kTransposedRows = 256;

std::shared_ptr<const Grid> grid_for(const Container& container, const std::string& spec,
                                     const Weight& weight) {
  return make_grid(spec, container.affine_defaults(weight.stored_type));
}

// A container's own name for a grid: of two that hold the same values GGUF's mxfp4 is mxfp4:blocks.
std::string in_full(const Container& container, const std::string& grid) {
  const Mixture* mixture = find_mixture(container.mixtures(), grid);
  const bool own = mixture != nullptr && mixture->grid.starts_with(grid + ":");
  return own ? std::string(mixture->grid) : grid;
}

// Why `grid` can't hold the weight there, or empty.
std::string refusal(const Container& container, const Grid& grid, const Weight& weight) {
  std::string why = grid.why_not(weight.use.cols);
  if (!why.empty()) return why;
  const Verdict verdict = container.accepts(grid, weight.use);
  return verdict.possible ? std::string() : verdict.why;
}

struct Chosen {
  std::shared_ptr<const Grid> grid;
  Choice choice;
};

// The grid of the first rule that matches; where it can't hold the rows, what the container's own
// tools would take instead. An exception the user spelled out is never replaced; but a pattern with
// * is meant for matrices, and passes over norms and biases that can't be held like them.
Chosen choose(const Container& container, const std::vector<Rule>& rules, std::size_t exceptions,
              const Asked& asked, const Weight& weight) {
  const std::string where = std::string(container.name()) + ", tensor \"" + weight.use.hf + "\"";
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    const bool meant =
        i < exceptions ? asked(rule.roles, weight.use) : matches(rule.roles, weight.use);
    if (!meant) continue;
    std::shared_ptr<const Grid> grid = grid_for(container, rule.grid, weight);
    const bool matrix = weight.use.is_matrix();
    const bool loose = i < exceptions && rule.roles.find('*') != std::string::npos;
    if (loose && !matrix && !refusal(container, *grid, weight).empty()) continue;
    std::string why = rule.why;
    const bool wanted_quantized = grid->family() != Family::floating;
    // Each fallback must name another grid; a container that cycles is cut off.
    for (int tries = 0; tries < 4; ++tries) {
      const std::string refused = refusal(container, *grid, weight);
      if (refused.empty()) {
        return {grid,
                {grid->spec(), why, container.accepts(*grid, weight.use).fidelity, wanted_quantized,
                 wanted_quantized && tries > 0}};
      }
      const std::string next = i < exceptions ? std::string() : container.fallback(*grid, weight);
      if (next.empty()) throw Error(where, grid->spec() + " is not possible: " + refused);
      why = refused + ", so not " + grid->spec();
      grid = grid_for(container, next, weight);
    }
    throw Error(where, "no grid fits", {}, rule.grid);
  }
  throw Error(where, "no rule gives it a grid");
}

fs::path default_path(const LoadedModel& loaded, const Container& container,
                      const std::string& grid) {
  std::string name = loaded.name + "-";
  if (container.extension().empty()) name += std::string(container.name()) + "-";
  for (const char c : grid) name += c == ':' ? '-' : c;
  return name + std::string(container.extension());
}

/// Whether the values of a stored type are held by a grid.
Bridge bridge_from(const std::string& stored_type, const Grid& grid) {
  try {
    return bridge(*make_grid(stored_type), grid);
  } catch (const UsageError&) {  // of a type that is no grid here
    return {};
  }
}

// What people should know who quantize what is quantized already; else empty.
std::string source_loss(std::span<const Assignment> assignments) {
  std::map<std::string, std::int64_t> tensors;
  std::map<std::pair<std::string, std::string>, Bridge> bridges;
  for (const Assignment& a : assignments) {
    const std::string& type = a.weight->stored_type;
    if (dtype_of_name(type) != nullptr) continue;
    ++tensors[type];
    const std::pair between(type, a.grid->spec());
    if (a.grid->family() != Family::floating && !bridges.contains(between))
      bridges[between] = bridge_from(type, *a.grid);
  }
  const auto any = [&](auto is) {
    return std::ranges::any_of(bridges, [&](const auto& b) { return is(b.second); });
  };
  const bool again = any([](const Bridge& b) { return !b.possible; });
  const bool perhaps = any([](const Bridge& b) { return !b.where.empty(); });
  std::string counts;
  for (const auto& [type, count] : tensors)
    counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " of " + type;
  if (counts.empty()) return {};
  return "the source is quantized (" + counts + " tensors): what that lost stays lost" +
         (again ? ", and rounding again adds to it; a source in floating point gives better files"
          : perhaps
              ? ", and rounding again adds to it where a grid doesn't hold the values (zeropoint "
                "list bridges)"
              : "");
}

// Texts would have tokens that no runtime finds in the embedding. Rows beyond the tokens are
// padding and do no harm.
void check_tokens_have_rows(const LoadedModel& loaded) {
  const std::int64_t rows = loaded.model.decoder.vocabulary;
  if (!loaded.tokenizer || std::ssize(loaded.tokenizer->tokens) <= rows) return;
  throw Error(loaded.checkpoint.path.string(), "more tokens than rows of the embedding",
              "at most " + std::to_string(rows), std::to_string(loaded.tokenizer->tokens.size()));
}

// Most likely a role or the end of a name is misspelled.
std::string no_match(const std::string& pattern, const Model& model) {
  std::vector<std::string> names;
  for (const Weight& weight : model.weights) {
    names.emplace_back(role_name(weight.use.place.role));
    std::string_view stem = weight.use.gguf;
    stem = stem.substr(0, stem.rfind('.'));
    names.emplace_back(stem.substr(stem.rfind('.') + 1));
  }
  const std::string meant = closest_name(pattern, names);
  return "no tensor of this model matches" +
         (meant.empty() ? "; see zeropoint list roles" : " (did you mean " + meant + "?)");
}

void check_no_mixture_of_another(const Container& container, const std::string& asked) {
  for (const Container* other : containers()) {
    if (find_mixture(other->mixtures(), asked) == nullptr) continue;
    const std::string name(container.name());
    throw UsageError("`to` " + name + ":" + asked, "a mixture of " + std::string(other->name()),
                     "a grid, such as " + std::string(container.default_grid()));
  }
}

// Whether `asked` is a mixture of the container's. Throws UsageError for what is no grid either.
bool is_mixture(const Container& container, const std::string& asked) {
  if (find_mixture(container.mixtures(), asked) != nullptr) return true;
  try {
    make_grid(asked, container.affine_defaults({}));
    return false;  // though another container may have a mixture of that name
  } catch (const UsageError&) {
    std::vector<std::string> names;
    for (const Mixture& mixture : container.mixtures()) names.emplace_back(mixture.name);
    check_no_mixture_of_another(container, asked);
    if (closest_name(asked, names).empty()) throw;
    throw UsageError("`to`", unknown_name("grid", asked, names),
                     "a name of zeropoint list mixtures or list grids", asked);
  }
}

// Of an output that is several files beside each other, by whose names a runtime finds all.
void check_files(const PlannedOutput& output, bool force) {
  if (output.layout.folder || output.layout.files.size() == 1) return;
  const std::string_view extension = output.container->extension();
  if (output.path.extension() != extension) {
    throw Error(output.path.string(), "no name for a model in several files",
                "one that ends in " + std::string(extension));
  }
  for (std::size_t f = 0; f < output.layout.files.size(); ++f)
    check_output_path(output.file(f), force);
}

PlannedOutput plan_output(const LoadedModel& loaded, const Recipe& recipe, const Model& model,
                          const Target& target) {
  const Container& container = find_container(target.container);
  PlannedOutput out;
  out.container = &container;
  const std::string asked =
      target.grid.empty() ? std::string(container.default_grid()) : target.grid;
  const bool mixture = is_mixture(container, asked);
  const Beside beside = copied_beside(loaded, model);
  const ContainerInput input{
      model,
      loaded.tokenizer ? &*loaded.tokenizer : nullptr,
      loaded.checkpoint.config(),
      loaded.checkpoint.generation_config(),
      loaded.checkpoint.folder,
      loaded.title,
      recipe.pre_tokenizer.empty() ? loaded.pre_tokenizer : recipe.pre_tokenizer,
      asked,
      recipe.importance != nullptr || recipe.statistics != nullptr,
      loaded.provenance,
      recipe.origin ? &*recipe.origin : nullptr,
      &beside,
      recipe.accurate,
      recipe.split_bytes};
  const Asked asked_for(model);
  for (const Exception& e : recipe.exceptions) {
    const auto used = [&](const Weight& w) { return asked_for(e.pattern, w.use); };
    if (std::none_of(model.weights.begin(), model.weights.end(), used)) {
      throw Error("`set` " + e.pattern, no_match(e.pattern, model));
    }
    out.rules.push_back({e.pattern, in_full(container, e.grid), "asked for"});
  }
  out.measured = !target.measured.empty();
  std::vector<Rule> rules = out.rules;
  for (const Exception& e : target.measured) rules.push_back({e.pattern, e.grid, "measured"});
  const std::size_t exceptions = rules.size();
  for (const Rule& rule : container.rules(asked, input)) {
    out.rules.push_back(rule);
    rules.push_back(rule);
  }

  std::vector<Assignment> assignments;
  for (const Weight& weight : model.weights) {
    Chosen chosen = choose(container, rules, exceptions, asked_for, weight);
    out.choices.push_back(chosen.choice);
    assignments.push_back({&weight, std::move(chosen.grid)});
  }
  out.grid = mixture ? asked : grid_for(container, asked, model.weights.front())->spec();
  out.path = target.path;
  if (out.path.empty())
    out.path = default_path(loaded, container, target.label.empty() ? asked : target.label);
  check_output_path(out.path, recipe.force);
  check_tokens_have_rows(loaded);
  if (recipe.split_bytes > 0 && !container.splits()) {
    throw UsageError("`split-size`", "not of " + std::string(container.name()),
                     "a container whose tensors may lie in several files");
  }
  out.layout = container.layout(input, assignments);
  check_files(out, recipe.force);
  if (recipe.accurate && !container.asks_for_accuracy())
    out.layout.notes.emplace_back(
        "`accurate` changes nothing here: " + std::string(container.name()) + " has no such word");
  if (recipe.importance != nullptr) {
    const std::vector<std::string>& notes = recipe.importance->notes();
    out.layout.notes.insert(out.layout.notes.end(), notes.begin(), notes.end());
  }
  for (std::string note : {source_loss(assignments), beside_note(loaded, out.layout)}) {
    if (!note.empty()) out.layout.notes.push_back(std::move(note));
  }
  add_model_card(loaded, recipe, model, out);
  return out;
}

std::int64_t tile_bytes(const TensorJob& job, const Coder& coder) {
  const std::int64_t weights = tile_rows(job, coder) * job.rows->cols();
  return weights * coder.tile().floats * static_cast<std::int64_t>(sizeof(float));
}

// Coded weights that stay in memory: where statistics go on with them those outside the layers and
// of two layers, and of one that is not saved yet.
std::int64_t coded_bytes(const PlannedOutput& output, const Recipe& recipe) {
  std::map<std::int64_t, std::int64_t> of_layer;
  for (const TensorJob& job : output.layout.jobs) {
    if (job.weight != nullptr)
      of_layer[job.weight->use.place.layer] += job.grid->bytes(job.rows->rows(), job.rows->cols());
  }
  std::int64_t most = 0;
  for (const auto& [layer, bytes] : of_layer) most = layer < 0 ? most : std::max(most, bytes);
  const auto wanted = [&](const TensorJob& job) {
    return job.weight != nullptr && recipe.statistics->wants(*job.weight);
  };
  const bool goes_on = std::ranges::any_of(output.layout.jobs, wanted);
  return (goes_on ? of_layer[-1] + 2 * most : 0) + (recipe.resume.empty() ? 0 : most);
}

// What is in memory already (tokenizer, headers) and the largest tiles that can be under way
// together.
std::int64_t memory_needed(const Plan& plan, const Recipe& recipe) {
  std::vector<std::int64_t> tiles;
  for (const PlannedOutput& out : plan.outputs) {
    for (const TensorJob& job : out.layout.jobs) {
      const std::int64_t bytes = tile_bytes(job, *recipe.coder);
      if (recipe.memory_bytes > 0 && bytes > recipe.memory_bytes) {
        throw Error("tensor \"" + job.name + "\"", "does not fit the memory budget",
                    "`memory` of at least " + std::to_string(bytes) + " bytes",
                    std::to_string(recipe.memory_bytes));
      }
      tiles.push_back(bytes);
    }
  }
  std::sort(tiles.rbegin(), tiles.rend());
  std::int64_t sum = own_memory_bytes();
  if (recipe.statistics != nullptr) {
    std::int64_t bytes = recipe.statistics->bytes();
    for (const PlannedOutput& output : plan.outputs) bytes += coded_bytes(output, recipe);
    if (recipe.memory_bytes > 0 && bytes > recipe.memory_bytes) {
      throw Error("`calibrate`", "statistics of one layer do not fit the memory budget",
                  "`memory` of at least " + std::to_string(bytes) +
                      " bytes, fewer `tokens`, or `method` mse",
                  std::to_string(recipe.memory_bytes));
    }
    sum += bytes;
  }
  for (std::size_t i = 0; i < tiles.size() && i < static_cast<std::size_t>(recipe.threads); ++i)
    sum += tiles[i];
  return sum;
}

}  // namespace

void check_output_path(const fs::path& path, bool force) {
  if (!force && fs::exists(fs::symlink_status(path))) {
    throw Error(path.string(), "already exists", "a new path, or `force`");
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) throw Error(folder.string(), "no such folder to write to");
}

std::int64_t tile_rows(const TensorJob& job, const Coder& coder) {
  if (job.grid->whole_tensor()) return job.rows->rows();
  const std::int64_t rows = kTileWeights / std::max<std::int64_t>(1, job.rows->cols());
  const bool transposed =
      std::ranges::any_of(job.planes, [](const PlaneTarget& p) { return p.form.transposed; });
  const std::int64_t least = std::max(coder.tile().rows, transposed ? kTransposedRows : 1);
  return std::min(round_up(std::max(rows, least), job.rows_together()), job.rows->rows());
}

double PlannedOutput::bits_per_weight(const Model& model) const {
  std::int64_t bytes = 0;
  for (const TensorJob& job : layout.jobs) {
    if (job.weight != nullptr) bytes += job.grid->bytes(job.rows->rows(), job.rows->cols());
  }
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(model.parameters());
}

fs::path PlannedOutput::file(std::size_t index) const {
  const std::string& name = layout.files[index].name;
  if (layout.folder) return path / name;
  return path.parent_path() / (path.stem().string() + name + path.extension().string());
}

fs::path PlannedOutput::opened() const { return layout.folder ? path : file(0); }

Plan make_plan(const LoadedModel& loaded, const Recipe& recipe) {
  Plan plan;
  plan.model = recipe.model != nullptr ? recipe.model : &loaded.model;
  for (const Target& target : recipe.targets) {
    plan.outputs.push_back(plan_output(loaded, recipe, *plan.model, target));
    const fs::path& path = plan.outputs.back().path;
    for (std::size_t i = 0; i + 1 < plan.outputs.size(); ++i) {
      if (fs::weakly_canonical(plan.outputs[i].path) == fs::weakly_canonical(path)) {
        throw Error("`to`", "two targets have the same path", {}, path.string());
      }
    }
  }
  plan.coder = recipe.coder;
  plan.importance = recipe.importance;
  plan.statistics = recipe.statistics;
  plan.resume = recipe.resume;
  plan.memory_bytes = memory_needed(plan, recipe);
  return plan;
}

}  // namespace zp
