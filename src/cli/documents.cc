#include "cli/documents.h"

#include <cstdio>

namespace zp::cli {
namespace {

std::string standard_input() {
  std::string all(64 << 10, '\0');
  std::size_t bytes = 0;
  while (const std::size_t count = std::fread(all.data() + bytes, 1, all.size() - bytes, stdin)) {
    bytes += count;
    if (bytes == all.size()) all.resize(2 * bytes);
  }
  all.resize(bytes);
  return all;
}

}  // namespace

std::vector<Document> read_documents(const std::string& file) {
  return file == "-" ? parse_dataset(standard_input(), "standard input") : read_dataset(file);
}

}  // namespace zp::cli
