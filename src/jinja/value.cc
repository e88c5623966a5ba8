#include "jinja/value.h"

#include "base/utf8.h"
#include "jinja/run.h"

namespace zp::jinja {

const std::string& Value::text() const {
  static const std::string kEmpty;
  return object_ ? ref<TextObject>().text : kEmpty;
}

const Values& Value::items() const { return ref<ListObject>().items; }

const Items& Value::pairs() const { return ref<DictObject>().items; }

const char* kind_name(const Value& value) {
  static constexpr const char* kNames[] = {"an undefined value",
                                           "none",
                                           "a boolean",
                                           "an integer",
                                           "a number",
                                           "a text",
                                           "a list",
                                           "a tuple",
                                           "a mapping",
                                           "a view of a mapping",
                                           "a range",
                                           "an iterator",
                                           "a namespace",
                                           "a function",
                                           "the variable loop"};
  return kNames[static_cast<std::size_t>(value.kind())];
}

bool Cursor::next(Run& run, Value& value) {
  run.step();
  switch (source_.kind()) {
    case Kind::kText: {
      const std::string& text = source_.text();
      if (i_ >= text.size()) return false;
      const std::size_t begin = i_;
      next_code_point(text, i_);
      value = run.text(text.substr(begin, i_ - begin));
      return true;
    }
    case Kind::kList:
    case Kind::kTuple:
      if (i_ >= source_.items().size()) return false;
      value = source_.items()[i_++];
      return true;
    case Kind::kDict:
      if (i_ >= source_.pairs().size()) return false;
      value = source_.pairs()[i_++].first;
      return true;
    case Kind::kView: {
      const auto& view = source_.ref<ViewObject>();
      if (i_ >= view.dict.pairs().size()) return false;
      const auto& [key, item] = view.dict.pairs()[i_++];
      value = view.part == ViewObject::Part::kKeys     ? key
              : view.part == ViewObject::Part::kValues ? item
                                                       : run.list({key, item}, Kind::kTuple);
      return true;
    }
    case Kind::kRange: {
      const auto& range = source_.ref<RangeObject>();
      if (i_ >= static_cast<std::size_t>(range.count)) return false;
      value = Value::integer(range.start + static_cast<std::int64_t>(i_++) * range.step);
      return true;
    }
    case Kind::kIterator: {
      const Depth deeper(run);
      return source_.ref<IteratorObject>().next(run, value);
    }
    default:
      return false;
  }
}

bool is_iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kText:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kView:
    case Kind::kRange:
    case Kind::kIterator:
      return true;
    default:
      return false;
  }
}

Cursor cursor_over(Run& run, const Value& value) {
  if (!is_iterable(value)) run.fail("can't be gone through item by item", {}, kind_name(value));
  return Cursor(value);
}

Values items_of(Run& run, const Value& value) {
  Cursor cursor = cursor_over(run, value);
  Values items;
  for (Value item; cursor.next(run, item);) {
    run.charge(sizeof(Value));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace zp::jinja
