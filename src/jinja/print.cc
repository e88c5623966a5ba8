// str() and repr().
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

std::string repr_list(Run& run, const Value& value, char open, char close) {
  std::string out(1, open);
  for (const Value& item : value.items()) {
    if (out.size() > 1) out += ", ";
    out += repr(run, item);
  }
  if (value.is(Kind::kTuple) && value.items().size() == 1) out += ',';
  return out + close;
}

std::string repr_dict(Run& run, const Value& value) {
  std::string out = "{";
  for (const auto& [key, item] : value.pairs()) {
    if (out.size() > 1) out += ", ";
    out += repr(run, key) + ": " + repr(run, item);
  }
  return out + "}";
}

std::string repr_view(Run& run, const Value& value) {
  static constexpr const char* kNames[] = {"dict_keys([", "dict_values([", "dict_items(["};
  const std::string name = kNames[static_cast<std::size_t>(value.ref<ViewObject>().part)];
  std::string out = name;
  for (const Value& item : items_of(run, value)) {
    if (out.size() > name.size()) out += ", ";
    out += repr(run, item);
  }
  return out + "])";
}

std::string repr_range(const RangeObject& range) {
  std::string out = "range(" + std::to_string(range.start) + ", " + std::to_string(range.stop);
  if (range.step != 1) out += ", " + std::to_string(range.step);
  return out + ")";
}

std::string repr_namespace(Run& run, const Value& value) {
  std::string out = "<Namespace {";
  bool first = true;
  for (const auto& [name, item] : value.ref<NamespaceObject>().attributes) {
    if (!first) out += ", ";
    first = false;
    out += repr(name) + ": " + repr(run, item);
  }
  return out + "}>";
}

}  // namespace

std::string repr(Run& run, const Value& value) {
  const Depth deeper(run);
  std::string out;
  switch (value.kind()) {
    case Kind::kUndefined:
      out = "Undefined";
      break;
    case Kind::kNone:
      out = "None";
      break;
    case Kind::kBool:
      out = value.integer() ? "True" : "False";
      break;
    case Kind::kInt:
      out = std::to_string(value.integer());
      break;
    case Kind::kFloat:
      out = repr(value.real());
      break;
    case Kind::kText:
      run.charge(3 * static_cast<std::int64_t>(value.text().size()));
      out = repr(value.text());
      if (value.markup()) out = "Markup(" + out + ")";
      break;
    case Kind::kList:
      out = repr_list(run, value, '[', ']');
      break;
    case Kind::kTuple:
      out = repr_list(run, value, '(', ')');
      break;
    case Kind::kDict:
      out = repr_dict(run, value);
      break;
    case Kind::kView:
      out = repr_view(run, value);
      break;
    case Kind::kRange:
      out = repr_range(value.ref<RangeObject>());
      break;
    case Kind::kNamespace:
      out = repr_namespace(run, value);
      break;
    case Kind::kIterator:
    case Kind::kFunction:
    case Kind::kLoop:
      run.fail("can't be made a text", {}, kind_name(value));
  }
  run.charge(static_cast<std::int64_t>(out.size()));
  return out;
}

std::string to_text(Run& run, const Value& value) {
  if (value.is(Kind::kUndefined)) return {};
  if (!value.is(Kind::kText)) return repr(run, value);
  run.step(static_cast<std::int64_t>(value.text().size()));
  return value.text();
}

}  // namespace zp::jinja
