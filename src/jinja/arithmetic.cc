// The operators + - * / // % ** ~ and the words for them; comparisons by their signs.
#include <cmath>

#include "base/escape_html.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

// Beyond 2^53 a quotient of integers can't be had from doubles with one rounding.
constexpr std::int64_t kMaxExact = std::int64_t{1} << 53;

[[noreturn]] void wrong_kinds(Run& run, std::string_view symbol, const Value& a, const Value& b) {
  if (a.is(Kind::kUndefined) || b.is(Kind::kUndefined)) {
    const Value& none = a.is(Kind::kUndefined) ? a : b;
    run.fail(none.text().empty() ? "value is undefined" : none.text());
  }
  run.fail("operator " + std::string(symbol) + " doesn't take these", {},
           std::string(kind_name(a)) + " and " + kind_name(b));
}

[[noreturn]] void too_large(Run& run) { run.fail("integers beyond 64 bits are not supported"); }

std::int64_t floor_div(Run& run, std::int64_t a, std::int64_t b) {
  if (b == 0) run.fail("division by zero");
  if (b == -1) {
    if (a == INT64_MIN) too_large(run);
    return -a;
  }
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

double real_mod(Run& run, double a, double b) {
  if (b == 0) run.fail("division by zero");
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b;
    return rest;
  }
  return std::copysign(0.0, b);
}

double real_floor_div(Run& run, double a, double b) {
  if (b == 0) run.fail("division by zero");
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double below = std::floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}

Value power(Run& run, std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) too_large(run);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) too_large(run);
  }
  return Value::integer(result);
}

Value real_power(Run& run, double a, double b) {
  if (a == 0 && b < 0) run.fail("zero to a negative power");
  if (a < 0 && std::isfinite(b) && b != std::floor(b))
    run.fail("complex numbers are not supported");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) run.fail("power is too large");
  return Value::real(result);
}

Value integers(Run& run, std::string_view symbol, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  bool over = false;
  if (symbol == "+") {
    over = __builtin_add_overflow(a, b, &r);
  } else if (symbol == "-") {
    over = __builtin_sub_overflow(a, b, &r);
  } else if (symbol == "*") {
    over = __builtin_mul_overflow(a, b, &r);
  } else if (symbol == "//") {
    r = floor_div(run, a, b);
  } else if (symbol == "%") {
    if (b == 0) run.fail("division by zero");
    r = b == -1 ? 0 : a % b;
    if (r != 0 && (r < 0) != (b < 0)) r += b;
  } else if (symbol == "/") {
    if (b == 0) run.fail("division by zero");
    if (a > kMaxExact || a < -kMaxExact || b > kMaxExact || b < -kMaxExact) {
      run.fail("division of integers beyond 2^53 is not supported");
    }
    return Value::real(static_cast<double>(a) / static_cast<double>(b));
  } else {
    if (b >= 0) return power(run, a, b);
    return real_power(run, static_cast<double>(a), static_cast<double>(b));
  }
  if (over) too_large(run);
  return Value::integer(r);
}

Value reals(Run& run, std::string_view symbol, double a, double b) {
  if (symbol == "+") return Value::real(a + b);
  if (symbol == "-") return Value::real(a - b);
  if (symbol == "*") return Value::real(a * b);
  if (symbol == "//") return Value::real(real_floor_div(run, a, b));
  if (symbol == "%") return Value::real(real_mod(run, a, b));
  if (symbol == "**") return real_power(run, a, b);
  if (b == 0) run.fail("division by zero");
  return Value::real(a / b);
}

Value add_texts(Run& run, const Value& a, const Value& b) {
  if (!a.markup() && !b.markup()) {
    return run.text(a.text() + b.text());
  }
  const auto side = [](const Value& v) { return v.markup() ? v.text() : escape_html(v.text()); };
  run.charge(static_cast<std::int64_t>(6 * (a.text().size() + b.text().size())));
  return run.text(side(a) + side(b), true);
}

Value repeat(Run& run, const Value& value, std::int64_t times) {
  times = std::max<std::int64_t>(times, 0);
  const bool is_text = value.is(Kind::kText);
  const std::size_t size = is_text ? value.text().size() : value.items().size() * sizeof(Value);
  if (size > 0 && times > kMaxValueBytes / static_cast<std::int64_t>(size)) {
    run.charge(kMaxValueBytes + 1);
  }
  if (size == 0) times = 0;
  run.charge(times * static_cast<std::int64_t>(size));
  if (is_text) {
    std::string out;
    out.reserve(static_cast<std::size_t>(times) * size);
    for (; times > 0; --times) out += value.text();
    return run.text(std::move(out), value.markup());
  }
  Values items;
  for (; times > 0; --times) items.insert(items.end(), value.items().begin(), value.items().end());
  return run.list(std::move(items), value.kind());
}

Value compare(Run& run, std::string_view symbol, const Value& a, const Value& b) {
  if (symbol == "==") return Value::boolean(equal(run, a, b));
  if (symbol == "!=") return Value::boolean(!equal(run, a, b));
  if (symbol == "in") return Value::boolean(contains(run, b, a));
  if (symbol == "not in") return Value::boolean(!contains(run, b, a));
  if (a.is(Kind::kUndefined) || b.is(Kind::kUndefined)) wrong_kinds(run, symbol, a, b);
  const bool nan =
      (a.is(Kind::kFloat) && std::isnan(a.real())) || (b.is(Kind::kFloat) && std::isnan(b.real()));
  if (symbol == "<") return Value::boolean(less(run, a, b));
  if (symbol == ">") return Value::boolean(less(run, b, a));
  const bool greater = symbol == "<=" ? less(run, b, a) : less(run, a, b);
  return Value::boolean(!greater && !nan);
}

}  // namespace

Value binary(Run& run, std::string_view symbol, const Value& a, const Value& b) {
  const bool sign = symbol[0] == '<' || symbol[0] == '>' || symbol[0] == '=' || symbol[0] == '!';
  if (sign || symbol == "in" || symbol == "not in") return compare(run, symbol, a, b);
  if (a.is_integral() && b.is_integral()) return integers(run, symbol, a.integer(), b.integer());
  if (a.is_number() && b.is_number()) return reals(run, symbol, a.real(), b.real());
  if (symbol == "+") {
    if (a.is(Kind::kText) && b.is(Kind::kText)) return add_texts(run, a, b);
    if (a.is_sequence() && a.kind() == b.kind()) {
      Values items = a.items();
      items.insert(items.end(), b.items().begin(), b.items().end());
      return run.list(std::move(items), a.kind());
    }
  }
  if (symbol == "*") {
    if (b.is_integral() && (a.is(Kind::kText) || a.is_sequence())) {
      return repeat(run, a, b.integer());
    }
    if (a.is_integral() && (b.is(Kind::kText) || b.is_sequence())) {
      return repeat(run, b, a.integer());
    }
  }
  if (symbol == "%" && a.is(Kind::kText)) run.fail("formatting with % is not supported");
  wrong_kinds(run, symbol, a, b);
}

Value negative(Run& run, const Value& value) {
  if (value.is(Kind::kFloat)) return Value::real(-value.real());
  if (!value.is_integral()) wrong_kinds(run, "-", value, value);
  if (value.integer() == INT64_MIN) too_large(run);
  return Value::integer(-value.integer());
}

Value positive(Run& run, const Value& value) {
  if (value.is(Kind::kFloat)) return value;
  if (!value.is_integral()) wrong_kinds(run, "+", value, value);
  return Value::integer(value.integer());
}

Value joined(Run& run, const Values& parts) {
  std::string out;
  for (const Value& part : parts) {
    const std::string piece = to_text(run, part);
    run.charge(static_cast<std::int64_t>(piece.size()));
    out += piece;
  }
  return run.text(std::move(out));
}

}  // namespace zp::jinja
