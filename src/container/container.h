// A container: in which files the bytes lie, for which runtime.
//
// A container never touches weights. It answers what it can hold and lays the output out: final
// header bytes, and for every tensor which rows, which grid and where each plane goes. The pipeline
// streams the weights through that layout, so sizes are known before the first weight is read.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "container/mixture.h"
#include "format/gguf.h"
#include "format/plane_form.h"
#include "grid/grid.h"
#include "model/architecture.h"
#include "model/beside.h"
#include "text/tokenizer.h"

namespace zp {

/// Where statistics of the model's inputs come from. Names of files without their folders.
struct StatisticsOrigin {
  std::string file;          ///< of statistics; empty: computed in the same run
  std::string dataset;       ///< texts; empty: unknown
  std::int64_t entries = 0;  ///< matrices they weigh
  std::int64_t chunks = 0;   ///< windows of the text
};

/// Everything a container may write.
struct ContainerInput {
  const Model& model;
  const Tokenizer* tokenizer = nullptr;  ///< nullptr: the checkpoint has none
  const Json& config;                    ///< config.json, or null
  const Json& generation_config;         ///< or null
  std::filesystem::path folder;          ///< of the checkpoint, for files copied as they are
  std::string name;                      ///< of the model, for people
  std::string pre_tokenizer;             ///< overrides GGUF's pre-tokenizer name when not empty
  std::string grid = {};                 ///< what was asked for: a grid's spec or a mixture's name
  bool weighted = false;                 ///< importance of columns is known
  std::span<const gguf::Pair> provenance = {};   ///< as provenance_of() of the source has it
  const StatisticsOrigin* statistics = nullptr;  ///< nullptr: none, or unknown
  const Beside* beside = nullptr;                ///< what may be copied; nullptr: nothing
  bool accurate = false;         ///< the runtime is asked to compute what the weights say
  std::int64_t split_bytes = 0;  ///< of tensors in a file, at most; 0: what is usual there
};

/// First match wins. An empty field matches everything.
struct Rule {
  std::string roles;  ///< role names or tensor name globs, comma-separated: "head", "embedding",
                      ///< "layers.0-1.*"
  std::string grid;   ///< spec
  std::string why;    ///< for --dry-run
};

/// What became of values: the grid's very bytes, the same values in other bytes, or less.
enum class Fidelity { exact, repacked, quantized };
std::string_view fidelity_word(Fidelity fidelity);

struct Verdict {
  bool possible = false;
  std::string why;                      ///< when not possible
  Fidelity fidelity = Fidelity::exact;  ///< repacked: the values in other bytes than the planes'
};

struct PlaneTarget {
  std::size_t file = 0;     ///< index into Layout::files
  std::int64_t offset = 0;  ///< of its first byte
  PlaneForm form = {};      ///< how it lies there
};

/// How a job's rows differ from their weight's.
enum class RowForm {
  same,
  gguf,
  gguf_columns,  ///< and their columns are in another order
  transposed,
  stacked,  ///< of several weights, of which the job has the first
};

struct TensorJob {
  std::string name;                ///< in the output
  const Weight* weight = nullptr;  ///< what it is; nullptr for tensors made by the container
  const RowReader* rows = nullptr;
  std::shared_ptr<const Grid> grid;
  std::vector<PlaneTarget> planes;  ///< one per plane of the grid
  RowForm form = RowForm::same;

  PlaneShape plane_shape(std::size_t plane) const;
  /// Whether its rows are those of the weight, in whatever order, and its columns in the same.
  bool has_own_rows() const { return form == RowForm::same || form == RowForm::gguf; }
  /// Rows that share words with no other ones, in every plane.
  std::int64_t rows_together() const;
};

/// A plane of all rows.
PlaneShape plane_shape(const Grid& grid, const RowReader& rows, std::size_t plane);

struct OutputFile {
  /// Inside the folder; of an output that is no folder what stands before its name's extension, empty
  /// where it is one file.
  std::string name;
  std::vector<std::pair<std::int64_t, std::vector<std::byte>>>
      fixed;  ///< bytes known now, by offset
  std::vector<std::pair<std::int64_t, Bytes>>
      copied;                     ///< bytes of the checkpoint, by offset; borrowed
  std::filesystem::path copy_of;  ///< instead: a copy of this file
  std::int64_t bytes = 0;
};

/// Borrows the model and the checkpoint.
struct Layout {
  bool folder = false;
  std::vector<OutputFile> files;
  std::vector<TensorJob> jobs;
  std::vector<std::unique_ptr<RowReader>> derived;  ///< readers the container made
  /// Where the runtime will compute something else than the model says; for people.
  std::vector<std::string> notes;
  std::vector<BesideTensor> beside;  ///< that are copied, of those beside the decoder
  std::int64_t bytes() const;
  std::int64_t copied_bytes() const;
};

/// A weight and the grid chosen for it (by rules and --set).
struct Assignment {
  const Weight* weight = nullptr;
  std::shared_ptr<const Grid> grid;
};

class Container {
 public:
  virtual ~Container() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  virtual std::string_view extension() const = 0;  ///< ".gguf", or "" for a folder
  /// Whether our sources read back what it writes, so that it can be judged.
  virtual bool is_model() const = 0;
  /// Whether its files can ask a runtime that rounds activations or caches by default not to.
  virtual bool asks_for_accuracy() const { return false; }
  /// GRID a runtime's user would take when none is given.
  virtual std::string_view default_grid() const = 0;
  /// Names for rules beside the grids' own; one that is also a grid's means the mixture as a
  /// target.
  virtual std::span<const Mixture> mixtures() const { return {}; }
  /// Grids that a budget is spent on (--fit), tensor by tensor; none: the container takes no
  /// budget.
  virtual std::span<const std::string_view> budget_grids() const { return {}; }
  /// Whether all experts of a layer are on one grid: gate, up and down, not each of them alone.
  virtual bool one_grid_for_experts() const { return false; }
  /// What a spec leaves out, filled in with the container's native form for weights of this type.
  virtual AffineForm affine_defaults(std::string_view stored_type) const = 0;
  /// Which grid for which tensor when the user asks for `grid`: norms, biases, head, embedding,
  /// fallbacks for row lengths, the rest. Printed before anything runs.
  virtual std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const = 0;
  virtual Verdict accepts(const Grid& grid, const TensorUse& use) const = 0;
  /// The grid to take for a tensor whose row length `grid` can't hold (or which accepts refuses),
  /// as this runtime's own tools do; empty: there is none, the request is refused.
  virtual std::string fallback(const Grid& grid, const Weight& weight) const = 0;
  /// assignments: one for each weight of the model. Throws Error.
  virtual Layout layout(const ContainerInput& input,
                        std::span<const Assignment> assignments) const = 0;
  /// Whether tensors may lie in several files.
  virtual bool splits() const { return false; }
};

std::span<const Container* const> containers();
/// Throws UsageError naming the containers there are.
const Container& find_container(std::string_view name);

}  // namespace zp
