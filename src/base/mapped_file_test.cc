#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <utility>

#include "base/error.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() {
    std::string name = fs::temp_directory_path() / "zeropoint-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~MappedFileTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(MappedFileTest, HoldsTheBytesOfTheFile) {
  std::ofstream(folder_ / "a") << "abc";
  MappedFile file(folder_ / "a");
  const MappedFile moved(std::move(file));
  ASSERT_EQ(moved.bytes().size(), 3u);
  EXPECT_EQ(moved.bytes()[2], std::byte{'c'});
  EXPECT_EQ(moved.path(), folder_ / "a");
}

TEST_F(MappedFileTest, MapsAFileOfNoBytes) {
  std::ofstream(folder_ / "a").flush();
  EXPECT_TRUE(MappedFile(folder_ / "a").bytes().empty());
  EXPECT_EQ(read_text(folder_ / "a"), "");
}

TEST_F(MappedFileTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(MappedFile(folder_ / "pipe"), Error);  // and does not wait for a writer
  EXPECT_THROW(MappedFile{folder_}, Error);
  EXPECT_THROW(MappedFile(folder_ / "missing"), Error);
  EXPECT_THROW(MappedFile("/dev/zero"), Error);
}

TEST_F(MappedFileTest, ReadsTextUpToItsLimit) {
  std::ofstream(folder_ / "a") << "abc";
  EXPECT_EQ(read_text(folder_ / "a", 3), "abc");
  EXPECT_THROW(read_text(folder_ / "a", 2), Error);
}

}  // namespace
}  // namespace zp
