#include "container/data_file.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/checked.h"

namespace zp {
namespace {

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kLine = 64;  // of a processor's cache

}  // namespace

void add_data_file(Layout& layout, std::string name,
                   const std::vector<std::vector<DataPlace>>& places) {
  OutputFile file;
  file.name = std::move(name);
  std::unordered_map<std::string_view, std::int64_t> begins;  // of tensors
  for (const std::int64_t alignment : {kPage, kLine}) {
    for (std::size_t j = 0; j < layout.jobs.size(); ++j) {
      for (std::size_t p = 0; p < places[j].size(); ++p) {
        const DataPlace& place = places[j][p];
        if ((place.bytes >= kPage) != (alignment == kPage)) continue;
        const auto [begin, is_new] =
            begins.try_emplace(place.tensor, round_up(file.bytes, alignment));
        if (is_new) file.bytes = checked_add(begin->second, place.bytes, place.tensor);
        PlaneTarget& target = layout.jobs[j].planes[p];
        target.file = layout.files.size();
        target.offset = begin->second + place.begin;
      }
    }
  }
  layout.files.push_back(std::move(file));
}

std::int64_t add_bytes(OutputFile& file, std::string_view bytes) {
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  const std::int64_t offset = round_up(file.bytes, kLine);
  file.fixed.emplace_back(offset, std::vector<std::byte>(begin, begin + bytes.size()));
  file.bytes = offset + std::ssize(bytes);
  return offset;
}

}  // namespace zp
