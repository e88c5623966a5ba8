// A folder as Hugging Face's and MLX's loaders expect it:
//
//   model.safetensors, or model-00001-of-0000N.safetensors... and model.safetensors.index.json
//   config.json
//   tokenizer.json ...     files of the source that are copied as they are
//
// Shards are filled in the order of the tensors; within one the wider element types come first, so
// that every tensor is aligned to its element.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "container/container.h"
#include "container/float_type.h"
#include "tensor/dtype.h"

namespace zp {

/// Loaders read shards of at most 5 GB without trouble; a larger tensor gets one of its own.
inline constexpr std::int64_t kShardBytes = 5'000'000'000;
/// The same, or what was asked for.
std::int64_t shard_bytes(const ContainerInput& input);

/// "00001-of-00003", of shard 0: as Hugging Face and llama.cpp number them.
std::string shard_number(std::size_t shard, std::size_t count);

/// A tensor whose bytes are known with the layout.
struct MadeTensor {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

/// A weight as the folder stores it: each plane of its grid is a tensor of the file. Experts' planes
/// of the same names lie one behind the other in one.
struct FolderTensor {
  struct Plane {
    std::string name;
    DType dtype;
    PlaneForm form = {};                   ///< its words are of the element type
    std::vector<std::int64_t> shape = {};  ///< of the same bytes; empty: the plane's array of words
  };
  const Weight* weight = nullptr;
  const RowReader* rows = nullptr;
  std::shared_ptr<const Grid> grid;
  std::vector<Plane> planes;
  World world = World::hf;            ///< whose shapes the tensors have
  bool stacked = false;               ///< an expert's, with the others' in tensors of those names
  std::vector<MadeTensor> made = {};  ///< what else its module has
};

/// The shards, and their index when there is more than one. `metadata` goes into every header.
/// beside: what is copied, into shards of its own.
Layout folder_layout(const std::vector<FolderTensor>& tensors,
                     const std::map<std::string, std::string>& metadata,
                     std::int64_t shard_bytes = kShardBytes, const Beside& beside = {});

bool has_file(const Layout& layout, std::string_view name);
void add_json(Layout& layout, std::string name, const Json& json);

/// Adds copies of the tokenizer's and generation's files and licences that the source has. Where it
/// holds its tokenizer in another form, tokenizer.json and tokenizer_config.json are made of that;
/// where it is no folder, generation_config.json of the tokens that begin, end and fill, and of how
/// they are drawn.
void add_companions(Layout& layout, const ContainerInput& input);
/// The same of what makes images and sound the model's input, and of code that config.json names.
void add_companions_of_whole(Layout& layout, const ContainerInput& input);
/// Notes where transformers, or what is built on it, will read that tokenizer otherwise.
void add_transformers_notes(Layout& layout, const ContainerInput& input);

/// config.json for the weights we write: the source's without what speaks of its own storage or of
/// code that isn't copied, the type and the tying of the head spelled out. has_beside: what predicts
/// further tokens is there, too. Throws Error when the source has none.
Json folder_config(const ContainerInput& input, const FloatType& type, bool has_beside = false);
/// The same for a model of several parts, which is written whole, with its code.
Json whole_config(const ContainerInput& input, const FloatType& type);

}  // namespace zp
