// Texts by the names people give them: a path, or - for standard input.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp {

/// All of it.
std::string standard_input();

/// Throws Error as read_dataset does, and for files of another kind.
std::vector<Document> read_documents(const std::string& file);
std::vector<Document> read_documents(const std::vector<std::string>& files);

/// Says what of documents no token tells of, see unread_notes(): every line once, for a file may be
/// calibrated on, judged on, ...
class UnreadRemarks {
 public:
  /// `where` names the tokenizer. Throws Error as unread_notes() does.
  void say(std::span<const Document> documents, const Tokenizer& tokenizer,
           const std::string& where, Progress& progress);
  /// Of a model without a tokenizer: nothing.
  void say(std::span<const Document> documents, const LoadedModel& loaded, Progress& progress);

 private:
  std::set<std::string> said_;
};

/// Where a text is longer than the model was made for, says so. what: "windows", ...
void say_beyond_context(const Decoder& decoder, std::int64_t tokens, const std::string& what,
                        Progress& progress);

}  // namespace zp
