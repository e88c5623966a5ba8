// What operators, str(), repr(), len() and subscripts do to values: Python's rules. Integers are
// 64 bits wide; a result beyond them is refused.
#pragma once

#include <string>
#include <string_view>

#include "jinja/run.h"
#include "jinja/value.h"

namespace zp::jinja {

bool truth(const Value& value);
std::string to_text(Run& run, const Value& value);  ///< str()
std::string repr(Run& run, const Value& value);
bool has_length(const Value& value);
std::int64_t length(Run& run, const Value& value);

bool equal(Run& run, const Value& a, const Value& b);
bool less(Run& run, const Value& a, const Value& b);
bool contains(Run& run, const Value& container, const Value& item);

/// `symbol` is one of + - * / // % **, < <= > >= == !=, in, "not in".
Value binary(Run& run, std::string_view symbol, const Value& a, const Value& b);
Value negative(Run& run, const Value& value);
Value positive(Run& run, const Value& value);
Value joined(Run& run, const Values& parts);  ///< the operator ~

/// The value of a key in a mapping; null when missing. Fails when the key can't be one.
const Value* lookup(Run& run, const Items& items, const Value& key);
bool is_hashable(Run& run, const Value& value);
/// Sets a key, or changes its value.
void put(Run& run, Items& items, const Value& key, Value value);

/// value[begin:end:step]; undefined or none stands for what was left out.
Value slice(Run& run, const Value& value, const Value& begin, const Value& end, const Value& step);
/// value[key] and value.name, jinja2's order of looking; undefined when there is none.
Value item(Run& run, const Value& value, const Value& key);
Value attribute(Run& run, const Value& value, const std::string& name);

void set_attribute(Run& run, const Value& target, const std::string& name, const Value& value);
/// A method of a text, list or mapping, bound to the value. False when Python has none of that
/// name.
bool find_method(Run& run, const Value& value, const std::string& name, Value& method);

Value call(Run& run, const Value& function, Arguments& arguments);

/// The value as an integer, for arguments; fails at `what` unless it is an integer or boolean.
std::int64_t integer(Run& run, const Value& value, const char* what);
/// The text, for methods and filters; fails for what isn't a text, and for marked ones, whose
/// rules of escaping are not followed further than + and ~.
const std::string& plain_text(Run& run, const Value& value);

}  // namespace zp::jinja
