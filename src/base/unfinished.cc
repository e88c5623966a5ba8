#include "base/unfinished.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <set>
#include <string>
#include <system_error>

namespace zp {
namespace fs = std::filesystem;
namespace {

struct Under {
  std::recursive_mutex mutex;
  std::set<fs::path> way;
};
// Never destroyed: threads may still write while the process ends.
Under& under() {
  static Under& all = *new Under;
  return all;
}

std::string prefix_of(const fs::path& path) { return "." + path.filename().string() + ".partial-"; }

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

int open_locked(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

// Whether no process of this machine has the number. One with it may be another program by now:
// then what is left stays.
bool is_gone(std::string_view digits) {
  ::pid_t pid = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, pid);
  return error == std::errc() && at == end && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

// Of writers on other machines the lock tells.
void remove_left_behind(const fs::path& path) {
  const std::string prefix = prefix_of(path);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_of(path), ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix) || !is_gone(std::string_view(name).substr(prefix.size())))
      continue;
    const int fd = open_locked(entry.path());
    if (fd < 0) continue;
    fs::remove_all(entry.path(), ignored);
    ::close(fd);
  }
}

Unfinished::Unfinished(const fs::path& path)
    : hidden_(folder_of(path) / (prefix_of(path) + std::to_string(::getpid()))) {
  remove_left_behind(path);
  const std::lock_guard lock(under().mutex);
  under().way.insert(hidden_);
}

Unfinished::~Unfinished() {
  {
    const std::lock_guard lock(under().mutex);
    under().way.erase(hidden_);
  }
  std::error_code ignored;
  fs::remove_all(hidden_, ignored);
  if (fd_ >= 0) ::close(fd_);
}

void Unfinished::lock() { fd_ = open_locked(hidden_); }

Naming::Naming() : lock_(under().mutex) {}

void give_up_unfinished() {
  under().mutex.lock();  // for good
  std::error_code ignored;
  for (const fs::path& hidden : under().way) fs::remove_all(hidden, ignored);
}

}  // namespace zp
