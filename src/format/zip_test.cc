#include "format/zip.h"

#include <gtest/gtest.h>

#include "format/cursor.h"
#include "format/sample_files.h"

namespace zp::zip {
namespace {

using sample::Raw;

std::string refusal_of(const std::string& file) {
  return sample::refusal([&] { read_entries(sample::view(file), "x.pt"); });
}

std::string sound() { return sample::zip({{"m/data.pkl", "pickle"}, {"m/data/0", "0123456789"}}); }

/// `file` with `bytes` at `position`.
std::string patched(std::string file, std::size_t position, const std::string& bytes) {
  return file.replace(position, bytes.size(), bytes);
}
std::string u16(std::uint16_t value) { return Raw().number(value).bytes(); }
std::string u32(std::uint32_t value) { return Raw().number(value).bytes(); }

std::size_t second_entry(const std::string& file) { return file.rfind("PK\x01\x02"); }

TEST(Zip, ReadsStoredEntries) {
  const std::string file = sound();
  const std::vector<Entry> entries = read_entries(sample::view(file), "x.pt");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "m/data.pkl");
  EXPECT_EQ(as_text(entries[0].data), "pickle");
  EXPECT_EQ(as_text(entries[1].data), "0123456789");
}

TEST(Zip, ReadsSizesAndPlacesOfZip64) {
  const std::string plain = sample::zip({{"a", "data"}});
  const std::string local = plain.substr(0, plain.find("PK\x01\x02"));
  Raw file;
  file.text(local).text(
      patched(plain.substr(local.size(), 46), 20, u32(~0U) + u32(~0U) + u16(1) + u16(28)));
  std::string raw = patched(file.bytes(), local.size() + 42, u32(~0U)) + "a";
  raw += u16(1) + u16(24) +
         Raw().number<std::uint64_t>(4).number<std::uint64_t>(4).number<std::uint64_t>(0).bytes();
  const std::size_t end = raw.size();
  Raw tail;
  tail.text("PK\x06\x06")
      .number<std::uint64_t>(44)
      .number<std::uint32_t>(0)
      .number<std::uint64_t>(0);
  tail.number<std::uint64_t>(1)
      .number<std::uint64_t>(1)
      .number<std::uint64_t>(end - local.size())
      .number<std::uint64_t>(local.size());
  tail.text("PK\x06\x07")
      .number<std::uint32_t>(0)
      .number<std::uint64_t>(end)
      .number<std::uint32_t>(1);
  tail.text("PK\x05\x06")
      .number<std::uint32_t>(0)
      .number<std::uint16_t>(0xFFFF)
      .number<std::uint16_t>(0xFFFF);
  tail.number(~0U).number(~0U).number<std::uint16_t>(0);
  raw += tail.bytes();
  const std::vector<Entry> entries = read_entries(sample::view(raw), "x.pt");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(as_text(entries[0].data), "data");
  const std::size_t locator = raw.find("PK\x06\x07");
  EXPECT_EQ(refusal_of(patched(raw, locator + 8, Raw().number<std::uint64_t>(1ULL << 62).bytes())),
            "x.pt: byte " + std::to_string(locator + 16) +
                ": zip64 end outside the archive: found 4611686018427387904");
}

TEST(Zip, RefusesEveryTruncation) {
  const std::string file = sound();
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    EXPECT_EQ(refusal_of(file.substr(0, bytes)),
              "x.pt: zip archive without its end (is the file cut?): expected an end-of-directory "
              "record");
  }
}

TEST(Zip, RefusesCompressedAndEncryptedEntries) {
  const std::string file = sound();
  EXPECT_EQ(refusal_of(patched(file, second_entry(file) + 10, u16(8))),
            "x.pt: entry \"m/data/0\": compressed: expected a stored entry, found method 8");
  EXPECT_EQ(refusal_of(patched(file, second_entry(file) + 8, u16(1))),
            "x.pt: entry \"m/data/0\": encrypted");
}

TEST(Zip, RefusesAnEntryThatStandsTwice) {
  EXPECT_EQ(refusal_of(sample::zip({{"a", "1"}, {"a", "2"}})),
            "x.pt: entry stands twice: found \"a\"");
}

TEST(Zip, RefusesEntriesThatOverlap) {
  // The second entry's record points at the first one's header, which then must have its name.
  std::string inner = sample::zip({{"b", "y"}});
  inner = inner.substr(0, inner.find("PK\x01\x02"));
  std::string nested = sample::zip({{"a", inner}, {"b", "y"}});
  nested = patched(nested, second_entry(nested) + 42, u32(31));
  EXPECT_EQ(refusal_of(nested),
            "x.pt: entry \"b\": overlaps the one before: expected byte 63 or later, found 31");
}

TEST(Zip, RefusesADirectoryThatLies) {
  const std::string file = sound();
  const std::size_t second = second_entry(file);
  EXPECT_EQ(refusal_of(patched(file, second + 20, u32(999) + u32(999))),
            "x.pt: entry \"m/data/0\": data outside the archive: expected up to byte 94, found 999 "
            "bytes from byte 84");
  EXPECT_EQ(refusal_of(patched(file, second + 24, u32(9))),
            "x.pt: entry \"m/data/0\": sizes differ though stored: expected 9, found 10");
  EXPECT_EQ(refusal_of(patched(file, second + 42, u32(0))),
            "x.pt: entry \"m/data/0\": byte 40: local header of another entry: expected m/data/0, "
            "found m/data.pkl");
  EXPECT_EQ(refusal_of(patched(file, second + 42, u32(1 << 30))),
            "x.pt: entry \"m/data/0\": outside the archive: found byte 1073741824");
  const std::size_t end = file.size() - 22;
  EXPECT_EQ(refusal_of(patched(file, end + 16, u32(1 << 30))),
            "x.pt: zip directory outside the archive: expected before byte 204, found 2 entries in "
            "110 bytes from byte 1073741824");
  EXPECT_EQ(refusal_of(patched(file, end + 10, u16(60000))),
            "x.pt: zip directory outside the archive: expected before byte 204, found 60000 "
            "entries in 110 bytes from byte 94");
  EXPECT_EQ(refusal_of(patched(file, end + 4, u16(1))),
            "x.pt: byte 224: zip archive in several parts");
}

}  // namespace
}  // namespace zp::zip
