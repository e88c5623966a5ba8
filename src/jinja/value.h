// Values of a template, as Python has them. All but namespaces never change once made (jinja2's
// sandbox refuses every method that would change one), so values share what they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace zp::jinja {

class Run;
class Value;
using Values = std::vector<Value>;
using Items = std::vector<std::pair<Value, Value>>;

enum class Kind : std::uint8_t {
  kUndefined,  ///< TextObject: why
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kList,
  kTuple,
  kDict,
  kView,  ///< keys(), values() or items() of a mapping
  kRange,
  kIterator,  ///< what filters like map() give: can be gone through once
  kNamespace,
  kFunction,  ///< a function, method or macro
  kLoop,      ///< the variable `loop`
};

/// Depth: 1 + that of the deepest value inside; what is destroyed recursively has a bounded one.
struct Object {
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
  int depth = 1;
};

/// An object that could come to own itself. The Run keeps it and clears it at its end.
struct Cyclic : Object {
  virtual void clear() = 0;
};

class Value {
 public:
  Value() = default;  ///< undefined, without a reason
  Value(Kind kind, std::shared_ptr<const Object> object)
      : kind_(kind), object_(std::move(object)) {}
  Value(bool markup, std::shared_ptr<const Object> text)
      : kind_(Kind::kText), markup_(markup), object_(std::move(text)) {}
  static Value none() { return of(Kind::kNone, 0); }
  static Value boolean(bool value) { return of(Kind::kBool, value); }
  static Value integer(std::int64_t value) { return of(Kind::kInt, value); }
  static Value real(double value) {
    Value result = of(Kind::kFloat, 0);
    result.real_ = value;
    return result;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool is_number() const { return is_integral() || kind_ == Kind::kFloat; }
  bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  bool markup() const { return markup_; }  ///< a text that the filter safe or escape marked
  int depth() const { return object_ && kind_ != Kind::kNamespace ? object_->depth : 0; }

  std::int64_t integer() const { return integer_; }  ///< of kInt and kBool
  double real() const { return is(Kind::kFloat) ? real_ : static_cast<double>(integer_); }
  const std::string& text() const;  ///< of kText, and the reason of kUndefined ("" when none)
  const Values& items() const;      ///< of kList and kTuple
  const Items& pairs() const;       ///< of kDict
  const Object* address() const { return object_.get(); }
  template <class T>
  std::shared_ptr<const T> as() const {
    return std::static_pointer_cast<const T>(object_);
  }
  template <class T>
  const T& ref() const {
    return static_cast<const T&>(*object_);
  }

 private:
  static Value of(Kind kind, std::int64_t integer) {
    Value result;
    result.kind_ = kind;
    result.integer_ = integer;
    return result;
  }
  Kind kind_ = Kind::kUndefined;
  bool markup_ = false;
  union {
    std::int64_t integer_ = 0;
    double real_;
  };
  std::shared_ptr<const Object> object_;
};

struct TextObject final : Object {
  explicit TextObject(std::string value) : text(std::move(value)) { depth = 0; }
  const std::string text;
};

struct ListObject final : Object {
  Values items;
};

struct DictObject final : Object {
  Items items;
};

struct ViewObject final : Object {
  enum class Part { kKeys, kValues, kItems };
  ViewObject(Part which, Value of) : part(which), dict(std::move(of)) { depth = dict.depth() + 1; }
  Part part;
  Value dict;
};

struct RangeObject final : Object {
  std::int64_t start = 0, stop = 0, step = 1, count = 0;
};

/// Goes on from where it is, for whoever holds it: what next() changes is mutable.
struct IteratorObject : Object {
  virtual bool next(Run& run, Value& value) const = 0;
};

struct NamespaceObject final : Cyclic {
  void clear() override {
    auto gone = std::move(attributes);
    attributes.clear();
  }
  mutable std::vector<std::pair<std::string, Value>> attributes;
};

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

struct FunctionObject : Object {
  FunctionObject(std::string name_, std::function<Value(Run&, Arguments&)> call_)
      : name(std::move(name_)), call(std::move(call_)) {}
  std::string name;
  std::function<Value(Run&, Arguments&)> call;
};

/// The variable `loop`; its attributes are made where loops are run.
struct LoopObject : Object {
  /// False when there is no such attribute.
  virtual bool attribute(Run& run, const std::string& name, Value& value) const = 0;
};

/// The kind as messages name it: "text", "list", ...
const char* kind_name(const Value& value);

/// Goes through a value's items once. The value must be iterable: cursor_over() checks.
class Cursor {
 public:
  explicit Cursor(Value source) : source_(std::move(source)) {}
  bool next(Run& run, Value& value);
  const Value& source() const { return source_; }

 private:
  Value source_;
  std::size_t i_ = 0;
};

bool is_iterable(const Value& value);
Cursor cursor_over(Run& run, const Value& value);
Values items_of(Run& run, const Value& value);

}  // namespace zp::jinja
