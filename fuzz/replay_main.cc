// Runs a fuzz target over files (or folders of files) named on the command line: how regression
// inputs are replayed by an ordinary build.
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/mapped_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes);

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  int files = 0;
  const auto replay = [&files](const fs::path& path) {
    const zp::MappedFile file(path);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.bytes().data()),
                           file.bytes().size());
    ++files;
  };
  for (int i = 1; i < argc; ++i) {
    if (fs::is_directory(argv[i])) {
      for (const auto& entry : fs::directory_iterator(argv[i])) replay(entry.path());
    } else {
      replay(argv[i]);
    }
  }
  std::printf("%d inputs replayed\n", files);
  return files > 0 ? 0 : 1;
}
