// Items, slices and attributes of values; calls.
#include <algorithm>

#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

[[noreturn]] void fail_undefined(Run& run, const Value& value) {
  run.fail(value.text().empty() ? "value is undefined" : value.text());
}

Value missing(Run& run, const Value& value, const std::string& name) {
  return run.undefined(std::string(kind_name(value)) + " has nothing called '" + printable(name) +
                       "'");
}

// Attributes in Python's sense: those of `loop`, of namespaces and ranges, and methods.
bool find_attribute(Run& run, const Value& value, const std::string& name, Value& found) {
  if (name.size() > 1 && name[0] == '_' && name[1] == '_') {
    run.fail("names that begin with __ are not supported", {}, name);
  }
  if (value.is(Kind::kNamespace)) {
    const auto& attributes = value.ref<NamespaceObject>().attributes;
    run.step(static_cast<std::int64_t>(attributes.size()));
    for (const auto& [key, item] : attributes) {
      if (key != name) continue;
      found = item;
      return true;
    }
    return false;
  }
  if (value.is(Kind::kLoop)) return value.ref<LoopObject>().attribute(run, name, found);
  if (value.is(Kind::kRange)) {
    const auto& range = value.ref<RangeObject>();
    const std::pair<const char*, std::int64_t> parts[] = {
        {"start", range.start}, {"stop", range.stop}, {"step", range.step}};
    for (const auto& [key, number] : parts) {
      if (name == key) return found = Value::integer(number), true;
    }
  }
  return find_method(run, value, name, found);
}

// The item at a key, as value[key] in Python; false for its TypeError and LookupError.
bool find_item(Run& run, const Value& value, const Value& key, Value& found) {
  if (value.is(Kind::kDict)) {
    if (!is_hashable(run, key)) return false;
    const Value* item = lookup(run, value.pairs(), key);
    if (item != nullptr) found = *item;
    return item != nullptr;
  }
  if (!key.is_integral()) return false;
  std::int64_t index = key.integer();
  if (!value.is(Kind::kText) && !value.is_sequence() && !value.is(Kind::kRange)) return false;
  const std::int64_t count = length(run, value);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return false;
  if (value.is(Kind::kText)) {
    const std::size_t begin = byte_of(value.text(), index);
    std::size_t end = begin + 1;
    while (end < value.text().size() &&
           (static_cast<unsigned char>(value.text()[end]) & 0xC0) == 0x80) {
      ++end;
    }
    found = run.text(value.text().substr(begin, end - begin), value.markup());
  } else if (value.is(Kind::kRange)) {
    const auto& range = value.ref<RangeObject>();
    found = Value::integer(range.start + index * range.step);
  } else {
    found = value.items()[static_cast<std::size_t>(index)];
  }
  return true;
}

}  // namespace

bool has_length(const Value& value) { return is_iterable(value) && !value.is(Kind::kIterator); }

std::int64_t length(Run& run, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kText:
      run.step(static_cast<std::int64_t>(value.text().size()));
      return count_code_points(value.text());
    case Kind::kList:
    case Kind::kTuple:
      return static_cast<std::int64_t>(value.items().size());
    case Kind::kDict:
      return static_cast<std::int64_t>(value.pairs().size());
    case Kind::kView:
      return length(run, value.ref<ViewObject>().dict);
    case Kind::kRange:
      return value.ref<RangeObject>().count;
    case Kind::kLoop: {
      Value count;
      value.ref<LoopObject>().attribute(run, "length", count);
      return count.integer();
    }
    default:
      run.fail("has no length", {}, kind_name(value));
  }
}

Value item(Run& run, const Value& value, const Value& key) {
  if (value.is(Kind::kUndefined)) fail_undefined(run, value);
  Value found;
  if (find_item(run, value, key, found)) return found;
  if (!key.is(Kind::kText)) return run.undefined("there is no such item");
  if (find_attribute(run, value, key.text(), found)) return found;
  return missing(run, value, key.text());
}

Value attribute(Run& run, const Value& value, const std::string& name) {
  if (value.is(Kind::kUndefined)) fail_undefined(run, value);
  Value found;
  if (find_attribute(run, value, name, found)) return found;
  if (value.is(Kind::kDict)) {
    run.step(static_cast<std::int64_t>(64 * value.pairs().size()));
    for (const auto& [key, field] : value.pairs()) {
      if (key.is(Kind::kText) && key.text() == name) return field;
    }
  }
  return missing(run, value, name);
}

void set_attribute(Run& run, const Value& target, const std::string& name, const Value& value) {
  auto& attributes = target.ref<NamespaceObject>().attributes;
  run.step(static_cast<std::int64_t>(attributes.size()));
  for (auto& [key, old] : attributes) {
    if (key != name) continue;
    const Value gone = std::exchange(old, value);
    return;
  }
  run.charge(static_cast<std::int64_t>(64 + name.size()));
  attributes.emplace_back(name, value);
}

Value slice(Run& run, const Value& value, const Value& begin, const Value& end, const Value& step) {
  if (value.is(Kind::kUndefined)) fail_undefined(run, value);
  if (!value.is(Kind::kText) && !value.is_sequence()) {
    run.fail("slices are not supported", "a text, list or tuple", kind_name(value));
  }
  for (const Value* part : {&begin, &end, &step}) {
    if (!part->is(Kind::kNone)) integer(run, *part, "slice");
  }
  const std::int64_t by = step.is(Kind::kNone) ? 1 : step.integer();
  if (by == 0) run.fail("step of a slice is zero");
  const std::int64_t count = length(run, value);
  const auto bound = [&](const Value& part, std::int64_t otherwise) {
    if (part.is(Kind::kNone)) return otherwise;
    std::int64_t i = part.integer();
    if (i < 0) i += count;
    return by > 0 ? std::clamp<std::int64_t>(i, 0, count)
                  : std::clamp<std::int64_t>(i, -1, count - 1);
  };
  std::int64_t i = bound(begin, by > 0 ? 0 : count - 1);
  const std::int64_t stop = bound(end, by > 0 ? count : -1);
  const auto inside = [&] { return by > 0 ? i < stop : i > stop; };
  // One step further than the ends is the same as any number of them.
  const std::int64_t stride = std::clamp(by, -count - 1, count + 1);
  if (value.is(Kind::kText)) {
    if (by == 1) {
      if (!inside()) return run.text({}, value.markup());
      const std::string& text = value.text();
      const std::size_t first = byte_of(text, i);
      const std::size_t size = byte_of(std::string_view(text).substr(first), stop - i);
      return run.text(text.substr(first, size), value.markup());
    }
    run.charge(4 * count);
    const std::u32string points = code_points(value.text());
    std::u32string out;
    for (; inside(); i += stride) out += points[static_cast<std::size_t>(i)];
    return run.text(utf8(out), value.markup());
  }
  Values items;
  for (; inside(); i += stride) items.push_back(value.items()[static_cast<std::size_t>(i)]);
  return run.list(std::move(items), value.kind());
}

Value call(Run& run, const Value& function, Arguments& arguments) {
  if (function.is(Kind::kUndefined)) fail_undefined(run, function);
  if (!function.is(Kind::kFunction)) run.fail("can't be called", {}, kind_name(function));
  const Depth deeper(run);
  return function.ref<FunctionObject>().call(run, arguments);
}

std::int64_t integer(Run& run, const Value& value, const char* what) {
  if (!value.is_integral()) run.fail(what, "an integer", kind_name(value));
  return value.integer();
}

const std::string& plain_text(Run& run, const Value& value) {
  if (value.is(Kind::kUndefined)) fail_undefined(run, value);
  if (!value.is(Kind::kText)) run.fail("wrong kind of value", "a text", kind_name(value));
  if (value.markup()) run.fail("text marked safe or escaped can't be worked on");
  run.step(static_cast<std::int64_t>(value.text().size()));
  return value.text();
}

}  // namespace zp::jinja
