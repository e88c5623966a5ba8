// Building blocks of an HTML page. Everything that comes from files goes through escaped().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zp {

/// The text as it may stand between tags and in quoted attributes: broken UTF-8 and control
/// characters but tabs and line ends become U+FFFD.
std::string escaped(std::string_view text);

/// <name class="...">content</name>; content is HTML. Without a class when `css` is empty.
std::string element(std::string_view name, std::string_view css, std::string_view content);

struct Column {
  std::string title;
  bool number = false;  ///< aligned to the right
};
struct Cell {
  std::string html;
  std::string plain;  ///< the same in a CSV file: numbers in full, without units
};
Cell text_cell(std::string_view text);
Cell code_cell(std::string_view text);
/// `shown` is HTML; the number is spelled so that it reads back the same.
Cell number_cell(std::string shown, double value);
Cell count_cell(std::int64_t count);

/// A table in a box that scrolls sideways where it is too wide, and below it the same as a CSV file
/// (RFC 4180) to save, `name`.csv, held by the link itself.
std::string table(std::string_view name, const std::vector<Column>& columns,
                  const std::vector<std::vector<Cell>>& rows);

/// A figure with its name above it and a remark below; value and remark are HTML.
std::string tile(std::string_view name, std::string_view value, std::string_view remark);

}  // namespace zp
