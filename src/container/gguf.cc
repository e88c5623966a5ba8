// GGUF for llama.cpp: one file with the model's metadata, its tokenizer and its tensors; or, with a
// size for them, several: the first has the metadata, each says how many there are.
//
// Which grid for which tensor follows llama.cpp's own quantizer: its mixtures by their names
// (gguf_mixtures.cc); norms, biases, positions and convolutions stay FP32, the head keeps 6 bits or 8 where the
// rest has fewer, and rows that a type's blocks don't divide take another type.
#include "format/gguf.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/checked.h"
#include "base/error.h"
#include "container/checkpoint_folder.h"
#include "container/gguf_metadata.h"
#include "container/gguf_mixtures.h"
#include "container/gguf_tokenizer.h"
#include "format/gguf_sampling.h"
#include "model/gguf_rows.h"

namespace zp {
namespace {

constexpr std::string_view kFp32 = "fp32";
// Of blocks of 256, then of 32 for rows those don't divide. tq1_0 and tq2_0 are for weights that
// were trained to have three values.
constexpr std::array<std::string_view, 17> kBudgetGrids = {
    "iq1_s",  "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s",  "q2_k", "iq3_xxs", "q3_k", "iq3_s",
    "iq4_xs", "q4_k",  "q5_k",    "q6_k",   "iq4_nl", "q5_0", "q5_1",    "q8_0"};
constexpr std::string_view kHead = "q6_k";  // of block types that are no mixture

bool is_blocks(const gguf::Type& type) { return type.block > 1; }

class Gguf final : public Container {
 public:
  std::string_view name() const override { return "gguf"; }
  std::string_view summary() const override { return "llama.cpp and what is built on it"; }
  std::string_view extension() const override { return ".gguf"; }
  bool is_model() const override { return true; }
  bool splits() const override { return true; }
  std::string_view default_grid() const override { return "q4_k_m"; }
  std::span<const Mixture> mixtures() const override { return gguf_mixtures(); }
  std::span<const std::string_view> budget_grids() const override { return kBudgetGrids; }
  AffineForm affine_defaults(std::string_view) const override { return {}; }

  std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const override;
  Verdict accepts(const Grid& grid, const TensorUse& use) const override;
  std::string fallback(const Grid& grid, const Weight& weight) const override;
  Layout layout(const ContainerInput& input,
                std::span<const Assignment> assignments) const override;
};

std::vector<Rule> Gguf::rules(std::string_view grid, const ContainerInput& input) const {
  std::vector<Rule> rules = {
      {"*_norm", "fp32", "norms stay FP32"},
      {"*.bias", "fp32", "biases stay FP32"},
      {"position", "fp32", "positions stay FP32"},
      {"sinks", "fp32", "attention's sinks stay FP32"},
      {"convolution", "fp32", "convolutions stay FP32"},
      {"router", "fp32", "routers stay FP32"},
      {"shared_gate", "fp32", "gates of shared experts stay FP32"},
      {"expert_scale,layer_scale", "fp32", "factors stay FP32"},
      {"layer_projection", "fp32", "what layers have of the embedding stays FP32"},
      {"delta_rate", "fp32", "linear attention's rates stay FP32"},
      {"space_rate,space_skip", "fp32", "a state space's rates and shares stay FP32"},
      {"delta_beta,delta_decay,delta_beta_decay", "fp32",
       "small projections of linear attention stay FP32"},
  };
  const Mixture* mixture = find_mixture(gguf_mixtures(), grid);
  const gguf::Type* type = gguf::type_of_grid(grid);
  const bool blocks = type != nullptr && is_blocks(*type);
  const Mixture alone{grid, grid, blocks ? kHead : grid, "", 0, {}, {}};
  for (Rule& rule :
       mixture_rules(mixture != nullptr ? *mixture : alone, input.model.decoder, input.weighted)) {
    rules.push_back(std::move(rule));
  }
  return rules;
}

Verdict Gguf::accepts(const Grid& grid, const TensorUse& use) const {
  const gguf::Type* type = gguf::type_of_grid(grid.spec());
  if (type == nullptr) return {false, "GGUF has no tensor type for " + grid.spec()};
  if (!use.is_matrix() && grid.spec() != kFp32) {
    return {false, "llama.cpp takes norms, biases and convolutions in FP32 only"};
  }
  if (is_blocks(*type)) {
    if (use.place.role == Role::position)
      return {false, "llama.cpp takes positions in floating types only"};
  } else if (type->block_bytes > 4) {
    return {false, "llama.cpp does not compute with " + std::string(type->name)};
  }
  return {true, {}};
}

std::string Gguf::fallback(const Grid& grid, const Weight& weight) const {
  return std::string(grid.why_not(weight.use.cols).empty() ? "" : gguf_fallback(grid.spec()));
}

/// llama_ftype of the mixture asked for, else of the type that holds most of the weights.
std::int32_t file_type(const std::string& grid, std::span<const Assignment> assignments) {
  if (const Mixture* mixture = find_mixture(gguf_mixtures(), grid)) return mixture->file_type;
  std::map<std::int32_t, std::int64_t> weights;
  for (const Assignment& a : assignments) {
    weights[gguf::type_of_grid(a.grid->spec())->file_type] +=
        a.weight->use.rows * a.weight->use.cols;
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == weights.end() ? 0 : std::max(0, most->first);
}

std::vector<gguf::Pair> tokenizer_pairs(const ContainerInput& input) {
  if (input.tokenizer == nullptr) return gguf_no_tokenizer();
  return gguf_tokenizer(*input.tokenizer, input.model.decoder.vocabulary, input.generation_config,
                        input.pre_tokenizer,
                        input.folder.empty() ? input.name : input.folder.string());
}

/// Tensors in file order and jobs side by side; offsets come with the headers' bytes.
class Builder {
 public:
  explicit Builder(const ContainerInput& input) : input_(input) {}

  void add_weight(const Assignment& a) {
    const TensorUse& use = a.weight->use;
    const RowReader* rows = a.weight->rows;
    if (std::unique_ptr<RowReader> ordered = gguf_rows(*a.weight, input_.model.decoder)) {
      rows = ordered.get();
      layout_.derived.push_back(std::move(ordered));
    }
    add(use.gguf, use.shape(World::gguf), a.grid);
    layout_.jobs.back().weight = a.weight;
    layout_.jobs.back().rows = rows;
    if (rows == a.weight->rows) return;
    const bool columns = !gguf_columns(use, input_.model.decoder).empty();
    layout_.jobs.back().form = columns ? RowForm::gguf_columns : RowForm::gguf;
  }

  void add_rope(RopeTensor tensor) {
    const auto count = std::ssize(tensor.divisors);
    add(tensor.name, {count}, std::shared_ptr<const Grid>(make_grid(kFp32)));
    layout_.derived.push_back(constant_rows(std::move(tensor.divisors), 1, count));
    layout_.jobs.back().rows = layout_.derived.back().get();
  }

  Layout finish(std::int32_t file_type) {
    std::vector<gguf::Header> files = split();
    files.front().pairs = pairs(file_type);
    for (std::size_t f = 0; files.size() > 1 && f < files.size(); ++f)
      add_split_pairs(files[f], f, files.size());
    for (std::size_t f = 0; f < files.size(); ++f) {
      OutputFile file;
      if (files.size() > 1) file.name = "-" + shard_number(f, files.size());
      file.fixed.emplace_back(0, gguf::write_header(files[f]));
      file.bytes = files[f].data_begin;
      for (const gguf::TensorInfo& tensor : files[f].tensors)
        file.bytes =
            files[f].data_begin +
            round_up(checked_add(tensor.offset, tensor.bytes, tensor.name), files[f].alignment);
      layout_.files.push_back(std::move(file));
    }
    for (std::size_t i = 0; i < layout_.jobs.size(); ++i) {
      TensorJob& job = layout_.jobs[i];
      const Place at = places_[tensors_[i]];
      const gguf::TensorInfo& tensor = files[at.file].tensors[at.tensor];
      const std::int64_t expert = job.weight == nullptr ? -1 : job.weight->use.place.expert;
      const std::int64_t before =
          expert <= 0 ? 0 : expert * (tensor.bytes / job.weight->use.experts);
      job.planes = {{at.file, files[at.file].data_begin + tensor.offset + before}};
    }
    layout_.notes = gguf_notes(input_);
    return std::move(layout_);
  }

 private:
  struct Place {
    std::size_t file;
    std::size_t tensor;
  };

  std::vector<gguf::Pair> pairs(std::int32_t file_type) const {
    std::vector<gguf::Pair> pairs = gguf_metadata(input_, file_type);
    const auto add = [&](std::vector<gguf::Pair> more) {
      for (gguf::Pair& pair : more) pairs.push_back(std::move(pair));
    };
    add(gguf_provenance(input_, is_quantized()));
    if (!has_sampling(input_.provenance))  // which a GGUF file's are among
      add(sampling_pairs(input_.generation_config, input_.name));
    add(tokenizer_pairs(input_));
    return pairs;
  }

  // The tensors of each file, as llama.cpp's gguf-split cuts them.
  std::vector<gguf::Header> split() {
    std::vector<gguf::Header> files(1);
    std::int64_t filled = 0;
    for (const gguf::TensorInfo& tensor : tensors_of_model_) {
      const std::int64_t bytes = gguf::stored_bytes(tensor);
      const bool full = input_.split_bytes > 0 && filled > input_.split_bytes - bytes;
      if (full && filled > 0) {
        files.emplace_back();
        filled = 0;
      }
      places_.push_back({files.size() - 1, files.back().tensors.size()});
      files.back().tensors.push_back(tensor);
      filled = checked_add(filled, bytes, tensor.name);
    }
    return files;
  }

  void add_split_pairs(gguf::Header& file, std::size_t number, std::size_t count) const {
    if (count > UINT16_MAX) {
      throw Error("`split-size`", "too many files", "at most " + std::to_string(UINT16_MAX),
                  std::to_string(count));
    }
    const auto tensors = static_cast<std::int32_t>(tensors_of_model_.size());
    file.pairs.push_back({"split.no", static_cast<std::uint16_t>(number)});
    file.pairs.push_back({"split.count", static_cast<std::uint16_t>(count)});
    file.pairs.push_back({"split.tensors.count", tensors});
  }

  bool is_quantized() const {
    return std::ranges::any_of(
        layout_.jobs, [](const TensorJob& job) { return job.grid->family() != Family::floating; });
  }

  void add(const std::string& name, std::vector<std::int64_t> shape,
           std::shared_ptr<const Grid> grid) {
    const gguf::Type* type = gguf::type_of_grid(grid->spec());
    // Experts come one behind the other.
    if (tensors_of_model_.empty() || tensors_of_model_.back().name != name) {
      gguf::TensorInfo info;
      info.name = name;
      info.shape = std::move(shape);
      info.type = type;
      tensors_of_model_.push_back(std::move(info));
    } else if (tensors_of_model_.back().type != type) {
      throw Error("gguf, tensor \"" + name + "\"", "experts of one tensor on different grids");
    }
    tensors_.push_back(tensors_of_model_.size() - 1);
    TensorJob job;
    job.name = name;
    job.grid = std::move(grid);
    layout_.jobs.push_back(std::move(job));
  }

  const ContainerInput& input_;
  std::vector<gguf::TensorInfo> tensors_of_model_;
  std::vector<std::size_t> tensors_;  // each job's, of those
  std::vector<Place> places_;         // of those
  Layout layout_;
};

Layout Gguf::layout(const ContainerInput& input, std::span<const Assignment> assignments) const {
  for (const Assignment& a : assignments) {
    std::string why = a.grid->why_not(a.weight->use.cols);
    if (why.empty()) why = accepts(*a.grid, a.weight->use).why;
    if (!why.empty()) throw Error("gguf, tensor \"" + a.weight->use.gguf + "\"", why);
  }
  Builder builder(input);
  const bool always = input.model.architecture->gguf.always_rope_freqs;
  for (RopeTensor& tensor : gguf_rope_tensors(input.model.decoder.rope, always))
    builder.add_rope(std::move(tensor));
  for (const Assignment& a : assignments) builder.add_weight(a);
  return builder.finish(file_type(input.grid, assignments));
}

const Gguf kGguf;

}  // namespace

extern const Container& container_gguf;
const Container& container_gguf = kGguf;

}  // namespace zp
