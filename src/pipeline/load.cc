#include "pipeline/load.h"

#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/mapped_file.h"
#include "model/config_writer.h"
#include "pipeline/check_graph.h"
#include "source/folder.h"
#include "source/merged_adapter.h"
#include "source/peft_adapter.h"
#include "source/read_model.h"
#include "source/text_part.h"
#include "text/generation.h"
#include "text/token_rows.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

std::string name_of(const fs::path& path) {
  const fs::path full = fs::weakly_canonical(path);
  const fs::path last = full.has_filename() ? full.filename() : full.parent_path().filename();
  return fs::is_directory(full) ? last.string() : model_name_of(last);
}

// Rows of a known shape that nobody may read.
class Unread final : public RowReader {
 public:
  using RowReader::RowReader;
  void read(std::int64_t, std::int64_t, float*) const override {
    throw Error("config.json", "the weights are not there, only their shapes");
  }
};

}  // namespace

bool is_config(const fs::path& path) {
  if (!fs::is_regular_file(path)) return false;
  const MappedFile file(path);
  return !file.bytes().empty() && file.bytes()[0] == std::byte{'{'} && !is_index(path);
}

std::unique_ptr<LoadedModel> load_shapes(const fs::path& config) {
  auto loaded = std::make_unique<LoadedModel>();
  loaded->name = name_of(config);
  loaded->title = loaded->name;
  loaded->checkpoint.path = config;
  loaded->checkpoint.folder = config.parent_path();
  Json& json = loaded->checkpoint.config();
  json = read_json(config);
  if (std::optional<Json> text = text_config(json, config.string())) {
    json = std::move(*text);
    loaded->checkpoint.notes.emplace_back(
        "the text's part alone is counted; config.json does not say how large the others are");
  }
  const Architecture& architecture = find_architecture(json, config.string());
  Model& model = loaded->model;
  model.architecture = &architecture;
  model.decoder = architecture.read_config(json, config.string());
  for (TensorUse& use : tensor_uses(architecture, model.decoder)) {
    model.derived.push_back(std::make_unique<Unread>(use.rows, use.cols));
    model.weights.push_back({std::move(use), model.derived.back().get(), "bf16"});
  }
  return loaded;
}

std::unique_ptr<LoadedModel> load_model(const fs::path& path, const std::string& merge,
                                        const std::string& adapter) {
  auto loaded = std::make_unique<LoadedModel>();
  const std::optional<fs::path> base = base_of_adapter(path);
  loaded->checkpoint = open_checkpoint(base.value_or(path));
  if (base) loaded->checkpoint.notes.push_back("an adapter; its base model is " + base->string());
  if (!merge.empty()) merge_adapter(loaded->checkpoint, merge);
  loaded->name = name_of(path);
  loaded->title = title_of(loaded->checkpoint).value_or(loaded->name);
  loaded->pre_tokenizer = pre_tokenizer_of(loaded->checkpoint);
  loaded->provenance = provenance_of(loaded->checkpoint);
  loaded->model = read_model(loaded->checkpoint);
  check_graph(loaded->checkpoint, loaded->model);
  if (base) add_adapter(loaded->model, path);
  if (!adapter.empty()) add_adapter(loaded->model, adapter);
  loaded->tokenizer = tokenizer_of(loaded->checkpoint);
  if (loaded->tokenizer)
    leave_out_tokens_without_rows(*loaded->tokenizer, loaded->model.decoder.vocabulary);
  Json& config = loaded->checkpoint.config();
  if (config.is_null()) {
    config = write_config(*loaded->model.architecture, loaded->model.decoder);
    if (loaded->tokenizer)
      config.update(token_ids_json(*loaded->tokenizer, loaded->checkpoint.generation_config()));
  }
  return loaded;
}

std::unique_ptr<LoadedModel> load_model(const std::string& path, Progress& progress,
                                        const std::string& merge, const std::string& adapter) {
  std::unique_ptr<LoadedModel> loaded = load_model(fs::path(path), merge, adapter);
  constexpr std::size_t kLongest = 400;
  for (const std::string& note : notes_of(*loaded))
    progress.remark(printable(path) + ": " + printable(note, kLongest));
  return loaded;
}

std::vector<std::string> notes_of(const LoadedModel& loaded) {
  std::vector<std::string> notes = loaded.checkpoint.notes;
  const auto add = [&](const std::vector<std::string>& more) {
    notes.insert(notes.end(), more.begin(), more.end());
  };
  add(loaded.model.notes);
  if (loaded.tokenizer) add(loaded.tokenizer->notes);
  return notes;
}

Subject subject_of(const LoadedModel& loaded) {
  return {&loaded.model, loaded.tokenizer ? &*loaded.tokenizer : nullptr,
          loaded.checkpoint.path.string()};
}

}  // namespace zp
