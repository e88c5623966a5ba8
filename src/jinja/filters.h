// Filters and tests by name. A filter takes the value before the bar and its arguments; a test
// gives a boolean.
//
// Not there: filters of HTML and of chance (urlize, xmlattr, striptags, random, ...), pprint,
// groupby, wordwrap, filesizeformat; the tests "filter" and "test".
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "jinja/run.h"
#include "jinja/value.h"

namespace zp::jinja {

using FilterFunction = Value (*)(Run& run, const Value& value, Arguments& arguments);

struct NamedFunction {
  std::string_view name;
  FilterFunction function;
};

/// Null when there is none.
FilterFunction find_filter(std::string_view name);
FilterFunction find_test(std::string_view name);

/// The parts find_filter() looks in.
FilterFunction find_text_filter(std::string_view name);
FilterFunction find_sequence_filter(std::string_view name);
Value to_json(Run& run, const Value& value, Arguments& arguments);

/// Arguments by place or name, in the order of `names`; empty where not given. Fails on an unknown
/// name, too many, or fewer than `required`.
std::vector<std::optional<Value>> bind(Run& run, Arguments& arguments,
                                       std::initializer_list<const char*> names,
                                       std::size_t required = 0);

}  // namespace zp::jinja
