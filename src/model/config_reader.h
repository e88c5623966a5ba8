// config.json read as a closed list of fields: what matters is read, what is known to be without
// influence is named, and any other field that isn't null is refused. So no model is computed
// wrongly because a new field was overlooked.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_fields.h"
#include "model/field.h"

namespace zp {

/// One object of config.json. Every field asked for counts as known.
class ConfigReader {
 public:
  ConfigReader(const Json& object, std::string where)
      : fields_(object, std::move(where)), object_(object) {}

  bool has(std::string_view key);       ///< present and not null
  bool mentions(std::string_view key);  ///< present, null or not
  /// An integer in 1 ... limit.
  std::int64_t count(std::string_view key, std::int64_t limit);
  std::int64_t count(std::string_view key, std::int64_t limit, std::int64_t otherwise);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  /// A finite number above 0.
  double positive(std::string_view key);
  double positive(std::string_view key, double otherwise);
  bool boolean(std::string_view key, bool otherwise);
  std::string text(std::string_view key, std::string_view otherwise);
  Activation activation(std::string_view key, std::string_view otherwise);
  /// Finite numbers above 0; exactly `length` of them.
  std::vector<float> positives(std::string_view key, std::size_t length);
  std::vector<std::string> texts(std::string_view key);
  /// Integers in 0 ... end - 1; none where the field is missing.
  std::vector<std::int64_t> indices(std::string_view key, std::int64_t end);
  const Json& at(std::string_view key);
  /// The first of these names that has a value, else the first: architectures renamed their fields.
  std::string_view either(std::string_view name, std::string_view older);

  /// Throws for one of these that has another value. `architecture` is for the message.
  void require(std::span<const FixedField> fixed, std::string_view architecture);
  /// Throws for a field that was never asked for and isn't among these or the ones every model may
  /// have.
  void finish(std::string_view architecture,
              std::span<const std::string_view> without_influence = {});
  const std::string& where() const { return fields_.where(); }
  [[noreturn]] void refuse(std::string_view key, const std::string& what,
                           const std::string& expected = {}) const;

 private:
  void mark_known(std::string_view key) { known_.emplace(key); }

  JsonFields fields_;
  const Json& object_;
  std::set<std::string, std::less<>> known_;
};

/// layer_types, one of "sliding_attention" and "full_attention" for each layer; where there is none,
/// in every `period` layers the last sees everything. Sets that window for the others.
void read_layer_types(ConfigReader& fields, Decoder& decoder, std::int64_t window,
                      std::int64_t period);
/// use_sliding_window, sliding_window, max_window_layers and layer_types, as the Qwen family has
/// them.
void read_window_layers(ConfigReader& fields, Decoder& decoder);

}  // namespace zp
