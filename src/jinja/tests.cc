// Tests: value is NAME.
#include <algorithm>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

template <bool (*predicate)(const Value&)>
Value simple(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(predicate(value));
}

bool is_defined(const Value& v) { return !v.is(Kind::kUndefined); }
bool is_undefined(const Value& v) { return v.is(Kind::kUndefined); }
bool is_none(const Value& v) { return v.is(Kind::kNone); }
bool is_boolean(const Value& v) { return v.is(Kind::kBool); }
bool is_true(const Value& v) { return v.is(Kind::kBool) && v.integer(); }
bool is_false(const Value& v) { return v.is(Kind::kBool) && !v.integer(); }
bool is_integer(const Value& v) { return v.is(Kind::kInt); }
bool is_float(const Value& v) { return v.is(Kind::kFloat); }
bool is_number(const Value& v) { return v.is_number(); }
bool is_string(const Value& v) { return v.is(Kind::kText); }
bool is_mapping(const Value& v) { return v.is(Kind::kDict); }
bool is_escaped(const Value& v) { return v.markup(); }
bool is_sequence(const Value& v) { return has_length(v) && !v.is(Kind::kView); }
bool goes_through(const Value& v) { return is_iterable(v) || v.is(Kind::kLoop); }
bool is_callable(const Value& v) { return v.is(Kind::kFunction) || v.is(Kind::kUndefined); }

Value divisible(Run& run, const Value& value, std::int64_t by, std::int64_t rest) {
  const Value left = binary(run, "%", value, Value::integer(by));
  return Value::boolean(equal(run, left, Value::integer(rest)));
}
Value odd(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return divisible(run, value, 2, 1);
}
Value even(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return divisible(run, value, 2, 0);
}
Value divisibleby(Run& run, const Value& value, Arguments& arguments) {
  const auto given = bind(run, arguments, {"num"}, 1);
  return divisible(run, value, integer(run, *given[0], "divisibleby"), 0);
}
Value lower_case(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(is_lower(to_text(run, value)));
}
Value upper_case(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(is_upper(to_text(run, value)));
}

Value sameas(Run& run, const Value& value, Arguments& arguments) {
  const auto given = bind(run, arguments, {"other"}, 1);
  const Value& other = *given[0];
  if (value.kind() != other.kind()) return Value::boolean(false);
  if (is_none(value)) return Value::boolean(true);
  if (is_boolean(value)) return Value::boolean(value.integer() == other.integer());
  run.fail("test sameas is supported for none, true and false only", {}, kind_name(value));
}

enum class Sign { kEq, kNe, kLt, kLe, kGt, kGe, kIn };
template <Sign sign>
Value compared(Run& run, const Value& value, Arguments& arguments) {
  static constexpr std::string_view kSymbols[] = {"==", "!=", "<", "<=", ">", ">=", "in"};
  const auto given = bind(run, arguments, {"other"}, 1);
  return binary(run, kSymbols[static_cast<std::size_t>(sign)], value, *given[0]);
}

constexpr NamedFunction kTests[] = {{"defined", simple<is_defined>},
                                    {"undefined", simple<is_undefined>},
                                    {"none", simple<is_none>},
                                    {"boolean", simple<is_boolean>},
                                    {"true", simple<is_true>},
                                    {"false", simple<is_false>},
                                    {"integer", simple<is_integer>},
                                    {"float", simple<is_float>},
                                    {"number", simple<is_number>},
                                    {"string", simple<is_string>},
                                    {"mapping", simple<is_mapping>},
                                    {"escaped", simple<is_escaped>},
                                    {"sequence", simple<is_sequence>},
                                    {"iterable", simple<goes_through>},
                                    {"callable", simple<is_callable>},
                                    {"odd", odd},
                                    {"even", even},
                                    {"divisibleby", divisibleby},
                                    {"lower", lower_case},
                                    {"upper", upper_case},
                                    {"sameas", sameas},
                                    {"eq", compared<Sign::kEq>},
                                    {"equalto", compared<Sign::kEq>},
                                    {"==", compared<Sign::kEq>},
                                    {"ne", compared<Sign::kNe>},
                                    {"!=", compared<Sign::kNe>},
                                    {"lt", compared<Sign::kLt>},
                                    {"lessthan", compared<Sign::kLt>},
                                    {"<", compared<Sign::kLt>},
                                    {"le", compared<Sign::kLe>},
                                    {"<=", compared<Sign::kLe>},
                                    {"gt", compared<Sign::kGt>},
                                    {"greaterthan", compared<Sign::kGt>},
                                    {">", compared<Sign::kGt>},
                                    {"ge", compared<Sign::kGe>},
                                    {">=", compared<Sign::kGe>},
                                    {"in", compared<Sign::kIn>}};

}  // namespace

FilterFunction find_test(std::string_view name) {
  for (const NamedFunction& test : kTests) {
    if (test.name == name) return test.function;
  }
  return nullptr;
}

}  // namespace zp::jinja
