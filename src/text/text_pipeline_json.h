// The parts of tokenizer.json around its model: normalizer, pre_tokenizer, post_processor, and how
// it writes added tokens. Names and fields as in Hugging Face's `tokenizers`.
#pragma once

#include <string>

#include "base/json.h"
#include "base/json_fields.h"
#include "text/vocabulary.h"

namespace zp {

/// Reads what is done to a text before the model sees it, into `tokenizer`.
class TextPipeline {
 public:
  explicit TextPipeline(Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void read_normalizer(const Json& json, const std::string& where);
  void read_splitter(const Json& json, const std::string& where);

  bool byte_level = false;      ///< bytes in GPT-2's alphabet reach the model
  bool escapes_spaces = false;  ///< spaces become U+2581

 private:
  void read_split(const JsonFields& fields);
  void read_metaspace(const JsonFields& fields);
  void read_byte_level(const JsonFields& fields);
  void read_replace(const JsonFields& fields, const Json& json);
  void read_character_map(const JsonFields& fields);
  Tokenizer& tokenizer_;
};

/// Which ids go around a text: one before it (bos), one behind it (eos).
void read_post_processor(const Json& json, const std::string& where, TokenizerDraft& draft);

/// Whether decoding drops the first space.
void read_decoder(const Json& json, const std::string& where, Tokenizer& tokenizer);

/// content, special and the four flags. Throws when the content is missing or empty.
AddedToken read_added_token(const JsonFields& fields, std::int64_t id);

}  // namespace zp
