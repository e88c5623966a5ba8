#include "pipeline/resume.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

struct Head {
  std::array<char, 8> magic = {'z', 'p', 'r', 'e', 's', 'u', 'm', 'e'};
  std::uint64_t run = 0;
  std::uint64_t end = 0;
  std::uint64_t checksum = 0;
};

// Hashed a chunk at a time, so that no more needs to be in memory.
constexpr std::size_t kChunk = 1 << 20;

constexpr const char* kOwnText = "own-text";

Hash64 hash_of_head(const Head& head) {
  Hash64 hash;
  hash.add(std::as_bytes(std::span(&head.run, 1)));
  hash.add(std::as_bytes(std::span(&head.end, 1)));
  return hash;
}

std::uint64_t checksum_of(const Head& head, Bytes content) {
  Hash64 hash = hash_of_head(head);
  for (std::size_t i = 0; i < content.size(); i += kChunk)
    hash.add(content.subspan(i, std::min(kChunk, content.size() - i)));
  return hash.value();
}

// Its stages that are done.
std::int64_t check(const fs::path& file, std::uint64_t run) {
  const MappedFile mapped(file);
  Head head;
  const std::array<char, 8> magic = head.magic;
  if (mapped.bytes().size() >= sizeof(Head))
    std::memcpy(&head, mapped.bytes().data(), sizeof(Head));
  if (mapped.bytes().size() < sizeof(Head) || head.magic != magic ||
      head.checksum != checksum_of(head, ResumeFolder::content(mapped))) {
    throw Error(file.string(), "damaged: nothing to go on from", "another `resume` folder");
  }
  if (head.run != run) {
    throw Error(file.parent_path().string(), "of another run",
                "the same model, targets, text and options, or another `resume` folder");
  }
  return static_cast<std::int64_t>(head.end);
}

void write(const fs::path& path, std::uint64_t run, std::int64_t end,
           const std::vector<Bytes>& parts) {
  Head head;
  head.run = run;
  head.end = static_cast<std::uint64_t>(end);
  std::int64_t at = sizeof(Head);
  std::int64_t bytes = at;
  for (const Bytes part : parts) bytes += std::ssize(part);
  AtomicFile file(path, bytes, true);
  Hash64 hash = hash_of_head(head);
  std::vector<std::byte> chunk;
  const auto flush = [&] {
    hash.add(chunk);
    file.write_at(at, chunk);
    at += std::ssize(chunk);
    chunk.clear();
  };
  for (Bytes part : parts) {
    while (!part.empty()) {
      const std::size_t count = std::min(kChunk - chunk.size(), part.size());
      chunk.insert(chunk.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
      part = part.subspan(count);
      if (chunk.size() == kChunk) flush();
    }
  }
  if (!chunk.empty()) flush();
  head.checksum = hash.value();
  file.write_at(0, std::as_bytes(std::span(&head, 1)));
  file.commit();
}

void make_folder(const fs::path& folder) {
  std::error_code reason;
  fs::create_directory(folder, reason);
  if (!fs::is_directory(folder)) throw Error(folder.string(), "can't be a folder to resume from");
}

}  // namespace

std::optional<std::string> kept_own_text(const fs::path& folder, std::uint64_t run) {
  const fs::path file = folder / kOwnText;
  if (!fs::exists(file)) return std::nullopt;
  check(file, run);
  const MappedFile mapped(file);
  const Bytes content = ResumeFolder::content(mapped);
  return std::string(reinterpret_cast<const char*>(content.data()), content.size());
}

void keep_own_text(const fs::path& folder, std::uint64_t run, const std::string& text) {
  make_folder(folder);
  write(folder / kOwnText, run, 0, {std::as_bytes(std::span(text))});
}

ResumeFolder::ResumeFolder(const fs::path& folder, std::uint64_t run) : folder_(folder), run_(run) {
  make_folder(folder_);
  if (!fs::exists(folder_ / "state")) return;
  done_ = check(folder_ / "state", run_);
  for (std::int64_t end = 1; end <= done_; ++end) {
    if (fs::exists(name("coded-", end)) && check(name("coded-", end), run_) == end)
      ends_.push_back(end);
  }
  if (ends_.empty() || ends_.back() != done_)
    throw Error(folder_.string(), "incomplete", "coded-" + std::to_string(done_));
}

Bytes ResumeFolder::content(const MappedFile& file) { return file.bytes().subspan(sizeof(Head)); }

void ResumeFolder::save(std::int64_t end, const std::vector<Bytes>& coded,
                        const std::vector<Bytes>& state) {
  write(name("coded-", end), run_, end, coded);
  write(folder_ / "state", run_, end, state);
  ends_.push_back(end);
  done_ = end;
}

void ResumeFolder::remove() {
  std::error_code ignored;
  fs::remove(folder_ / "state", ignored);
  fs::remove(folder_ / kOwnText, ignored);
  for (const std::int64_t end : ends_) fs::remove(name("coded-", end), ignored);
  fs::remove(folder_, ignored);  // where nothing else is in it
}

}  // namespace zp
