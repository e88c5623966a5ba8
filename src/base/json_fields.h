// One level of a JSON object read by name and type, with errors that say which field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace zp {

class JsonFields {
 public:
  /// Throws unless `object` is an object. `where` is what messages begin with.
  JsonFields(const Json& object, std::string where);

  bool has(std::string_view key) const;  ///< present and not null
  std::int64_t integer(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  double real(std::string_view key) const;
  double real(std::string_view key, double otherwise) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key) const;
  std::string text(std::string_view key, std::string_view otherwise) const;
  /// The value itself; throws when missing.
  const Json& at(std::string_view key) const;
  const std::string& where() const { return where_; }

 private:
  [[noreturn]] void wrong(std::string_view key, const char* expected) const;
  const Json& object_;
  std::string where_;
};

}  // namespace zp
