#include "container/data_file.h"

#include <utility>

#include "base/checked.h"

namespace zp {
namespace {

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kLine = 64;  // of a processor's cache

}  // namespace

void add_data_file(Layout& layout, std::string name) {
  OutputFile file;
  file.name = std::move(name);
  for (const std::int64_t alignment : {kPage, kLine}) {
    for (TensorJob& job : layout.jobs) {
      for (std::size_t p = 0; p < job.planes.size(); ++p) {
        PlaneTarget& target = job.planes[p];
        const std::int64_t bytes = file_bytes(target.form, job.plane_shape(p));
        if ((bytes >= kPage) != (alignment == kPage)) continue;
        target.file = layout.files.size();
        target.offset = round_up(file.bytes, alignment);
        file.bytes = checked_add(target.offset, bytes, job.name);
      }
    }
  }
  layout.files.push_back(std::move(file));
}

}  // namespace zp
