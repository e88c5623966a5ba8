// Filters of sequences. Those that jinja2 writes as generators are iterators here too: they compute
// an item when it is asked for, and can be gone through once.
#include <algorithm>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

using Bound = std::vector<std::optional<Value>>;
using Getter = std::function<Value(Run&, const Value&)>;

bool given_and_true(const std::optional<Value>& value) { return value && truth(*value); }

// Changes an item, or leaves it out by giving false.
using Step = std::function<bool(Run&, Value&)>;

class Stepped final : public IteratorObject {
 public:
  Stepped(Cursor source, Step step, int depth_of_step)
      : source_(std::move(source)), step_(std::move(step)) {
    depth = std::max(source_.source().depth(), depth_of_step) + 1;
  }
  bool next(Run& run, Value& value) const override {
    while (source_.next(run, value)) {
      if (step_(run, value)) return true;
    }
    return false;
  }

 private:
  mutable Cursor source_;
  Step step_;
};

Value stepped(Run& run, const Value& value, Step step, int depth = 0) {
  // What jinja2 would refuse only when the iterator is used is refused at once.
  const Value source = truth(value) ? value : Value();
  return run.object(Kind::kIterator,
                    std::make_shared<Stepped>(cursor_over(run, source), std::move(step), depth));
}

// "a.b.0": attributes or items, one after the other; integers are items.
Getter getter(Run& run, const std::optional<Value>& path, bool ignore_case,
              const Value& otherwise = Value()) {
  std::vector<Value> parts;
  if (path && path->is_integral()) parts.push_back(*path);
  if (path && path->is(Kind::kText)) {
    std::string text = plain_text(run, *path);
    std::size_t begin = 0;
    while (true) {
      const std::size_t dot = text.find('.', begin);
      const std::string part = text.substr(begin, dot - begin);
      const bool digits = all_are(part, Letters::kDigit);
      const auto number = digits ? parse_integer(part, 10) : std::nullopt;
      parts.push_back(number ? Value::integer(*number) : run.text(part));
      if (dot == text.npos) break;
      begin = dot + 1;
    }
  }
  return [parts, ignore_case, otherwise](Run& now, const Value& start) {
    Value value = start;
    for (const Value& part : parts) {
      value = item(now, value, part);
      if (value.is(Kind::kUndefined) && !otherwise.is(Kind::kUndefined)) value = otherwise;
    }
    if (ignore_case && value.is(Kind::kText)) value = now.text(lower(plain_text(now, value)));
    return value;
  };
}

Value map(Run& run, const Value& value, Arguments& arguments) {
  if (arguments.positional.empty()) {
    const Bound given = bind(run, arguments, {"attribute", "default"}, 1);
    const Value otherwise = given[1] && !given[1]->is(Kind::kNone) ? *given[1] : Value();
    const Getter get = getter(run, given[0], false, otherwise);
    return stepped(
        run, value, [get](Run& now, Value& item) { return item = get(now, item), true; },
        otherwise.depth());
  }
  const std::string name = plain_text(run, arguments.positional[0]);
  const FilterFunction filter = find_filter(name);
  if (filter == nullptr) run.fail("filter is not known", {}, name);
  Arguments rest = arguments;
  rest.positional.erase(rest.positional.begin());
  int depth = 0;
  for (const Value& argument : rest.positional) depth = std::max(depth, argument.depth());
  for (const auto& [key, argument] : rest.named) depth = std::max(depth, argument.depth());
  const auto step = [filter, rest](Run& now, Value& item) {
    Arguments copy = rest;
    item = filter(now, item, copy);
    return true;
  };
  return stepped(run, value, step, depth);
}

Value chosen(Run& run, const Value& value, Arguments& arguments, bool by_attribute, bool wanted) {
  std::size_t used = 0;
  Getter get = getter(run, std::nullopt, false);
  if (by_attribute) {
    if (arguments.positional.empty()) run.fail("argument missing", "the name of an attribute");
    get = getter(run, arguments.positional[used++], false);
  }
  FilterFunction test = nullptr;
  if (arguments.positional.size() > used) {
    const std::string name = plain_text(run, arguments.positional[used++]);
    test = find_test(name);
    if (test == nullptr) run.fail("test is not known", {}, name);
  }
  Arguments rest = arguments;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + static_cast<std::ptrdiff_t>(used));
  int depth = 0;
  for (const Value& argument : rest.positional) depth = std::max(depth, argument.depth());
  const auto step = [get, test, rest, wanted](Run& now, Value& item) {
    const Value tested = get(now, item);
    if (test == nullptr) return truth(tested) == wanted;
    Arguments copy = rest;
    return truth(test(now, tested, copy)) == wanted;
  };
  return stepped(run, value, step, depth);
}
Value select(Run& run, const Value& v, Arguments& a) { return chosen(run, v, a, false, true); }
Value reject(Run& run, const Value& v, Arguments& a) { return chosen(run, v, a, false, false); }
Value selectattr(Run& run, const Value& v, Arguments& a) { return chosen(run, v, a, true, true); }
Value rejectattr(Run& run, const Value& v, Arguments& a) { return chosen(run, v, a, true, false); }

Value unique(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"case_sensitive", "attribute"});
  const Getter get = getter(run, given[1], !given_and_true(given[0]));
  const auto seen = std::make_shared<Items>();
  const auto step = [get, seen](Run& now, Value& item) {
    const Value key = get(now, item);
    if (lookup(now, *seen, key) != nullptr) return false;
    now.charge(2 * sizeof(Value));
    seen->emplace_back(key, Value());
    return true;
  };
  return stepped(run, value, step, kMaxValueDepth / 2);
}

Value length_filter(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::integer(length(run, value));
}

Value first(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  Cursor cursor = cursor_over(run, value);
  Value item;
  return cursor.next(run, item) ? item : run.undefined("there is no first item");
}

Value last(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  if (value.is(Kind::kIterator)) run.fail("an iterator has no last item");
  if (value.is(Kind::kUndefined)) return run.undefined("there is no last item");
  if (value.is(Kind::kDict) || value.is(Kind::kView)) {
    const Values items = items_of(run, value);
    return items.empty() ? run.undefined("there is no last item") : items.back();
  }
  if (!is_iterable(value)) run.fail("has no last item", {}, kind_name(value));
  return length(run, value) > 0 ? item(run, value, Value::integer(-1))
                                : run.undefined("there is no last item");
}

Value list(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  return run.list(items_of(run, value));
}

Value join(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"d", "attribute"});
  const std::string between = given[0] ? to_text(run, *given[0]) : "";
  const bool whole = !given[1] || given[1]->is(Kind::kNone);
  const Getter get = getter(run, whole ? std::nullopt : given[1], false);
  Cursor cursor = cursor_over(run, value);
  std::string out;
  bool begun = false;
  for (Value next; cursor.next(run, next);) {
    const std::string piece = to_text(run, get(run, next));
    run.charge(static_cast<std::int64_t>(between.size() + piece.size()));
    if (begun) out += between;
    begun = true;
    out += piece;
  }
  return run.text(std::move(out));
}

Value reverse(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  if (value.is(Kind::kText))
    return slice(run, value, Value::none(), Value::none(), Value::integer(-1));
  Values items = items_of(run, value);
  std::reverse(items.begin(), items.end());
  const bool becomes_list = value.is(Kind::kIterator);
  Value reversed = run.list(std::move(items));
  if (becomes_list) return reversed;
  return stepped(run, reversed, [](Run&, Value&) { return true; });
}

// Stable; comparisons may throw, which std::stable_sort allows. With `equal_first` equal keys need
// no order: the filter sort compares lists of keys, and so asks Python for equality first.
Values sorted(Run& run, Values items, const Getter& key, bool descending, bool equal_first) {
  std::vector<std::pair<Value, std::size_t>> keyed;
  for (std::size_t i = 0; i < items.size(); ++i) keyed.emplace_back(key(run, items[i]), i);
  run.charge(static_cast<std::int64_t>(keyed.size() * sizeof(keyed[0])));
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    if (equal_first && equal(run, a.first, b.first)) return false;
    return descending ? less(run, b.first, a.first) : less(run, a.first, b.first);
  });
  Values out;
  for (const auto& [unused, i] : keyed) out.push_back(items[i]);
  return out;
}

Value sort(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"reverse", "case_sensitive", "attribute"});
  if (given[2] && given[2]->is(Kind::kText) && given[2]->text().find(',') != std::string::npos) {
    run.fail("sorting by several attributes is not supported");
  }
  const Getter key = getter(run, given[2], !given_and_true(given[1]));
  return run.list(sorted(run, items_of(run, value), key, given_and_true(given[0]), true));
}

Value dictsort(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"case_sensitive", "by", "reverse"});
  const std::string by = given[1] ? plain_text(run, *given[1]) : "key";
  if (by != "key" && by != "value") run.fail("unknown order", "key or value", by);
  if (!value.is(Kind::kDict)) run.fail("only a mapping can be sorted so", {}, kind_name(value));
  const auto view = std::make_shared<ViewObject>(ViewObject::Part::kItems, value);
  const Value place = Value::integer(by == "value");
  const Getter key = getter(run, place, !given_and_true(given[0]));
  return run.list(sorted(run, items_of(run, run.object(Kind::kView, view)), key,
                         given_and_true(given[2]), false));
}

Value extreme(Run& run, const Value& value, Arguments& arguments, bool largest) {
  const Bound given = bind(run, arguments, {"case_sensitive", "attribute"});
  const Getter get = getter(run, given[1], !given_and_true(given[0]));
  Cursor cursor = cursor_over(run, value);
  Value best, best_key;
  if (!cursor.next(run, best)) return run.undefined("no item to choose from");
  best_key = get(run, best);
  for (Value next; cursor.next(run, next);) {
    const Value key = get(run, next);
    if (largest ? less(run, best_key, key) : less(run, key, best_key)) {
      best = next;
      best_key = key;
    }
  }
  return best;
}
Value min(Run& run, const Value& value, Arguments& a) { return extreme(run, value, a, false); }
Value max(Run& run, const Value& value, Arguments& a) { return extreme(run, value, a, true); }

Value sum(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"attribute", "start"});
  const bool whole = !given[0] || given[0]->is(Kind::kNone);
  const Getter get = getter(run, whole ? std::nullopt : given[0], false);
  Value total = given[1] ? *given[1] : Value::integer(0);
  if (total.is(Kind::kText)) run.fail("texts can't be summed");
  Cursor cursor = cursor_over(run, value);
  for (Value next; cursor.next(run, next);) total = binary(run, "+", total, get(run, next));
  return total;
}

Value batch(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"linecount", "fill_with"}, 1);
  const std::int64_t size = integer(run, *given[0], "linecount");
  Values rows, row;
  const auto finish = [&] { rows.push_back(run.list(std::exchange(row, {}))); };
  for (Value& item : items_of(run, value)) {
    if (static_cast<std::int64_t>(row.size()) == size) finish();
    row.push_back(std::move(item));
  }
  if (!row.empty()) {
    const bool fill = given[1] && !given[1]->is(Kind::kNone);
    while (fill && static_cast<std::int64_t>(row.size()) < size) {
      run.charge(sizeof(Value));
      row.push_back(*given[1]);
    }
    finish();
  }
  return stepped(run, run.list(std::move(rows)), [](Run&, Value&) { return true; });
}

constexpr NamedFunction kFilters[] = {{"map", map},
                                      {"select", select},
                                      {"reject", reject},
                                      {"selectattr", selectattr},
                                      {"rejectattr", rejectattr},
                                      {"unique", unique},
                                      {"length", length_filter},
                                      {"count", length_filter},
                                      {"first", first},
                                      {"last", last},
                                      {"list", list},
                                      {"join", join},
                                      {"reverse", reverse},
                                      {"sort", sort},
                                      {"dictsort", dictsort},
                                      {"min", min},
                                      {"max", max},
                                      {"sum", sum},
                                      {"batch", batch}};

}  // namespace

FilterFunction find_sequence_filter(std::string_view name) {
  for (const NamedFunction& filter : kFilters) {
    if (filter.name == name) return filter.function;
  }
  return nullptr;
}

}  // namespace zp::jinja
