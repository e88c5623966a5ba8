#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "base/error.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kFlush = 1 << 26;      // bytes
constexpr std::int64_t kFlushPart = 1 << 23;  // bytes: well below a second on any disk

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

[[noreturn]] void fail(const fs::path& path, const char* what, int reason) {
  throw Error(path.string(), std::string(what) + ": " + std::strerror(reason));
}

[[noreturn]] void fail_exists(const fs::path& path) {
  throw Error(path.string(), "already exists", "a new path, or `force`");
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path, std::int64_t bytes, bool replace)
    : path_(path), replace_(replace) {
  if (!path.has_filename()) throw Error(path.string(), "can't write", "a file's path");
  std::error_code ignored;
  const auto status = fs::symlink_status(path, ignored);
  if (fs::is_directory(status))
    throw Error(path.string(), "can't write", "a file's path", "a folder");
  if (!replace && fs::exists(status)) fail_exists(path);
  remove_left_behind(path);
  fd_ = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  if (fd_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    partial_ = std::make_unique<Unfinished>(path);
    fd_ = ::open(partial_->hidden().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                 0644);
    partial_->lock();
  }
  if (fd_ < 0) fail(path, "can't create", errno);
  if (bytes > 0) {
    const int reason = ::posix_fallocate(fd_, 0, bytes);
    if (reason != 0 && reason != EOPNOTSUPP && reason != EINVAL) {
      ::close(fd_);
      fail(path, ("can't reserve " + std::to_string(bytes) + " bytes").c_str(), reason);
    }
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AtomicFile::write_at(std::int64_t offset, Bytes bytes) const {
  const std::int64_t count = std::ssize(bytes);
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path_, "can't write", n < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
  // What is there goes to the disk while the rest is made: commit() has less to wait for.
  const std::int64_t before = written_.fetch_add(count);
  if (before / kFlush != (before + count) / kFlush)
    ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void AtomicFile::flush(const std::function<void(std::int64_t)>& done) {
  struct stat status {};
  ::fstat(fd_, &status);
  for (std::int64_t at = 0; at < status.st_size; at += kFlushPart) {
    const std::int64_t count = std::min<std::int64_t>(kFlushPart, status.st_size - at);
    ::sync_file_range(
        fd_, at, count,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    done(count);
  }
  if (::fsync(fd_) != 0) fail(path_, "can't write", errno);
  flushed_ = true;
}

void AtomicFile::commit() {
  if (!flushed_) flush([](std::int64_t) {});
  {
    const Naming naming;
    if (!partial_) {
      const std::string self = "/proc/self/fd/" + std::to_string(fd_);
      // A name can't be replaced by linkat: to replace, link beside it and rename over it.
      if (replace_) partial_ = std::make_unique<Unfinished>(path_);
      const fs::path& name = replace_ ? partial_->hidden() : path_;
      if (replace_) ::unlink(name.c_str());
      if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
        if (errno == EEXIST) fail_exists(path_);
        fail(path_, "can't name the finished file", errno);
      }
    }
    if (partial_) {
      if (!replace_ && fs::exists(fs::symlink_status(path_))) fail_exists(path_);
      if (::rename(partial_->hidden().c_str(), path_.c_str()) != 0)
        fail(path_, "can't rename", errno);
    }
    partial_.reset();
  }
  ::close(fd_);
  fd_ = -1;
  sync_folder(folder_of(path_));
}

AtomicFolder::AtomicFolder(const fs::path& path, bool replace)
    : path_(path.has_filename() ? path : path.parent_path()), partial_(path_), replace_(replace) {
  if (fs::exists(fs::symlink_status(path_))) {
    if (!replace) fail_exists(path_);
    if (!fs::is_directory(path_))
      throw Error(path_.string(), "can't replace", "a folder", "a file");
  }
  std::error_code reason;
  fs::remove_all(partial(), reason);
  if (!fs::create_directory(partial(), reason)) fail(path_, "can't create", reason.value());
  partial_.lock();
}

void AtomicFolder::commit() {
  {
    const Naming naming;
    if (fs::exists(fs::symlink_status(path_))) {
      if (!replace_) fail_exists(path_);
      // Swap, so that the name is never without a complete folder behind it.
      if (::renameat2(AT_FDCWD, partial().c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0)
        fail(path_, "can't rename", errno);
    } else if (::rename(partial().c_str(), path_.c_str()) != 0) {
      fail(path_, "can't rename", errno);
    }
  }
  std::error_code ignored;
  fs::remove_all(partial(), ignored);  // what stood there before, if anything did
  sync_folder(folder_of(path_));
}

}  // namespace zp
