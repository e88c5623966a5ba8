// Zip archives whose entries are stored, not compressed: how PyTorch keeps a checkpoint.
// Source: PKWARE APPNOTE 6.3.
//
//   local header + data, for every entry | central directory | [zip64 end + locator] | end
//
// The list comes from the central directory and is checked against the local headers. Checksums are
// not checked: that would read all weights before the first is asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"

namespace zp::zip {

struct Entry {
  std::string_view name;  ///< in the archive's bytes
  Bytes data;
};

/// The entries in the order of their data. Throws Error for compressed or encrypted entries, names
/// that stand twice, and entries that overlap each other or leave the archive.
std::vector<Entry> read_entries(Bytes archive, const std::string& where);

}  // namespace zp::zip
