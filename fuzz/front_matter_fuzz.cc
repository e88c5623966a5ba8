// The head of a model card from bytes: every value is one printable line.
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "format/front_matter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), bytes);
  for (const auto& [key, values] : zp::read_front_matter(text)) {
    for (const std::string& value : values) {
      if (value.empty() || zp::printable(value, value.size()) != value) std::abort();
    }
  }
  return 0;
}
