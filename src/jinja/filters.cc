// Names of filters, filters of single values, and the binding of arguments.
#include "jinja/filters.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/escape_html.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

using Bound = std::vector<std::optional<Value>>;

Value default_filter(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"default_value", "boolean"});
  const bool empty = given[1] && truth(*given[1]) && !truth(value);
  if (!value.is(Kind::kUndefined) && !empty) return value;
  return given[0] ? *given[0] : run.text({});
}

std::optional<std::int64_t> parse(Run& run, const std::string& text, int base) {
  try {
    return parse_integer(text, base);
  } catch (const std::out_of_range&) {
    run.fail("integers beyond 64 bits are not supported");
  }
}

std::int64_t truncated(Run& run, double value) {
  if (std::fabs(value) >= 9223372036854775808.0)
    run.fail("integers beyond 64 bits are not supported");
  return static_cast<std::int64_t>(value);
}

Value int_filter(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"default", "base"});
  Value otherwise = given[0] ? *given[0] : Value::integer(0);
  if (value.is_integral()) return Value::integer(value.integer());
  if (value.is(Kind::kFloat)) {
    if (std::isinf(value.real())) run.fail("infinity has no integer");
    return std::isnan(value.real()) ? otherwise : Value::integer(truncated(run, value.real()));
  }
  if (value.is(Kind::kUndefined)) plain_text(run, value);
  if (!value.is(Kind::kText)) return otherwise;
  const std::int64_t base = given[1] ? integer(run, *given[1], "base") : 10;
  const std::string& text = plain_text(run, value);
  if (base == 0 || (base >= 2 && base <= 36)) {
    if (const auto whole = parse(run, text, static_cast<int>(base))) return Value::integer(*whole);
  }
  const std::optional<double> real = parse_real(text);
  if (!real || !std::isfinite(*real)) return otherwise;
  return Value::integer(truncated(run, *real));
}

Value float_filter(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"default"});
  if (value.is_number()) return Value::real(value.real());
  if (value.is(Kind::kUndefined)) plain_text(run, value);
  if (value.is(Kind::kText)) {
    if (const auto real = parse_real(plain_text(run, value))) return Value::real(*real);
  }
  return given[0] ? *given[0] : Value::real(0);
}

Value string_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return value.is(Kind::kText) ? value : run.text(to_text(run, value));
}

Value abs_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  if (value.is(Kind::kFloat)) return Value::real(std::fabs(value.real()));
  return value.is_integral() && value.integer() >= 0 ? Value::integer(value.integer())
                                                     : negative(run, value);
}

// round() of Python: to the nearest decimal, halves to even, of the exact binary value.
double round_to(double value, std::int64_t places) {
  if (!std::isfinite(value) || places > 323) return value;
  char text[800];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(places), value);
  return std::strtod(text, nullptr);
}

Value round_filter(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"precision", "method"});
  const std::int64_t places = given[0] ? integer(run, *given[0], "precision") : 0;
  const std::string method = given[1] ? plain_text(run, *given[1]) : "common";
  if (method != "common" && method != "ceil" && method != "floor") {
    run.fail("unknown way to round", "common, ceil or floor", method);
  }
  if (!value.is_number()) run.fail("can't be rounded", "a number", kind_name(value));
  if (places < 0) run.fail("rounding to tens is not supported");
  if (method == "common") {
    if (value.is_integral()) return Value::integer(value.integer());
    return Value::real(round_to(value.real(), places));
  }
  if (places > 15) run.fail("rounding to more than 15 places is not supported");
  const double scale = std::pow(10.0, static_cast<double>(places));
  const double scaled = value.real() * scale;
  if (!std::isfinite(scaled) || std::fabs(scaled) > 9e15)
    run.fail("number is too large to be rounded");
  return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale + 0.0);
}

Value safe_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return run.text(to_text(run, value), true);
}

Value escape_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  if (value.markup()) return value;
  const std::string text = to_text(run, value);
  run.charge(static_cast<std::int64_t>(6 * text.size()));
  return run.text(escape_html(text), true);
}

Value items_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  struct Pairs final : IteratorObject {
    explicit Pairs(Cursor over) : cursor(std::move(over)) { depth = cursor.source().depth() + 1; }
    bool next(Run& now, Value& pair) const override {
      const Value& source = cursor.source();
      if (!source.is(Kind::kUndefined) && !source.is(Kind::kView)) {
        now.fail("only a mapping has items", {}, kind_name(source));
      }
      return cursor.next(now, pair);
    }
    mutable Cursor cursor;
  };
  const Value source =
      !value.is(Kind::kDict)
          ? value
          : run.object(Kind::kView, std::make_shared<ViewObject>(ViewObject::Part::kItems, value));
  return run.object(Kind::kIterator, std::make_shared<Pairs>(Cursor(source)));
}

Value attr_filter(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"name"}, 1);
  const std::string& name = plain_text(run, *given[0]);
  // Only attributes in Python's sense: never a mapping's keys.
  if (value.is(Kind::kDict)) {
    Value method;
    if (!find_method(run, value, name, method))
      return run.undefined("a mapping has no attribute '" + name + "'");
    return method;
  }
  return attribute(run, value, name);
}

constexpr NamedFunction kFilters[] = {
    {"default", default_filter}, {"d", default_filter},     {"int", int_filter},
    {"float", float_filter},     {"string", string_filter}, {"abs", abs_filter},
    {"round", round_filter},     {"safe", safe_filter},     {"escape", escape_filter},
    {"e", escape_filter},        {"items", items_filter},   {"attr", attr_filter},
    {"tojson", to_json}};

}  // namespace

FilterFunction find_filter(std::string_view name) {
  for (const NamedFunction& filter : kFilters) {
    if (filter.name == name) return filter.function;
  }
  const FilterFunction of_text = find_text_filter(name);
  return of_text != nullptr ? of_text : find_sequence_filter(name);
}

std::vector<std::optional<Value>> bind(Run& run, Arguments& arguments,
                                       std::initializer_list<const char*> names,
                                       std::size_t required) {
  if (arguments.positional.size() > names.size()) {
    run.fail("too many arguments", std::to_string(names.size()),
             std::to_string(arguments.positional.size()));
  }
  std::vector<std::optional<Value>> bound(names.size());
  std::move(arguments.positional.begin(), arguments.positional.end(), bound.begin());
  for (auto& [name, value] : arguments.named) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) run.fail("no such argument", {}, name);
    std::optional<Value>& place = bound[static_cast<std::size_t>(at - names.begin())];
    if (place) run.fail("argument given twice", {}, name);
    place = std::move(value);
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!bound[i]) run.fail("argument missing", names.begin()[i]);
  }
  return bound;
}

}  // namespace zp::jinja
