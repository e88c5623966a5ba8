#include "format/gguf_phi3_name.h"

#include <algorithm>
#include <cctype>

namespace zp::gguf {

std::size_t find_phi3(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::min(name.find("phi-3"), name.find("phi3"));
}

}  // namespace zp::gguf
