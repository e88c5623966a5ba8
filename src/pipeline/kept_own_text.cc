#include "pipeline/kept_own_text.h"

#include <fmt/core.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "calibrate/stored_statistics.h"
#include "pipeline/resume.h"

namespace zp {
namespace {

// All that the text depends on.
std::uint64_t identity(const Model& model, const OwnTextOptions& o, std::int64_t tokens) {
  Hash64 hash;
  const std::string text = fmt::format("own text {} {} {} {} {} {}", hash_of(model), o.temperature,
                                       o.length, o.seed, o.weights, tokens);
  hash.add(std::as_bytes(std::span(text)));
  return hash.value();
}

// What it came to in the first line, then the documents.
std::string stored(const OwnText& text) {
  const Json head = {{"tokens", text.tokens},
                     {"conversations", text.conversations},
                     {"restarted", text.restarted},
                     {"left_out", text.left_out},
                     {"begin", text.begin}};
  return head.dump() + "\n" + to_jsonl(text.documents);
}

OwnText restored(const std::string& lines, const std::string& where) {
  const std::size_t end = std::min(lines.find('\n'), lines.size() - 1);
  const Json object = parse_json(lines.substr(0, end), where);
  const JsonFields head(object, where);
  OwnText text;
  text.tokens = head.integer("tokens");
  text.conversations = head.integer("conversations");
  text.restarted = head.integer("restarted");
  text.left_out = head.integer("left_out");
  text.begin = head.text("begin");
  text.documents = parse_dataset(lines.substr(end + 1), where);
  return text;
}

}  // namespace

OwnText kept_or_written(const std::filesystem::path& folder, const LoadedModel& loaded,
                        const OwnTextOptions& options, std::int64_t tokens, std::int64_t streams,
                        const Team& team, Progress& progress) {
  const std::uint64_t run = identity(loaded.model, options, tokens);
  if (const auto kept = kept_own_text(folder, run)) {
    progress.remark(folder.string() + ": has the model's own text");
    return restored(*kept, folder.string());
  }
  OwnText text = write_own_text(loaded, options, tokens, streams, team, progress);
  keep_own_text(folder, run, stored(text));
  return text;
}

}  // namespace zp
