// Files that appear under their name only when they are complete.
//
// AtomicFile writes into a file without a name (O_TMPFILE) and links it on commit(), so that a
// process killed at any moment leaves nothing behind; where the file system has no unnamed files, a
// hidden file beside it (unfinished.h) is renamed instead. AtomicFolder builds a hidden folder and
// renames it. Positioned writes may come from many threads; everything else from one.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/unfinished.h"
#include "base/view.h"

namespace zp {

class AtomicFile {
 public:
  /// Reserves `bytes` on the disk, so that a full disk is known before the work starts.
  /// Throws Error when the path exists and `replace` is false, or nothing can be created there.
  AtomicFile(const std::filesystem::path& path, std::int64_t bytes, bool replace);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write_at(std::int64_t offset, Bytes bytes) const;
  /// Has all of it on the disk. done(bytes) is told of every part, and may throw. REQUIRES: all is
  /// written.
  void flush(const std::function<void(std::int64_t)>& done);
  /// Gives the file its name, once it is on the disk. REQUIRES: all is written; called once.
  void commit();

 private:
  std::filesystem::path path_;
  std::unique_ptr<Unfinished> partial_;  // nullptr while the file has no name
  int fd_ = -1;
  bool replace_ = false;
  bool flushed_ = false;
  mutable std::atomic<std::int64_t> written_ = 0;
};

class AtomicFolder {
 public:
  AtomicFolder(const std::filesystem::path& path, bool replace);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  /// Where to write the files; they are renamed with the folder.
  const std::filesystem::path& partial() const { return partial_.hidden(); }
  void commit();

 private:
  std::filesystem::path path_;
  Unfinished partial_;
  bool replace_ = false;
};

}  // namespace zp
