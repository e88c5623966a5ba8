#include "format/statistics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <limits>

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

// Of a file, which goes.
std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return bytes;
}

// Of 640 rows: -1 and 1, as many of the one as of the other.
std::vector<std::uint64_t> sample_bins(std::uint64_t columns) {
  return {StatisticsBin{0x407f, 320 * columns}.stored(),
          StatisticsBin{0xbf80, 320 * columns}.stored()};
}

std::string write_sample() {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zp-statistics-" + std::to_string(getpid()));
  const std::vector<float> first = {1, 2, 3, 4, 5, 6};
  const std::vector<float> second = {7, 8, 9};
  const std::vector<float> lows = {-1, -2, -3};
  const std::vector<float> highs = {1, 2, 3};
  std::vector<float> windows;
  for (const float narrower : {0.0f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f})
    windows.insert(windows.end(), {narrower - 3, 3 - narrower});
  StatisticsWriter writer(path, sample_head(), true);
  writer.add({first, lows, highs, windows, sample_bins(3)});
  writer.add({second, Floats(lows).first(2), Floats(highs).first(2), windows, sample_bins(2)});
  EXPECT_FALSE(std::filesystem::exists(path)) << "before commit()";
  writer.commit();
  EXPECT_EQ(writer.bytes(), static_cast<std::int64_t>(std::filesystem::file_size(path)));
  return content(path);
}

// Of one column and one window of seven tokens.
std::string write_one(float lo, float hi, const std::vector<std::uint64_t>& bins) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zp-statistics-" + std::to_string(getpid()));
  StatisticsHead head;
  head.tokens = head.context = 7;
  head.entries = {{"gate", 2, 1, 7}};
  const std::vector<float> window = {lo, hi};
  StatisticsWriter writer(path, head, true);
  writer.add({Floats(&hi, 1), Floats(&lo, 1), Floats(&hi, 1), window, bins});
  writer.commit();
  return content(path);
}

// Of one column, of an expert that `tokens` of the text's seven go through.
std::string write_expert(std::int64_t rows, std::int64_t tokens, std::int64_t rows_of_head = 0) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zp-statistics-" + std::to_string(getpid()));
  StatisticsHead head;
  head.tokens = head.context = 7;
  head.entries = {{"gate", 2, 1, rows_of_head, 3}};
  const float square = 2;
  StatisticsWriter writer(path, head, true);
  writer.add_expert(rows, tokens, Floats(&square, 1));
  writer.commit();
  return content(path);
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
  const std::vector<float> lows = {-1, -2};
  EXPECT_TRUE(std::ranges::equal(head.entries[1].lowest, std::as_bytes(std::span(lows))));
  const std::vector<float> highs = {1, 2};
  EXPECT_TRUE(std::ranges::equal(head.entries[1].highest, std::as_bytes(std::span(highs))));
  EXPECT_EQ(head.entries[1].windows.size(), 10 * 2 * sizeof(float));
  const std::vector<std::uint64_t> bins = sample_bins(2);
  EXPECT_TRUE(std::ranges::equal(head.entries[1].bins, std::as_bytes(std::span(bins))));
}

// Bytes that fit each other, and are yet no statistics.
TEST(StatisticsFile, RefusesRangesAndHistogramsThatAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto bin = [](int number, std::uint64_t count) {
    return StatisticsBin{static_cast<std::uint16_t>(number), count}.stored();
  };
  using Bins = std::vector<std::uint64_t>;
  const Bins good = {bin(0x8000, 7)};
  EXPECT_EQ(refused(write_one(-1, 1, good)), "accepted");
  const std::string range = "f: gate of layer 2: a range that is none";
  EXPECT_TRUE(refused(write_one(1, -1, good)).starts_with(range));
  EXPECT_TRUE(refused(write_one(nan, 1, good)).starts_with(range));
  EXPECT_TRUE(refused(write_one(-1, nan, good)).starts_with(range));
  const std::string histogram = "f: gate of layer 2: a histogram ";
  for (const Bins& wrong :
       {Bins{}, Bins{bin(0x8000, 6)}, Bins{bin(0x8000, 8)}, Bins{bin(0x8000, 7), bin(0x8001, 0)},
        Bins{bin(0x8001, 3), bin(0x8000, 4)}, Bins{bin(0x8000, 3), bin(0x8000, 4)},
        Bins{bin(0x8000 + 0x7f80, 7)}, Bins{bin(0x7f, 7)}, Bins{bin(0, 7)}, Bins{bin(0xffff, 7)}})
    EXPECT_TRUE(refused(write_one(-1, 1, wrong)).starts_with(histogram));
  EXPECT_EQ(refused(write_one(-1, 1, {bin(0x8000 + 0x7f7f, 3), bin(0x8000 + 0x7f80, 4)}))
                .substr(0, histogram.size()),
            histogram);
  EXPECT_EQ(refused(write_one(-1, 1, {bin(0x80, 3), bin(0x8000 + 0x7f7f, 4)})), "accepted");
}

TEST(StatisticsFile, HoldsAnExpertsMomentsBehindItsCounts) {
  const std::string file = write_expert(6, 5);
  const StatisticsHead head = read_statistics(sample::view(file), "f");
  ASSERT_EQ(head.entries.size(), 1u);
  EXPECT_EQ(head.entries[0].expert, 3);
  EXPECT_EQ(head.entries[0].rows, 6);
  EXPECT_EQ(head.entries[0].tokens, 5);
  EXPECT_EQ(head.entries[0].triangle.size(), sizeof(float));
  EXPECT_TRUE(head.entries[0].lowest.empty());
  EXPECT_NE(refused(write_expert(8, 5)).find("an expert's rows out of reach"), std::string::npos);
  EXPECT_NE(refused(write_expert(7, 8)).find("an expert's tokens out of reach"), std::string::npos);
  EXPECT_NE(refused(write_expert(6, 5, 6)).find("rows out of reach"), std::string::npos);
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
  for (const char version : {'\1', '\3'}) {
    file[8] = version;
    EXPECT_EQ(refused(file),
              "f: statistics of another version: expected 2, found " + std::to_string(version));
  }
}

}  // namespace
}  // namespace zp
