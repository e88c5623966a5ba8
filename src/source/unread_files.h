// What a file or folder is that holds no model this program reads, in words for refusals: a Git LFS
// pointer, a PEFT adapter, an imatrix, an archive ... Each is a row of a table in the .cc file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/view.h"
#include "format/gguf.h"

namespace zp {

/// "a Git LFS pointer: ...", "text", or "a gguf file" for a checkpoint; empty when nothing is
/// known.
std::string describe_file(Bytes file);
/// Whether the file begins with no control characters but white space, and isn't known as another
/// kind than text.
bool may_be_text(Bytes file);
/// A GGUF file that is no model by what it says of itself ("an imatrix"); empty for a model.
std::string_view describe_gguf(std::span<const gguf::Pair> metadata);
/// "a PEFT adapter of NAME: ...", "a tokenizer alone"; empty when nothing is known.
std::string describe_folder(const std::filesystem::path& folder);

/// Whether files of this name hold an adapter's weights.
bool is_adapter_file(std::string_view name);
/// What the folder's adapter_config.json says of it, as describe_folder; empty when there is none.
std::string describe_adapter(const std::filesystem::path& folder);

}  // namespace zp
