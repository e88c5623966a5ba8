// The special tokens that tokenizer_config.json and special_tokens_map.json name, and which of the
// two holds, as transformers 5 reads them (tokenization_utils_base.py).
//
//   named   bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token; a model's
//           own, such as image_token: texts under keys that end in "_token", and what
//           "extra_special_tokens" maps
//   extra   "extra_special_tokens" as a list; where that isn't there "additional_special_tokens"
//
// special_tokens_map.json goes before tokenizer_config.json where the latter lists no
// "added_tokens_decoder"; where it does, the map isn't read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace zp {

struct SpecialTokens {
  struct Named {
    std::string name;
    AddedToken token;  ///< without its id
  };
  std::vector<Named> named;       ///< in the order in which new ones get ids, no name twice
  std::vector<AddedToken> extra;  ///< without ids and names; new ones get theirs behind the named

  const AddedToken* find(std::string_view name) const;  ///< nullptr when nothing has the name
  bool names(std::string_view text) const;              ///< whether one of the named has this text
};

/// The two files as objects, empty for one that isn't there; `config_file` and `map_file` are what
/// messages begin with. Throws Error for a token that is neither a text nor an object.
SpecialTokens read_special_tokens(const Json& config, const std::string& config_file,
                                  const Json& map, const std::string& map_file);

}  // namespace zp
