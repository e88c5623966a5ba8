// imatrix files written and read back, and what must be refused.
#include "format/imatrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "format/gguf.h"

namespace zp {
namespace {

Imatrix sample() {
  Imatrix m;
  m.entries.push_back({"blk.0.attn_q.weight", {2, 4, 6, 0}, {4}});
  m.entries.push_back({"blk.0.ffn_down.weight", {1.5f, 3}, {8}});
  m.datasets = {"one.txt", "two.txt"};
  m.chunks = 2;
  m.chunk_size = 4;
  return m;
}

void expect_entries(const Imatrix& found, const Imatrix& expected) {
  ASSERT_EQ(found.entries.size(), expected.entries.size());
  for (std::size_t i = 0; i < found.entries.size(); ++i) {
    EXPECT_EQ(found.entries[i].name, expected.entries[i].name);
    EXPECT_EQ(found.entries[i].importance(), expected.entries[i].importance());
  }
  EXPECT_EQ(found.chunks, expected.chunks);
}

TEST(Imatrix, GgufFormComesBackAsItWas) {
  const Imatrix m = sample();
  const Imatrix found = read_imatrix(write_imatrix(m), "file");
  expect_entries(found, m);
  EXPECT_EQ(found.datasets, m.datasets);
  EXPECT_EQ(found.chunk_size, 4u);
  EXPECT_EQ(found.entries[1].counts, std::vector<float>{8});
  EXPECT_EQ(found.entries[0].importance(), (std::vector<float>{0.5f, 1, 1.5f, 0}));
}

TEST(Imatrix, DatFormKeepsTheMeansAndTheLastDataset) {
  const Imatrix m = sample();
  const Imatrix found = read_imatrix(write_imatrix_dat(m), "file");
  expect_entries(found, m);
  EXPECT_EQ(found.datasets, std::vector<std::string>{"two.txt"});
  EXPECT_EQ(found.entries[1].counts, std::vector<float>{2});  // 8 tokens are 2 chunks
}

TEST(Imatrix, TheOldestDatFilesEndBehindTheirEntries) {
  std::vector<std::byte> file = write_imatrix_dat(sample());
  file.resize(file.size() - 4 - 4 - 7);
  EXPECT_EQ(read_imatrix(file, "file").entries.size(), 2u);
}

TEST(Imatrix, AMatrixThatSawNothingHasNoImportance) {
  Imatrix m = sample();
  m.entries[0].counts = {0};
  EXPECT_TRUE(read_imatrix(write_imatrix(m), "file").entries[0].importance().empty());
}

TEST(Imatrix, SeveralMatricesOfAnEntryAreKeptApart) {
  Imatrix m = sample();
  m.entries[0].counts = {1, 2};
  const Imatrix found = read_imatrix(write_imatrix(m), "file");
  EXPECT_EQ(found.entries[0].counts, (std::vector<float>{1, 2}));
  const std::vector<float>& sums = found.entries[0].sums;
  EXPECT_EQ(found.entries[0].importance(0), (std::vector<float>{sums[0], sums[1]}));
  EXPECT_EQ(found.entries[0].importance(1), (std::vector<float>{sums[2] / 2, sums[3] / 2}));
}

TEST(Imatrix, EveryCutIsRefused) {
  const std::vector<std::byte> dat = write_imatrix_dat(sample());
  const std::size_t entries = dat.size() - 4 - 4 - 7;
  for (std::size_t n = 0; n < dat.size(); ++n) {
    if (n == entries || n == entries + 4) continue;
    EXPECT_THROW(read_imatrix(Bytes(dat).first(n), "file"), Error) << n;
  }
  const std::vector<std::byte> file = write_imatrix(sample());
  for (std::size_t n = 0; n + 32 < file.size(); ++n)
    EXPECT_THROW(read_imatrix(Bytes(file).first(n), "file"), Error) << n;
}

TEST(Imatrix, RefusesWhatIsNoSumOfSquares) {
  for (const float bad : {-1.0f, std::nanf(""), INFINITY}) {
    Imatrix m = sample();
    m.entries[1].sums[1] = bad;
    EXPECT_THROW(read_imatrix(write_imatrix(m), "file"), Error);
    EXPECT_THROW(read_imatrix(write_imatrix_dat(m), "file"), Error);
  }
}

TEST(Imatrix, RefusesEntriesTwiceAndBytesBehindTheEnd) {
  Imatrix m = sample();
  m.entries[1].name = m.entries[0].name;
  EXPECT_THROW(read_imatrix(write_imatrix_dat(m), "file"), Error);
  std::vector<std::byte> file = write_imatrix_dat(sample());
  file.push_back(std::byte{0});
  EXPECT_THROW(read_imatrix(file, "file"), Error);
}

TEST(Imatrix, RefusesGgufFilesOfOtherKinds) {
  gguf::Header header;
  header.pairs = {{"general.type", std::string("model")}};
  EXPECT_THROW(read_imatrix(gguf::write_header(header), "file"), Error);
}

TEST(Imatrix, RefusesSumsWithoutCounts) {
  gguf::Header header;
  header.pairs = {{"general.type", std::string("imatrix")}};
  gguf::TensorInfo info;
  info.name = "blk.0.attn_q.weight.in_sum2";
  info.shape = {8};
  info.type = gguf::type_of_grid("fp32");
  header.tensors = {info};
  std::vector<std::byte> file = gguf::write_header(header);
  file.resize(file.size() + 32);
  EXPECT_THROW(read_imatrix(file, "file"), Error);
}

TEST(Imatrix, RefusesCountsBelowOne) {
  Imatrix m = sample();
  m.entries[0].counts = {1e-30f};  // the means would overflow
  EXPECT_THROW(read_imatrix(write_imatrix(m), "file"), Error);
}

}  // namespace
}  // namespace zp
