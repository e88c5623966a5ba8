#include "format/statistics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "format/sample_files.h"

namespace zp {
namespace {

StatisticsHead sample_head() {
  StatisticsHead head;
  head.model = 0x123456789abcdef0u;
  head.tokens = 640;
  head.context = 64;
  head.entries = {{"query", 0, 3, 640}, {"head", -1, 2, 640}};
  return head;
}

std::string write_sample() {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zp-statistics-" + std::to_string(getpid()));
  const std::vector<float> first = {1, 2, 3, 4, 5, 6};
  const std::vector<float> second = {7, 8, 9};
  StatisticsWriter writer(path, sample_head(), true);
  writer.add(first);
  writer.add(second);
  EXPECT_FALSE(std::filesystem::exists(path)) << "before commit()";
  writer.commit();
  EXPECT_EQ(writer.bytes(), static_cast<std::int64_t>(std::filesystem::file_size(path)));
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return bytes;
}

std::string refused(const std::string& file) {
  return sample::refusal([&] { read_statistics(sample::view(file), "f"); });
}

TEST(StatisticsFile, ComesBackAsItWasWritten) {
  const std::string file = write_sample();
  EXPECT_TRUE(is_statistics(sample::view(file)));
  const StatisticsHead head = read_statistics(sample::view(file), "f");
  EXPECT_EQ(head.model, sample_head().model);
  EXPECT_EQ(head.tokens, 640);
  EXPECT_EQ(head.context, 64);
  ASSERT_EQ(head.entries.size(), 2u);
  EXPECT_EQ(head.entries[0].role, "query");
  EXPECT_EQ(head.entries[0].layer, 0);
  EXPECT_EQ(head.entries[1].layer, -1);
  EXPECT_EQ(head.entries[1].columns, 2);
  EXPECT_EQ(head.entries[1].rows, 640);
  const std::vector<float> last = {7, 8, 9};
  EXPECT_TRUE(std::ranges::equal(head.entries[1].triangle, std::as_bytes(std::span(last))));
}

TEST(StatisticsFile, RefusesEveryCut) {
  const std::string file = write_sample();
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes)
    EXPECT_NE(refused(file.substr(0, bytes)), "accepted") << bytes;
  EXPECT_NE(refused(file + '\0'), "accepted");
}

TEST(StatisticsFile, RefusesEveryFlippedBit) {
  std::string file = write_sample();
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
      EXPECT_NE(refused(file), "accepted") << "byte " << i << ", bit " << bit;
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
    }
  }
  EXPECT_EQ(refused(file), "accepted");
}

TEST(StatisticsFile, RefusesAnotherVersionByName) {
  std::string file = write_sample();
  file[8] = 2;
  EXPECT_EQ(refused(file), "f: statistics of another version: expected 1, found 2");
}

}  // namespace
}  // namespace zp
