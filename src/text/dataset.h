// Texts to calibrate, judge and train with: plain text, JSON (one object or an array) or JSONL,
// told apart by what is in the file; dataset_row.h says what its elements and lines may be. An
// array of messages is one conversation. JSON is what begins with "{" and a key or an end, or with
// "[" and an object, a string or an end; all else is plain text, and one document.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "text/dataset_row.h"

namespace zp {

/// Never empty. Throws Error at `where`, with the line, for broken UTF-8 and JSON, for objects of
/// other shapes, and when there is nothing.
std::vector<Document> parse_dataset(std::string_view file, const std::string& where);
std::vector<Document> read_dataset(const std::filesystem::path& path);

}  // namespace zp
