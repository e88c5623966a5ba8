// OpenVINO's graphs from bytes, with a second file of a fixed length: whatever is accepted differs from
// itself in nothing, and its tensors can be read.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "format/graph_difference.h"
#include "format/openvino.h"
#include "read_rows.h"

namespace {

// The folder of the second file.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "zeropoint_openvino_fuzz_XXXXXX") {
    std::string name = path_.string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
    std::ofstream(path_ / "m.bin") << std::string(4096, 'x');
    std::ofstream(path_ / "m.xml");
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void read(zp::Bytes file, const std::filesystem::path& folder) {
  zp::Checkpoint checkpoint;
  checkpoint.folder = folder;
  for (const zp::SourceKind* source : zp::source_kinds()) {
    if (source->name == "openvino") source->read(file, (folder / "m.xml").string(), checkpoint);
  }
  const zp::openvino::Graph& graph = *checkpoint.openvino_graph;
  if (zp::first_difference(graph.nodes, graph.nodes)) std::abort();
  read_rows(checkpoint);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const Folder folder;
  try {
    read(zp::Bytes(reinterpret_cast<const std::byte*>(data), bytes), folder.path());
  } catch (const zp::Error&) {
  }
  return 0;
}
