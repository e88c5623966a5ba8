#include "cli/open_model.h"

#include <fmt/format.h>

#include "base/error.h"

namespace zp::cli {

std::unique_ptr<LoadedModel> open_model(const std::string& path, const Common& common) {
  std::unique_ptr<LoadedModel> loaded = load_model(path);
  if (common.quiet) return loaded;
  constexpr std::size_t kLongest = 400;
  for (const std::string& note : notes_of(*loaded))
    fmt::print(stderr, "{}: {}\n", printable(path), printable(note, kLongest));
  return loaded;
}

}  // namespace zp::cli
