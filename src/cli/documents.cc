#include "cli/documents.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "calibrate/windows.h"
#include "source/unread_files.h"
#include "text/documents.h"

namespace zp::cli {

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

namespace {

// What isn't known has to tell by its encoding.
void refuse_other_files(const std::string& path) {
  const MappedFile file(path);
  if (file.bytes().empty() || may_be_text(file.bytes())) return;
  if (const std::string what = describe_file(file.bytes()); !what.empty())
    throw Error(path, "no text", "plain text, JSON or JSONL", what);
}

}  // namespace

std::vector<Document> read_documents(const std::string& file) {
  if (std::filesystem::is_regular_file(file)) refuse_other_files(file);
  return file == "-" ? parse_dataset(standard_input(), "standard input") : read_dataset(file);
}

void say_unread(std::span<const Document> documents, const Tokenizer& tokenizer,
                const std::string& where, const Common& common) {
  static std::set<std::string> said;  // one file may be calibrated on, judged on, ...
  if (common.quiet) return;
  for (const std::string& note : unread_notes(documents, tokenizer, where)) {
    if (said.insert(note).second) fmt::print(stderr, "{}\n", note);
  }
}

void say_unread(std::span<const Document> documents, const LoadedModel& loaded,
                const Common& common) {
  if (loaded.tokenizer)
    say_unread(documents, *loaded.tokenizer, loaded.checkpoint.path.string(), common);
}

std::vector<std::vector<std::int32_t>> read_windows(const std::vector<std::string>& files,
                                                    const LoadedModel& loaded,
                                                    const std::string& where, std::int64_t tokens,
                                                    std::int64_t context, const Common& common) {
  std::vector<Document> documents;
  for (const std::string& file : files) {
    for (Document& document : read_documents(file)) documents.push_back(std::move(document));
  }
  say_unread(documents, loaded, common);
  return calibration_windows(documents, loaded.tokenizer ? &*loaded.tokenizer : nullptr, where,
                             tokens, context);
}

}  // namespace zp::cli
