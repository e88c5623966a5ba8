#include "source/unread_files.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/json_file.h"
#include "format/cursor.h"
#include "format/imatrix.h"
#include "format/statistics.h"
#include "source/checkpoint.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;

// What begins a file, from byte `at` on. `text`: people may still mean its text.
struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::size_t at = 0;
  bool text = false;
};
constexpr std::array kMagics = {
    Magic{"version https://git-lfs",
          "a Git LFS pointer: \"git lfs pull\" fetches the file it stands for"},
    Magic{"tjgg", "a file of llama.cpp from before GGUF"},
    Magic{"fmgg", "a file of llama.cpp from before GGUF"},
    Magic{"lmgg", "a file of llama.cpp from before GGUF"},
    Magic{"\x1f\x8b", "a gzip archive"},
    Magic{"\xfd\x37zXZ", "an xz archive"},
    Magic{"\x28\xb5\x2f\xfd", "a zstd archive"},
    Magic{"BZh9", "a bzip2 archive"},
    Magic{"7z\xbc\xaf", "a 7z archive"},
    Magic{"ustar", "a tar archive", 257},
    Magic{"\x89HDF", "an HDF5 file, as of Keras"},
    Magic{"\x93NUMPY", "a NumPy array"},
    Magic{"TFL3", "a TensorFlow Lite model", 4},
    Magic{"<?xml", "XML, as of an OpenVINO model", 0, true},
    Magic{"<!DOCTYPE", "a web page", 0, true},
    Magic{"<!doctype", "a web page", 0, true},
    Magic{"<html", "a web page", 0, true},
    Magic{"{", "JSON", 0, true},
};

// What a GGUF file says of itself that is no model.
struct GgufKind {
  std::string_view key;
  std::string_view value;
  std::string_view what;
};
constexpr std::string_view kImatrix = "an imatrix, which `statistics` takes";
constexpr std::array kGgufKinds = {
    GgufKind{"general.type", "imatrix", kImatrix},
    GgufKind{"general.type", "adapter", "an adapter, to be merged into its base model first"},
    GgufKind{"general.type", "mmproj", "the part of a model that sees or hears"},
    GgufKind{"general.architecture", "clip", "the part of a model that sees or hears"},
};

// What a folder without a model has; the first that is there says what the folder is.
struct FolderSign {
  std::string_view name;
  std::string_view what;
};
constexpr std::array kFolderSigns = {
    FolderSign{"model_index.json", "a diffusers pipeline"},
    FolderSign{"onnx/model.onnx", "ONNX models in onnx/: name one of them"},
    FolderSign{"encoder_model.onnx", "an encoder and a decoder in ONNX"},
    FolderSign{"snapshots", "a repository in Hugging Face's cache: name a folder in snapshots/"},
    FolderSign{"consolidated.00.pth", "Meta's own form of Llama: transformers can convert it"},
    FolderSign{"tf_model.h5", "a TensorFlow model"},
    FolderSign{"flax_model.msgpack", "a Flax model"},
    FolderSign{"config.json", "config.json, and no weights"},
    FolderSign{"tokenizer.json", "a tokenizer alone"},
    FolderSign{"tokenizer.model", "a tokenizer alone"},
    FolderSign{"vocab.json", "a tokenizer alone"},
};

constexpr std::string_view kAdapterConfig = "adapter_config.json";
// Of PEFT and of mlx-lm.
constexpr std::array kAdapterFiles = {"adapter_model.safetensors"sv, "adapter_model.bin"sv,
                                      "adapters.safetensors"sv};
constexpr std::array kBaseFields = {"base_model_name_or_path", "model"};

const Magic* magic_of(std::string_view file) {
  const auto found = std::ranges::find_if(kMagics, [&](const Magic& magic) {
    return file.size() > magic.at && file.substr(magic.at).starts_with(magic.bytes);
  });
  return found == kMagics.end() ? nullptr : &*found;
}

bool begins_as_text(std::string_view file) {
  constexpr std::size_t kLooked = 4096;
  constexpr unsigned char kFirstPrintable = ' ';
  return !file.empty() && std::ranges::all_of(file.substr(0, kLooked), [](char c) {
    return static_cast<unsigned char>(c) >= kFirstPrintable || c == '\n' || c == '\r' || c == '\t';
  });
}

std::string describe_checkpoint(Bytes file, const SourceKind& kind) {
  std::string name = "a " + std::string(kind.name) + " file";
  if (kind.name != "gguf") return name;
  try {
    const std::string_view what = describe_gguf(gguf::read_header(file, {}).pairs);
    return what.empty() ? name : std::string(what);
  } catch (const Error&) {
    return name;
  }
}

}  // namespace

std::string describe_file(Bytes file) {
  if (const Magic* magic = magic_of(as_text(file))) return std::string(magic->what);
  if (is_statistics(file)) return "statistics of zeropoint calibrate, which `statistics` takes";
  if (const SourceKind* kind = source_kind_of(file)) return describe_checkpoint(file, *kind);
  if (is_imatrix(file)) return std::string(kImatrix);
  return begins_as_text(as_text(file)) ? "text" : "";
}

bool may_be_text(Bytes file) {
  const Magic* magic = magic_of(as_text(file));
  return (magic == nullptr || magic->text) && begins_as_text(as_text(file));
}

std::string_view describe_gguf(std::span<const gguf::Pair> metadata) {
  for (const GgufKind& kind : kGgufKinds) {
    for (const gguf::Pair& pair : metadata) {
      const auto* value = std::get_if<std::string>(&pair.value);
      if (pair.key == kind.key && value != nullptr && *value == kind.value) return kind.what;
    }
  }
  return {};
}

bool is_adapter_file(std::string_view name) {
  return std::ranges::find(kAdapterFiles, name) != kAdapterFiles.end();
}

std::string describe_adapter(const fs::path& folder) {
  const fs::path path = folder / kAdapterConfig;
  if (!fs::exists(path)) return {};
  const Json config = read_json(path);
  const JsonFields fields(config, path.string());
  std::string of;
  for (const char* field : kBaseFields) {
    if (of.empty() && fields.has(field) && fields.at(field).is_string())
      of = " of \"" + fields.text(field) + "\"";
  }
  return "a PEFT adapter" + of + ", which `adapter` takes beside its base model";
}

std::string describe_folder(const fs::path& folder) {
  if (std::string adapter = describe_adapter(folder); !adapter.empty()) return adapter;
  for (const FolderSign& sign : kFolderSigns) {
    if (fs::exists(folder / sign.name)) return std::string(sign.what);
  }
  return {};
}

}  // namespace zp
