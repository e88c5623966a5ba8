// A whole file, mapped read-only.
#pragma once

#include <filesystem>
#include <string>

#include "base/view.h"

namespace zp {

/// Owns the mapping; const use from many threads is safe. A file of no bytes maps to an empty span.
class MappedFile {
 public:
  /// Throws Error when the path is no regular file or can't be read.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  Bytes bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The text of a small file. Throws Error when it can't be read or is larger than `limit` bytes.
std::string read_text(const std::filesystem::path& path, std::int64_t limit = 256 << 20);

}  // namespace zp
