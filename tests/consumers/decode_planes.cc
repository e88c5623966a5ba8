// Decodes tensors of a safetensors file through the program's own grids, for tests that compare
// with what a runtime makes of the same bytes.
//
//     decode_planes FILE <requests >values
//
// A request is a line "SPEC COLUMNS PLANE...": a grid, the length of its rows and the tensors that
// are its planes. The values come out as FP32, one request's after the other.
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "format/safetensors.h"
#include "grid/grid.h"

namespace zp {
namespace {

const safetensors::TensorInfo& find(const safetensors::Header& header, const std::string& name) {
  for (const safetensors::TensorInfo& t : header.tensors) {
    if (t.name == name) return t;
  }
  throw Error(name, "no such tensor");
}

void answer(const std::string& request, const MappedFile& file, const safetensors::Header& header) {
  std::istringstream words(request);
  std::string spec, name;
  std::int64_t cols = 0;
  words >> spec >> cols;
  const std::unique_ptr<Grid> grid = make_grid(spec);
  std::vector<const std::byte*> planes;
  std::int64_t rows = 0;
  while (words >> name) {
    const safetensors::TensorInfo& t = find(header, name);
    const std::int64_t row_bytes = grid->row_bytes(planes.size(), cols);
    if (planes.empty()) rows = t.bytes / row_bytes;
    if (t.bytes != rows * row_bytes) throw Error(name, "no plane of such rows", spec);
    planes.push_back(file.bytes().data() + t.begin);
  }
  if (planes.size() != grid->planes().size()) throw Error(request, "wrong number of planes");
  std::vector<float> values(static_cast<std::size_t>(rows * cols));
  grid->decode(planes, {values.data(), rows, cols});
  std::fwrite(values.data(), sizeof(float), values.size(), stdout);
}

}  // namespace
}  // namespace zp

int main(int argc, char** argv) try {
  if (argc != 2) throw zp::UsageError("decode_planes", "wrong arguments", "FILE");
  const zp::MappedFile file(argv[1]);
  const zp::safetensors::Header header = zp::safetensors::read_header(file.bytes(), argv[1]);
  for (std::string line; std::getline(std::cin, line);) zp::answer(line, file, header);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "decode_planes: %s\n", error.what());
  return 1;
}
