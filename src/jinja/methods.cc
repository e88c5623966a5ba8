// Methods of texts, lists and mappings, as Python has them. Those that would change a list or a
// mapping are undefined, as in jinja2's sandbox; others that are missing here are refused by name.
#include <algorithm>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

using Bound = std::vector<std::optional<Value>>;

// rfind() may compare all of the part at every place.
void count_search(Run& run, const std::string& text, const std::string& part) {
  run.step(static_cast<std::int64_t>(text.size() * std::max<std::size_t>(part.size() / 64, 1)));
}

bool absent(const std::optional<Value>& value) { return !value || value->is(Kind::kNone); }

Value strip_method(Run& run, const Value& self, Arguments& arguments, Side side) {
  const Bound given = bind(run, arguments, {"chars"});
  const std::string* chars = absent(given[0]) ? nullptr : &plain_text(run, *given[0]);
  // Every character of the text may be looked for among all of these.
  if (chars != nullptr && chars->size() > 64)
    run.step(static_cast<std::int64_t>(self.text().size() * chars->size()));
  return run.text(std::string(strip(plain_text(run, self), side, chars)));
}
Value strip_both(Run& run, const Value& self, Arguments& a) {
  return strip_method(run, self, a, Side::kBoth);
}
Value strip_left(Run& run, const Value& self, Arguments& a) {
  return strip_method(run, self, a, Side::kLeft);
}
Value strip_right(Run& run, const Value& self, Arguments& a) {
  return strip_method(run, self, a, Side::kRight);
}

Value texts(Run& run, const std::vector<std::string_view>& pieces) {
  Values items;
  for (const std::string_view piece : pieces) items.push_back(run.text(std::string(piece)));
  return run.list(std::move(items));
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator,
                                       std::int64_t most, bool from_right) {
  std::vector<std::string_view> pieces;
  while (most < 0 || static_cast<std::int64_t>(pieces.size()) < most) {
    const std::size_t at = from_right ? text.rfind(separator) : find_text(text, separator);
    if (at == text.npos) break;
    pieces.push_back(from_right ? text.substr(at + separator.size()) : text.substr(0, at));
    text = from_right ? text.substr(0, at) : text.substr(at + separator.size());
  }
  pieces.push_back(text);
  if (from_right) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Value split_method(Run& run, const Value& self, Arguments& arguments, bool from_right) {
  const Bound given = bind(run, arguments, {"sep", "maxsplit"});
  const std::string& text = plain_text(run, self);
  const std::int64_t most = given[1] ? integer(run, *given[1], "maxsplit") : -1;
  const std::string* separator = absent(given[0]) ? nullptr : &plain_text(run, *given[0]);
  if (separator != nullptr && separator->empty()) run.fail("separator is empty");
  if (separator != nullptr && from_right) count_search(run, text, *separator);
  // Pieces are charged one by one; this is for their views, which all exist before that.
  const auto may_divide = [separator](char c) {
    return separator != nullptr ? c == separator->front() : c <= ' ' || c > '~';
  };
  run.charge(std::count_if(text.begin(), text.end(), may_divide) *
             static_cast<std::int64_t>(sizeof(std::string_view)));
  return texts(run, separator == nullptr ? split_words(text, most, from_right)
                                         : split_at(text, *separator, most, from_right));
}
Value split(Run& run, const Value& self, Arguments& a) { return split_method(run, self, a, false); }
Value rsplit(Run& run, const Value& self, Arguments& a) { return split_method(run, self, a, true); }

Value splitlines(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"keepends"});
  const std::string& text = plain_text(run, self);
  run.charge(static_cast<std::int64_t>(text.size()));
  return texts(run, split_lines(text, given[0] && truth(*given[0])));
}

Value partition_method(Run& run, const Value& self, Arguments& arguments, bool from_right) {
  const Bound given = bind(run, arguments, {"sep"}, 1);
  const std::string &text = plain_text(run, self), &separator = plain_text(run, *given[0]);
  if (separator.empty()) run.fail("separator is empty");
  if (from_right) count_search(run, text, separator);
  const std::size_t at = from_right ? text.rfind(separator) : find_text(text, separator);
  Values parts;
  if (at != text.npos) {
    parts = {run.text(text.substr(0, at)), *given[0], run.text(text.substr(at + separator.size()))};
  } else if (from_right) {
    parts = {run.text({}), run.text({}), self};
  } else {
    parts = {self, run.text({}), run.text({})};
  }
  return run.list(std::move(parts), Kind::kTuple);
}
Value partition(Run& run, const Value& self, Arguments& a) {
  return partition_method(run, self, a, false);
}
Value rpartition(Run& run, const Value& self, Arguments& a) {
  return partition_method(run, self, a, true);
}

Value affix_method(Run& run, const Value& self, Arguments& arguments, bool at_end) {
  const Bound given = bind(run, arguments, {"affix"}, 1);
  const std::string& text = plain_text(run, self);
  const auto has = [&](const Value& affix) {
    const std::string& part = plain_text(run, affix);
    return part.size() <= text.size() &&
           text.compare(at_end ? text.size() - part.size() : 0, part.size(), part) == 0;
  };
  if (!given[0]->is(Kind::kTuple)) return Value::boolean(has(*given[0]));
  const Values& any = given[0]->items();
  return Value::boolean(std::any_of(any.begin(), any.end(), has));
}
Value startswith(Run& run, const Value& self, Arguments& a) {
  return affix_method(run, self, a, false);
}
Value endswith(Run& run, const Value& self, Arguments& a) {
  return affix_method(run, self, a, true);
}

Value remove_method(Run& run, const Value& self, Arguments& arguments, bool at_end) {
  const Bound given = bind(run, arguments, {"affix"}, 1);
  const std::string &text = plain_text(run, self), &part = plain_text(run, *given[0]);
  if (part.size() > text.size()) return self;
  const std::size_t rest = text.size() - part.size();
  if (text.compare(at_end ? rest : 0, part.size(), part) != 0) return self;
  return run.text(text.substr(at_end ? 0 : part.size(), rest));
}
Value removeprefix(Run& run, const Value& self, Arguments& a) {
  return remove_method(run, self, a, false);
}
Value removesuffix(Run& run, const Value& self, Arguments& a) {
  return remove_method(run, self, a, true);
}

Value find_method_at(Run& run, const Value& self, Arguments& arguments, bool from_right,
                     bool must) {
  const Bound given = bind(run, arguments, {"sub"}, 1);
  const std::string &text = plain_text(run, self), &part = plain_text(run, *given[0]);
  if (from_right) count_search(run, text, part);
  const std::size_t at = from_right ? text.rfind(part) : find_text(text, part);
  if (at == text.npos && must) run.fail("substring not found");
  if (at == text.npos) return Value::integer(-1);
  return Value::integer(count_code_points(std::string_view(text).substr(0, at)));
}
Value find(Run& run, const Value& self, Arguments& a) {
  return find_method_at(run, self, a, false, false);
}
Value rfind(Run& run, const Value& self, Arguments& a) {
  return find_method_at(run, self, a, true, false);
}
Value index(Run& run, const Value& self, Arguments& a) {
  return find_method_at(run, self, a, false, true);
}
Value rindex(Run& run, const Value& self, Arguments& a) {
  return find_method_at(run, self, a, true, true);
}

Value count(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"sub"}, 1);
  const std::string &text = plain_text(run, self), &part = plain_text(run, *given[0]);
  if (part.empty()) return Value::integer(count_code_points(text) + 1);
  std::int64_t n = 0;
  for (std::size_t i = 0; (i = find_text(text, part, i)) != text.npos; i += part.size()) ++n;
  return Value::integer(n);
}

Value replace(Run& run, const Value& self, Arguments& arguments) {
  if (arguments.named.size() > 0) run.fail("replace takes no named arguments");
  return find_text_filter("replace")(run, self, arguments);
}

Value join(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"items"}, 1);
  const std::string& separator = plain_text(run, self);
  std::string out;
  bool first = true;
  for (const Value& item : items_of(run, *given[0])) {
    run.charge(static_cast<std::int64_t>(separator.size() + item.text().size()));
    if (!first) out += separator;
    first = false;
    out += plain_text(run, item);
  }
  return run.text(std::move(out));
}

template <std::string (*function)(std::string_view)>
Value changed(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  const std::string& text = plain_text(run, self);
  run.charge(static_cast<std::int64_t>(4 * text.size()));
  return run.text(function(text));
}

template <Letters letters>
Value all(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(all_are(plain_text(run, self), letters));
}
Value isupper(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(is_upper(plain_text(run, self)));
}
Value islower(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  return Value::boolean(is_lower(plain_text(run, self)));
}

Value padded(Run& run, const Value& self, Arguments& arguments, Side side) {
  const Bound given = bind(run, arguments, {"width", "fillchar"}, 1);
  const std::string& text = plain_text(run, self);
  const std::string fill = given[1] ? plain_text(run, *given[1]) : " ";
  if (count_code_points(fill) != 1) run.fail("fill must be one character");
  const std::int64_t width = integer(run, *given[0], "width");
  const std::int64_t missing = std::max<std::int64_t>(width, 0) - count_code_points(text);
  if (missing <= 0) return self;
  if (missing > kMaxValueBytes / 4) run.charge(kMaxValueBytes + 1);
  run.charge(4 * missing);
  // str.center() puts the odd one left when both are odd.
  const std::int64_t left = side == Side::kBoth   ? missing / 2 + (missing & width & 1)
                            : side == Side::kLeft ? missing
                                                  : 0;
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::int64_t i = left; i < missing; ++i) out += fill;
  return run.text(std::move(out));
}
Value ljust(Run& run, const Value& self, Arguments& a) {
  return padded(run, self, a, Side::kRight);
}
Value rjust(Run& run, const Value& self, Arguments& a) { return padded(run, self, a, Side::kLeft); }
Value center(Run& run, const Value& self, Arguments& a) {
  return padded(run, self, a, Side::kBoth);
}

Value list_index(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"value"}, 1);
  for (std::size_t i = 0; i < self.items().size(); ++i) {
    if (equal(run, self.items()[i], *given[0])) return Value::integer(static_cast<std::int64_t>(i));
  }
  run.fail("value is not in the list");
}

Value list_count(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"value"}, 1);
  std::int64_t n = 0;
  for (const Value& item : self.items()) n += equal(run, item, *given[0]);
  return Value::integer(n);
}

Value copy(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  return self;
}

Value dict_get(Run& run, const Value& self, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"key", "default"}, 1);
  if (const Value* found = lookup(run, self.pairs(), *given[0])) return *found;
  return given[1] ? *given[1] : Value::none();
}

template <ViewObject::Part part>
Value view(Run& run, const Value& self, Arguments& arguments) {
  bind(run, arguments, {});
  return run.object(Kind::kView, std::make_shared<ViewObject>(part, self));
}

constexpr NamedFunction kTextMethods[] = {{"strip", strip_both},
                                          {"lstrip", strip_left},
                                          {"rstrip", strip_right},
                                          {"split", split},
                                          {"rsplit", rsplit},
                                          {"splitlines", splitlines},
                                          {"partition", partition},
                                          {"rpartition", rpartition},
                                          {"startswith", startswith},
                                          {"endswith", endswith},
                                          {"removeprefix", removeprefix},
                                          {"removesuffix", removesuffix},
                                          {"find", find},
                                          {"rfind", rfind},
                                          {"index", index},
                                          {"rindex", rindex},
                                          {"count", count},
                                          {"replace", replace},
                                          {"join", join},
                                          {"upper", changed<upper>},
                                          {"lower", changed<lower>},
                                          {"title", changed<title>},
                                          {"capitalize", changed<capitalize>},
                                          {"isalpha", all<Letters::kAlpha>},
                                          {"isdigit", all<Letters::kDigit>},
                                          {"isdecimal", all<Letters::kDecimal>},
                                          {"isnumeric", all<Letters::kNumeric>},
                                          {"isalnum", all<Letters::kAlnum>},
                                          {"isspace", all<Letters::kSpace>},
                                          {"isupper", isupper},
                                          {"islower", islower},
                                          {"ljust", ljust},
                                          {"rjust", rjust},
                                          {"center", center},
                                          {"casefold", nullptr},
                                          {"encode", nullptr},
                                          {"expandtabs", nullptr},
                                          {"format", nullptr},
                                          {"format_map", nullptr},
                                          {"isascii", nullptr},
                                          {"isidentifier", nullptr},
                                          {"isprintable", nullptr},
                                          {"istitle", nullptr},
                                          {"maketrans", nullptr},
                                          {"swapcase", nullptr},
                                          {"translate", nullptr},
                                          {"zfill", nullptr}};

constexpr NamedFunction kListMethods[] = {
    {"index", list_index}, {"count", list_count}, {"copy", copy}};
constexpr NamedFunction kTupleMethods[] = {{"index", list_index}, {"count", list_count}};
constexpr std::string_view kListChanges[] = {"append", "clear",  "extend",  "insert",
                                             "pop",    "remove", "reverse", "sort"};

constexpr NamedFunction kDictMethods[] = {{"get", dict_get},
                                          {"keys", view<ViewObject::Part::kKeys>},
                                          {"values", view<ViewObject::Part::kValues>},
                                          {"items", view<ViewObject::Part::kItems>},
                                          {"copy", copy},
                                          {"fromkeys", nullptr}};
constexpr std::string_view kDictChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};

// Attributes of numbers, ranges and views that Python has and templates have no use for.
constexpr NamedFunction kNumberMethods[] = {
    {"as_integer_ratio", nullptr}, {"bit_count", nullptr},   {"bit_length", nullptr},
    {"conjugate", nullptr},        {"denominator", nullptr}, {"from_bytes", nullptr},
    {"fromhex", nullptr},          {"hex", nullptr},         {"imag", nullptr},
    {"is_integer", nullptr},       {"numerator", nullptr},   {"real", nullptr},
    {"to_bytes", nullptr}};
constexpr NamedFunction kRangeMethods[] = {{"count", nullptr}, {"index", nullptr}};
constexpr NamedFunction kViewMethods[] = {{"isdisjoint", nullptr}, {"mapping", nullptr}};
constexpr NamedFunction kFunctionAttributes[] = {{"name", nullptr},
                                                 {"arguments", nullptr},
                                                 {"catch_kwargs", nullptr},
                                                 {"catch_varargs", nullptr},
                                                 {"caller", nullptr}};

struct Methods {
  const NamedFunction* begin = nullptr;
  const NamedFunction* end = nullptr;
  const std::string_view* changes = nullptr;
  const std::string_view* changes_end = nullptr;
};

Methods methods_of(const Value& value) {
  const auto of = [](const auto& methods) {
    return Methods{std::begin(methods), std::end(methods)};
  };
  switch (value.kind()) {
    case Kind::kText:
      return of(kTextMethods);
    case Kind::kList:
      return {std::begin(kListMethods), std::end(kListMethods), std::begin(kListChanges),
              std::end(kListChanges)};
    case Kind::kDict:
      return {std::begin(kDictMethods), std::end(kDictMethods), std::begin(kDictChanges),
              std::end(kDictChanges)};
    case Kind::kTuple:
      return of(kTupleMethods);
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      return of(kNumberMethods);
    case Kind::kRange:
      return of(kRangeMethods);
    case Kind::kView:
      return of(kViewMethods);
    case Kind::kFunction:
      return of(kFunctionAttributes);
    default:
      return {};
  }
}

}  // namespace

bool find_method(Run& run, const Value& value, const std::string& name, Value& method) {
  const Methods methods = methods_of(value);
  if (std::find(methods.changes, methods.changes_end, name) != methods.changes_end) {
    method = run.undefined("templates may not change values: " + name);
    return true;
  }
  const NamedFunction* found = std::find_if(methods.begin, methods.end,
                                            [&](const NamedFunction& m) { return m.name == name; });
  if (found == methods.end) return false;
  if (found->function == nullptr) run.fail("method is not supported", {}, name);
  const auto bound = [self = value, function = found->function](Run& now, Arguments& arguments) {
    return function(now, self, arguments);
  };
  auto object = std::make_shared<FunctionObject>(name, bound);
  object->depth = value.depth() + 1;
  method = run.object(Kind::kFunction, std::move(object));
  return true;
}

}  // namespace zp::jinja
