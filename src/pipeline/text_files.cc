#include "pipeline/text_files.h"

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/human.h"
#include "base/mapped_file.h"
#include "source/unread_files.h"
#include "text/documents.h"

namespace zp {
namespace {

// What isn't known has to tell by its encoding.
void refuse_other_files(const std::string& path) {
  const MappedFile file(path);
  if (file.bytes().empty() || may_be_text(file.bytes())) return;
  if (const std::string what = describe_file(file.bytes()); !what.empty())
    throw Error(path, "no text", "plain text, JSON or JSONL", what);
}

}  // namespace

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

std::vector<Document> read_documents(const std::string& file) {
  if (std::filesystem::is_regular_file(file)) refuse_other_files(file);
  return file == "-" ? parse_dataset(standard_input(), "standard input") : read_dataset(file);
}

std::vector<Document> read_documents(const std::vector<std::string>& files) {
  std::vector<Document> documents;
  for (const std::string& file : files) {
    for (Document& document : read_documents(file)) documents.push_back(std::move(document));
  }
  return documents;
}

void UnreadRemarks::say(std::span<const Document> documents, const Tokenizer& tokenizer,
                        const std::string& where, Progress& progress) {
  for (const std::string& note : unread_notes(documents, tokenizer, where)) {
    if (said_.insert(note).second) progress.remark(note);
  }
}

void UnreadRemarks::say(std::span<const Document> documents, const LoadedModel& loaded,
                        Progress& progress) {
  if (loaded.tokenizer)
    say(documents, *loaded.tokenizer, loaded.checkpoint.path.string(), progress);
}

void say_beyond_context(const Decoder& decoder, std::int64_t tokens, const std::string& what,
                        Progress& progress) {
  if (decoder.context <= 0 || tokens <= decoder.context) return;
  progress.remark(fmt::format("note: {} of {} {} longer than the model's context of {}", what,
                              human_counted(tokens, "token"), what.ends_with('s') ? "are" : "is",
                              human_count(decoder.context)));
}

}  // namespace zp
