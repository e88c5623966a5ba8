// JSON read strictly: files are not trusted.
//
// nlohmann::ordered_json keeps the order of keys, so what we copy through stays as people wrote it.
// It is only declared here, for it is slow to compile: who makes a Json or looks into one includes
// <nlohmann/json.hpp>.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace zp {

using Json = nlohmann::ordered_json;

/// What is no JSON, and from which byte on (counted from 1).
class JsonSyntaxError : public Error {
 public:
  JsonSyntaxError(const std::string& where, std::size_t byte, const std::string& found)
      : Error(where, "no valid JSON at byte " + std::to_string(byte), {}, found), byte_(byte) {}
  std::size_t byte() const { return byte_; }

 private:
  std::size_t byte_;
};

/// Parses UTF-8 JSON. Throws JsonSyntaxError, and Error at `where` on a key that stands twice in
/// one object and on nesting deeper than 128.
Json parse_json(std::string_view text, const std::string& where);
Json read_json(const std::filesystem::path& path);

/// One level of an object read by name and type, with errors that say which field.
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
