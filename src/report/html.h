// Building blocks of an HTML page. Everything that comes from files goes through escaped().
#pragma once

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
/// A table in a box that scrolls sideways where it is too wide. Cells are HTML.
std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows);

/// A figure with its name above it and a remark below; value and remark are HTML.
std::string tile(std::string_view name, std::string_view value, std::string_view remark);

}  // namespace zp
