#include "format/zip.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "format/cursor.h"

namespace zp::zip {
namespace {

constexpr std::uint32_t kLocal = 0x04034B50;
constexpr std::uint32_t kCentral = 0x02014B50;
constexpr std::uint32_t kEnd = 0x06054B50;
constexpr std::uint32_t kEnd64 = 0x06064B50;
constexpr std::uint32_t kLocator64 = 0x07064B50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kMaxComment = 65535;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the number stands in the zip64 field
constexpr std::uint16_t kExtra64 = 1;

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t begin = 0;
};

struct Placed {
  Entry entry;
  std::uint64_t begin;  // of the local header
  std::uint64_t end;    // of the data
};

std::uint32_t number_at(Bytes archive, std::size_t position) {
  return Cursor(archive, {}, position).read<std::uint32_t>("a signature");
}

std::size_t find_end(Bytes archive, const std::string& where) {
  if (archive.size() >= kEndBytes) {
    const std::size_t last = archive.size() - kEndBytes;
    for (std::size_t back = 0; back <= std::min(last, kMaxComment); ++back) {
      if (number_at(archive, last - back) == kEnd) return last - back;
    }
  }
  throw Error(where, "zip archive without its end (is the file cut?)",
              "an end-of-directory record");
}

Directory read_end64(Bytes archive, std::size_t locator, const std::string& where) {
  Cursor at_locator(archive, where, locator + 8);
  const auto position = at_locator.read<std::uint64_t>("the zip64 locator");
  if (position > locator)
    at_locator.fail("zip64 end outside the archive", {}, std::to_string(position));
  Cursor cursor(archive, where, static_cast<std::size_t>(position));
  if (cursor.read<std::uint32_t>("the zip64 end") != kEnd64)
    cursor.fail("no zip64 end of directory");
  cursor.take(8 + 2 + 2 + 4 + 4 + 8, "the zip64 end");
  Directory directory;
  directory.entries = cursor.read<std::uint64_t>("the zip64 end");
  directory.bytes = cursor.read<std::uint64_t>("the zip64 end");
  directory.begin = cursor.read<std::uint64_t>("the zip64 end");
  return directory;
}

Directory find_directory(Bytes archive, const std::string& where) {
  const std::size_t end = find_end(archive, where);
  Cursor cursor(archive, where, end + 4);
  const auto disk = cursor.read<std::uint16_t>("the end of directory");
  const auto first_disk = cursor.read<std::uint16_t>("the end of directory");
  cursor.read<std::uint16_t>("the end of directory");
  Directory directory;
  directory.entries = cursor.read<std::uint16_t>("the end of directory");
  directory.bytes = cursor.read<std::uint32_t>("the end of directory");
  directory.begin = cursor.read<std::uint32_t>("the end of directory");
  if (end >= kLocatorBytes && number_at(archive, end - kLocatorBytes) == kLocator64) {
    directory = read_end64(archive, end - kLocatorBytes, where);
  } else if (disk != 0 || first_disk != 0) {
    cursor.fail("zip archive in several parts");
  }
  if (directory.begin > end || directory.bytes > end - directory.begin ||
      directory.entries > directory.bytes / kCentralBytes) {
    throw Error(where, "zip directory outside the archive", "before byte " + std::to_string(end),
                std::to_string(directory.entries) + " entries in " +
                    std::to_string(directory.bytes) + " bytes from byte " +
                    std::to_string(directory.begin));
  }
  return directory;
}

// The zip64 field holds, in this order, those of the three numbers that didn't fit their own place.
void widen(Bytes extra, std::uint64_t& full, std::uint64_t& stored, std::uint64_t& offset,
           const std::string& where) {
  if (full != kIn64 && stored != kIn64 && offset != kIn64) return;
  Cursor fields(extra, where + ": extra field");
  while (fields.remaining() > 0) {
    const auto id = fields.read<std::uint16_t>("a field");
    const auto bytes = fields.read<std::uint16_t>("a field");
    Cursor field(fields.take(bytes, "a field"), where + ": zip64 field");
    if (id != kExtra64) continue;
    for (std::uint64_t* number : {&full, &stored, &offset}) {
      if (*number == kIn64) *number = field.read<std::uint64_t>("a size");
    }
    return;
  }
  throw Error(where, "zip64 field missing");
}

// Where the data begins, from the local header, which must be about the same entry.
std::size_t data_begin(Bytes archive, std::uint64_t local, std::string_view name,
                       const std::string& where) {
  if (local > archive.size())
    throw Error(where, "outside the archive", {}, "byte " + std::to_string(local));
  Cursor cursor(archive, where, static_cast<std::size_t>(local));
  if (cursor.read<std::uint32_t>("a local header") != kLocal) cursor.fail("no local header");
  cursor.take(22, "a local header");
  const auto name_bytes = cursor.read<std::uint16_t>("a local header");
  const auto extra_bytes = cursor.read<std::uint16_t>("a local header");
  const std::string_view local_name = as_text(cursor.take(name_bytes, "a local header"));
  if (local_name != name)
    cursor.fail("local header of another entry", std::string(name), std::string(local_name));
  cursor.take(extra_bytes, "a local header");
  return cursor.position();
}

Placed read_entry(Cursor& directory, Bytes archive, std::uint64_t data_end,
                  const std::string& where) {
  if (directory.read<std::uint32_t>("the zip directory") != kCentral)
    directory.fail("no entry of a zip directory");
  directory.take(4, "the zip directory");
  const auto flags = directory.read<std::uint16_t>("the zip directory");
  const auto method = directory.read<std::uint16_t>("the zip directory");
  directory.take(8, "the zip directory");
  std::uint64_t stored = directory.read<std::uint32_t>("the zip directory");
  std::uint64_t full = directory.read<std::uint32_t>("the zip directory");
  const auto name_bytes = directory.read<std::uint16_t>("the zip directory");
  const auto extra_bytes = directory.read<std::uint16_t>("the zip directory");
  const auto comment_bytes = directory.read<std::uint16_t>("the zip directory");
  directory.take(8, "the zip directory");
  std::uint64_t local = directory.read<std::uint32_t>("the zip directory");
  const std::string_view name = as_text(directory.take(name_bytes, "the zip directory"));
  const Bytes extra = directory.take(extra_bytes, "the zip directory");
  directory.take(comment_bytes, "the zip directory");
  const std::string place = where + ": entry \"" + std::string(name) + "\"";
  if ((flags & kEncrypted) != 0) throw Error(place, "encrypted");
  if (method != 0)
    throw Error(place, "compressed", "a stored entry", "method " + std::to_string(method));
  widen(extra, full, stored, local, place);
  if (full != stored)
    throw Error(place, "sizes differ though stored", std::to_string(full), std::to_string(stored));
  const std::size_t begin = data_begin(archive, local, name, place);
  if (begin > data_end || stored > data_end - begin) {
    throw Error(place, "data outside the archive", "up to byte " + std::to_string(data_end),
                std::to_string(stored) + " bytes from byte " + std::to_string(begin));
  }
  return {{name, archive.subspan(begin, static_cast<std::size_t>(stored))}, local, begin + stored};
}

}  // namespace

std::vector<Entry> read_entries(Bytes archive, const std::string& where) {
  const Directory directory = find_directory(archive, where);
  Cursor cursor(archive.first(static_cast<std::size_t>(directory.begin + directory.bytes)), where,
                static_cast<std::size_t>(directory.begin));
  std::vector<Placed> placed;
  std::unordered_set<std::string_view> names;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    placed.push_back(read_entry(cursor, archive, directory.begin, where));
    const std::string_view name = placed.back().entry.name;
    if (!names.insert(name).second)
      throw Error(where, "entry stands twice", {}, "\"" + std::string(name) + "\"");
  }
  std::sort(placed.begin(), placed.end(),
            [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
  std::vector<Entry> entries;
  std::uint64_t end = 0;
  for (const Placed& p : placed) {
    if (p.begin < end) {
      throw Error(where + ": entry \"" + std::string(p.entry.name) + "\"",
                  "overlaps the one before", "byte " + std::to_string(end) + " or later",
                  std::to_string(p.begin));
    }
    end = p.end;
    entries.push_back(p.entry);
  }
  return entries;
}

}  // namespace zp::zip
