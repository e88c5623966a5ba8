#include "pipeline/load.h"

#include "base/error.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

std::string name_of(const fs::path& path) {
  const fs::path full = fs::weakly_canonical(path);
  const fs::path last = full.has_filename() ? full.filename() : full.parent_path().filename();
  return fs::is_directory(full) ? last.string() : last.stem().string();
}

}  // namespace

std::unique_ptr<LoadedModel> load_model(const fs::path& path) {
  auto loaded = std::make_unique<LoadedModel>();
  loaded->checkpoint = open_checkpoint(path);
  loaded->name = name_of(path);
  const Checkpoint& checkpoint = loaded->checkpoint;
  if (checkpoint.config.is_null()) {
    throw Error(path.string(), "can't tell what the model computes",
                "config.json beside the weights", "none");
  }
  const std::string config_path = (checkpoint.folder / "config.json").string();
  const Architecture& architecture = find_architecture(checkpoint.config, config_path);
  loaded->model = bind_model(architecture, architecture.read_config(checkpoint.config, config_path),
                             checkpoint.tensors, path.string());
  loaded->tokenizer = read_tokenizer(checkpoint.folder);
  return loaded;
}

}  // namespace zp
