#include "base/error.h"
#include "base/json_file.h"
#include "source/checkpoint.h"
#include "source/description.h"
#include "source/mlx.h"
#include "source/mxfp4.h"
#include "source/provenance.h"
#include "source/quantized.h"
#include "source/text_part.h"
#include "source/unread_files.h"
#include "source/weight_layout.h"
#include "text/read_tokenizer.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

std::string config_path(const Checkpoint& checkpoint) {
  return (checkpoint.folder / "config.json").string();
}

Json read_if_there(const fs::path& path) {
  return fs::exists(path) ? read_python_json(path) : Json();
}

void complete(Checkpoint& checkpoint) {
  checkpoint.config() = read_if_there(checkpoint.folder / "config.json");
  checkpoint.generation_config() = read_if_there(checkpoint.folder / "generation_config.json");
  join_mlx(checkpoint);
  join_mxfp4(checkpoint);
  join_weight_layouts(checkpoint);
  settle_quantization(checkpoint);
  take_text_part(checkpoint, config_path(checkpoint));
  if (const std::string adapter = describe_adapter(checkpoint.folder); !adapter.empty())
    checkpoint.notes.push_back("the folder also has " + adapter + "; it is not applied");
}

const Architecture& architecture(const Checkpoint& checkpoint) {
  if (checkpoint.config().is_null()) {
    const std::string adapter = describe_adapter(checkpoint.folder);
    throw Error(checkpoint.path.string(), "can't tell what the model computes",
                "config.json beside the weights", adapter.empty() ? "none" : adapter);
  }
  return find_architecture(checkpoint.config(), config_path(checkpoint));
}

Decoder decoder(const Architecture& architecture, const Checkpoint& checkpoint) {
  return architecture.read_config(checkpoint.config(), config_path(checkpoint));
}

std::optional<Tokenizer> tokenizer(const Checkpoint& checkpoint) {
  return read_tokenizer(checkpoint.folder);
}

std::vector<gguf::Pair> provenance(const Checkpoint& checkpoint) {
  return card_provenance(checkpoint.folder);
}

std::optional<std::string> title(const Checkpoint&) { return std::nullopt; }

std::string pre_tokenizer(const Checkpoint&) { return {}; }

}  // namespace

const Description folder_description = {complete,   architecture, decoder,      tokenizer,
                                        provenance, title,        pre_tokenizer};

}  // namespace zp
