// What the head of a model card (README.md) says of the model: YAML between two lines of "---".
//
//   key: value      key: [a, b]      key:
//                                      - a
//                                      - b
//
// These forms of plain and quoted texts are read; whatever else YAML can say is passed over.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// The values of each key, in the file's order; those that aren't printable are left out. Empty for
/// a text without such a head.
using FrontMatter = std::map<std::string, std::vector<std::string>, std::less<>>;
FrontMatter read_front_matter(std::string_view text);

}  // namespace zp
