// What a run has done, kept in a folder, so that the same command goes on where it was killed.
//
//   own-text  what the model wrote to be calibrated on, as JSON; its run is a hash of what that
//             depends on
//   coded-N   what became of the tensors of the stages from the one before's end up to N: the run's
//             own layout
//   state     what the statistics need to go on behind stage N; written last, so the folder is as
//             good as its state
//
// Each file: "zpresume" | u64 run | u64 stages done | u64 checksum (base/hash.h) of these two and
// of the rest | the rest. Files appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"

namespace zp {

/// The model's own text; nothing where there is none yet. Throws Error as ResumeFolder does.
std::optional<std::string> kept_own_text(const std::filesystem::path& folder, std::uint64_t run);
void keep_own_text(const std::filesystem::path& folder, std::uint64_t run, const std::string& text);

class ResumeFolder {
 public:
  /// Makes the folder if there is none. run: a hash of all that the result depends on. Throws Error
  /// for a folder of another run, and for damage.
  ResumeFolder(const std::filesystem::path& folder, std::uint64_t run);

  /// Stages that are done.
  std::int64_t done() const { return done_; }
  /// The ends of those that were saved together, ascending; the last is done().
  const std::vector<std::int64_t>& ends() const { return ends_; }
  MappedFile coded(std::int64_t end) const { return MappedFile(name("coded-", end)); }
  MappedFile state() const { return MappedFile(folder_ / "state"); }
  /// The rest of such a file.
  static Bytes content(const MappedFile& file);

  void save(std::int64_t end, const std::vector<Bytes>& coded, const std::vector<Bytes>& state);
  /// When the result stands: nothing is left of it.
  void remove();

 private:
  std::filesystem::path name(const std::string& kind, std::int64_t end) const {
    return folder_ / (kind + std::to_string(end));
  }

  std::filesystem::path folder_;
  std::uint64_t run_;
  std::int64_t done_ = 0;
  std::vector<std::int64_t> ends_;
};

}  // namespace zp
