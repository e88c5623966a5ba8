#include "base/unfinished.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

#include "base/atomic_file.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

// Of a process that has ended and been waited for.
std::string gone_pid() {
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return std::to_string(child);
}

class UnfinishedTest : public testing::Test {
 protected:
  UnfinishedTest() {
    std::string name = fs::temp_directory_path() / "zeropoint-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~UnfinishedTest() override { fs::remove_all(folder_); }

  void put(const std::string& name) const { std::ofstream(folder_ / name) << "x"; }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.insert(entry.path().filename());
    return all;
  }

  fs::path folder_;
};

TEST_F(UnfinishedTest, WhatAGoneWriterLeftIsRemovedByTheNextOneOfThatName) {
  const std::string gone = gone_pid();
  const std::set<std::string> others = {".b.partial-" + gone, ".a.partial-x" + gone,
                                        ".a.partial-" + std::to_string(::getppid()), "a.partial-1"};
  for (const std::string& name : others) put(name);
  put(".a.partial-" + gone);
  fs::create_directory(folder_ / (".f.partial-" + gone));
  put(".f.partial-" + gone + "/model.gguf");
  { const AtomicFile file(folder_ / "a", 0, false); }
  EXPECT_FALSE(names().contains(".a.partial-" + gone));
  { const AtomicFolder folder(folder_ / "f", false); }
  EXPECT_EQ(names(), others);
}

TEST_F(UnfinishedTest, WhatSomebodyHasLockedStays) {
  const std::string name = ".a.partial-" + gone_pid();
  put(name);
  const int fd = ::open((folder_ / name).c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  remove_left_behind(folder_ / "a");
  EXPECT_EQ(names(), std::set<std::string>{name});
  ::close(fd);
  remove_left_behind(folder_ / "a");
  EXPECT_EQ(names(), std::set<std::string>{});
}

TEST_F(UnfinishedTest, GivenUpNothingIsLeftAndNothingIsNamed) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    AtomicFolder folder(folder_ / "f", false);
    std::ofstream(folder.partial() / "model") << "x";
    give_up_unfinished();
    ::_exit(0);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(names(), std::set<std::string>{});
}

}  // namespace
}  // namespace zp
