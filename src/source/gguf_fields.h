// GGUF's metadata read by key and type, with errors that say which key.
//
// As with config.json, the keys of the architecture are a closed list: one that was never asked for
// is refused, so no model is computed wrongly because a new key was overlooked.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/gguf.h"

namespace zp {

/// Borrows the pairs.
class GgufFields {
 public:
  /// Keys asked for get `prefix` in front. `where` begins messages.
  GgufFields(std::span<const gguf::Pair> pairs, std::string prefix, std::string where);

  bool has(std::string_view key);
  /// An integer of any width in least ... most. An array whose elements are all the same counts as
  /// one (keys that may differ by layer).
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most,
                       std::int64_t otherwise) {
    return has(key) ? integer(key, least, most) : otherwise;
  }
  /// An integer in 0 ... most for each layer, of any width; a single one is every layer's.
  std::vector<std::int64_t> by_layer(std::string_view key, std::int64_t most, std::int64_t layers);
  std::int64_t count(std::string_view key, std::int64_t most) { return integer(key, 1, most); }
  std::int64_t count(std::string_view key, std::int64_t most, std::int64_t otherwise);
  /// A finite number above 0: the shortest decimal that the stored FP32 stands for.
  double positive(std::string_view key);
  double positive(std::string_view key, double otherwise);
  bool boolean(std::string_view key, bool otherwise);
  /// UTF-8.
  std::string text(std::string_view key);
  std::string text(std::string_view key, std::string_view otherwise);
  /// An array of strings, or of FP32 or I32; nullptr when it isn't there.
  const gguf::Strings* texts(std::string_view key);
  const std::vector<float>* reals(std::string_view key);
  /// The same of booleans; nullptr also where it is something else.
  const std::vector<bool>* booleans(std::string_view key);
  const std::vector<std::int32_t>* integers(std::string_view key);

  /// Throws for a key with the prefix that was never asked for.
  void finish() const;
  [[noreturn]] void refuse(std::string_view key, const std::string& what,
                           const std::string& expected = {}, const std::string& found = {}) const;
  const std::string& where() const { return where_; }

 private:
  const gguf::Value* find(std::string_view key);
  const gguf::Value& at(std::string_view key);
  template <class T>
  const T* array(std::string_view key, const char* expected);

  std::string prefix_;
  std::string where_;
  std::unordered_map<std::string_view, const gguf::Value*> values_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace zp
