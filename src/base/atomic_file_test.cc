#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

// A fresh folder for each test.
class AtomicTest : public testing::Test {
 protected:
  AtomicTest() {
    std::string name = fs::temp_directory_path() / "zeropoint-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~AtomicTest() override { fs::remove_all(folder_); }

  fs::path in(std::string_view name) const { return folder_ / name; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_))
      all.push_back(entry.path().filename());
    return all;
  }

  fs::path folder_;
};

using AtomicFileTest = AtomicTest;
using AtomicFolderTest = AtomicTest;
using Names = std::vector<std::string>;

TEST_F(AtomicFileTest, AppearsWholeOnCommit) {
  AtomicFile file(in("a"), 6, false);
  file.write_at(3, bytes_of("def"));
  file.write_at(0, bytes_of("abc"));
  EXPECT_FALSE(fs::exists(in("a")));
  file.commit();
  EXPECT_EQ(read_text(in("a")), "abcdef");
  EXPECT_EQ(names(), Names{"a"});
}

TEST_F(AtomicFileTest, LeavesNothingWithoutCommit) {
  {
    const AtomicFile file(in("a"), 1 << 20, false);
    file.write_at(0, bytes_of("abc"));
  }
  EXPECT_EQ(names(), Names{});
}

TEST_F(AtomicFileTest, ReservesItsBytes) {
  AtomicFile file(in("a"), 1 << 20, false);
  file.commit();
  struct stat st {};
  ASSERT_EQ(::stat(in("a").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 1 << 20);
  EXPECT_GE(st.st_blocks * 512, 1 << 20) << "the file has holes";
}

TEST_F(AtomicFileTest, SaysThatTheDiskIsTooSmallBeforeAnythingIsWritten) {
  EXPECT_THROW(AtomicFile(in("a"), std::int64_t{1} << 60, false), Error);
  EXPECT_EQ(names(), Names{});
}

TEST_F(AtomicFileTest, RefusesAPathThatExists) {
  put(in("a"), "old");
  EXPECT_THROW(AtomicFile(in("a"), 3, false), Error);
  EXPECT_EQ(read_text(in("a")), "old");
}

TEST_F(AtomicFileTest, RefusesAPathThatCameToExistMeanwhile) {
  AtomicFile file(in("a"), 3, false);
  put(in("a"), "other");
  EXPECT_THROW(file.commit(), Error);
  EXPECT_EQ(read_text(in("a")), "other");
}

TEST_F(AtomicFileTest, RefusesALinkThatLeadsNowhere) {
  fs::create_symlink(in("nowhere"), in("a"));
  EXPECT_THROW(AtomicFile(in("a"), 3, false), Error);
}

TEST_F(AtomicFileTest, KeepsTheOldFileUntilItIsReplaced) {
  put(in("a"), "old");
  AtomicFile file(in("a"), 3, true);
  file.write_at(0, bytes_of("new"));
  EXPECT_EQ(read_text(in("a")), "old");
  file.commit();
  EXPECT_EQ(read_text(in("a")), "new");
  EXPECT_EQ(names(), Names{"a"});
}

TEST_F(AtomicFileTest, ReplacesNothingWithoutCommit) {
  put(in("a"), "old");
  { const AtomicFile file(in("a"), 3, true); }
  EXPECT_EQ(read_text(in("a")), "old");
  EXPECT_EQ(names(), Names{"a"});
}

TEST_F(AtomicFileTest, MayReplaceWhatIsNotThere) {
  AtomicFile file(in("a"), 0, true);
  file.commit();
  EXPECT_EQ(names(), Names{"a"});
}

TEST_F(AtomicFileTest, RefusesFoldersAndPathsWithoutAName) {
  fs::create_directory(in("folder"));
  EXPECT_THROW(AtomicFile(in("folder"), 3, true), Error);
  EXPECT_THROW(AtomicFile(in("folder/"), 3, true), Error);
  EXPECT_THROW(AtomicFile("", 3, true), Error);
  EXPECT_THROW(AtomicFile(in("missing") / "a", 3, false), Error);
  EXPECT_EQ(names(), Names{"folder"});
}

TEST_F(AtomicFolderTest, AppearsWholeOnCommit) {
  AtomicFolder folder(in("out/"), false);
  put(folder.partial() / "x", "1");
  EXPECT_FALSE(fs::exists(in("out")));
  folder.commit();
  EXPECT_EQ(read_text(in("out/x")), "1");
  EXPECT_EQ(names(), Names{"out"});
}

TEST_F(AtomicFolderTest, LeavesNothingWithoutCommit) {
  {
    const AtomicFolder folder(in("out"), false);
    put(folder.partial() / "x", "1");
    fs::create_directory(folder.partial() / "deeper");
  }
  EXPECT_EQ(names(), Names{});
}

TEST_F(AtomicFolderTest, SwapsWithTheOldFolder) {
  fs::create_directory(in("out"));
  put(in("out/old"), "0");
  AtomicFolder folder(in("out"), true);
  put(folder.partial() / "x", "1");
  EXPECT_TRUE(fs::exists(in("out/old")));
  folder.commit();
  EXPECT_EQ(read_text(in("out/x")), "1");
  EXPECT_FALSE(fs::exists(in("out/old")));
  EXPECT_EQ(names(), Names{"out"});
}

TEST_F(AtomicFolderTest, RefusesWhatExists) {
  put(in("file"), "0");
  fs::create_directory(in("out"));
  EXPECT_THROW(AtomicFolder(in("out"), false), Error);
  EXPECT_THROW(AtomicFolder(in("file"), true), Error);
  AtomicFolder folder(in("new"), false);
  fs::create_directory(in("new"));
  EXPECT_THROW(folder.commit(), Error);
}

TEST_F(AtomicFolderTest, TakesOverWhatAKilledRunLeft) {
  fs::create_directory(in(".out.partial-" + std::to_string(::getpid())));
  put(in(".out.partial-" + std::to_string(::getpid())) / "stale", "0");
  AtomicFolder folder(in("out"), false);
  folder.commit();
  EXPECT_FALSE(fs::exists(in("out/stale")));
}

TEST_F(AtomicFolderTest, ReplacesALinkAndNotWhatItLeadsTo) {
  fs::create_directory(in("elsewhere"));
  put(in("elsewhere/keep"), "0");
  fs::create_directory_symlink(in("elsewhere"), in("out"));
  AtomicFolder folder(in("out"), true);
  put(folder.partial() / "x", "1");
  folder.commit();
  EXPECT_FALSE(fs::is_symlink(in("out")));
  EXPECT_EQ(read_text(in("out/x")), "1");
  EXPECT_EQ(read_text(in("elsewhere/keep")), "0");
}

}  // namespace
}  // namespace zp
