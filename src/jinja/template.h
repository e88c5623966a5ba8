// Jinja: a program that turns variables into text, in the dialect of chat templates.
//
// What it computes is jinja2's, byte for byte, with the functions and settings of transformers.
// parser.h, filters.h and globals.h say what is not known and refused by name, run.h what a
// template may spend.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"

namespace zp::jinja {

class Template {
 public:
  /// Throws Error at `where` with the line of what can't be read or isn't known.
  Template(std::string_view source, std::string where);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// `variables` is an object; a template may set others of the same names. `now` is what
  /// strftime_now() takes for now, as seconds since 1970, read as UTC. Throws Error where the
  /// template refuses (raise_exception), fails, or takes too much. Several threads may render one.
  std::string render(const Json& variables, std::time_t now) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
  std::string where_;
};

}  // namespace zp::jinja
