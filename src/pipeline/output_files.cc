#include "pipeline/output_files.h"

#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"

namespace zp {
namespace fs = std::filesystem;

OutputFiles::OutputFiles(const Plan& plan, bool replace) : plan_(plan) {
  for (const PlannedOutput& output : plan.outputs) {
    Open& open = outputs_.emplace_back();
    if (output.layout.folder) open.folder = std::make_unique<AtomicFolder>(output.path, replace);
    for (std::size_t f = 0; f < output.layout.files.size(); ++f) {
      const OutputFile& file = output.layout.files[f];
      const fs::path path = open.folder ? open.folder->partial() / file.name : output.file(f);
      open.files.push_back(std::make_unique<AtomicFile>(path, file.bytes, replace));
    }
  }
}

void OutputFiles::write_fixed() const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    for (std::size_t i = 0; i < outputs_[o].files.size(); ++i) {
      const OutputFile& file = plan_.outputs[o].layout.files[i];
      for (const auto& [offset, bytes] : file.fixed) write(o, i, offset, bytes);
      if (!file.copy_of.empty()) write(o, i, 0, MappedFile(file.copy_of).bytes());
    }
  }
}

void OutputFiles::write(const Tile& tile, const PlaneBuffers& planes) const {
  const TensorJob& job = job_of(plan_, tile);
  const std::int64_t rows = as_matrix(tile, job, {}).rows;
  for (std::size_t p = 0; p < job.planes.size(); ++p) {
    const PlaneTarget& to = job.planes[p];
    const auto write_at = [&](std::int64_t offset, Bytes bytes) {
      write(tile.output, to.file, to.offset + offset, bytes);
    };
    pack_rows(to.form, job.plane_shape(p), tile.begin, rows, planes[p], write_at);
  }
}

void OutputFiles::write(std::size_t output, std::size_t file, std::int64_t offset,
                        Bytes bytes) const {
  outputs_[output].files[file]->write_at(offset, bytes);
}

void OutputFiles::copy(Progress& progress) const {
  constexpr std::size_t kPart = 8 << 20;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    for (std::size_t i = 0; i < outputs_[o].files.size(); ++i) {
      for (const auto& [offset, bytes] : plan_.outputs[o].layout.files[i].copied) {
        for (std::size_t at = 0; at < bytes.size(); at += kPart) {
          const Bytes part = bytes.subspan(at, std::min(kPart, bytes.size() - at));
          write(o, i, offset + static_cast<std::int64_t>(at), part);
          progress.advance(std::ssize(part));
        }
      }
    }
  }
}

void OutputFiles::commit(Progress& progress) const {
  std::int64_t bytes = 0;
  for (const PlannedOutput& output : plan_.outputs)
    bytes += output.layout.bytes() + output.layout.copied_bytes();
  progress.stage("write", bytes, "B");
  copy(progress);
  for (const Open& output : outputs_) {
    for (const auto& file : output.files) {
      file->flush([&](std::int64_t written) { progress.advance(written); });
      if (output.folder) file->commit();  // its name inside the hidden folder
    }
  }
  const Naming together;
  for (const Open& output : outputs_) {
    if (output.folder) {
      output.folder->commit();
    } else {
      for (const auto& file : output.files) file->commit();
    }
  }
}

}  // namespace zp
