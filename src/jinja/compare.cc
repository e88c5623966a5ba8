// Truth, equality, order, membership, keys.
#include <algorithm>
#include <cmath>

#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

bool equal_items(Run& run, const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(run, a[i], b[i])) return false;
  }
  return true;
}

bool equal_dicts(Run& run, const Items& a, const Items& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    const Value* other = lookup(run, b, key);
    if (other == nullptr || !equal(run, value, *other)) return false;
  }
  return true;
}

bool equal_ranges(const RangeObject& a, const RangeObject& b) {
  return a.count == b.count && (a.count == 0 || a.start == b.start) &&
         (a.count < 2 || a.step == b.step);
}

// Exact also where an integer has more bits than a double.
int compare_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    return a.integer() < b.integer() ? -1 : a.integer() > b.integer();
  }
  if (a.is(Kind::kFloat) && b.is(Kind::kFloat)) {
    return a.real() < b.real() ? -1 : a.real() > b.real();
  }
  if (a.is(Kind::kFloat)) return -compare_numbers(b, a);
  constexpr double kLimit = 9223372036854775808.0;
  if (b.real() >= kLimit) return -1;
  if (b.real() < -kLimit) return 1;
  const auto whole = static_cast<std::int64_t>(b.real());
  if (a.integer() != whole) return a.integer() < whole ? -1 : 1;
  const double rest = b.real() - static_cast<double>(whole);
  return rest > 0 ? -1 : rest < 0;
}

bool is_nan(const Value& value) { return value.is(Kind::kFloat) && std::isnan(value.real()); }

}  // namespace

bool truth(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return value.integer() != 0;
    case Kind::kFloat:
      return value.real() != 0;
    case Kind::kText:
      return !value.text().empty();
    case Kind::kList:
    case Kind::kTuple:
      return !value.items().empty();
    case Kind::kDict:
      return !value.pairs().empty();
    case Kind::kView:
      return !value.ref<ViewObject>().dict.pairs().empty();
    case Kind::kRange:
      return value.ref<RangeObject>().count != 0;
    default:
      return true;
  }
}

bool equal(Run& run, const Value& a, const Value& b) {
  const Depth deeper(run);
  run.step();
  if (a.is_number() && b.is_number()) {
    return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) == 0;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kText:
      run.step(static_cast<std::int64_t>(std::min(a.text().size(), b.text().size())));
      return a.text() == b.text();
    case Kind::kList:
    case Kind::kTuple:
      return equal_items(run, a.items(), b.items());
    case Kind::kDict:
      return equal_dicts(run, a.pairs(), b.pairs());
    case Kind::kRange:
      return equal_ranges(a.ref<RangeObject>(), b.ref<RangeObject>());
    case Kind::kView:
      run.fail("views of mappings are not compared here");
    case Kind::kFunction:
      run.fail("functions are not compared here");
    default:
      return a.address() == b.address();
  }
}

bool less(Run& run, const Value& a, const Value& b) {
  const Depth deeper(run);
  run.step();
  if (a.is_number() && b.is_number()) {
    return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) < 0;
  }
  if (a.is(Kind::kText) && b.is(Kind::kText)) {
    run.step(static_cast<std::int64_t>(std::min(a.text().size(), b.text().size())));
    return a.text() < b.text();  // the order of UTF-8 is that of code points
  }
  if (a.is_sequence() && a.kind() == b.kind()) {
    const Values &left = a.items(), &right = b.items();
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (!equal(run, left[i], right[i])) return less(run, left[i], right[i]);
    }
    return left.size() < right.size();
  }
  run.fail("no order between these", {}, std::string(kind_name(a)) + " and " + kind_name(b));
}

bool is_hashable(Run& run, const Value& value) {
  run.step();
  if (value.is(Kind::kTuple)) {
    return std::all_of(value.items().begin(), value.items().end(),
                       [&](const Value& item) { return is_hashable(run, item); });
  }
  if (value.is(Kind::kView)) return value.ref<ViewObject>().part == ViewObject::Part::kValues;
  return !value.is(Kind::kList) && !value.is(Kind::kDict);
}

const Value* lookup(Run& run, const Items& items, const Value& key) {
  if (!is_hashable(run, key)) run.fail("can't be a key", {}, kind_name(key));
  for (const auto& [name, value] : items) {
    if (equal(run, name, key)) return &value;
  }
  return nullptr;
}

void put(Run& run, Items& items, const Value& key, Value value) {
  if (const Value* old = lookup(run, items, key)) {
    const_cast<Value&>(*old) = std::move(value);
  } else {
    items.emplace_back(key, std::move(value));
  }
}

bool contains(Run& run, const Value& container, const Value& item) {
  if (container.is(Kind::kText)) {
    if (!item.is(Kind::kText)) {
      run.fail("only a text can be in a text", {}, kind_name(item));
    }
    run.step(static_cast<std::int64_t>(container.text().size() + item.text().size()));
    return find_text(container.text(), item.text()) != std::string::npos;
  }
  if (container.is(Kind::kDict)) return lookup(run, container.pairs(), item) != nullptr;
  Cursor cursor = cursor_over(run, container);
  for (Value other; cursor.next(run, other);) {
    if (equal(run, item, other)) return true;
  }
  return false;
}

}  // namespace zp::jinja
