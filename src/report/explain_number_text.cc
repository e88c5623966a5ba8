// The text of explain_number.h, step by step as one does it by hand.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/decimal.h"
#include "report/explain_number.h"

namespace zp {
namespace {

// A field's line: its name, its bits, what they mean.
struct Line {
  std::string_view name;
  std::string bits;
  std::string meaning;
};

std::string with_sign(double value, const std::string& text) {
  return value > 0 ? "+" + text : text;
}

// One number of a format taken apart.
class Anatomy {
 public:
  explicit Anatomy(const StoredNumber& n)
      : n_(n),
        f_(*n.format),
        exponent_((n.code & f_.magnitude_mask()) >> f_.fraction_bits),
        fraction_(n.code & f_.fraction_mask()),
        subnormal_(f_.has_zero && exponent_ == 0),
        power_(std::max(static_cast<int>(exponent_), f_.has_zero ? 1 : 0) - f_.bias) {}

  std::string fields() const {
    std::string text;
    for (const Line& line : lines()) {
      text += fmt::format("  {:<10}{:<{}}  {}\n", line.name, line.bits, widest(), line.meaning);
    }
    return text;
  }

  std::string value() const {
    std::string digits = stored_decimal(f_, n_.value);
    if (!std::isfinite(n_.value) || n_.value == 0) return digits;
    return fmt::format("{} x 2^{} = {}", signed_significand(), power_, digits);
  }

  std::string all_bits() const {
    std::string text;
    if (f_.is_signed) text += binary(negative() ? 1 : 0, 1) + " ";
    text += binary(exponent_, f_.exponent_bits);
    if (f_.fraction_bits > 0) text += " " + binary(fraction_, f_.fraction_bits);
    return fmt::format("{}  (0x{:0{}X})", text, n_.code, (f_.bits + 3) / 4);
  }

 private:
  bool negative() const { return (n_.code & f_.sign_bit()) != 0; }
  std::uint64_t parts() const { return f_.fraction_mask() + 1; }
  int widest() const { return std::max({1, f_.exponent_bits, f_.fraction_bits}); }
  double significand() const { return std::fabs(std::ldexp(n_.value, -power_)); }
  std::string signed_significand() const {
    return (negative() ? "-" : "") + stored_decimal(f_, significand());
  }

  std::vector<Line> lines() const {
    std::vector<Line> all;
    if (f_.is_signed) {
      all.push_back({"sign", negative() ? "1" : "0", negative() ? "negative" : "positive"});
    }
    all.push_back({"exponent", binary(exponent_, f_.exponent_bits), exponent_meaning()});
    if (f_.fraction_bits > 0) {
      all.push_back({"fraction", binary(fraction_, f_.fraction_bits), fraction_meaning()});
    }
    return all;
  }

  std::string exponent_meaning() const {
    if (std::isnan(n_.value) || std::isinf(n_.value)) return "all ones: no ordinary number";
    if (subnormal_) {
      return fmt::format("= 0, subnormal: 2^(1-{}) = 2^{}, without the leading 1", f_.bias, power_);
    }
    return fmt::format("= {}, 2^({}-{}) = 2^{}", exponent_, exponent_, f_.bias, power_);
  }

  std::string fraction_meaning() const {
    if (std::isnan(n_.value)) return fmt::format("= {}, NaN", fraction_);
    if (std::isinf(n_.value)) return "= 0, infinity";
    return fmt::format("= {}, {} + {}/{} = {}", fraction_, subnormal_ ? 0 : 1, fraction_, parts(),
                       stored_decimal(f_, significand()));
  }

  const StoredNumber& n_;
  const FloatFormat& f_;
  std::uint64_t exponent_;
  std::uint64_t fraction_;
  bool subnormal_;
  int power_;
};

std::string head(const FloatFormat& f) {
  return fmt::format("{}: {} bits = {}{} exponent (bias {}) + {} fraction\n", f.name, f.bits,
                     f.is_signed ? "1 sign + " : "", f.exponent_bits, f.bias, f.fraction_bits);
}

std::string error_line(const StoredNumber& n, double asked) {
  const double error = n.value - asked;
  if (std::isnan(error)) return {};
  if (n.format == &kFp64) return "  error     only that of reading the digits as FP64\n";
  if (error == 0) return "  error     none: the value is exact\n";
  std::string text = "  error     " + with_sign(error, significant(error, 6));
  if (asked != 0) text += ", relative " + significant(std::fabs(error / asked), 6);
  return text + "\n";
}

// Why the value is far from what was asked.
std::string note(const StoredNumber& n, double asked) {
  const FloatFormat& f = *n.format;
  if (std::isnan(asked) && !std::isnan(n.value)) return "  note      this format has no NaN\n";
  if (!f.is_signed && asked < 0) return "  note      this format has no negative values\n";
  if (!f.has_zero && asked == 0) return "  note      this format has no zero\n";
  const double largest = decode(f, f.max_code());
  if (std::fabs(asked) > largest) {
    return fmt::format("  note      beyond the largest value, {}: {}\n", grouped(largest),
                       std::isinf(n.value) ? "becomes infinity" : "saturates");
  }
  if (asked != 0 && n.value == 0) {
    return fmt::format("  note      nearer to 0 than to the smallest value, {}: becomes 0\n",
                       stored_decimal(f, decode(f, 1)));
  }
  return {};
}

std::string neighbours(const StoredNumber& n) {
  const auto side = [&](double value) {
    return std::isnan(value) ? std::string("nothing") : stored_decimal(*n.format, value);
  };
  return fmt::format("  next      {} below, {} above\n", side(n.below), side(n.above));
}

std::string density(const StoredNumber& n) {
  const FloatFormat& f = *n.format;
  const Spacing s = spacing(f);
  return fmt::format(
      "  spacing   {} here; dense near 0 ({}), {} from 1 on, sparse near the largest, {} ({})\n",
      significant(spacing_at(f, n.code), 6), significant(s.near_zero, 6),
      significant(s.near_one, 6), grouped(decode(f, f.max_code())), significant(s.near_largest, 6));
}

std::string describe(const StoredNumber& n, const std::optional<double>& asked) {
  const Anatomy anatomy(n);
  std::string text = head(*n.format) + "  bits      " + anatomy.all_bits() + "\n" +
                     anatomy.fields() + "  value     " + anatomy.value() + "\n";
  if (std::isfinite(n.value)) {
    text += "  shortest  " + shortest_decimal(*n.format, n.code) +
            "  the fewest digits that name this value\n";
  }
  if (asked) text += error_line(n, *asked) + note(n, *asked);
  if (std::isfinite(n.value)) text += neighbours(n) + density(n);
  return text;
}

std::string scientific(double asked) {
  if (!std::isfinite(asked)) return significant(asked, 1) + "\n";
  if (asked == 0) return fmt::format("{}\n", asked);
  int exponent = 0;
  const double significand = 2 * std::frexp(asked, &exponent);
  return fmt::format("{} = {} x 2^{}\n", asked, significand, exponent - 1);
}

}  // namespace

std::string to_text(const NumberExplanation& explanation) {
  std::string text;
  if (explanation.asked) text += scientific(*explanation.asked);
  for (const StoredNumber& n : explanation.stored) {
    if (!text.empty()) text += "\n";
    text += describe(n, explanation.asked);
  }
  return text;
}

}  // namespace zp
